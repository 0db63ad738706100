/* SPDX-License-Identifier: MIT */
/*
 * From a record to each sink: record -> open batch -> sealed batch -> queue of each sink ->
 * delivery -> verdict -> ledger. Queueing, spooling, retrying, splitting and giving up are the same
 * for all sinks. Loop thread only.
 */
#ifndef FFFA_AGENT_PIPELINE_PIPELINE_H
#define FFFA_AGENT_PIPELINE_PIPELINE_H

#include <stdbool.h>
#include <uv.h>

#include "agent/base/clock.h"
#include "agent/base/err.h"
#include "agent/base/ledger.h"
#include "agent/base/sink_status.h"
#include "agent/encode/encoder.h"
#include "agent/flow/record.h"
#include "config/config.h"
#include "sinks/sink.h"

struct fffa_pipeline;

struct fffa_pipeline_env {
	/*
	 * Fills r->ident by r->key.ifindex (0: the host alone). It is asked for the origin of
	 * batches and for the records that the pipeline writes itself. The identity must stay valid
	 * for the turn of the loop. NULL: no identity is known.
	 */
	void (*identify)(void *arg, struct fffa_record *r);
	void *arg;
	bool no_spool; /* ignores spool_dir: the source can send its records again */
	/* Where spool_dir cannot keep the epoch it is one that rises in this boot. */
	bool boot_epoch;
	/*
	 * A sink that writes a file has failed for patience_ns and taken nothing meanwhile, which
	 * was logged. Called once at most, on the loop. NULL: every failure is waited for.
	 */
	void (*stalled)(void *arg);
	uint64_t patience_ns;
};

/*
 * Creates and starts every sink of conf. Borrows loop, conf and env->arg for its life. Each record
 * gets the epoch, or a higher one where spool_dir or a spool holds one as high. 0, or -errno with
 * err; then *out is untouched, and the sinks that had been started close as the loop runs on:
 * uv_run comes before uv_loop_close then.
 */
int fffa_pipeline_open(uv_loop_t *loop, const struct fffa_config *conf, uint64_t epoch,
		       const struct fffa_pipeline_env *env, struct fffa_pipeline **out,
		       struct fffa_err *err);

/*
 * Numbers, encodes and batches one record for every sink: sets r->seq and r->epoch. Never blocks. A
 * record that finds no room, or comes after fffa_pipeline_close, is counted as lost.
 */
void fffa_pipeline_record(struct fffa_pipeline *p, struct fffa_record *r);

/*
 * Reports to each sink what an earlier run lost. Call it once, when the host's identity is known;
 * otherwise it is reported before the first batch.
 */
void fffa_pipeline_report_missing(struct fffa_pipeline *p);

/*
 * False when a sink's queue is more than a quarter full. A source that can wait, as a
 * replay, should.
 */
bool fffa_pipeline_has_room(const struct fffa_pipeline *p);

/*
 * True when a queue is more than a quarter full and waiting helps: its sink has taken something
 * during the last patience_ns. A source that can put its records off for a while should then.
 */
bool fffa_pipeline_should_wait(const struct fffa_pipeline *p, uint64_t patience_ns);

/* Every sink reopens its files. */
void fffa_pipeline_reopen(struct fffa_pipeline *p);

/*
 * While the pipeline runs, these change its sinks; the others lose and repeat nothing. add and
 * change take what *conf holds and leave it empty. 0, or -errno with err.
 *
 * add:     a new sink gets the records from now on. Fails when it cannot be opened, and while
 *          FFFA_CONFIG_SINKS_MAX sinks are there.
 * change:  sink i gets another configuration, with the same name. It keeps its queue, its
 *          spool and its numbers. -EAGAIN: records of too many formats wait, or a spool that has
 *          left is not empty yet.
 * remove:  sink i gets no records any more, and delivers what it has until deadline_ns from now.
 *          Its spool stays. The sinks behind it move up. -EAGAIN: too many are still leaving.
 */
int fffa_pipeline_add(struct fffa_pipeline *p, struct fffa_sink_conf *conf, struct fffa_err *err);
int fffa_pipeline_change(struct fffa_pipeline *p, size_t i, struct fffa_sink_conf *conf,
			 struct fffa_err *err);
int fffa_pipeline_remove(struct fffa_pipeline *p, size_t i, uint64_t deadline_ns);

/*
 * Seals the open batches and delivers until deadline_ns from now have passed (0: no deadline). What
 * is left then stays in the sink's spool or, without one, is lost (shutdown). Closes every sink.
 * closed is called once, later, on the loop: the ledgers can be read inside it, and p is freed when
 * it returns.
 */
void fffa_pipeline_close(struct fffa_pipeline *p, uint64_t deadline_ns,
			 void (*closed)(void *arg, struct fffa_pipeline *p), void *arg);
/*
 * After fffa_pipeline_close and before closed: moves the deadline to deadline_ns (above 0)
 * from now.
 */
void fffa_pipeline_limit(struct fffa_pipeline *p, uint64_t deadline_ns);

/*
 * After fffa_pipeline_close, when the process ends before closed because a thread is stuck: settles
 * the ledgers of the sinks that are not closed and logs which they are. Nothing is freed.
 */
void fffa_pipeline_abandon(struct fffa_pipeline *p);

size_t fffa_pipeline_sink_count(const struct fffa_pipeline *p);
const char *fffa_pipeline_sink_name(const struct fffa_pipeline *p, size_t i);
/* The configuration that sink i has, or will have once a change is done. */
const struct fffa_sink_conf *fffa_pipeline_sink_conf(const struct fffa_pipeline *p, size_t i);
const struct fffa_sink_ledger *fffa_pipeline_sink_ledger(const struct fffa_pipeline *p, size_t i);
/* Its texts and pointers are the pipeline's and valid until it is closed. */
void fffa_pipeline_sink_status(const struct fffa_pipeline *p, size_t i,
			       struct fffa_sink_status *out);
/* Calls put for each fact that the sink reports about itself. */
void fffa_pipeline_sink_report(const struct fffa_pipeline *p, size_t i,
			       void (*put)(void *arg, const char *key, const char *value),
			       void *arg);

#endif
