// SPDX-License-Identifier: MIT
#include "agent/capture/replay/tunnels.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS (FFFA_TUNNELS_MAX * 2) /* power of two, at most half full */

struct fffa_tunnels {
	struct fffa_tunnel v[FFFA_TUNNELS_MAX + 1];
	bool given[FFFA_TUNNELS_MAX + 1];
	uint16_t slot[SLOTS];		  /* ids; 0: empty */
	uint16_t freed[FFFA_TUNNELS_MAX]; /* ids to be given out again */
	uint16_t freed_count;
	uint16_t used; /* ids up to here were given out */
};

struct fffa_tunnels *fffa_tunnels_new(void)
{
	return calloc(1, sizeof(struct fffa_tunnels));
}

void fffa_tunnels_free(struct fffa_tunnels *t)
{
	free(t);
}

static uint32_t first_slot(const struct fffa_tunnel *facts)
{
	uint64_t w[sizeof(*facts) / 8], h = UINT64_C(0x9e3779b97f4a7c15);

	memcpy(w, facts, sizeof(w));
	for (size_t i = 0; i < sizeof(w) / sizeof(w[0]); i++) {
		h = (h ^ w[i]) * UINT64_C(0xff51afd7ed558ccd);
		h ^= h >> 32;
	}
	return (uint32_t)h & (SLOTS - 1);
}

/* The slot with the id of facts, or the empty one where it belongs. */
static uint32_t find_slot(const struct fffa_tunnels *t, const struct fffa_tunnel *facts)
{
	uint32_t i = first_slot(facts);

	while (t->slot[i] && memcmp(&t->v[t->slot[i]], facts, sizeof(*facts)))
		i = (i + 1) & (SLOTS - 1);
	return i;
}

uint16_t fffa_tunnels_intern(struct fffa_tunnels *t, const struct fffa_tunnel *facts)
{
	uint32_t i = find_slot(t, facts);
	uint16_t id = t->slot[i];

	if (id)
		return id;
	if (t->freed_count)
		id = t->freed[--t->freed_count];
	else if (t->used < FFFA_TUNNELS_MAX)
		id = ++t->used;
	else
		return 0;
	t->slot[i] = id;
	t->v[id] = *facts;
	t->given[id] = true;
	return id;
}

size_t fffa_tunnels_reclaim(struct fffa_tunnels *t, bool (*used)(void *arg, uint16_t id), void *arg)
{
	size_t n = 0;

	for (uint16_t id = 1; id <= t->used; id++) {
		if (!t->given[id] || used(arg, id))
			continue;
		t->given[id] = false;
		t->freed[t->freed_count++] = id;
		n++;
	}
	if (!n)
		return 0;
	memset(t->slot, 0, sizeof(t->slot));
	for (uint16_t id = 1; id <= t->used; id++) {
		if (t->given[id])
			t->slot[find_slot(t, &t->v[id])] = id;
	}
	return n;
}

const struct fffa_tunnel *fffa_tunnels_get(const struct fffa_tunnels *t, uint16_t id)
{
	return id && id <= t->used && t->given[id] ? &t->v[id] : NULL;
}
