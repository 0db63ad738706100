/* SPDX-License-Identifier: MIT */
/*
 * A batch: encoded records back to back, and an index that says where each begins and what it is.
 *
 * The pipeline fills it while it is open (room, commit, set_origin) and then seals it. From then on
 * it is constant and shared by reference count: the queues of several sinks hold the same batch.
 *
 * Threads: a batch is made, filled, sealed, referenced and released on the loop thread. Any thread
 * may read a sealed batch while the loop thread holds a reference for it; a sink's worker does so
 * between submit and done.
 */
#ifndef FFFA_SINKS_BATCH_H
#define FFFA_SINKS_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes that belong to somebody else. */
struct fffa_span {
	const uint8_t *ptr;
	size_t len;
};

struct fffa_batch;

/* Who wrote the records: the same for all of a batch. An empty text is not known. */
struct fffa_batch_origin {
	char agent_id[64];
	char account_id[16]; /* AWS */
	char region[32];     /* AWS */
	char stream[33];     /* what numbers the records: empty: the agent, else this sink */
	uint64_t epoch;	     /* rises at each start of the agent; seq begins anew then */
};

/* What a sink can know of a record without reading its bytes. */
struct fffa_record_info {
	uint64_t seq;	 /* rises from record to record, not always by one */
	uint64_t flow;	 /* hash of the connection: the same for both directions */
	int64_t time_ms; /* Unix time in ms: the end of the record's window */
};

/*
 * Makes an open batch that grows up to cap_bytes (4 GiB at most) and cap_records. The caller holds
 * its one reference. NULL: no memory.
 */
struct fffa_batch *fffa_batch_new(size_t cap_bytes, uint32_t cap_records);

/* Takes a further reference; returns b. */
struct fffa_batch *fffa_batch_ref(struct fffa_batch *b);

/* Gives a reference back; the last one frees the batch. NULL is allowed. */
void fffa_batch_unref(struct fffa_batch *b);

/*
 * Lends room for the next record: at least want bytes, valid until the next room or seal. NULL: the
 * batch has no such room below its caps, it is sealed, or there is no memory; it is unchanged then.
 */
uint8_t *fffa_batch_room(struct fffa_batch *b, size_t want);

/*
 * Adds the record that was written into the lent room: its first len bytes, at most the want of
 * room. info is copied. Its seq is above that of the record before, and less than 2^32 above that
 * of the first record.
 */
void fffa_batch_commit(struct fffa_batch *b, size_t len, const struct fffa_record_info *info);

/* Copies origin. Only before the seal; all zero until it is set. */
void fffa_batch_set_origin(struct fffa_batch *b, const struct fffa_batch_origin *origin);

/*
 * Copies the name of the host that wrote the records; "" is not known, as it is without memory. No
 * effect on a batch that has been named. A spool does not store it: a batch that is read from one
 * is named before it is submitted. Loop thread.
 */
void fffa_batch_name_host(struct fffa_batch *b, const char *name);

/* Ends the filling and gives back memory that was not needed. Spans from before are not valid. */
void fffa_batch_seal(struct fffa_batch *b);

/* Reading. Spans point into the batch and are valid as long as it is; i is below the count. */
uint32_t fffa_batch_count(const struct fffa_batch *b);
struct fffa_span fffa_batch_bytes(const struct fffa_batch *b); /* all records, back to back */
struct fffa_span fffa_batch_record(const struct fffa_batch *b, uint32_t i);
struct fffa_record_info fffa_batch_record_info(const struct fffa_batch *b, uint32_t i);
const struct fffa_batch_origin *fffa_batch_origin(const struct fffa_batch *b);
const char *fffa_batch_host(const struct fffa_batch *b);   /* "": not known */
uint64_t fffa_batch_first_seq(const struct fffa_batch *b); /* 0 for a batch without records */
uint64_t fffa_batch_last_seq(const struct fffa_batch *b);  /* 0 for a batch without records */

/* Bytes that the index takes for each record. */
#define FFFA_BATCH_INDEX_BYTES 24

/* Memory that the batch holds in all, for the bounds of queues. */
size_t fffa_batch_footprint(const struct fffa_batch *b);

#endif
