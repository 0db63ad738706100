/* SPDX-License-Identifier: MIT */
/*
 * The flow table merges deltas into flows and ends their windows as records. Pure: the caller
 * passes the time. Loop thread only.
 */
#ifndef FFFA_AGENT_FLOW_FLOW_TABLE_H
#define FFFA_AGENT_FLOW_FLOW_TABLE_H

#include <stdbool.h>

#include "agent/base/err.h"
#include "agent/base/ledger.h"
#include "agent/flow/delta.h"
#include "agent/flow/record.h"

struct fffa_flow_table;

struct fffa_flow_conf {
	uint64_t idle_ns;   /* a flow ends after this long without a packet */
	uint64_t active_ns; /* the longest window */
	uint64_t linger_ns; /* an ended connection waits this long for its last packets */
	uint32_t max_flows;
	/* False: this window becomes no record and is counted as filtered. NULL: all are wanted. */
	bool (*wants)(void *arg, const struct fffa_record *r);
};

/*
 * Borrows ledger and arg for its life; counts merged, recorded and lost (flow_table) there. record
 * is called from inside merge, expire and flush; r->ident and r->tunnel are not set. -ENOMEM; on
 * failure *out is untouched. Free with fffa_flow_table_free.
 */
int fffa_flow_table_new(const struct fffa_flow_conf *conf, struct fffa_ledger *ledger,
			fffa_record_fn record, void *arg, struct fffa_flow_table **out);
/* Forgets the flows that are held: flush first. NULL is allowed. */
void fffa_flow_table_free(struct fffa_flow_table *t);

/* Valid from now on. A flow that already waits is checked when its old time has come. */
void fffa_flow_set_timeouts(struct fffa_flow_table *t, uint64_t idle_ns, uint64_t active_ns,
			    uint64_t linger_ns);

/*
 * Another bound from now on. Where more flows are held, each newcomer has two of them reported early.
 * Memory that was used is kept. 0; -ENOMEM: the bound stays.
 */
int fffa_flow_set_max(struct fffa_flow_table *t, uint32_t max_flows);

/* now_ns: monotonic; unix_ns: the same instant. Call before merge and expire of one turn. */
void fffa_flow_set_time(struct fffa_flow_table *t, uint64_t now_ns, uint64_t unix_ns);

/*
 * Prefetches memory for a delta that will be merged FFFA_FLOW_AHEAD calls later. With many
 * flows, waiting for memory is most of the cost. Call it for d[i] before the merge of d[i
 * - FFFA_FLOW_AHEAD].
 */
#define FFFA_FLOW_AHEAD 12
void fffa_flow_expect(struct fffa_flow_table *t, const struct fffa_delta *d);

/*
 * Adds d to its flow. May emit records: for a window that would grow too long, and for an old flow
 * that must make room.
 */
void fffa_flow_merge(struct fffa_flow_table *t, const struct fffa_delta *d);

/* Ends the flows that are due, at most budget. True when more are due: call again. */
bool fffa_flow_expire(struct fffa_flow_table *t, uint32_t budget);

/* Ends at most budget flows, due or not (end reason forced). True when more are held. */
bool fffa_flow_flush(struct fffa_flow_table *t, uint32_t budget);

/* A flow's open window. */
struct fffa_flow_window {
	const struct fffa_key *key;
	uint64_t packets;
	uint64_t bytes;
	int64_t start_ms; /* Unix ms of the first and last packet */
	int64_t end_ms;
	uint16_t flags; /* FFFA_F_* */
};

/*
 * Calls fn for the open windows among `budget` places, beginning at place `from` (0: the first).
 * Returns the next place, or 0 after the last. Flows may come and go between calls; a flow that
 * stays is visited once. Skips windows below *min_bytes; fn may raise it.
 */
uint32_t fffa_flow_walk(const struct fffa_flow_table *t, uint32_t from, uint32_t budget,
			const uint64_t *min_bytes,
			void (*fn)(void *arg, const struct fffa_flow_window *w), void *arg);

/* Packets and bytes merged but not in a record yet. */
struct fffa_amount fffa_flow_held(const struct fffa_flow_table *t);
uint32_t fffa_flow_count(const struct fffa_flow_table *t);
/* How many of the flows have this tunnel id. */
uint32_t fffa_flow_tunnel_flows(const struct fffa_flow_table *t, uint16_t id);

#endif
