/* SPDX-License-Identifier: MIT */
/* The inside of the flow table, for its files and its tests only. */
#ifndef FFFA_AGENT_FLOW_FLOW_INTERNAL_H
#define FFFA_AGENT_FLOW_FLOW_INTERNAL_H

#include "agent/flow/flow_table.h"

#define FFFA_NIL	   UINT32_MAX
#define FFFA_WHEEL_SLOTS   4096u
#define FFFA_WHEEL_TICK_NS UINT64_C(50000000)

/* fffa_flow.state */
#define FFFA_FLOW_FIN	0x01 /* this direction sent FIN */
#define FFFA_FLOW_ENDED 0x02 /* FIN both ways or RST: reported after linger_ns */

#define FFFA_FLOW_UNTIMED 0x04 /* no packet of the open window has a known time */
#define FFFA_FLOW_LATE_NS (UINT64_C(1) << 30)

struct fffa_flow {
	struct fffa_key key;
	uint32_t hash_next; /* chain of its bucket, or of the free list */
	uint64_t packets;   /* of the open window; 0: no window open */
	uint64_t bytes;
	uint64_t first_ns;
	uint64_t last_ns;
	uint64_t end_ns; /* when ENDED: report from then on */
	uint32_t slot;	 /* wheel slot it is linked in */
	uint32_t next;	 /* in the slot */
	uint32_t prev;	 /* FFFA_NIL: head */
	uint32_t cookie;
	uint32_t late; /* in FFFA_FLOW_LATE_NS: its last packet came so long after its own time */
	uint16_t flags;
	uint8_t state;
	uint8_t pad0;
};
FFFA_ASSERT_SIZE(struct fffa_flow, 112);

/*
 * Hashed timing wheel. A flow lies in the slot of its deadline, or in an earlier one when its
 * deadline is beyond the wheel.
 */
struct fffa_wheel {
	uint64_t tick;			 /* slots up to here have been emptied */
	uint32_t head[FFFA_WHEEL_SLOTS]; /* flow index or FFFA_NIL */
	uint64_t used[FFFA_WHEEL_SLOTS / 64];
};

struct fffa_flow_table {
	struct fffa_flow_conf conf;
	struct fffa_ledger *ledger;
	fffa_record_fn record;
	void *arg;
	struct fffa_flow *flows; /* places of them, touched as used */
	uint32_t places;	 /* at least max_flows, and more after a smaller one was set */
	uint32_t *buckets;
	uint32_t bucket_mask;
	uint32_t free_head;
	uint32_t high_water; /* flows from here on were never used */
	uint32_t count;
	uint32_t flush_at;
	uint64_t hash_key[7]; /* random */
	uint64_t now_ns;
	uint64_t unix_ns;
	struct fffa_amount held;
	uint32_t expected[FFFA_FLOW_AHEAD]; /* buckets, a ring */
	uint32_t expected_at;
	uint32_t *tunnels; /* flows by tunnel id */
	struct fffa_wheel wheel;
};

/* Index of the flow with key k, or FFFA_NIL. */
uint32_t fffa_flow__find(const struct fffa_flow_table *t, const struct fffa_key *k);
/* A zeroed flow linked under k, or FFFA_NIL when no place is free. Not in the wheel yet. */
uint32_t fffa_flow__add(struct fffa_flow_table *t, const struct fffa_key *k);
/* Unlinks from the wheel and the bucket and gives the slot back. */
void fffa_flow__remove(struct fffa_flow_table *t, uint32_t i);
/* Prefetches memory for the removal of i and for the next flow in its wheel slot. */
void fffa_flow__prefetch(const struct fffa_flow_table *t, uint32_t i);

void fffa_wheel__init(struct fffa_wheel *w);
/* Links flow i. It comes up at most one tick after deadline_ns, maybe earlier. */
void fffa_wheel__link(struct fffa_flow_table *t, uint32_t i, uint64_t deadline_ns);
void fffa_wheel__unlink(struct fffa_flow_table *t, uint32_t i);
/* The flow that comes up next, due or not. FFFA_NIL: none. */
uint32_t fffa_wheel__first(const struct fffa_flow_table *t);
/* A flow whose slot is due at now_ns, or FFFA_NIL. Advances the wheel. */
uint32_t fffa_wheel__due(struct fffa_flow_table *t);

#endif
