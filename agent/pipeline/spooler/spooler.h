/* SPDX-License-Identifier: MIT */
/*
 * The way of a sink's queue over the disk: every sealed batch is on disk before the sink gets it, and
 * leaves the disk when the sink has settled it. Memory holds the oldest batches, up to half of
 * queue.memory; the spooler reads the rest back in order. A worker thread does one job at a time. The
 * spooler knows nothing of its queue but the table below. Loop thread only.
 */
#ifndef FFFA_AGENT_PIPELINE_SPOOLER_SPOOLER_H
#define FFFA_AGENT_PIPELINE_SPOOLER_SPOOLER_H

#include <stddef.h>
#include <stdint.h>

#include "agent/base/err.h"
#include "agent/pipeline/spooler/queued_batch.h"

struct uv_loop_s;
struct fffa_spooler;
struct fffa_spooler_segment;

/* What a spooler asks of its queue. queue is the first argument of each call. */
struct fffa_spooler_queue {
	/* Takes b, the next in order: it is on disk, or the disk takes no batches. Submits nothing. */
	void (*put)(void *queue, struct fffa_queued_batch *b);
	/* Submits what was put. May call the spooler. */
	void (*pump)(void *queue);
	/* Memory of the batches that were put and are not settled. */
	size_t (*held_bytes)(const void *queue);
	/* Loses b, which waited to be written, and ends it. */
	void (*lose)(void *queue, struct fffa_queued_batch *b, enum fffa_record_loss why);
	/* Loses (spool_full) what was put of a segment, but for what the sink holds. Returns records. */
	uint64_t (*lose_segment)(void *queue, const struct fffa_spooler_segment *seg);
	/* Counts records on disk that were never put as lost; m says what is missing then. */
	void (*lose_unread)(void *queue, uint64_t records, const struct fffa_missing *m,
			    enum fffa_record_loss why);
	/* Counts records of an earlier run, found on disk at the start, as in flight. */
	void (*resume)(void *queue, uint64_t records);
};

/* Pointers are borrowed for the spooler's life. */
struct fffa_spooler_conf {
	struct uv_loop_s *loop;
	const char *tag; /* for the log */
	const char *spool_dir;
	const char *name; /* of the sink: its directory in spool_dir */
	const char *format;
	uint64_t identity;    /* of what a record's bytes depend on: fffa_batcher__identity */
	size_t memory_bytes;  /* queue.memory */
	uint64_t bound_bytes; /* queue.spool */
	bool drops_oldest;    /* at the bound; else the queue refuses the newest */
	const struct fffa_spooler_queue *ops;
	void *queue;
};

/*
 * Opens the sink's directory and counts what an earlier run left there (resume, lose_unread). Blocks;
 * before the loop runs. 0, or -errno with err; then *out is untouched.
 */
int fffa_spooler_open(const struct fffa_spooler_conf *c, struct fffa_spooler **out,
		      struct fffa_err *err);

/* Begins to work: what waits on disk comes into the queue. */
void fffa_spooler_start(struct fffa_spooler *s);

/* Takes b and puts it into the queue once it is on disk. Its memory counts here until then. */
void fffa_spooler_add(struct fffa_spooler *s, struct fffa_queued_batch *b);

/* The batch after b (NULL: the first) that waits and is not on its way to the disk; NULL: none. */
struct fffa_queued_batch *fffa_spooler_next_waiting(const struct fffa_spooler *s,
						    const struct fffa_queued_batch *b);
/* Gives b, which waits, back to the caller. */
void fffa_spooler_take_back(struct fffa_spooler *s, struct fffa_queued_batch *b);

/* b is made of the same frame as from. */
void fffa_spooler_share(struct fffa_queued_batch *b, const struct fffa_queued_batch *from);
/* b ends: its records are delivered, rejected or lost. */
void fffa_spooler_settled(struct fffa_spooler *s, struct fffa_queued_batch *b);
/* b ends, its records stay on disk. */
void fffa_spooler_detach(struct fffa_queued_batch *b);
/* Its frame is on disk: not when the segment was dropped while the sink held b. */
bool fffa_spooler_holds(const struct fffa_queued_batch *b);
/* Its frame is in seg. */
bool fffa_spooler_is_in(const struct fffa_queued_batch *b, const struct fffa_spooler_segment *seg);

/* Logs now and then that the spool is full and so many records were lost. */
void fffa_spooler_warn_full(struct fffa_spooler *s, uint64_t records);

/* Nothing waits to be written or read. */
bool fffa_spooler_is_empty(const struct fffa_spooler *s);
/* The bound on disk is reached. */
bool fffa_spooler_is_full(const struct fffa_spooler *s);
/* Memory of what waits to be written. */
size_t fffa_spooler_waiting_bytes(const struct fffa_spooler *s);
/* All memory that the spooler has: what waits, and its references to frames. */
size_t fffa_spooler_memory_bytes(const struct fffa_spooler *s);
/* Memory that a read under way may still take. */
size_t fffa_spooler_reserved_bytes(const struct fffa_spooler *s);
uint64_t fffa_spooler_disk_bytes(const struct fffa_spooler *s);
/* Writes and reads that failed, damaged frames. */
uint64_t fffa_spooler_errors(const struct fffa_spooler *s);
/* The highest epoch found at the start; 0: none. */
uint64_t fffa_spooler_epoch(const struct fffa_spooler *s);

/* The queue is ending: from here on nothing is put. */
void fffa_spooler_stop(struct fffa_spooler *s);

/*
 * After stop and when the sink is closed: writes what waits, notes what is settled, and lets the
 * directory go. closed is called once, on the loop; then s is gone.
 */
void fffa_spooler_close(struct fffa_spooler *s, void (*closed)(void *arg), void *arg);

#endif
