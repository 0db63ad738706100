/* SPDX-License-Identifier: MIT */
/*
 * The encoders whose bytes one sink still has to send: the current one, and those of before a
 * change of format or fields. One thread at a time.
 */
#ifndef FFFA_AGENT_ENCODE_ENCODINGS_H
#define FFFA_AGENT_ENCODE_ENCODINGS_H

#include <stdbool.h>

#include "agent/encode/encoder.h"

#define FFFA_ENCODINGS_MAX 8

struct fffa_encoding {
	uint64_t identity; /* a hash of what the bytes of a record depend on */
	enum fffa_format format;
	bool is_wrapped;	      /* in an envelope */
	struct fffa_encoder *encoder; /* a reference */
};

/* Zeroed it is empty. */
struct fffa_encodings {
	size_t n, current;
	struct fffa_encoding v[FFFA_ENCODINGS_MAX];
};

/* True when this identity is there, or can be added. */
bool fffa_encodings_has_room(const struct fffa_encodings *e, uint64_t identity);
/*
 * Makes this encoding the current one. It takes a reference to its encoder, and gives back that of an
 * encoding with the same identity. There must be room.
 */
void fffa_encodings_set(struct fffa_encodings *e, const struct fffa_encoding *encoding);
/* NULL when it is empty. Borrowed until the next set, forget or free; so is the one found. */
const struct fffa_encoding *fffa_encodings_current(const struct fffa_encodings *e);
/* The encoding of this identity, or else the current one. */
const struct fffa_encoding *fffa_encodings_find(const struct fffa_encodings *e, uint64_t identity);
/* No bytes of before are left: keeps the current one only. */
void fffa_encodings_forget(struct fffa_encodings *e);
/* Gives all references back. */
void fffa_encodings_free(struct fffa_encodings *e);

#endif
