/* SPDX-License-Identifier: MIT */
/*
 * An HTTP/1.1 server on loopback in a thread of its own, for tests of the HTTP sink: it keeps what
 * it takes, and fails as it is told. Aborts on what no test expects.
 */
#ifndef FFFA_TESTS_STUBS_HTTP_SERVER_H
#define FFFA_TESTS_STUBS_HTTP_SERVER_H

#include <stddef.h>
#include <stdint.h>

struct http_server;

enum http_server_mode {
	HTTP_SERVER_OK,
	HTTP_SERVER_BROKEN, /* by turns: 503, a reset in the middle of the body, half an answer */
	HTTP_SERVER_DEAF,   /* reads the request, drops it and never answers */
	HTTP_SERVER_MUTE,   /* keeps the post and never answers */
};

struct http_server_post {
	char head[2048]; /* request line and headers, NUL-terminated */
	uint8_t *body;	 /* as it came */
	size_t len;
};

struct http_server *http_server_open(void);
void http_server_close(struct http_server *f);
int http_server_port(const struct http_server *f);
/* From the next request on. */
void http_server_set(struct http_server *f, enum http_server_mode mode);
/* What is answered while OK; the default is "HTTP/1.1 200 OK" with an empty body. text stays the
 * caller's and is valid until close. */
void http_server_answer(struct http_server *f, const char *text);
/*
 * Copies the posts that were kept (while OK or MUTE), in the order of arrival; *n gets their
 * number. Free with http_server_free.
 */
struct http_server_post *http_server_posts(struct http_server *f, size_t *n);
void http_server_free(struct http_server_post *posts, size_t n);
size_t http_server_requests(struct http_server *f);

#endif
