/* SPDX-License-Identifier: MIT */
/* What a verdict means: the batch ends, is tried again, is split, or is lost. */
#ifndef FFFA_AGENT_PIPELINE_QUEUE_SETTLE_H
#define FFFA_AGENT_PIPELINE_QUEUE_SETTLE_H

#include "agent/base/histogram.h"
#include "agent/pipeline/queue/backlog.h"
#include "agent/pipeline/queue/pause.h"
#include "sinks/sink.h"

struct fffa_settle {
	const char *tag; /* for the log */
	struct fffa_backlog *backlog;
	struct fffa_pause *pause;
	bool down;		       /* from a failure until the next delivery */
	char last_error[160];	       /* empty: there was none */
	struct fffa_histogram latency; /* from the seal to the verdict delivered */
	struct fffa_log_limit rejected_log, gave_up_log;
};

/* Borrows tag, backlog and pause. */
void fffa_settle_init(struct fffa_settle *s, const char *tag, struct fffa_backlog *backlog,
		      struct fffa_pause *pause);
/* The sink's verdict on b, which is held and not queued. b may be gone afterwards. */
void fffa_settle_outcome(struct fffa_settle *s, struct fffa_queued_batch *b,
			 const struct fffa_outcome *o);
/*
 * b, which is held and not queued, is tried again after at least after_ms, or given up. cause and
 * detail: as in struct fffa_outcome.
 */
void fffa_settle_retry(struct fffa_settle *s, struct fffa_queued_batch *b, uint32_t after_ms,
		       int cause, const char *detail);
bool fffa_settle_is_down(const struct fffa_settle *s);
/* Fills up, latency and last_error. */
void fffa_settle_status(const struct fffa_settle *s, struct fffa_sink_status *out);

#endif
