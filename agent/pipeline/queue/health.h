/* SPDX-License-Identifier: MIT */
/*
 * Whether a sink works: what the receiver said last, and the log lines about it. Each reason is
 * logged once until the next delivery.
 */
#ifndef FFFA_AGENT_PIPELINE_QUEUE_HEALTH_H
#define FFFA_AGENT_PIPELINE_QUEUE_HEALTH_H

#include "agent/base/log.h"
#include "agent/base/sink_status.h"
#include "sinks/sink.h"

#define FFFA_HEALTH_REASONS 8 /* the log does not repeat; of more, the oldest is forgotten */

struct fffa_health {
	const char *tag;       /* for the log */
	bool up;	       /* the receiver took records, and has refused nothing since */
	bool is_blocked;       /* from a failure until the next delivery */
	bool is_misconfigured; /* a person must repair what stops the sink */
	bool is_logged;	       /* the log has a line of that failure */
	uint64_t delivered_ns; /* Unix, of the last delivery; 0: there was none */
	char last_error[640];  /* empty: there was none */
	uint64_t error_ns;     /* Unix, of last_error; 0: there was none */
	int reasons[FFFA_HEALTH_REASONS];
	unsigned int reason_count;
	struct fffa_log_limit rejected_log;
};

/* Borrows tag. */
void fffa_health_init(struct fffa_health *h, const char *tag);
/* The receiver took records. */
void fffa_health_delivered(struct fffa_health *h);
/* A connection ended, as any does. The next try shows whether the receiver still takes records. */
void fffa_health_interrupted(struct fffa_health *h, const struct fffa_outcome *o);
/* Deliveries fail for the reason that o gives. quiet: the agent ends, so nothing is logged. */
void fffa_health_failed(struct fffa_health *h, const struct fffa_outcome *o, bool quiet);
/* So many records were rejected for the reason that o gives; NULL: for the last error. */
void fffa_health_rejected(struct fffa_health *h, const struct fffa_outcome *o, uint64_t records);
/* True from a failure until the next delivery. */
bool fffa_health_is_blocked(const struct fffa_health *h);
/* Fills up, misconfigured, last_error, last_error_ns and last_delivery_ns. */
void fffa_health_status(const struct fffa_health *h, struct fffa_sink_status *out);

#endif
