/* SPDX-License-Identifier: MIT */
/*
 * What a sink still has to take: its queue of batches, the memory they take, the ledger of their
 * records, and what the stream must be told of loss. In order: a batch that is to be tried again goes
 * before all younger ones. Through the spooler, if there is one.
 *
 * "The backlog holds a batch" means that its memory counts here: while it is queued, and while the
 * sink has it. A batch that waits to be written to the spool is the spooler's.
 */
#ifndef FFFA_AGENT_PIPELINE_QUEUE_BACKLOG_H
#define FFFA_AGENT_PIPELINE_QUEUE_BACKLOG_H

#include "agent/base/log.h"
#include "agent/base/sink_status.h"
#include "agent/pipeline/queue/skipdata_records.h"
#include "agent/pipeline/spooler/spooler.h"

struct fffa_backlog {
	const char *tag; /* for the log */
	size_t memory_bytes;
	bool drops_oldest; /* when full; else the newest */
	struct fffa_queued_batches queue;
	size_t held_bytes;
	struct fffa_sink_ledger ledger;
	struct fffa_skipdata_records skipdata;
	struct fffa_spooler *spooler; /* NULL: without */
	struct fffa_log_limit full_log;
	bool ending; /* nothing is submitted or tried again any more */
	void (*pump)(void *arg);
	void *pump_arg;
	void (*closed)(void *arg);
	void *closed_arg;
};

void fffa_backlog_init(struct fffa_backlog *q, const char *tag, size_t memory_bytes,
		       bool drops_oldest);
/* Before the first record and before the spool is opened. Borrows both. */
void fffa_backlog_set_source(struct fffa_backlog *q, struct fffa_encoder *encoder,
			     const struct fffa_origin_source *source);
/*
 * Opens the spool; conf without what the backlog knows: tag, memory_bytes, drops_oldest, ops and
 * queue. pump is called when the spooler has put batches into the queue. 0, or -errno with err.
 */
int fffa_backlog_open_spool(struct fffa_backlog *q, const struct fffa_spooler_conf *conf,
			    void (*pump)(void *arg), void *arg, struct fffa_err *err);
/* The highest epoch found in the spool; 0: none. */
uint64_t fffa_backlog_epoch(const struct fffa_backlog *q);
/* What waits in the spool comes into the queue. */
void fffa_backlog_start_spool(struct fffa_backlog *q);

/* One record more was offered. */
static inline void fffa_backlog_count_record(struct fffa_backlog *q)
{
	q->ledger.records++;
	q->ledger.in_flight++;
}
/* Such a record is lost before it was in a sealed batch. */
void fffa_backlog_lose_record(struct fffa_backlog *q, const struct fffa_record *r,
			      enum fffa_record_loss why);
/* Takes a reference to a sealed batch of such records, or counts them, or older ones, as lost. */
void fffa_backlog_add(struct fffa_backlog *q, struct fffa_batch *batch);

/* The next batch, which stays queued; NULL: none. */
struct fffa_queued_batch *fffa_backlog_first(const struct fffa_backlog *q);
/* It leaves the queue and stays held. */
void fffa_backlog_take_first(struct fffa_backlog *q);
/* Queues a held batch before all others. */
void fffa_backlog_put_first(struct fffa_backlog *q, struct fffa_queued_batch *b);
/* Queues a held batch where its sequence number belongs. */
void fffa_backlog_put(struct fffa_backlog *q, struct fffa_queued_batch *b);

/* The records of held batches are settled. The batches are ended apart. */
void fffa_backlog_count_delivered(struct fffa_backlog *q, uint32_t records);
void fffa_backlog_count_rejected(struct fffa_backlog *q, uint32_t records);
void fffa_backlog_count_retry(struct fffa_backlog *q);
/* Frees a held batch, whose records are settled. */
void fffa_backlog_end(struct fffa_backlog *q, struct fffa_queued_batch *b);
/* A held batch goes on with other bytes (takes batch): fewer of its records. */
void fffa_backlog_replace(struct fffa_backlog *q, struct fffa_queued_batch *b,
			  struct fffa_batch *batch);
/* A new zeroed b holds some records of from, a held batch, from now on (takes batch). */
void fffa_backlog_split_off(struct fffa_backlog *q, struct fffa_queued_batch *b,
			    const struct fffa_queued_batch *from, struct fffa_batch *batch);
/* Loses a held batch and ends it. */
void fffa_backlog_lose(struct fffa_backlog *q, struct fffa_queued_batch *b,
		       enum fffa_record_loss why);

/*
 * Queues a SKIPDATA record for each reason that has something missing and for which there is room.
 * urgent: also where the queue is nearly full.
 */
void fffa_backlog_report_missing(struct fffa_backlog *q, bool urgent);

/* From here on nothing is submitted or tried again. */
void fffa_backlog_stop(struct fffa_backlog *q);
bool fffa_backlog_is_ending(const struct fffa_backlog *q);
/* After stop: a held batch stays on disk, goes there, or is lost; it ends. */
void fffa_backlog_store_or_lose(struct fffa_backlog *q, struct fffa_queued_batch *b);
/*
 * After stop and when the sink is closed: writes what waits and closes the spool. closed is called
 * once, at once where there is no spool.
 */
void fffa_backlog_close_spool(struct fffa_backlog *q, void (*closed)(void *arg), void *arg);

/* Nothing is queued or waits in the spool; the sink may still hold something. */
bool fffa_backlog_is_empty(const struct fffa_backlog *q);
/* Room for bytes more that a source adds which can wait: it leaves three quarters free. */
bool fffa_backlog_has_room(const struct fffa_backlog *q, size_t bytes);
/* Memory of all batches that are queued, submitted, or wait to be written. */
size_t fffa_backlog_memory_bytes(const struct fffa_backlog *q);
/* Fills in_flight, retries, ledger, queue_bytes, spool_bytes and spool_errors. */
void fffa_backlog_status(const struct fffa_backlog *q, struct fffa_sink_status *out);
const struct fffa_sink_ledger *fffa_backlog_ledger(const struct fffa_backlog *q);

#endif
