/* SPDX-License-Identifier: MIT */
/*
 * An HTTP/1.1 server on loopback in a thread of its own, for tests of the HTTP sink. It stores the
 * posts that it takes and fails as the test wants. It aborts on input that no test expects.
 */
#ifndef FFFA_TESTS_STUBS_HTTP_SERVER_H
#define FFFA_TESTS_STUBS_HTTP_SERVER_H

#include <stddef.h>
#include <stdint.h>

struct http_server;

enum http_server_mode {
	HTTP_SERVER_OK,
	HTTP_SERVER_BROKEN, /* in turn: 503, a reset in the middle of the body, half a status line */
	HTTP_SERVER_DEAF,   /* reads the request, drops it and never answers */
	HTTP_SERVER_REFUSE, /* gives the answer, but stores nothing */
	HTTP_SERVER_MUTE,   /* stores the post and never answers */
};

struct http_server_post {
	char head[2048]; /* request line and headers, NUL-terminated */
	uint8_t *body;	 /* as received */
	size_t len;
};

struct http_server *http_server_open(void);
void http_server_close(struct http_server *f);
int http_server_port(const struct http_server *f);
/* Sets the behaviour from the next request on. */
void http_server_set(struct http_server *f, enum http_server_mode mode);
/*
 * Sets the answer while OK or REFUSE; the default is "HTTP/1.1 200 OK" with an empty body. The caller keeps
 * text valid until close.
 */
void http_server_answer(struct http_server *f, const char *text);
/*
 * Copies the stored posts (from OK and MUTE) in the order of arrival; *n gets their number. Free
 * with http_server_free.
 */
struct http_server_post *http_server_posts(struct http_server *f, size_t *n);
void http_server_free(struct http_server_post *posts, size_t n);
size_t http_server_requests(struct http_server *f);

#endif
