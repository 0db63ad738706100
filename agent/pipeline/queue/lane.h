/* SPDX-License-Identifier: MIT */
/*
 * A lane: one sink with its queue. deliver.c moves sealed batches into the sink, settle.c takes its
 * verdicts, told.c writes into the stream what was lost. In order: a delivery that is to be tried
 * again goes before all younger ones.
 */
#ifndef FFFA_AGENT_PIPELINE_QUEUE_LANE_H
#define FFFA_AGENT_PIPELINE_QUEUE_LANE_H

#include <stdbool.h>
#include <sys/queue.h>
#include <uv.h>

#include "agent/base/histogram.h"
#include "agent/base/ledger.h"
#include "agent/pipeline/queue/retry.h"
#include "config/config.h"
#include "sinks/delivery.h"
#include "sinks/sink.h"

struct fffa_batcher;
struct fffa_spooler;
struct fffa_slip;

/* Numbers that are missing in the stream of a sink, for one reason and of one epoch. */
struct fffa_missing {
	uint64_t records; /* 0: nothing is missing */
	uint64_t epoch;
	uint64_t last_seq;
	int64_t first_ms, last_ms; /* Unix */
};

struct fffa_parcel {
	struct fffa_delivery d; /* first: what the sink holds is this parcel */
	TAILQ_ENTRY(fffa_parcel) link;
	uint64_t born_ns;	/* monotonic, when the batch was sealed */
	uint64_t first_fail_ns; /* 0: has not failed */
	uint32_t tries;
	bool is_sent;		/* the sink holds it */
	struct fffa_slip *slip; /* its frame in the spool; NULL: there is none */
	bool is_skipdata; /* the batch is one SKIPDATA record, which stands for skip, lost for why */
	enum fffa_record_loss why;
	struct fffa_missing skip;
};

TAILQ_HEAD(fffa_parcels, fffa_parcel);

/* What is worth a line now and then, with the number of records since the last one. */
enum fffa_complaint {
	FFFA_COMPLAIN_QUEUE_FULL,
	FFFA_COMPLAIN_SPOOL_FULL,
	FFFA_COMPLAIN_SPOOL_DAMAGED,
	FFFA_COMPLAIN_REJECTED,
	FFFA_COMPLAIN_GAVE_UP,
	FFFA_COMPLAIN_MAX
};

struct fffa_lane {
	struct fffa_lane *next; /* fed by the same batcher */
	struct fffa_batcher *batcher;
	struct fffa_spooler *spooler; /* NULL: without */
	const struct fffa_sink_conf *conf;
	struct fffa_sink *sink;
	struct fffa_sink_env env;
	char tag[64];
	struct fffa_sink_ledger ledger;
	struct fffa_histogram latency; /* from seal to confirmed */
	struct fffa_retry retry;
	struct fffa_parcels queue;
	size_t queue_bytes; /* footprint of what is queued or submitted */
	uint32_t sent;	    /* deliveries that the sink holds */
	uint32_t budget;    /* deliveries until the loop gets its turn */
	bool blocked;	    /* the sink said -EAGAIN */
	bool paused;	    /* until the timer fires */
	bool down;
	char last_error[160]; /* empty: none yet */
	bool ending;	      /* nothing is submitted or tried again any more */
	unsigned int fails;   /* rounds of failure since something was delivered */
	uint64_t paused_until_ns;
	uint64_t random; /* state of the generator that spreads retries */
	uv_timer_t timer;
	uv_idle_t again; /* the budget was used up: go on in the next turn */
	struct fffa_missing missing[FFFA_RL_MAX]; /* what the stream has not been told of yet */
	bool is_missing;			  /* any of them */
	uint64_t told_ns;			  /* when it was told last */
	struct {
		uint64_t records, last_ns;
	} complaints[FFFA_COMPLAIN_MAX];
	void (*emptied)(void *arg); /* nothing is queued and nothing submitted; may come again */
	void *arg;
};

/* Nothing is queued, submitted or waits in the spool. */
bool fffa_lane_is_empty(const struct fffa_lane *l);

/* deliver.c */
#define FFFA_DELIVER_PER_TURN 64 /* deliveries, then the rest of the loop has its turn */
/* Queues a sealed batch (takes its own reference) or counts it as lost, then submits what the sink
 * takes. */
void fffa_deliver__offer(struct fffa_lane *l, struct fffa_batch *b);
void fffa_deliver__pump(struct fffa_lane *l);
void fffa_deliver__ready(void *lane);
/* True when the lane's bound allows so much more. */
bool fffa_deliver__has_room(const struct fffa_lane *l, size_t bytes);
/* A new parcel (taken), whose footprint counts already: into the queue, or through the spool. */
void fffa_deliver__enqueue(struct fffa_lane *l, struct fffa_parcel *p);
/* Queues p where its sequence number belongs. */
void fffa_deliver__put(struct fffa_lane *l, struct fffa_parcel *p);
/* Nothing is submitted for a while. first_fail_ns: of the delivery that failed. */
void fffa_deliver__pause(struct fffa_lane *l, uint64_t first_fail_ns, uint64_t hint_ns);
void fffa_deliver__complain(struct fffa_lane *l, enum fffa_complaint what, uint64_t records);

/* settle.c */
void fffa_settle__done(void *lane, struct fffa_delivery *d, const struct fffa_outcome *o);
/* To be tried again: p is in no queue. detail: as in struct fffa_outcome. */
void fffa_settle__retry(struct fffa_lane *l, struct fffa_parcel *p, uint32_t after_ms, int cause,
			const char *detail);
/* Ends p, which is in no queue. */
void fffa_settle__lose(struct fffa_lane *l, struct fffa_parcel *p, enum fffa_record_loss why);
/* The lane is ending: what is queued stays in the spool, or is lost (shutdown) without one. */
void fffa_settle__leave_queue(struct fffa_lane *l);

/* told.c */
/* So many numbers more are missing. */
void fffa_told__add(struct fffa_lane *l, enum fffa_record_loss why, const struct fffa_missing *add);
/* Losing p frees memory. False for a SKIPDATA record that would only give way to another one. */
bool fffa_told__may_lose(const struct fffa_lane *l, const struct fffa_parcel *p);
/* All of b is missing. */
void fffa_told__add_batch(struct fffa_lane *l, enum fffa_record_loss why,
			  const struct fffa_batch *b);
/*
 * Queues a SKIPDATA record for each reason that has something missing, where the sink takes records
 * and the queue has room; anyway: also where it is down or nearly full.
 */
void fffa_told__tell(struct fffa_lane *l, bool anyway);

#endif
