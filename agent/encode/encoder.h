/* SPDX-License-Identifier: MIT */
/*
 * record -> bytes. Pure: no clock, no I/O, no allocation after fffa_encoder_new.
 */
#ifndef FFFA_AGENT_ENCODE_ENCODER_H
#define FFFA_AGENT_ENCODE_ENCODER_H

#include <stddef.h>
#include <stdint.h>

#include "agent/base/err.h"
#include "agent/flow/record.h"

enum fffa_format { FFFA_FORMAT_VPC, FFFA_FORMAT_FLOWLOG, FFFA_FORMAT_JSON, FFFA_FORMAT_MAX };

/* No record of any format is longer; a caller lends at least so much room. */
#define FFFA_RECORD_BYTES_MAX 4096

struct fffa_encoder;

/*
 * fields: for vpc "default" (v2), "v5", "all" or a "${name} ${name}" list; for json "all" or names
 * separated by spaces or commas; ignored by flowlog. NULL means the format's default. Returns a new
 * encoder in *out (free with fffa_encoder_free), or -EINVAL with err naming the bad field, or
 * -ENOMEM; on failure *out is untouched.
 */
int fffa_encoder_new(enum fffa_format format, const char *fields, struct fffa_encoder **out,
		     struct fffa_err *err);
void fffa_encoder_free(struct fffa_encoder *e);

/* "vpc", "flowlog", "json"; -EINVAL when unknown. */
int fffa_format_parse(const char *name, enum fffa_format *out);
const char *fffa_format_name(enum fffa_format format);
/* HTTP/Kafka content type of the format's batches. */
const char *fffa_format_content_type(enum fffa_format format);

/*
 * Writes the header line that starts a vpc file (field names and newline) to dst. Returns its
 * length, 0 for formats without one or when cap is too small (FFFA_RECORD_BYTES_MAX is always
 * enough).
 */
size_t fffa_encode_header(const struct fffa_encoder *e, uint8_t *dst, size_t cap);

/*
 * Writes one record with its terminator (newline for text formats) to dst; cap >=
 * FFFA_RECORD_BYTES_MAX. Returns its length, never 0. (With less room than this encoder's longest
 * record needs: 0, and nothing is written.)
 */
size_t fffa_encode(const struct fffa_encoder *e, const struct fffa_record *r, uint8_t *dst,
		   size_t cap);

/* One row of `fffa fields`. */
struct fffa_field_info {
	const char *name;	  /* JSON name, underscores; VPC name has '-' */
	const char *type;	  /* int, str, bool, ip */
	const char *source;	  /* where the value comes from, one phrase */
	unsigned int vpc_version; /* 2..11; 0: not a VPC field */
	unsigned int formats;	  /* bit set of 1 << enum fffa_format */
};
/* The constant table of all fields; *count gets its length. */
const struct fffa_field_info *fffa_field_table(size_t *count);

#endif
