/* SPDX-License-Identifier: MIT */
/* A text that grows up to a cap. What goes beyond is dropped and remembered: never half an answer. */
#ifndef FFFA_AGENT_STATUS_OUT_H
#define FFFA_AGENT_STATUS_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fffa_out {
	char *v; /* not terminated */
	size_t len;
	size_t capacity;
	size_t max;
	bool failed; /* no memory, or max reached: the text is not whole */
};

/* max: bytes that v may grow to. Free with fffa_out_fini. */
void fffa_out_init(struct fffa_out *o, size_t max);
void fffa_out_fini(struct fffa_out *o);

void fffa_out_bytes(struct fffa_out *o, const char *s, size_t n);
void fffa_out_text(struct fffa_out *o, const char *s);
/* At most 1023 bytes at once; more counts as failed. */
void fffa_out_format(struct fffa_out *o, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * A label's value as Prometheus wants it (text format 0.0.4), without the quotes. What is not
 * printable ASCII is written as \\xNN, so that two names never become one.
 */
void fffa_out_label(struct fffa_out *o, const char *s);
/* A JSON string with its quotes; any bytes. */
void fffa_out_json(struct fffa_out *o, const char *s);

#endif
