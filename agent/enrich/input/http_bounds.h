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
	size_t header_bytes;
};

/* All headers of a request's answers together, 1xx included. */
#define FFFA_HTTP_HEADER_BYTES_MAX ((size_t)64 * 1024)

/* Sets the bounds on e. Bodies go to body, which must not move. 0 or -ENOMEM. */
int fffa_http_bounds_set(CURL *e, uint64_t timeout_ms, struct fffa_http_body *body);

/* Empties body; call it before each request. */
void fffa_http_body_reset(struct fffa_http_body *body);

/*
 * Counts a header line of len bytes. False: there are too many, and the transfer must end. A
 * CURLOPT_HEADERFUNCTION that replaces the one of fffa_http_bounds_set calls it.
 */
bool fffa_http_body_count_header(struct fffa_http_body *body, size_t len);

/* How a transfer ended with result: CURLE_FILESIZE_EXCEEDED when the body was too big. */
CURLcode fffa_http_body_result(const struct fffa_http_body *body, CURLcode result);

#endif
