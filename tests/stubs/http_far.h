/* SPDX-License-Identifier: MIT */
/*
 * An HTTP/1.1 server on loopback in a thread of its own, for tests of the HTTP sink: it keeps what
 * it has confirmed, and fails as it is told. Aborts on what no test expects.
 */
#ifndef FFFA_TESTS_STUBS_HTTP_FAR_H
#define FFFA_TESTS_STUBS_HTTP_FAR_H

#include <stddef.h>
#include <stdint.h>

struct http_far;

enum http_far_mode {
	HTTP_FAR_OK,
	HTTP_FAR_BROKEN, /* by turns: 503, a reset in the middle of the body, half an answer */
	HTTP_FAR_DEAF,	 /* takes the request and never answers */
};

struct http_far_post {
	char head[2048]; /* request line and headers, NUL-terminated */
	uint8_t *body;	 /* as it came */
	size_t len;
};

struct http_far *http_far_open(void);
void http_far_close(struct http_far *f);
int http_far_port(const struct http_far *f);
/* From the next request on. */
void http_far_set(struct http_far *f, enum http_far_mode mode);
/* What is answered while OK; the default is "HTTP/1.1 200 OK" with an empty body. text stays the
 * caller's and is valid until close. */
void http_far_answer(struct http_far *f, const char *text);
/* Copies the posts that were answered while OK, in the order of arrival; *n gets their number. Free
 * with http_far_free. */
struct http_far_post *http_far_posts(struct http_far *f, size_t *n);
void http_far_free(struct http_far_post *posts, size_t n);
size_t http_far_requests(struct http_far *f);

#endif
