/* SPDX-License-Identifier: MIT */
/* Reads one page of a status listener. Blocks for at most 5 seconds, a stream for as long as it goes on. */
#ifndef FFFA_AGENT_CLI_HTTP_GET_H
#define FFFA_AGENT_CLI_HTTP_GET_H

#include <stdbool.h>
#include <stddef.h>

#include "agent/base/err.h"

/*
 * GET path at `listen`, written like status.listen: TCP or a unix socket; an address for all
 * interfaces is asked at loopback. Uses no proxy and follows no redirect. Returns 0 when the status
 * is 200: *body is a NUL-terminated text of at most 2 MiB, which the caller frees. Else -errno with
 * err, and *body is untouched: -ETIMEDOUT without an answer, -EFBIG when it is too large, -EPROTO
 * for another status or what is not HTTP, or why the connection failed.
 */
int fffa_http_get(const char *listen, const char *path, char **body, struct fffa_err *err);

/*
 * The same for a page that answers with any status, such as /readyz: *status is the answer's.
 */
int fffa_http_get_any(const char *listen, const char *path, long *status, char **body,
		      struct fffa_err *err);

/*
 * GET path whose answer has no end: calls take for each piece, until it returns false or the
 * listener ends. 0; else -errno with err, in which the listener's own words stand when it refuses
 * the request.
 */
int fffa_http_get_stream(const char *listen, const char *path,
			 bool (*take)(void *arg, const char *p, size_t n), void *arg,
			 struct fffa_err *err);

#endif
