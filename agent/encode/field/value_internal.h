/* SPDX-License-Identifier: MIT */
/* How value.c and value_aws.c define the writers of a row of fields.def. */
#ifndef FFFA_AGENT_ENCODE_FIELD_VALUE_INTERNAL_H
#define FFFA_AGENT_ENCODE_FIELD_VALUE_INTERNAL_H

#include "agent/encode/field/pack.h"
#include "agent/encode/field/text.h"
#include "agent/encode/field/value.h"

/* The head of a text writer, and of a msgpack writer. */
#define VALUE(id)      uint8_t *fffa_value_##id(FFFA_VALUE_ARGS)
#define PACK_VALUE(id) uint8_t *fffa_value_pack_##id(FFFA_VALUE_ARGS)

/* Both writers of a number: known is a condition, v its value then. */
#define UINT_VALUE(id, known, v)                                                                   \
	VALUE(id)                                                                                  \
	{                                                                                          \
		return (known) ? fffa_text_u64(p, (v)) : p;                                        \
	}                                                                                          \
	PACK_VALUE(id)                                                                             \
	{                                                                                          \
		return (known) ? fffa_pack_uint(p, (v)) : p;                                       \
	}

#define SINT_VALUE(id, known, v)                                                                   \
	VALUE(id)                                                                                  \
	{                                                                                          \
		return (known) ? fffa_text_i64(p, (v)) : p;                                        \
	}                                                                                          \
	PACK_VALUE(id)                                                                             \
	{                                                                                          \
		return (known) ? fffa_pack_int(p, (v)) : p;                                        \
	}

/* A text that stands in a member of the record's identity, see fffa_text_array. */
#define IDENT_VALUE(id, member)                                                                    \
	VALUE(id)                                                                                  \
	{                                                                                          \
		return fffa_text_array(p, r->ident->member);                                       \
	}

/* The same for a long array that is mostly empty, see fffa_text_long. */
#define IDENT_LONG_VALUE(id, member)                                                               \
	VALUE(id)                                                                                  \
	{                                                                                          \
		return fffa_text_long(p, r->ident->member, sizeof(r->ident->member));              \
	}

/* What a host never knows. */
#define UNKNOWN_VALUE(id)                                                                          \
	VALUE(id)                                                                                  \
	{                                                                                          \
		return p;                                                                          \
	}

#endif
