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

#define FFFA_FIELD(id, ...) fffa_value_fn fffa_value_##id;
#include "agent/encode/fields.def"
#undef FFFA_FIELD

/* What an encoder needs of a field beside its fffa_field_info, which has the same index. */
struct fffa_field {
	const char *vpc_name; /* NULL: not a vpc field */
	fffa_value_fn *write;
	uint8_t max_bytes; /* of the value's text */
	bool quoted;	   /* in json */
	bool always;	   /* carried by NODATA and SKIPDATA records, too */
};
extern const struct fffa_field fffa_fields[FFFA_FIELD_COUNT];

/* The field's name in a format: hyphens in vpc, underscores in json. NULL when the format does not
 * have it. */
const char *fffa_field_name(enum fffa_format format, size_t id);

/* An ordered choice of fields, each at most once. */
struct fffa_field_list {
	uint8_t id[FFFA_FIELD_COUNT]; /* enum fffa_field_id */
	size_t n;
};

/*
 * Reads a `fields` text of the vpc or json format, see fffa_encoder_new; NULL means the default. 0
 * with at least one field in *list, or -EINVAL with err naming the bad part; then *list holds
 * nothing of use.
 */
int fffa_field_list_parse(enum fffa_format format, const char *text, struct fffa_field_list *list,
			  struct fffa_err *err);

#endif
