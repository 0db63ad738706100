/* SPDX-License-Identifier: MIT */
/* The table of all fields that a record may have, made from the rows of fields.def. */
#ifndef FFFA_AGENT_ENCODE_FIELD_FIELD_H
#define FFFA_AGENT_ENCODE_FIELD_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/format.h"
#include "agent/encode/field/value.h"

enum fffa_field_id {
#define FFFA_FIELD(id, ...) FFFA_FIELD_##id,
#include "agent/encode/field/fields.def"
#undef FFFA_FIELD
	FFFA_FIELD_COUNT,
};

/* One row of `fffa fields`. */
struct fffa_field_info {
	const char *name;	  /* underscores; the vpc name has '-' */
	const char *type;	  /* int, str, bool, ip */
	const char *source;	  /* where the value comes from, one phrase */
	unsigned int vpc_version; /* 2..11; 0: not a VPC field */
	unsigned int formats;	  /* bit set of 1 << enum fffa_format */
};

/* The constant table, indexed by enum fffa_field_id; *count gets its length. */
const struct fffa_field_info *fffa_field_table(size_t *count);

/*
 * When a field is written: bits, of which one must be among those of the record. CONST is no
 * condition: the value depends on the identity alone, so its text may be cached.
 */
enum fffa_when {
	FFFA_WHEN_ALWAYS = 1,
	FFFA_WHEN_FLOW = 2,
	FFFA_WHEN_INGRESS = 4, /* flows only, as is EGRESS */
	FFFA_WHEN_EGRESS = 8,
	FFFA_WHEN_NODATA = 16,
	FFFA_WHEN_SKIPDATA = 32,
	FFFA_WHEN_NETWORKS = 64, /* flows with an end that metadata.networks names */
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

/* The name of field id in a format: hyphens in vpc, underscores elsewhere. NULL when the format
 * does not have the field. */
const char *fffa_field_name(enum fffa_format format, size_t id);

#endif
