// SPDX-License-Identifier: MIT
#include "agent/capture/replay/tunnels.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS (FFFA_TUNNELS_MAX * 2) /* power of two, at most half full */

struct fffa_tunnels {
	struct fffa_tunnel v[FFFA_TUNNELS_MAX + 1];
	uint16_t slot[SLOTS]; /* ids; 0: empty */
	uint16_t used;
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

uint16_t fffa_tunnels_intern(struct fffa_tunnels *t, const struct fffa_tunnel *facts)
{
	uint32_t i = first_slot(facts);

	for (; t->slot[i]; i = (i + 1) & (SLOTS - 1)) {
		if (!memcmp(&t->v[t->slot[i]], facts, sizeof(*facts)))
			return t->slot[i];
	}
	if (t->used == FFFA_TUNNELS_MAX)
		return 0;
	t->slot[i] = ++t->used;
	t->v[t->used] = *facts;
	return t->used;
}

const struct fffa_tunnel *fffa_tunnels_get(const struct fffa_tunnels *t, uint16_t id)
{
	return id && id <= t->used ? &t->v[id] : NULL;
}
