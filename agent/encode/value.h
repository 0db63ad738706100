/* SPDX-License-Identifier: MIT */
/* How a writer of fields.def is written: its text, and its msgpack form where that is no string. */
#ifndef FFFA_AGENT_ENCODE_VALUE_H
#define FFFA_AGENT_ENCODE_VALUE_H

#include "agent/encode/fields.h"
#include "agent/encode/pack.h"
#include "agent/encode/text.h"

#define FFFA_VALUE_ARGS                                                                            \
	uint8_t *p, const struct fffa_record *r __attribute__((unused)),                           \
		const struct fffa_consts *c __attribute__((unused))

/* The head of a text writer. */
#define VALUE(id) uint8_t *fffa_value_##id(FFFA_VALUE_ARGS)

/* Both writers of a number: known is a condition, v its value then. */
#define UINT_VALUE(id, known, v)                                                                   \
	uint8_t *fffa_value_##id(FFFA_VALUE_ARGS)                                                  \
	{                                                                                          \
		return (known) ? fffa_text_u64(p, (v)) : p;                                        \
	}                                                                                          \
	uint8_t *fffa_pack_##id(FFFA_VALUE_ARGS)                                                   \
	{                                                                                          \
		return (known) ? fffa_pack_uint(p, (v)) : p;                                       \
	}

#define SINT_VALUE(id, known, v)                                                                   \
	uint8_t *fffa_value_##id(FFFA_VALUE_ARGS)                                                  \
	{                                                                                          \
		return (known) ? fffa_text_i64(p, (v)) : p;                                        \
	}                                                                                          \
	uint8_t *fffa_pack_##id(FFFA_VALUE_ARGS)                                                   \
	{                                                                                          \
		return (known) ? fffa_pack_int(p, (v)) : p;                                        \
	}

#endif
