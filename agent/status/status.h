/* SPDX-License-Identifier: MIT */
/*
 * The status listener: /metrics, /healthz, /readyz, /status and /flows over HTTP/1.1, for GET and
 * HEAD. Bounded in connections, in the memory of each and in time; a slow or silent client costs its
 * connection, never the loop. Loop thread only.
 */
#ifndef FFFA_AGENT_STATUS_STATUS_H
#define FFFA_AGENT_STATUS_STATUS_H

#include <stdbool.h>
#include <uv.h>

#include "agent/base/err.h"
#include "agent/status/view.h"

struct fffa_flow_table;
struct fffa_status;

struct fffa_status_source {
	/* Fills v (zeroed before) with how things are now. */
	void (*view)(void *arg, struct fffa_status_view *v);
	/* The flows to look at for /flows; NULL: there are none yet. */
	const struct fffa_flow_table *(*flows)(void *arg);
	void *arg;
};

/*
 * Listens at `listen` (as config/address.h takes it). Borrows loop and src->arg for its life; its
 * handles do not keep the loop alive on their own. 0, or -errno with err and nothing left.
 */
int fffa_status_open(uv_loop_t *loop, const char *listen, const struct fffa_status_source *src,
		     struct fffa_status **out, struct fffa_err *err);

/* Drops every connection; frees s once its handles are closed. NULL is allowed. */
void fffa_status_close(struct fffa_status *s);

/* Version of libmicrohttpd, for fffa version. */
const char *fffa_status_library(void);

#endif
