/* SPDX-License-Identifier: MIT */
/*
 * The way of a sink's queue over the disk. Each sealed batch is written to the disk before the sink
 * gets it, and is removed from there when the sink has settled it. Memory holds the oldest batches,
 * up to half of queue.memory; the spooler reads the others back in order. A worker thread does one
 * job at a time. The spooler knows its queue only by the table below. Loop thread only.
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

/* What a spooler asks of its queue, which is the first argument of each call. */
struct fffa_spooler_queue {
	/* Queues b behind all others: b is on disk, or the disk takes nothing. Submits nothing. */
	void (*put)(void *queue, struct fffa_queued_batch *b);
	/* Submits what was put. May call functions of the spooler. */
	void (*pump)(void *queue);
	/* Memory of the batches that were put and are not settled yet. */
	size_t (*held_bytes)(const void *queue);
	/* Counts the records of b, which waited to be written, as lost, and frees b. */
	void (*lose)(void *queue, struct fffa_queued_batch *b, enum fffa_record_loss why);
	/*
	 * Loses (spool_full) the queued batches of a segment that is dropped. Returns
	 * their records.
	 */
	uint64_t (*lose_segment)(void *queue, const struct fffa_spooler_segment *seg);
	/* Counts records that were never put as lost. m says what is missing in the stream. */
	void (*lose_unread)(void *queue, uint64_t records, const struct fffa_missing *m,
			    enum fffa_record_loss why);
	/* Counts records of an earlier run that were found on disk as in flight. */
	void (*resume)(void *queue, uint64_t records);
};

/* Pointers are borrowed for the life of the spooler. */
struct fffa_spooler_conf {
	struct uv_loop_s *loop;
	const char *tag; /* for the log */
	const char *spool_dir;
	const char *name;		     /* of the sink, and of its directory in spool_dir */
	struct fffa_batch_encoding encoding; /* of the records that an earlier run left, too */
	size_t memory_bytes;		     /* queue.memory */
	uint64_t bound_bytes;		     /* queue.spool */
	bool drops_oldest; /* when the spool is full; else the queue drops the newest */
	bool opens_later;  /* see fffa_spooler_open */
	/* The last epoch and its highest number as another place knows them; 0: it does not. */
	uint64_t last_epoch, last_given;
	const struct fffa_spooler_queue *ops;
	void *queue;
};

/*
 * Opens the directory of the sink and counts what an earlier run left there, by calls of resume and
 * lose_unread. Blocks: call it before the loop runs. 0, or -errno with err; then *out is untouched.
 * With opens_later it does not block: the worker opens the directory after fffa_spooler_start, and
 * tries again every second while it cannot; until then what was added waits or, after a failure, is
 * put without a frame.
 */
int fffa_spooler_open(const struct fffa_spooler_conf *c, struct fffa_spooler **out,
		      struct fffa_err *err);

/*
 * Begins to work: puts what waits on disk into the queue. Blocks for a write: call it before the
 * loop runs. given: the highest number of epoch that
 * was given out; borrowed, and read until closed.
 */
void fffa_spooler_start(struct fffa_spooler *s, uint64_t epoch, const uint64_t *given);
/*
 * The same while the agent runs, where the sink was given numbers without this spool before: so many
 * of them (outstanding) are not settled yet, and come as frames or are settled without one.
 */
void fffa_spooler_join(struct fffa_spooler *s, uint64_t epoch, const uint64_t *given,
		       uint64_t outstanding);
/*
 * No batch is added any more: what is on disk is still delivered. Numbers above those given out by
 * now are none of its business. When it is drained, close it.
 */
void fffa_spooler_leave(struct fffa_spooler *s);
/* True when it is open, nothing waits, and no batch in memory refers to a frame. */
bool fffa_spooler_is_drained(const struct fffa_spooler *s);
/*
 * Numbers go on in another stream: given as in fffa_spooler_start, and not below the one of before.
 * Nobody misses the numbers between the two.
 */
void fffa_spooler_set_given(struct fffa_spooler *s, const uint64_t *given);
/*
 * Takes out one loss that was found at the start, was counted, and is to be reported. False: there
 * is none.
 */
