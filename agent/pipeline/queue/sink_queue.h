/* SPDX-License-Identifier: MIT */
/*
 * One sink with its queue: bounded in memory, over the disk where there is a spool, with retries,
 * splitting and giving up, and the ledger of its records. sink_queue.c puts together what each has a
 * file for:
 *   deliver.c           submits batches to the sink and hears its verdicts
 *   settle.c            what a verdict means
 *   pause.c, retry.c    when to try again
 *   backlog.c           queue, memory, ledger, loss
 *   skipdata_records.c  what the stream says of loss
 * Loop thread only.
 */
#ifndef FFFA_AGENT_PIPELINE_QUEUE_SINK_QUEUE_H
#define FFFA_AGENT_PIPELINE_QUEUE_SINK_QUEUE_H

#include "agent/base/sink_status.h"
#include "agent/encode/encoder.h"
#include "agent/pipeline/queue/origin.h"
#include "config/config.h"
#include "sinks/sink.h"

struct uv_loop_s;
struct fffa_sink_queue;

/* Where the records of a queue come from. Borrowed for the queue's life. */
struct fffa_sink_queue_source {
	struct fffa_encoder *encoder; /* also writes the queue's own SKIPDATA records */
	const struct fffa_origin_source *origin;
	enum fffa_format format;
	struct fffa_span preamble; /* of each file or stream, may be empty */
	const char *spool_dir;	   /* NULL: the spool of the configuration is not used */
	uint64_t identity;	   /* of what a record's bytes depend on */
};

/*
 * Borrows loop and conf. emptied is called when nothing is queued, submitted or in the spool; it may
 * be called again. NULL without memory. Close with fffa_sink_queue_close.
 */
struct fffa_sink_queue *fffa_sink_queue_new(struct uv_loop_s *loop,
					    const struct fffa_sink_conf *conf,
					    void (*emptied)(void *arg), void *arg);
/* Opens the spool, creates and starts the sink. 0 or -errno with err; then close it. */
int fffa_sink_queue_open(struct fffa_sink_queue *q, const struct fffa_sink_queue_source *src,
			 struct fffa_err *err);
/* The highest epoch in its spool; 0: none. */
uint64_t fffa_sink_queue_epoch(const struct fffa_sink_queue *q);
/* What waits in the spool goes to the sink. */
void fffa_sink_queue_start(struct fffa_sink_queue *q);

/* One record more was offered to the sink, and is in no sealed batch yet. */
void fffa_sink_queue_count_record(struct fffa_sink_queue *q);
/* Such a record will not be in one. */
void fffa_sink_queue_lose_record(struct fffa_sink_queue *q, const struct fffa_record *r,
				 enum fffa_record_loss why);
/* Queues a sealed batch of such records (with a reference of its own), or counts it as lost. */
void fffa_sink_queue_offer(struct fffa_sink_queue *q, struct fffa_batch *batch);
/* Queues SKIPDATA for all that is missing, submits what the sink takes, and asks it to flush. */
void fffa_sink_queue_flush(struct fffa_sink_queue *q);
/* The sink reopens its files. */
void fffa_sink_queue_reopen(struct fffa_sink_queue *q);

/* Room for bytes more that a source adds which can wait: it leaves three quarters free. */
bool fffa_sink_queue_has_room(const struct fffa_sink_queue *q, size_t bytes);
/* Nothing is queued, submitted or waits in the spool. */
bool fffa_sink_queue_is_empty(const struct fffa_sink_queue *q);
const struct fffa_sink_ledger *fffa_sink_queue_ledger(const struct fffa_sink_queue *q);
void fffa_sink_queue_status(const struct fffa_sink_queue *q, struct fffa_sink_status *out);
/* What the sink itself has to say: put is called for each fact, from inside. */
void fffa_sink_queue_report(const struct fffa_sink_queue *q,
			    void (*put)(void *arg, const char *key, const char *value), void *arg);

/*
 * Legal in every state, once. What is queued stays in the spool or is lost (shutdown), sink and spool
 * are closed. closed is called later, on the loop; the ledger can be read until fffa_sink_queue_free.
 */
void fffa_sink_queue_close(struct fffa_sink_queue *q, void (*closed)(void *arg), void *arg);
/* After closed. NULL is allowed. */
void fffa_sink_queue_free(struct fffa_sink_queue *q);

#endif
