/* SPDX-License-Identifier: MIT */
/*
 * The bounds of every request to a metadata service: http only, no proxy, no redirect, no
 * credentials, a time limit, and a limit on the body.
 */
#ifndef FFFA_AGENT_ENRICH_INPUT_HTTP_BOUNDS_H
#define FFFA_AGENT_ENRICH_INPUT_HTTP_BOUNDS_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where a body goes. The caller sets v, cap bytes that it owns. */
struct fffa_http_body {
	char *v;
	size_t cap;
	size_t len;
	bool too_big; /* there was more than cap, which ended the transfer */
};

/* Sets the bounds on e. Bodies go to body, which must not move. 0 or -ENOMEM. */
int fffa_http_bounds_set(CURL *e, uint64_t timeout_ms, struct fffa_http_body *body);

/* Empties body; call it before each request. */
void fffa_http_body_reset(struct fffa_http_body *body);

/* How a transfer ended with result: CURLE_FILESIZE_EXCEEDED when the body was too big. */
CURLcode fffa_http_body_result(const struct fffa_http_body *body, CURLcode result);

#endif
