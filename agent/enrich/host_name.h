/* SPDX-License-Identifier: MIT */
/*
 * The host's name: that of the configuration, else the kernel's. A change of the kernel's name is
 * noticed. Loop thread only.
 */
#ifndef FFFA_AGENT_ENRICH_HOST_NAME_H
#define FFFA_AGENT_ENRICH_HOST_NAME_H

#include <stddef.h>
#include <uv.h>

#include "agent/base/err.h"
#include "agent/flow/ident.h"

struct fffa_host_name;

/*
 * Copies a name of the configuration to dst; NULL and "" give "". 0; -EINVAL with err for a name
 * that may not enter a record.
 */
int fffa_host_name_read(const char *given, char dst[FFFA_IDENT_HOST_NAME_BYTES],
			struct fffa_err *err);

/*
 * Opens the kernel's name, in *out. Calls changed on the loop, never from inside, after a change.
 * The kernel reports changes in /proc/sys/kernel/hostname; where that cannot be watched, a change
 * is noticed within 10 s. Borrows loop. 0 or -ENOMEM.
 */
int fffa_host_name_open(uv_loop_t *loop, void (*changed)(void *arg), void *arg,
			struct fffa_host_name **out);

/* The name; "" when there is none, or none that may enter a record. Valid until the loop turns. */
const char *fffa_host_name_text(const struct fffa_host_name *h);

/* Asynchronous: calls closed once on the loop, never from inside, then frees h. */
void fffa_host_name_close(struct fffa_host_name *h, void (*closed)(void *arg), void *arg);

#endif
