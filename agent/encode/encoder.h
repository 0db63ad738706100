/* SPDX-License-Identifier: MIT */
/*
 * record -> bytes. Pure: no clock, no I/O, no allocation after fffa_encoder_new.
 */
#ifndef FFFA_AGENT_ENCODE_ENCODER_H
#define FFFA_AGENT_ENCODE_ENCODER_H

#include <stddef.h>
#include <stdint.h>

#include "agent/base/err.h"
#include "agent/base/format.h"
#include "agent/flow/record.h"

struct fffa_encoder;

/*
 * fields: for vpc "default" (v2), "v5", "all" or a "${name} ${name}" list; for json and msgpack
 * "all" or names separated by spaces or commas; the other formats have no choice and take NULL only.
 * NULL means the format's default. Returns a new encoder in *out (free with fffa_encoder_free), or
 * -EINVAL with err naming the bad field, or -ENOMEM; on failure *out is untouched.
 */
int fffa_encoder_new(enum fffa_format format, const char *fields, struct fffa_encoder **out,
		     struct fffa_err *err);
void fffa_encoder_free(struct fffa_encoder *e);
/* Before the first record. -EINVAL with err when the format is no line of text; then e is as it was.
 */
int fffa_encoder_wrap(struct fffa_encoder *e, enum fffa_envelope envelope, struct fffa_err *err);

/* HTTP/Kafka content type of the encoder's batches; static. */
const char *fffa_encoder_content_type(const struct fffa_encoder *e);

/* Room that fffa_encoder_write needs: what the longest record of this encoder takes, and some more; at most
 * FFFA_RECORD_BYTES_MAX. */
size_t fffa_encoder_bound(const struct fffa_encoder *e);

/*
 * Writes the header line that starts a vpc file (field names and newline) to dst. Returns its
 * length, 0 for formats without one, inside an envelope, or when cap is too small
 * (FFFA_HEADER_BYTES_MAX is always enough).
 */
size_t fffa_encoder_write_header(const struct fffa_encoder *e, uint8_t *dst, size_t cap);

/*
 * Writes one record with its terminator (newline for text formats) to dst; cap >=
 * fffa_encoder_bound. Returns its length, never 0. (With less room: 0, and nothing is written.) An
 * identity with a stamp must not have changed since it was given that.
 */
size_t fffa_encoder_write(const struct fffa_encoder *e, const struct fffa_record *r, uint8_t *dst,
			  size_t cap);

#endif
