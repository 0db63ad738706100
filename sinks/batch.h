/* SPDX-License-Identifier: MIT */
/*
 * A batch: encoded records, back to back, with an index of what each is. Filled by the pipeline
 * while open, immutable once sealed, shared by reference count (loop thread only).
 */
#ifndef FFFA_SINKS_BATCH_H
#define FFFA_SINKS_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fffa_span {
	const uint8_t *ptr;
	size_t len;
};

struct fffa_batch;

/* Who wrote the records; the same for all of a batch. Empty text: not known. */
struct fffa_batch_origin {
	char agent_id[64];
	char account_id[16];
	char region[32];
	uint64_t epoch;
};

/* What a sink may want to know of a record without reading its bytes. */
struct fffa_record_info {
	uint64_t seq;	 /* rises from record to record, not always by one */
	uint64_t flow;	 /* hash of the connection: the same for both directions */
	int64_t time_ms; /* Unix, end of the record's window */
};

/* A new open batch with one reference and room for cap_bytes and cap_records; NULL without memory.
 */
struct fffa_batch *fffa_batch_new(size_t cap_bytes, uint32_t cap_records);
struct fffa_batch *fffa_batch_ref(struct fffa_batch *b);
/* NULL is allowed. The last reference frees. */
void fffa_batch_unref(struct fffa_batch *b);

/* Lends room for at least want bytes at the end of an open batch; NULL when the batch is full. */
uint8_t *fffa_batch_room(struct fffa_batch *b, size_t want);
/* Ends the record that was written into the lent room: len bytes; info is copied. */
void fffa_batch_commit(struct fffa_batch *b, size_t len, const struct fffa_record_info *info);
/* Copied. Before the seal; all zero until then. */
void fffa_batch_set_origin(struct fffa_batch *b, const struct fffa_batch_origin *origin);
void fffa_batch_seal(struct fffa_batch *b);

uint32_t fffa_batch_count(const struct fffa_batch *b);
struct fffa_span fffa_batch_bytes(const struct fffa_batch *b);
struct fffa_span fffa_batch_record(const struct fffa_batch *b, uint32_t i);
struct fffa_record_info fffa_batch_record_info(const struct fffa_batch *b, uint32_t i);
const struct fffa_batch_origin *fffa_batch_origin(const struct fffa_batch *b);
uint64_t fffa_batch_first_seq(const struct fffa_batch *b);
uint64_t fffa_batch_last_seq(const struct fffa_batch *b);
/* Bytes of index that a batch keeps for each record. */
#define FFFA_BATCH_INDEX_BYTES 24
/* Memory that the batch holds, for queue bounds. */
size_t fffa_batch_footprint(const struct fffa_batch *b);

#endif
