/* SPDX-License-Identifier: MIT */
/*
 * A frame on disk, see agent/spool/README.md: a head, an index, and the bytes of one batch. Pure;
 * any thread may call this.
 */
#ifndef FFFA_AGENT_SPOOL_FRAME_H
#define FFFA_AGENT_SPOOL_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sinks/batch.h"

#define FFFA_SPOOL_FRAME_HEAD 256
#define FFFA_SPOOL_INDEX_ROW  24
/* No frame has more records, or more bytes of records. */
#define FFFA_SPOOL_RECORDS_MAX ((uint32_t)1 << 24)
#define FFFA_SPOOL_BYTES_MAX   ((uint32_t)1 << 30)

struct fffa_spool_frame {
	uint64_t identity; /* as in the segment */
	uint32_t count;
	uint32_t bytes_len;
	uint32_t body_crc; /* CRC-32C of index and bytes */
	uint64_t first_seq, last_seq;
	int64_t first_ms, last_ms; /* Unix, of the records */
	int64_t sealed_ms;
	/* Of the frames before it in its segment: what damage hides can be counted. */
	uint64_t records_before, numbers_before, seq_before;
	uint64_t
		numbers; /* sequence numbers it accounts for: count, or what its SKIPDATA reports */
	bool is_skipdata;
	char reason[16]; /* of a SKIPDATA record */
	struct fffa_batch_origin origin;
	/* When it was read: its stream is that of the sink; origin does not have the name then. */
	bool has_stream;
};

/* Every frame begins with these bytes. */
extern const uint8_t fffa_spool_frame_magic[8];

/* Length of index and bytes; length of the whole frame of b. */
uint64_t fffa_spool_frame_body_len(const struct fffa_spool_frame *f);
uint64_t fffa_spool_frame_len(const struct fffa_batch *b);

/* Fills what can be told from the batch, except body_crc. */
void fffa_spool_frame_describe(struct fffa_spool_frame *f, const struct fffa_batch *b);
/* Writes the index: FFFA_SPOOL_INDEX_ROW bytes for each record. Returns the CRC of the body. */
uint32_t fffa_spool_frame_put_index(const struct fffa_batch *b, uint8_t *dst);
/* Writes the head to dst. */
void fffa_spool_frame_put(const struct fffa_spool_frame *f, uint8_t dst[FFFA_SPOOL_FRAME_HEAD]);
/* True when a frame of another version of fffa begins with these bytes. */
bool fffa_spool_frame_is_foreign(const uint8_t src[sizeof(fffa_spool_frame_magic)]);
/* Reads a head. 0; -EBADMSG when src holds none, and *f is undefined. */
int fffa_spool_frame_get(struct fffa_spool_frame *f, const uint8_t src[FFFA_SPOOL_FRAME_HEAD]);

/*
 * Makes a sealed batch from the head of a frame and its body (fffa_spool_frame_body_len bytes). The
 * caller owns its reference. 0, -ENOMEM, or -EBADMSG when the body is not what the head says; on
 * failure *out is untouched.
 */
int fffa_spool_frame_batch(const struct fffa_spool_frame *f, const uint8_t *body,
			   struct fffa_batch **out);

#endif
