/* SPDX-License-Identifier: MIT */
/* Asks a status listener for one page, for a command in a terminal. Blocks, at most 5 seconds. */
#ifndef FFFA_AGENT_CLI_HTTP_GET_H
#define FFFA_AGENT_CLI_HTTP_GET_H

#include "agent/base/err.h"

/*
 * GET path at `listen` (as status.listen writes it: TCP or a unix socket; an address for all interfaces
 * is asked at loopback). Asks no proxy and follows no redirect. 0 when the answer is 200: *body is a
 * terminated text of at most 2 MiB, which the caller frees. Else -errno with err, and *body is
 * untouched; no answer fails with -ETIMEDOUT, one that is too large with -EFBIG, one that is no page
 * of an agent with -EPROTO.
 */
int fffa_http_get(const char *listen, const char *path, char **body, struct fffa_err *err);

#endif
