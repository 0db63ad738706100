/* SPDX-License-Identifier: MIT */
/* One page of a status listener, for a command in a terminal. Blocks, with a limit. */
#ifndef FFFA_AGENT_CLI_HTTP_GET_H
#define FFFA_AGENT_CLI_HTTP_GET_H

#include <stddef.h>

#include "agent/base/err.h"

/*
 * GET path at `listen` (as status.listen writes it; an address for all interfaces is asked at
 * loopback), HTTP/1.0. 0 and *body (malloc, terminated, the caller frees) when the answer is 200;
 * else -errno with err.
 */
int fffa_http_get(const char *listen, const char *path, char **body, struct fffa_err *err);

#endif