bool fffa_spooler_next_loss(struct fffa_spooler *s, struct fffa_missing *m,
			    enum fffa_record_loss *why);

/* Takes b, and puts it into the queue when it is on disk. Its memory counts here until then. */
void fffa_spooler_add(struct fffa_spooler *s, struct fffa_queued_batch *b);

/* The batch after b (NULL: the first) that waits and is in no job. NULL: there is none. */
struct fffa_queued_batch *fffa_spooler_next_waiting(const struct fffa_spooler *s,
						    const struct fffa_queued_batch *b);
/* Gives such a batch back to the caller. */
void fffa_spooler_take_back(struct fffa_spooler *s, struct fffa_queued_batch *b);

/* b was made of records of from: it refers to the same frame. */
void fffa_spooler_share(struct fffa_queued_batch *b, const struct fffa_queued_batch *from);
/* So many records of b are delivered or rejected. Call fffa_spooler_settled at the end of b. */
void fffa_spooler_count_settled(struct fffa_spooler *s, const struct fffa_queued_batch *b,
				uint32_t records);
/* All records of b are lost. Call fffa_spooler_settled, too. */
void fffa_spooler_count_lost(struct fffa_spooler *s, const struct fffa_queued_batch *b);
/* Numbers of an epoch are missing in the stream until a SKIPDATA record reports them. */
void fffa_spooler_note_missing(struct fffa_spooler *s, const struct fffa_missing *m);
/* The records of b are delivered, rejected or lost: b refers to its frame no more. */
void fffa_spooler_settled(struct fffa_spooler *s, struct fffa_queued_batch *b);
/* The records of b stay on disk for the next start: b refers to its frame no more. */
void fffa_spooler_detach(struct fffa_queued_batch *b);
/* True when the frame of b is on disk. Its segment may have been dropped while the sink held b. */
bool fffa_spooler_holds(const struct fffa_queued_batch *b);
/* True when the frame of b is in seg. */
bool fffa_spooler_is_in(const struct fffa_queued_batch *b, const struct fffa_spooler_segment *seg);

/* Logs that the spool is full and so many records were dropped, at most once a minute. */
void fffa_spooler_warn_full(struct fffa_spooler *s, uint64_t records);

/* True when nothing waits to be written or read. */
bool fffa_spooler_is_empty(const struct fffa_spooler *s);
/* True when the last batch found no room on disk. */
bool fffa_spooler_is_full(const struct fffa_spooler *s);
/* False when the disk refuses writes, or when a job has taken longer than patience_ns so far. */
bool fffa_spooler_works(const struct fffa_spooler *s, uint64_t patience_ns);
/* Records of the batches that wait to be written, also those that a job is writing. */
uint64_t fffa_spooler_waiting_records(const struct fffa_spooler *s);
/* Memory of the batches that wait to be written. */
size_t fffa_spooler_waiting_bytes(const struct fffa_spooler *s);
/* The same and the references to frames. */
size_t fffa_spooler_memory_bytes(const struct fffa_spooler *s);
/* Other bounds from now on, as in fffa_spooler_conf. What is held beyond them stays. */
void fffa_spooler_set_bounds(struct fffa_spooler *s, size_t memory_bytes, uint64_t bound_bytes,
			     bool drops_oldest);
/* Memory that a read under way may still take. */
size_t fffa_spooler_reserved_bytes(const struct fffa_spooler *s);
uint64_t fffa_spooler_disk_bytes(const struct fffa_spooler *s);
/* Number of writes and reads that failed, and of damaged frames. */
uint64_t fffa_spooler_errors(const struct fffa_spooler *s);
/* The highest epoch found at the start; 0: none. */
uint64_t fffa_spooler_epoch(const struct fffa_spooler *s);

/* The end begins: nothing is put any more. */
void fffa_spooler_stop(struct fffa_spooler *s);

/*
 * After stop and when the sink is closed: writes what waits, notes what is settled, and closes the
 * directory. closed is called once, later, on the loop; s is freed by then.
 */
void fffa_spooler_close(struct fffa_spooler *s, void (*closed)(void *arg), void *arg);

#endif
