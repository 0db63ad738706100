/* SPDX-License-Identifier: MIT */
/*
 * What all requests to metadata services have in common: http only, never through a proxy, never redirected, no
 * credentials of anybody, with a time limit and a cap on the body.
 */
#ifndef FFFA_AGENT_ENRICH_INPUT_HTTP_BOUNDS_H
#define FFFA_AGENT_ENRICH_INPUT_HTTP_BOUNDS_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where a body goes. v (borrowed, cap bytes) and cap are the caller's to set. */
struct fffa_http_body {
	char *v;
	size_t cap;
	size_t len;
	bool too_big; /* there was more than cap: the transfer was ended */
};

/* Sets e up for requests whose bodies go to body, which must stay where it is. 0 or -ENOMEM. */
int fffa_http_bounds_set(CURL *e, uint64_t timeout_ms, struct fffa_http_body *body);

/* Before each request. */
void fffa_http_body_reset(struct fffa_http_body *body);

/* How the transfer ended, CURLE_FILESIZE_EXCEEDED when the body was too big. */
CURLcode fffa_http_body_result(const struct fffa_http_body *body, CURLcode result);

#endif
