/* SPDX-License-Identifier: MIT */
/*
 * What a sink still has to take: the queue of its batches, their memory, the ledger of their
 * records, and what the stream must still report of loss. Batches stay in order: one that is tried
 * again goes before all younger ones. With a spool, a new batch goes to the spooler first.
 *
 * The backlog holds a batch while its memory counts here: while the batch is queued or submitted.
 * The memory of a batch that waits to be written counts in the spooler.
 */
#ifndef FFFA_AGENT_PIPELINE_QUEUE_BACKLOG_H
#define FFFA_AGENT_PIPELINE_QUEUE_BACKLOG_H

#include "agent/base/log.h"
#include "agent/base/sink_status.h"
#include "agent/pipeline/queue/skipdata_records.h"
#include "agent/pipeline/spooler/spooler.h"

struct fffa_backlog {
	const char *tag;		     /* for the log */
	struct fffa_batch_encoding encoding; /* of the batches that are added */
	size_t memory_bytes;
	bool drops_oldest; /* when the queue is full; else it drops the newest */
	struct fffa_queued_batches queue;
	size_t held_bytes;
	struct fffa_sink_ledger ledger;
	struct fffa_skipdata_records skipdata;
	struct fffa_spooler *spooler; /* NULL: there is no spool */
	bool spool_leaves;	      /* it gets no batch any more */
	bool spool_closing;	      /* one that has left is being closed */
	struct fffa_log_limit full_log;
	bool ending; /* see fffa_backlog_stop */
	void (*pump)(void *arg);
	void *pump_arg;
	void (*closed)(void *arg);
	void *closed_arg;
};

void fffa_backlog_init(struct fffa_backlog *q, const char *tag, size_t memory_bytes,
		       bool drops_oldest);
/* Other bounds from now on. spool_bytes counts only where there is a spool. */
void fffa_backlog_set_bounds(struct fffa_backlog *q, size_t memory_bytes, uint64_t spool_bytes,
			     bool drops_oldest);
/* Borrows tag and, in set_source, both. Call set_source before the first record and open_spool. */
void fffa_backlog_set_source(struct fffa_backlog *q, struct fffa_encoder *encoder,
			     const struct fffa_origin_source *source);
/* Batches that are added from now on have this encoding; borrows its encoder for the SKIPDATA records. */
void fffa_backlog_set_encoding(struct fffa_backlog *q, struct fffa_encoder *encoder,
			       const struct fffa_batch_encoding *encoding);
/*
 * Opens the spool. The backlog fills tag, encoding, memory_bytes, drops_oldest, ops and queue of conf
 * itself.
 * Calls pump(arg) when the spooler has put batches into the queue. 0, or -errno with err.
 */
int fffa_backlog_open_spool(struct fffa_backlog *q, const struct fffa_spooler_conf *conf,
			    void (*pump)(void *arg), void *arg, struct fffa_err *err);
/* The highest epoch found in the spool; 0: none. */
uint64_t fffa_backlog_epoch(const struct fffa_backlog *q);
/* The spooler begins to fill the queue with what it holds. See fffa_spooler_start. */
void fffa_backlog_start_spool(struct fffa_backlog *q, uint64_t epoch, const uint64_t *given);

/*
 * The spool was opened while the agent runs: what is queued goes to the disk, too. See
 * fffa_spooler_join; submitted has the batches that the sink holds.
 */
void fffa_backlog_join_spool(struct fffa_backlog *q, uint64_t epoch, const uint64_t *given,
			     const struct fffa_queued_batches *submitted);
/*
 * Batches stay in memory from now on. The spool still gives what it holds, and closes when
 * nothing is left in it.
 */
void fffa_backlog_leave_spool(struct fffa_backlog *q);
/* True when batches go over the disk. */
bool fffa_backlog_spools(const struct fffa_backlog *q);
/* False while the spool is open, leaves or is being closed. */
bool fffa_backlog_may_open_spool(const struct fffa_backlog *q);
/* Closes a spool that leaves as soon as it holds nothing. Call it when something was settled. */
void fffa_backlog_look_at_spool(struct fffa_backlog *q);
/* See fffa_spooler_set_given. */
void fffa_backlog_set_given(struct fffa_backlog *q, const uint64_t *given);

/* The sink's filter has left out a record. */
static inline void fffa_backlog_count_filtered(struct fffa_backlog *q)
{
	q->ledger.filtered++;
}
/* The sink was offered one more record, which is in no sealed batch yet. */
static inline void fffa_backlog_count_record(struct fffa_backlog *q)
{
	q->ledger.records++;
	q->ledger.in_flight++;
}
/* Counts an offered record as lost that is in no sealed batch. */
void fffa_backlog_lose_record(struct fffa_backlog *q, const struct fffa_record *r,
			      enum fffa_record_loss why);
