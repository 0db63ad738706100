/* SPDX-License-Identifier: MIT */
/*
 * record -> open batch -> sealed batch x sink -> delivery -> verdict -> ledger. Owns queues, retry,
 * splitting and giving up for every sink. Loop thread only.
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
	 * Fills r->ident by r->key.ifindex (0: the host alone), for the origin of batches and for the
	 * records that the pipeline writes itself; valid for the turn of the loop. NULL: nothing is
	 * known.
	 */
	void (*identify)(void *arg, struct fffa_record *r);
	void *arg;
	bool no_spool; /* queue.spool is not used: what is fed can be fed again */
};

/*
 * Creates and starts every sink of conf. Borrows loop, conf and env->arg for its life. epoch:
 * written into each record. On failure err says what and what to do, and *out is untouched; sinks that had been
 * started close as the loop runs on, so run it (uv_run) before uv_loop_close.
 */
int fffa_pipeline_open(uv_loop_t *loop, const struct fffa_config *conf, uint64_t epoch,
		       const struct fffa_pipeline_env *env, struct fffa_pipeline **out,
		       struct fffa_err *err);

/*
 * Numbers, encodes and batches one record for every sink. Never blocks; what finds no room is
 * counted. After fffa_pipeline_close a record is counted as lost (shutdown).
 */
void fffa_pipeline_record(struct fffa_pipeline *p, struct fffa_record *r);

/* False when a sink's queue is more than a quarter full: a source that can wait (replay) should. */
bool fffa_pipeline_has_room(const struct fffa_pipeline *p);

/* Reopens the sinks' files. */
void fffa_pipeline_reopen(struct fffa_pipeline *p);

/*
 * Seals what is open, delivers until deadline_ns from now (0: no deadline) has passed, counts the
 * rest as lost (shutdown), closes every sink and handle. closed is called once, later, on the loop;
 * the ledgers are still readable inside it and p is freed after it returns.
 */
void fffa_pipeline_close(struct fffa_pipeline *p, uint64_t deadline_ns,
			 void (*closed)(void *arg, struct fffa_pipeline *p), void *arg);
/* After fffa_pipeline_close and before closed: the deadline is deadline_ns (above 0) from now. */
void fffa_pipeline_limit(struct fffa_pipeline *p, uint64_t deadline_ns);

size_t fffa_pipeline_sink_count(const struct fffa_pipeline *p);
const char *fffa_pipeline_sink_name(const struct fffa_pipeline *p, size_t i);
const struct fffa_sink_ledger *fffa_pipeline_sink_ledger(const struct fffa_pipeline *p, size_t i);
/* Fills out; its texts and pointers are the pipeline's, valid until it is closed. */
void fffa_pipeline_sink_status(const struct fffa_pipeline *p, size_t i,
			       struct fffa_sink_status *out);
/* What the sink itself has to say: put is called for each fact, from inside. */
void fffa_pipeline_sink_report(const struct fffa_pipeline *p, size_t i,
			       void (*put)(void *arg, const char *key, const char *value),
			       void *arg);

#endif
