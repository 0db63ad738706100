/* SPDX-License-Identifier: MIT */
/*
 * An encoder turns records into the bytes of one format. No clock, no I/O, and no allocation after
 * fffa_encoder_new. One thread at a time.
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
 * A new encoder in *out, to be freed with fffa_encoder_free. fields, where NULL is the default:
 *   vpc            "default" (v2), "v5", "all", or a list such as "${srcaddr} ${dstaddr}"
 *   json, msgpack  "all", or names with spaces or commas between them; both as "all, community_id"
 *   ocsf, ecs      "all"; "community_id" or "all, community_id" is all and that one
 *   flowlog        NULL only
 * 0; -EINVAL with err naming the field that cannot be used; -ENOMEM. On failure *out is untouched.
 */
int fffa_encoder_new(enum fffa_format format, const char *fields, struct fffa_encoder **out,
		     struct fffa_err *err);
/* A further reference, from the same thread; to be freed, too. */
struct fffa_encoder *fffa_encoder_ref(struct fffa_encoder *e);
/* Gives a reference back. NULL is allowed. */
void fffa_encoder_free(struct fffa_encoder *e);

/*
 * Puts an envelope around each record from now on; call it before the first one. 0; -EINVAL with
 * err when the format does not write lines of text, and e is unchanged.
 */
int fffa_encoder_wrap(struct fffa_encoder *e, enum fffa_envelope envelope, struct fffa_err *err);

/* Each record says from now on that it is of the stream `name`; call it before the first one. */
void fffa_encoder_set_stream(struct fffa_encoder *e, const char *name);

/* That name; "" without. */
const char *fffa_encoder_stream(const struct fffa_encoder *e);

/* The media type of what e writes, for HTTP and Kafka; static. */
const char *fffa_encoder_content_type(const struct fffa_encoder *e);

/*
 * The room that fffa_encoder_write needs: more than the longest record of e, at
 * most FFFA_RECORD_BYTES_MAX.
 */
size_t fffa_encoder_bound(const struct fffa_encoder *e);

/*
 * Writes the line of field names that a file of vpc records begins with. Returns its length;
 * 0 for other formats, with an envelope, and when cap is too small. FFFA_HEADER_BYTES_MAX
 * always suffices.
 */
size_t fffa_encoder_write_header(const struct fffa_encoder *e, uint8_t *dst, size_t cap);

/*
 * Writes one record to dst; text formats end in a newline. cap is at least fffa_encoder_bound(e).
 * Returns the length; 0 when cap is less, and nothing is written. An identity that has a stamp must
 * not have changed since it was stamped.
 */
size_t fffa_encoder_write(const struct fffa_encoder *e, const struct fffa_record *r, uint8_t *dst,
			  size_t cap);

#endif
