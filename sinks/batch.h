/* SPDX-License-Identifier: MIT */
/*
 * A batch: encoded records, back to back, with the index of where each begins. Filled by the
 * pipeline while open, immutable once sealed, shared by reference count (loop thread only).
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

/* A new open batch with one reference and room for cap_bytes and cap_records; NULL without memory.
 */
struct fffa_batch *fffa_batch_new(size_t cap_bytes, uint32_t cap_records);
struct fffa_batch *fffa_batch_ref(struct fffa_batch *b);
/* NULL is allowed. The last reference frees. */
void fffa_batch_unref(struct fffa_batch *b);

/* Lends room for at least want bytes at the end of an open batch; NULL when the batch is full. */
uint8_t *fffa_batch_room(struct fffa_batch *b, size_t want);
/* Ends the record that was written into the lent room: len bytes, sequence number seq (rising by
 * one). */
void fffa_batch_commit(struct fffa_batch *b, size_t len, uint64_t seq);
void fffa_batch_seal(struct fffa_batch *b);

uint32_t fffa_batch_count(const struct fffa_batch *b);
struct fffa_span fffa_batch_bytes(const struct fffa_batch *b);
struct fffa_span fffa_batch_record(const struct fffa_batch *b, uint32_t i);
uint64_t fffa_batch_first_seq(const struct fffa_batch *b);
uint64_t fffa_batch_last_seq(const struct fffa_batch *b);
/* Memory that the batch holds, for queue bounds. */
size_t fffa_batch_footprint(const struct fffa_batch *b);

#endif
