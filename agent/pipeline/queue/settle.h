/* SPDX-License-Identifier: MIT */
/* Verdict -> ledger: what a sink says of a batch ends it, tries it again, splits it or loses it. */
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
	bool down;		       /* from a failure until something is delivered */
	char last_error[160];	       /* empty: none yet */
	struct fffa_histogram latency; /* from seal to confirmed */
	struct fffa_log_limit rejected_log, gave_up_log;
};

/* Borrows all. */
void fffa_settle_init(struct fffa_settle *s, const char *tag, struct fffa_backlog *backlog,
		      struct fffa_pause *pause);
/* The sink's last word on b, which is held and not queued. */
void fffa_settle_outcome(struct fffa_settle *s, struct fffa_queued_batch *b,
			 const struct fffa_outcome *o);
/* b, held and not queued, is to be tried again. cause, detail: as in struct fffa_outcome. */
void fffa_settle_retry(struct fffa_settle *s, struct fffa_queued_batch *b, uint32_t after_ms,
		       int cause, const char *detail);
bool fffa_settle_is_down(const struct fffa_settle *s);
/* Fills up, latency and last_error. */
void fffa_settle_status(const struct fffa_settle *s, struct fffa_sink_status *out);

#endif
