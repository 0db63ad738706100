/* SPDX-License-Identifier: MIT */
/* The field table as the encoders use it: rows of fields.def with their writers, and lists of
 * fields. */
#ifndef FFFA_AGENT_ENCODE_FIELDS_H
#define FFFA_AGENT_ENCODE_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/err.h"
#include "agent/encode/encoder.h"
#include "agent/flow/record.h"

/* Texts that are the same for every record of an encoder. */
struct fffa_consts {
	unsigned int version; /* highest among the chosen fields */
	struct {
		char text[16];
	} end_reason[FFFA_END_MAX];
};

/*
 * Writes the text of one value at p, without quotes, and returns its end; p itself when the value
 * is not known. May store up to FFFA_TEXT_SLACK_BYTES behind p, see text.h.
 */
typedef uint8_t *fffa_value_fn(uint8_t *p, const struct fffa_record *r,
			       const struct fffa_consts *c);

enum fffa_field_id {
#define FFFA_FIELD(id, ...) FFFA_FIELD_##id,
#include "agent/encode/fields.def"
#undef FFFA_FIELD
	FFFA_FIELD_COUNT,
};

/* What is no string in msgpack has a second writer, of the whole msgpack value. So has the one
 * string that json has to escape. */
#define FFFA_PACK_INT(id)  fffa_value_fn fffa_pack_##id;
#define FFFA_PACK_BOOL(id) fffa_value_fn fffa_pack_##id;
#define FFFA_PACK_NAME(id) fffa_value_fn fffa_pack_##id;
#define FFFA_PACK_STR(id)
#define FFFA_PACK_IP(id)
#define FFFA_FIELD(id, vpc, t, ...)                                                                \
	fffa_value_fn fffa_value_##id;                                                             \
	FFFA_PACK_##t(id)
#include "agent/encode/fields.def"
#undef FFFA_FIELD
#undef FFFA_PACK_INT
#undef FFFA_PACK_BOOL
#undef FFFA_PACK_NAME
#undef FFFA_PACK_STR
#undef FFFA_PACK_IP

/* What srcaddr and dstaddr show: borrowed from the record or its identity. */
const uint8_t *fffa_value__src(const struct fffa_record *r);
const uint8_t *fffa_value__dst(const struct fffa_record *r);

/*
 * When a field is written: bits, of which one must be among those of the record. CONST is no
 * condition: the value depends on the identity alone and may be kept, see program.h.
 */
enum fffa_when {
	FFFA_WHEN_ALWAYS = 1,
	FFFA_WHEN_FLOW = 2,
	FFFA_WHEN_INGRESS = 4, /* flows only, as is EGRESS */
	FFFA_WHEN_EGRESS = 8,
	FFFA_WHEN_NODATA = 16,
	FFFA_WHEN_SKIPDATA = 32,
	FFFA_WHEN_CONST = 128,
};

/* What an encoder needs of a field beside its fffa_field_info, which has the same index. */
struct fffa_field {
	const char *vpc_name; /* NULL: not a vpc field */
	fffa_value_fn *write;
	fffa_value_fn *pack; /* NULL: the text is a string of msgpack */
	uint16_t max_bytes;  /* of the value's text; 0: never known */
	bool quoted;	     /* in json */
	uint8_t when;	     /* enum fffa_when */
};
extern const struct fffa_field fffa_fields[FFFA_FIELD_COUNT];

/* The field's name in a format: hyphens in vpc, underscores elsewhere. NULL when the format does not
 * have it. */
const char *fffa_field_name(enum fffa_format format, size_t id);

/* An ordered choice of fields, each at most once. */
struct fffa_field_list {
	uint8_t id[FFFA_FIELD_COUNT]; /* enum fffa_field_id */
	size_t n;
};

/*
 * Reads a `fields` text of the vpc, json or msgpack format, see fffa_encoder_new; NULL means the default. 0
 * with at least one field in *list, or -EINVAL with err naming the bad part; then *list holds
 * nothing of use.
 */
int fffa_field_list_parse(enum fffa_format format, const char *text, struct fffa_field_list *list,
			  struct fffa_err *err);

#endif
