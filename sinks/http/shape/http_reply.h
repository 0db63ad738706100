/* SPDX-License-Identifier: MIT */
/* What is kept of an answer: the body up to a bound, Retry-After. Everything here is hostile. */
#ifndef FFFA_SINKS_HTTP_SHAPE_HTTP_REPLY_H
#define FFFA_SINKS_HTTP_SHAPE_HTTP_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A wait above this is this. */
#define FFFA_HTTP_RETRY_AFTER_MAX_MS (3600u * 1000)

struct fffa_http_reply {
	char *body; /* len bytes */
	size_t len;
	size_t held;	      /* allocated */
	size_t most;	      /* bytes; an answer beyond is read to its end and dropped */
	bool cut;	      /* something was dropped */
	char retry_after[64]; /* as it came; empty: not there or longer than any that is valid */
};

/* For the next answer: the memory is kept. */
void fffa_http__reply_reset(struct fffa_http_reply *r);
void fffa_http__reply_fini(struct fffa_http_reply *r);

/* CURLOPT_WRITEFUNCTION and CURLOPT_HEADERFUNCTION; arg is the reply. */
size_t fffa_http__reply_on_body(char *data, size_t size, size_t n, void *arg);
size_t fffa_http__reply_on_header(char *line, size_t size, size_t n, void *arg);

/*
 * RFC 9110 10.2.3: seconds or a date, text ended by NUL; now_s is Unix time. Milliseconds to wait,
 * at most FFFA_HTTP_RETRY_AFTER_MAX_MS; 0: no hint, a date that is past, or nonsense.
 */
uint32_t fffa_http_retry_after_ms(const char *text, int64_t now_s);

#endif
