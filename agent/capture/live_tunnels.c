// SPDX-License-Identifier: MIT
#include "agent/capture/live_tunnels.h"

#define PER_TURN 2048 /* ids that change their stage; each costs a system call or two */
#define AHEAD	 64   /* ids that other CPUs may have taken before a lower one shows */

/*
 * Stages of an id, one drain after the other. A new id is in no delta before the drain after next, so
 * it may look idle once. A program that began before an id was retired may still put it into its
 * cache, so the caches are made void one drain later; and one that uses the cache then writes into
 * either generation. Two more drains read both, and the ring.
 */
enum stage {
	USED,
	IDLE, /* without a flow */
	IDLE_TWICE,
	RETIRED,
	FORGOTTEN, /* by the caches */
	DRAINED_ONCE,
	DRAINED_TWICE,
	DRAINED,
};

/* The ids are given out in order, but for those that come back. */
static void find_end(struct fffa_live_tunnels *t, const struct fffa_kernel *k)
{
	uint32_t i = t->end ? t->end : 1;

	for (uint32_t last = i + AHEAD; i < last && i <= FFFA_TUNNELS_MAX; i++) {
		if (!fffa_kernel_tunnel(k, (uint16_t)i))
			continue;
		t->end = i + 1;
		last = t->end + AHEAD;
	}
}

/* The stage of an id that is not retired yet. */
static uint8_t next_idle_stage(uint8_t stage, struct fffa_kernel *k, uint16_t id, uint32_t *budget)
{
	if (stage < IDLE_TWICE)
		return stage + 1;
	if (!*budget)
		return stage;
	(*budget)--;
	return fffa_kernel_tunnels_retire(k, id) ? RETIRED : USED;
}

void fffa_live_tunnels_turn(struct fffa_live_tunnels *t, struct fffa_kernel *k,
			    bool (*used)(void *arg, uint16_t id), void *arg)
{
	uint32_t budget = PER_TURN;
	bool forget = false;

	find_end(t, k);
	for (uint32_t i = 1; i < t->end; i++) {
		uint8_t *stage = &t->stage[i];
		uint16_t id = (uint16_t)i;

		if (*stage >= RETIRED && *stage < DRAINED) {
			(*stage)++;
			forget |= *stage == FORGOTTEN;
		} else if (used(arg, id)) {
			*stage = *stage == DRAINED ? DRAINED : USED;
		} else if (*stage < RETIRED) {
			*stage = fffa_kernel_tunnel(k, id) ? next_idle_stage(*stage, k, id, &budget)
							   : USED;
		} else if (budget) {
			budget--;
			fffa_kernel_tunnels_release(k, id);
			*stage = USED;
		}
	}
	if (forget)
		fffa_kernel_tunnels_ask(k);
}
