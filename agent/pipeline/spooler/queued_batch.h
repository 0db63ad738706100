/* SPDX-License-Identifier: MIT */
/* What lies in a sink's queue: a sealed batch, and what became of it so far. */
#ifndef FFFA_AGENT_PIPELINE_SPOOLER_QUEUED_BATCH_H
#define FFFA_AGENT_PIPELINE_SPOOLER_QUEUED_BATCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "agent/base/ledger.h"
#include "sinks/delivery.h"

struct fffa_spool_ref; /* the spooler's own */

/* Sequence numbers that are missing in the stream of a sink, for one reason and of one epoch. */
struct fffa_missing {
	uint64_t records; /* 0: nothing is missing */
	uint64_t epoch;
	uint64_t last_seq;
	int64_t first_ms, last_ms; /* Unix */
};

struct fffa_queued_batch {
	struct fffa_delivery d; /* first: the sink holds a pointer to it */
	TAILQ_ENTRY(fffa_queued_batch) link;
	uint64_t born_ns;	/* monotonic, when the batch was sealed */
	uint64_t first_fail_ns; /* monotonic; 0: has not failed */
	uint32_t tries;
	bool is_sent;		    /* the sink holds it */
	struct fffa_spool_ref *ref; /* its frame in the spool; NULL: there is none */
	/* The batch is one SKIPDATA record: it stands for skipped, which was lost for why. */
	bool is_skipdata;
	enum fffa_record_loss why;
	struct fffa_missing skipped;
};

TAILQ_HEAD(fffa_queued_batches, fffa_queued_batch);

#endif
