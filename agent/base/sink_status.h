/* SPDX-License-Identifier: MIT */
/* One sink as it is now: the pipeline fills it, the status pages show it. */
#ifndef FFFA_AGENT_BASE_SINK_STATUS_H
#define FFFA_AGENT_BASE_SINK_STATUS_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/base/histogram.h"
#include "agent/base/ledger.h"

/* Texts and pointers are borrowed from whoever filled it. */
struct fffa_sink_status {
	const char *name;
	const char *type;
	bool up;	       /* what the receiver said last is that it took records */
	bool misconfigured;    /* stopped by what a person must repair; last_error says what */
	uint64_t in_flight;    /* records */
	uint64_t queue_bytes;  /* memory that its queue and what the sink holds take */
	uint64_t spool_bytes;  /* on disk */
	uint64_t spool_errors; /* writes and reads that failed, damaged frames */
	uint64_t retries;
	const struct fffa_sink_ledger *ledger;
	const struct fffa_histogram *latency; /* from seal to confirmed */
	const char *last_error;		      /* empty: there was none */
	uint64_t last_error_ns;		      /* Unix; 0: there was none */
	uint64_t last_delivery_ns;	      /* Unix; 0: nothing was delivered yet */
	uint64_t oldest_ns;		      /* age of the oldest record that waits; 0: none */
	uint64_t queue_capacity;	      /* bytes; queue.memory */
	uint64_t spool_capacity;	      /* bytes; queue.spool */
};

#endif
