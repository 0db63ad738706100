/* SPDX-License-Identifier: MIT */
/*
 * What was counted in the last 15 minutes: a sample each 5 seconds, in constant memory, so that
 * whoever looks now sees what came before. Pure.
 */
#ifndef FFFA_AGENT_STATUS_HISTORY_H
#define FFFA_AGENT_STATUS_HISTORY_H

#include <stddef.h>
#include <stdint.h>

#include "agent/status/text/escape.h"
#include "agent/status/view.h"

#define FFFA_HISTORY_STEP_MS 5000
#define FFFA_HISTORY_SPAN_MS (15 * 60 * 1000)
#define FFFA_HISTORY_SAMPLES (FFFA_HISTORY_SPAN_MS / FFFA_HISTORY_STEP_MS + 1)

/* Counters since the start of the agent, but for flows. */
struct fffa_history_sample {
	uint64_t uptime_ms;	    /* of the agent: no change of the clock disturbs it */
	struct fffa_amount seen[2]; /* ingress, egress */
	uint64_t flows;		    /* open now */
	uint64_t records;
	uint64_t delivered; /* by all sinks that are there now */
	uint64_t lost_packets[FFFA_PL_MAX];
	uint64_t lost_records[FFFA_RL_MAX]; /* by all sinks that are there now */
};

/* All zero is empty. */
struct fffa_history {
	struct fffa_history_sample v[FFFA_HISTORY_SAMPLES];
	size_t first, n;
};

/* Adds what v shows as the newest sample; the oldest one goes when there are too many. */
void fffa_history_add(struct fffa_history *h, const struct fffa_status_view *v);

/*
 * Writes the samples after the uptime since_ms (-1: all) as JSON, a list for each counter, the
 * oldest sample first. A reason without loss up to the newest sample has no list. start_ms: of the
 * agent, Unix, which tells one run from another.
 */
void fffa_history_write(struct fffa_buf *o, const struct fffa_history *h, int64_t since_ms,
			int64_t start_ms);

/* Parses the value of since=, an uptime in ms; NULL (not given) means -1. 0, or -EINVAL. */
int fffa_history_parse_since(const char *text, int64_t *since_ms);

#endif
