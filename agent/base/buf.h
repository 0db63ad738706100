/* SPDX-License-Identifier: MIT */
/*
 * Bytes that grow up to a bound. The first failure sticks: later calls change nothing, so one look
 * at error at the end is enough, and the bytes never have a hole. Begin with
 * (struct fffa_buf){.max = BOUND}. Any thread, one at a time.
 */
#ifndef FFFA_AGENT_BASE_BUF_H
#define FFFA_AGENT_BASE_BUF_H

#include <stddef.h>
#include <stdint.h>

struct fffa_buf {
	uint8_t *ptr; /* not terminated; NULL until the first byte */
	size_t len;
	size_t held; /* bytes allocated */
	size_t max;  /* upper bound of len; SIZE_MAX: only memory bounds it */
	int error;   /* 0; -ENOMEM; -EMSGSIZE: more than max */
};

/* Empties b and clears its error; the memory stays for the next use. */
void fffa_buf_reset(struct fffa_buf *b);

/* Frees the memory. b is empty then, with the same max. */
void fffa_buf_fini(struct fffa_buf *b);

/*
 * Lends room for n bytes at ptr + len, valid until the next call; the caller adds to len what it
 * wrote. NULL after a failure.
 */
uint8_t *fffa_buf_room(struct fffa_buf *b, size_t n);

void fffa_buf_add(struct fffa_buf *b, const void *p, size_t n);
void fffa_buf_text(struct fffa_buf *b, const char *s);

/* printf of at most FFFA_BUF_FORMAT_BYTES_MAX bytes; a longer text fails with -EMSGSIZE. */
#define FFFA_BUF_FORMAT_BYTES_MAX 1023
void fffa_buf_format(struct fffa_buf *b, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
