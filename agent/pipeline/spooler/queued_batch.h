/* SPDX-License-Identifier: MIT */
/* An entry of a sink's queue: a sealed batch, and what became of it so far. */
#ifndef FFFA_AGENT_PIPELINE_SPOOLER_QUEUED_BATCH_H
#define FFFA_AGENT_PIPELINE_SPOOLER_QUEUED_BATCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "agent/base/ledger.h"
#include "sinks/delivery.h"

struct fffa_spool_ref; /* known to the spooler only */

/* Sequence numbers of one epoch that are missing in the stream of a sink, for one reason. */
struct fffa_missing {
	uint64_t records; /* how many; 0: none is missing */
	uint64_t epoch;
	uint64_t last_seq;
	int64_t first_ms, last_ms; /* Unix */
};

/* What the bytes of a batch are encoded as. */
struct fffa_batch_encoding {
	uint64_t identity; /* a hash of the settings that the bytes of a record depend on */
	char format[16];   /* its name in a spool */
};

struct fffa_queued_batch {
	struct fffa_delivery d; /* first, because the sink gives back a pointer to it */
	TAILQ_ENTRY(fffa_queued_batch) link;
	struct fffa_batch_encoding encoding;
	uint64_t born_ns;	/* monotonic, when the batch was sealed */
	uint64_t first_fail_ns; /* monotonic; 0: it has not failed */
	uint32_t tries;
	uint32_t refusals;	    /* how often the receiver refused it */
	uint64_t refused_after;	    /* number of deliveries before the first refusal */
	bool is_sent;		    /* the sink holds it */
	struct fffa_spool_ref *ref; /* to its frame in the spool; NULL: it has none */
	/* The batch is one SKIPDATA record, which reports skipped: lost for the reason why. */
	bool is_skipdata;
	enum fffa_record_loss why;
	struct fffa_missing skipped;
};

TAILQ_HEAD(fffa_queued_batches, fffa_queued_batch);

#endif
