/* SPDX-License-Identifier: MIT */
/*
 * What is stored of an answer: the body up to a bound, and Retry-After. The server may be hostile.
 */
#ifndef FFFA_SINKS_HTTP_SHAPE_HTTP_REPLY_H
#define FFFA_SINKS_HTTP_SHAPE_HTTP_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A longer wait is cut to this. */
#define FFFA_HTTP_RETRY_AFTER_MAX_MS (3600u * 1000)

struct fffa_http_reply {
	char *body; /* len bytes */
	size_t len;
	size_t held;	      /* allocated */
	size_t most;	      /* most bytes of body to store; the rest is read and dropped */
	bool cut;	      /* a part was dropped */
	size_t received;      /* bytes of this request's answers, headers included */
	bool ended;	      /* there were too many bytes: the transfer was ended */
	char retry_after[64]; /* as received; empty: absent, or longer than a valid one */
	long status;	      /* of the last status line; 0: none yet */
	/* Called when the headers of an answer with 2xx are complete. NULL: nobody asks. */
	void (*confirmed)(void *arg);
	void *arg;
};

/* What an answer may have beyond `most`; one that goes on has its connection closed. */
#define FFFA_HTTP_DROPPED_BYTES_MAX ((size_t)64 * 1024)

/* Empties the reply for the next request; its memory is reused. */
void fffa_http__reply_reset(struct fffa_http_reply *r);
void fffa_http__reply_fini(struct fffa_http_reply *r);

/* For CURLOPT_WRITEFUNCTION and CURLOPT_HEADERFUNCTION; arg is the reply. */
size_t fffa_http__reply_on_body(char *data, size_t size, size_t n, void *arg);
size_t fffa_http__reply_on_header(char *line, size_t size, size_t n, void *arg);

/*
 * Writes the beginning of the body to out as one line of text: other than printable characters
 * become \xNN. "": there is no body.
 */
#define FFFA_HTTP_EXCERPT_BYTES 200 /* of the body */
void fffa_http_reply_excerpt(const struct fffa_http_reply *r, char *out, size_t cap);

/*
 * Reads the value of Retry-After (RFC 9110 10.2.3), seconds or a date. now_s is Unix time. Returns
 * the milliseconds to wait, at most FFFA_HTTP_RETRY_AFTER_MAX_MS; 0 for an empty or invalid text
 * and for a date in the past.
 */
uint32_t fffa_http_retry_after_ms(const char *text, int64_t now_s);

#endif
