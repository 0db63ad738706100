/* SPDX-License-Identifier: MIT */
/*
 * Reports that devices, addresses or default routes of this namespace may have changed. It does not
 * report what changed: read the devices again (links.h). Loop thread only.
 */
#ifndef FFFA_AGENT_CAPTURE_DEVICES_LINK_WATCH_H
#define FFFA_AGENT_CAPTURE_DEVICES_LINK_WATCH_H

#include <stdbool.h>
#include <uv.h>

struct fffa_link_watch;

#define FFFA_LINK_WATCH_QUIET_MS 100

/*
 * Calls changed on the loop FFFA_LINK_WATCH_QUIET_MS after the first of a burst of changes, and
 * once after the start, so that no earlier change is missed. addresses: an address that is not
 * link-local came or went, or may have, because the kernel dropped messages. 0 or -errno.
 */
int fffa_link_watch_open(uv_loop_t *loop, void (*changed)(void *arg, bool addresses), void *arg,
			 struct fffa_link_watch **out);
/* Frees w once its handles are closed. changed is not called any more. NULL is allowed. */
void fffa_link_watch_close(struct fffa_link_watch *w);

#endif
