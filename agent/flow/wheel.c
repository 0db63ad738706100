// SPDX-License-Identifier: MIT
/* The timing wheel of the flow table: linking is O(1), a tick looks at what is in its slot only. */
#include <string.h>

#include "agent/flow/flow_internal.h"

void fffa_wheel__init(struct fffa_wheel *w)
{
	memset(w->used, 0, sizeof(w->used));
	for (uint32_t i = 0; i < FFFA_WHEEL_SLOTS; i++)
		w->head[i] = FFFA_NIL;
	w->tick = 0;
}

void fffa_wheel__link(struct fffa_flow_table *t, uint32_t i, uint64_t deadline_ns)
{
	struct fffa_wheel *w = &t->wheel;
	struct fffa_flow *f = &t->flows[i];
	uint64_t tick = deadline_ns / FFFA_WHEEL_TICK_NS + 1; /* not before the deadline */

	if (tick <= w->tick)
		tick = w->tick + 1;
	if (tick > w->tick + FFFA_WHEEL_SLOTS - 1)
		tick = w->tick + FFFA_WHEEL_SLOTS - 1; /* comes up early and is linked again */
	f->slot = (uint32_t)(tick % FFFA_WHEEL_SLOTS);
	f->prev = FFFA_NIL;
	f->next = w->head[f->slot];
	if (f->next != FFFA_NIL)
		t->flows[f->next].prev = i;
	w->head[f->slot] = i;
	w->used[f->slot / 64] |= UINT64_C(1) << (f->slot % 64);
}

void fffa_wheel__unlink(struct fffa_flow_table *t, uint32_t i)
{
	struct fffa_wheel *w = &t->wheel;
	struct fffa_flow *f = &t->flows[i];

	if (f->next != FFFA_NIL)
		t->flows[f->next].prev = f->prev;
	if (f->prev != FFFA_NIL)
		t->flows[f->prev].next = f->next;
	else
		w->head[f->slot] = f->next;
	if (w->head[f->slot] == FFFA_NIL)
		w->used[f->slot / 64] &= ~(UINT64_C(1) << (f->slot % 64));
}

/* Number of slots from that of tick `from` (included) to the next used one; FFFA_WHEEL_SLOTS: none. */
static uint32_t distance_to_used(const struct fffa_wheel *w, uint32_t from)
{
	uint32_t seen = 0;

	while (seen < FFFA_WHEEL_SLOTS + 64) {
		uint32_t at = (from + seen) % FFFA_WHEEL_SLOTS;
		uint64_t word = w->used[at / 64] >> (at % 64);

		if (word)
			return seen + (uint32_t)__builtin_ctzll(word);
		seen += 64 - at % 64;
	}
	return FFFA_WHEEL_SLOTS;
}

uint32_t fffa_wheel__first(const struct fffa_flow_table *t)
{
	const struct fffa_wheel *w = &t->wheel;
	uint32_t from = (uint32_t)w->tick + 1;
	uint32_t d = distance_to_used(w, from);

	return t->count ? w->head[(from + d) % FFFA_WHEEL_SLOTS] : FFFA_NIL;
}

uint32_t fffa_wheel__due(struct fffa_flow_table *t)
{
	struct fffa_wheel *w = &t->wheel;
	uint64_t now_tick = t->now_ns / FFFA_WHEEL_TICK_NS;
	uint32_t d;

	if (w->tick >= now_tick)
		return FFFA_NIL;
	d = distance_to_used(w, (uint32_t)w->tick + 1);
	if (!t->count || d >= now_tick - w->tick) {
		w->tick = now_tick; /* nothing between */
		return FFFA_NIL;
	}
	w->tick += d; /* the slots before are empty; this one stays open until it is */
	return w->head[(w->tick + 1) % FFFA_WHEEL_SLOTS];
}
