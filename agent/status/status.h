/* SPDX-License-Identifier: MIT */
/*
 * The status listener serves /, /metrics, /healthz, /readyz, /status, /history, /flows and /records
 * over HTTP/1.1, for GET and HEAD. Connections, their memory and their time are bounded, for each client too: a slow or
 * silent one loses its connection and keeps nobody else out. A request for another host is refused
 * (host_header.h). Loop thread only.
 */
#ifndef FFFA_AGENT_STATUS_STATUS_H
#define FFFA_AGENT_STATUS_STATUS_H

#include <stdbool.h>
#include <uv.h>

#include "agent/base/err.h"
#include "agent/status/listen/listener.h"
#include "agent/status/view.h"

struct fffa_record;
struct fffa_status;

/*
 * Serves at l, which was opened at `listen`. Borrows loop, listen and src->arg until it is closed. Its
 * handles do not keep the loop running. 0: close *out with fffa_status_close. Else -errno with err,
 * and nothing stays open. Takes l in either case.
 */
int fffa_status_open(uv_loop_t *loop, const char *listen, struct fffa_listener *l,
		     const struct fffa_status_source *src, struct fffa_status **out,
		     struct fffa_err *err);

/* A record, enriched and numbered, has left: for the readers of /records. s may be NULL. */
void fffa_status_record(struct fffa_status *s, const struct fffa_record *r);

/*
 * Drops every connection and closes the handles; s is freed when the loop has closed them. A unix
 * socket is removed on a thread, because its disk may stand still, and the loop lives until then. NULL
 * is allowed.
 */
void fffa_status_close(struct fffa_status *s);

/* The version of libmicrohttpd; static. */
const char *fffa_status_library(void);

#endif
