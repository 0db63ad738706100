/* SPDX-License-Identifier: MIT */
/*
 * One sink with its queue, which is bounded in memory and, where there is a spool, goes over the
 * disk. sink_queue.c puts the parts together. Each file calls only those below it:
 *   deliver.c           submits batches to the sink and passes on its verdicts
 *   settle.c            what a verdict means: delivered, retry, refused, split, lost
 *   health.c            whether the sink works, and the log lines about it
 *   pause.c, retry.c    when to try again
 *   backlog.c           the queue, its memory and its ledger, and what it loses
 *   skipdata_records.c  what the stream reports of loss
 * Loop thread only.
 */
#ifndef FFFA_AGENT_PIPELINE_QUEUE_SINK_QUEUE_H
#define FFFA_AGENT_PIPELINE_QUEUE_SINK_QUEUE_H

#include "agent/base/sink_status.h"
#include "agent/encode/encodings.h"
#include "agent/pipeline/spooler/origin.h"
#include "config/config.h"
#include "sinks/sink.h"

struct uv_loop_s;
struct fffa_sink_queue;

/* Where the records of a queue come from. Pointers are borrowed for the life of the queue. */
struct fffa_sink_queue_source {
	struct fffa_encoding
		encoding; /* of the batches that are offered, and of the SKIPDATA records */
	const struct fffa_origin_source *origin;
	bool running;			 /* the agent is: see struct fffa_sink_env */
	const char *spool_dir;		 /* NULL: queue.spool is ignored */
	uint64_t last_epoch, last_given; /* see struct fffa_spooler_conf */
};

/*
 * Borrows loop and conf. Calls emptied(arg) whenever nothing is queued, submitted or in the spool.
 * NULL without memory. Close with fffa_sink_queue_close.
 */
struct fffa_sink_queue *fffa_sink_queue_new(struct uv_loop_s *loop,
					    const struct fffa_sink_conf *conf,
					    void (*emptied)(void *arg), void *arg);
/*
 * Opens the spool, creates and starts the sink. 0, or -errno with err: close the queue then, too.
 */
int fffa_sink_queue_open(struct fffa_sink_queue *q, const struct fffa_sink_queue_source *src,
			 struct fffa_err *err);
/* The highest epoch found in its spool; 0: none. */
uint64_t fffa_sink_queue_epoch(const struct fffa_sink_queue *q);
/*
 * The sink begins to get what waits in the spool. given: the highest number of epoch that was given
 * out; borrowed, and read until closed.
 */
void fffa_sink_queue_start(struct fffa_sink_queue *q, uint64_t epoch, const uint64_t *given);
/*
 * The spool comes or goes while the agent runs, so that it is as conf wants it: what is queued goes
 * to the disk, or what is on disk is still delivered. src and given as at the start. 0; -EAGAIN
 * while the spool of before is not empty; or -errno, with err. Nothing changes on failure.
 */
int fffa_sink_queue_change_spool(struct fffa_sink_queue *q, const struct fffa_sink_conf *conf,
				 const struct fffa_sink_queue_source *src, uint64_t epoch,
				 const uint64_t *given, struct fffa_err *err);
/* Its numbers go on in another stream: given as in fffa_sink_queue_start, not below the one of before. */
void fffa_sink_queue_set_given(struct fffa_sink_queue *q, const uint64_t *given);
/* Reports what an earlier run lost. Call it when it is known who this host is. */
void fffa_sink_queue_report_missing(struct fffa_sink_queue *q);

/* The sink was offered one more record, which is in no sealed batch yet. */
void fffa_sink_queue_count_record(struct fffa_sink_queue *q);
/* The sink's filter has left out a record, which it was not offered. */
void fffa_sink_queue_count_filtered(struct fffa_sink_queue *q);
/* Counts an offered record as lost that is in no sealed batch. */
void fffa_sink_queue_lose_record(struct fffa_sink_queue *q, const struct fffa_record *r,
				 enum fffa_record_loss why);
/* Queues a sealed batch of such records with a reference of its own, or loses it or older ones. */
void fffa_sink_queue_offer(struct fffa_sink_queue *q, struct fffa_batch *batch);
/*
 * Shutdown begins: reports all that is missing, submits what the sink takes, and asks it to flush.
 * is_last: delivery goes on until all is settled, and no record follows.
 */
void fffa_sink_queue_flush(struct fffa_sink_queue *q, bool is_last);
/* The sink reopens its files. */
void fffa_sink_queue_reopen(struct fffa_sink_queue *q);

/* The configuration that it has, or will have once a change is done. */
const struct fffa_sink_conf *fffa_sink_queue_conf(const struct fffa_sink_queue *q);
/*
 * Replaces the sink by one of another configuration; queue, spool and numbers stay. What the sink
 * holds is waited for, at most two seconds. Takes conf, a heap block that fffa_config_free_sink can
 * empty. A sink that cannot be opened is tried again every five seconds, and shown as down.
 */
void fffa_sink_queue_change(struct fffa_sink_queue *q, struct fffa_sink_conf *conf);
/*
 * Batches that are offered from now on have this encoding. Those of before go to the sink as they
 * are; then the sink is opened anew. There must be room for it.
 */
void fffa_sink_queue_set_encoding(struct fffa_sink_queue *q, const struct fffa_encoding *e);
/* False while batches of too many other encodings wait. */
bool fffa_sink_queue_has_encoding_room(const struct fffa_sink_queue *q,
				       const struct fffa_encoding *e);
/* Takes conf, a heap block as above, which the queue was made with. */
void fffa_sink_queue_own_conf(struct fffa_sink_queue *q, struct fffa_sink_conf *conf);

/*
 * True when a source that can wait may add so many bytes: the queue is at most a quarter full then.
 */
bool fffa_sink_queue_has_room(const struct fffa_sink_queue *q, size_t bytes);
/* False when waiting makes no room: the sink, or its disk, has not moved for patience_ns. */
bool fffa_sink_queue_moves(const struct fffa_sink_queue *q, uint64_t patience_ns);
/* Nothing is queued, submitted or waits in the spool. */
bool fffa_sink_queue_is_empty(const struct fffa_sink_queue *q);
const struct fffa_sink_ledger *fffa_sink_queue_ledger(const struct fffa_sink_queue *q);
void fffa_sink_queue_status(const struct fffa_sink_queue *q, struct fffa_sink_status *out);
/* Calls put for each fact that the sink reports about itself. */
void fffa_sink_queue_report(const struct fffa_sink_queue *q,
			    void (*put)(void *arg, const char *key, const char *value), void *arg);

/*
 * Closes sink and spool. What is queued stays in the spool or, without one, is lost (shutdown).
 * Legal in every state, once. closed is called later, on the loop; the ledger can be read until
 * the free.
 */
void fffa_sink_queue_close(struct fffa_sink_queue *q, void (*closed)(void *arg), void *arg);
/*
 * After close, when the process ends before closed because a thread is stuck: settles the ledger as
 * fffa_backlog_abandon, and logs it. Does nothing after closed. Nothing is freed.
 */
void fffa_sink_queue_abandon(struct fffa_sink_queue *q);
/* After closed. NULL is allowed. */
void fffa_sink_queue_free(struct fffa_sink_queue *q);

#endif
