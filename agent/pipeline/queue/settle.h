/* SPDX-License-Identifier: MIT */
/*
 * What a verdict means: the batch ends, is tried again, is split, or is lost.
 *
 * A refused batch stays queued, and the next ones are tried instead, one at a time (probes). When
 * one is delivered soon after the only refusal, the refused batch is rejected. After several
 * refusals in a row the reason may be one that a person has repaired meanwhile: then each refused
 * batch is tried once more, and rejected when it is refused again.
 */
#ifndef FFFA_AGENT_PIPELINE_QUEUE_SETTLE_H
#define FFFA_AGENT_PIPELINE_QUEUE_SETTLE_H

#include "agent/base/histogram.h"
#include "agent/pipeline/queue/backlog.h"
#include "agent/pipeline/queue/health.h"
#include "agent/pipeline/queue/pause.h"
#include "sinks/sink.h"

struct fffa_settle {
	const char *tag;
	struct fffa_backlog *backlog;
	struct fffa_pause *pause;
	struct fffa_health health;
	struct fffa_histogram latency; /* from the seal to the verdict delivered */
	struct fffa_log_limit gave_up_log;
	uint64_t deliveries;   /* batches of which records were delivered */
	unsigned int refusals; /* in a row, since the last delivery */
	uint64_t refused_ns;   /* monotonic, of the last one */
	bool is_last;	       /* nothing follows what is queued: see fffa_settle_set_last */
};

/* Borrows tag, backlog and pause. tag is for the log. */
void fffa_settle_init(struct fffa_settle *s, const char *tag, struct fffa_backlog *backlog,
		      struct fffa_pause *pause);
/* The sink's verdict on b, which is held and not queued. b may be gone afterwards. */
void fffa_settle_outcome(struct fffa_settle *s, struct fffa_queued_batch *b,
			 const struct fffa_outcome *o);
/* b, which is held and not queued, is tried again, or given up, because of cause (-errno). */
void fffa_settle_retry(struct fffa_settle *s, struct fffa_queued_batch *b, int cause);
/* The sink's trouble: see struct fffa_sink_env. */
void fffa_settle_trouble(struct fffa_settle *s, const struct fffa_outcome *o);
/*
 * No record will be queued any more, and delivery goes on until all are settled. So a refused batch
 * finds no other to be compared with; it is rejected when it is refused again although others were
 * delivered before.
 */
void fffa_settle_set_last(struct fffa_settle *s);
/* True while a refusal is open: batches are tried one at a time, those not refused yet first. */
bool fffa_settle_is_probing(const struct fffa_settle *s);
bool fffa_settle_is_down(const struct fffa_settle *s);
/* Fills up, latency, last_error and last_delivery_ns. */
void fffa_settle_status(const struct fffa_settle *s, struct fffa_sink_status *out);

#endif
