/* SPDX-License-Identifier: MIT */
/*
 * A growing piece of JSON text. The first failure (memory, or more than most bytes) sticks: later
 * calls do nothing, and one look at error at the end is enough. Any thread, one at a time.
 */
#ifndef FFFA_SINKS_HTTP_BUF_H
#define FFFA_SINKS_HTTP_BUF_H

#include <stddef.h>
#include <stdint.h>

#include "sinks/batch.h"

struct fffa_http_buf {
	uint8_t *ptr;
	size_t len;
	size_t held; /* allocated */
	size_t most; /* bytes it may have; 0: no bound but memory */
	int error;   /* 0, -ENOMEM, -EMSGSIZE */
};

/* Empty again; the memory is kept. */
void fffa_http_buf_reset(struct fffa_http_buf *b);
void fffa_http_buf_fini(struct fffa_http_buf *b);
/* Room for want more bytes at ptr + len; NULL after a failure. */
uint8_t *fffa_http_buf_room(struct fffa_http_buf *b, size_t want);
void fffa_http_buf_add(struct fffa_http_buf *b, const void *p, size_t n);
void fffa_http_buf_text(struct fffa_http_buf *b, const char *s);
void fffa_http_buf_number(struct fffa_http_buf *b, uint64_t v);
/* A JSON string, quotes included; bytes above 0x7f pass as they are (records are UTF-8). */
void fffa_http_buf_string(struct fffa_http_buf *b, const void *p, size_t n);
/* "KEY":"VALUE" of NUL-terminated texts. */
void fffa_http_buf_pair(struct fffa_http_buf *b, const char *key, const char *value);

#endif