/* Queues a sealed batch of such records with a reference of its own, or loses it or older ones. */
void fffa_backlog_add(struct fffa_backlog *q, struct fffa_batch *batch);

/* The next batch, which stays queued. NULL: the queue is empty. */
struct fffa_queued_batch *fffa_backlog_first(const struct fffa_backlog *q);
/* The batch that was refused least often, of these the oldest. NULL: the queue is empty. */
struct fffa_queued_batch *fffa_backlog_next_probe(const struct fffa_backlog *q);
/* The oldest batch that was refused. NULL: there is none. */
struct fffa_queued_batch *fffa_backlog_find_refused(const struct fffa_backlog *q);
/* A batch that was not refused is queued. */
bool fffa_backlog_has_other(const struct fffa_backlog *q);
/* Takes b out of the queue. It stays held. */
void fffa_backlog_take(struct fffa_backlog *q, struct fffa_queued_batch *b);
/* Queues a held batch before all others. */
void fffa_backlog_put_first(struct fffa_backlog *q, struct fffa_queued_batch *b);
/* Queues a held batch by its epoch and sequence number. */
void fffa_backlog_put(struct fffa_backlog *q, struct fffa_queued_batch *b);

/* Counts records of the held batch b as settled. The batch itself is ended apart. */
void fffa_backlog_count_delivered(struct fffa_backlog *q, const struct fffa_queued_batch *b,
				  uint32_t records);
void fffa_backlog_count_rejected(struct fffa_backlog *q, const struct fffa_queued_batch *b,
				 uint32_t records);
void fffa_backlog_count_retry(struct fffa_backlog *q);
/* Frees a held batch when its records are settled. */
void fffa_backlog_end(struct fffa_backlog *q, struct fffa_queued_batch *b);
/* Replaces the bytes of a held batch by some of its records (takes batch). */
void fffa_backlog_replace(struct fffa_backlog *q, struct fffa_queued_batch *b,
			  struct fffa_batch *batch);
/* Makes b, which is zeroed, a held batch of some records of from (takes batch). */
void fffa_backlog_split_off(struct fffa_backlog *q, struct fffa_queued_batch *b,
			    const struct fffa_queued_batch *from, struct fffa_batch *batch);
/* Counts the records of a held batch as lost, and frees it. */
void fffa_backlog_lose(struct fffa_backlog *q, struct fffa_queued_batch *b,
		       enum fffa_record_loss why);

/*
 * Queues a SKIPDATA record for each reason for which records are missing, where there is room.
 * Where the queue is more than half full it does so once a second; urgent: at once.
 */
void fffa_backlog_report_missing(struct fffa_backlog *q, bool urgent);

/* The end begins: nothing is submitted, tried again or reported any more. */
void fffa_backlog_stop(struct fffa_backlog *q);
bool fffa_backlog_is_ending(const struct fffa_backlog *q);
/*
 * After stop: ends a held batch and frees it. Its records stay in the spool, are written there, or
 * are lost.
 */
void fffa_backlog_store_or_lose(struct fffa_backlog *q, struct fffa_queued_batch *b);
/*
 * After stop and when the sink is closed: the spooler writes what waits, and is closed. closed is
 * called once; at once where there is no spool.
 */
void fffa_backlog_close_spool(struct fffa_backlog *q, void (*closed)(void *arg), void *arg);
/*
 * The process ends before closed: a thread is stuck. Settles the ledger: what is on disk stays
 * there, all else is lost (shutdown). Returns the records lost. Nothing is freed.
 */
uint64_t fffa_backlog_abandon(struct fffa_backlog *q);

/* Nothing is queued or waits in the spool. The sink may still hold batches. */
bool fffa_backlog_is_empty(const struct fffa_backlog *q);
/*
 * True when a source that can wait may add so many bytes: the queue is at most a quarter full then.
 */
bool fffa_backlog_has_room(const struct fffa_backlog *q, size_t bytes);
/* Whether waiting makes room, when there is none; sink_works: the sink takes batches. */
bool fffa_backlog_moves(const struct fffa_backlog *q, bool sink_works, uint64_t patience_ns);
/* Memory of all batches: queued, submitted, and waiting to be written. */
size_t fffa_backlog_memory_bytes(const struct fffa_backlog *q);
/* Fills in_flight, retries, ledger, queue_bytes, spool_bytes and spool_errors. */
void fffa_backlog_status(const struct fffa_backlog *q, struct fffa_sink_status *out);
const struct fffa_sink_ledger *fffa_backlog_ledger(const struct fffa_backlog *q);

#endif
