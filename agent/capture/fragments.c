// SPDX-License-Identifier: MIT
#include "agent/capture/fragments.h"

#include <stdlib.h>
#include <string.h>

#include "agent/base/clock.h"
#include "bpf/fragment.h"

#define SLOTS FFFA_FRAGMENTS_MAX /* power of two */

struct fffa_fragments {
	struct {
		struct fffa_fragment_key key;
		struct fffa_fragment_ports ports;
		uint64_t seen_ns;
	} slot[SLOTS];
};

struct fffa_fragments *fffa_fragments_new(void)
{
	return calloc(1, sizeof(struct fffa_fragments));
}

void fffa_fragments_free(struct fffa_fragments *t)
{
	free(t);
}

static uint32_t slot_of(const struct fffa_fragment_key *key)
{
	uint64_t w[sizeof(*key) / 8], h = UINT64_C(0x9e3779b97f4a7c15);

	memcpy(w, key, sizeof(w));
	for (size_t i = 0; i < sizeof(w) / sizeof(w[0]); i++) {
		h = (h ^ w[i]) * UINT64_C(0xff51afd7ed558ccd);
		h ^= h >> 32;
	}
	return (uint32_t)h & (SLOTS - 1);
}

bool fffa_fragments_apply(struct fffa_fragments *t, struct fffa_packet *p, uint64_t now_ns)
{
	struct fffa_fragment_key key;
	uint32_t i;

	if (p->fragment == FFFA_FRAGMENT_NONE)
		return true;
	fffa_fragment_key_of(p, &key);
	i = slot_of(&key);
	if (p->fragment == FFFA_FRAGMENT_FIRST) {
		t->slot[i].key = key;
		t->slot[i].ports.sport = p->key.sport;
		t->slot[i].ports.dport = p->key.dport;
		t->slot[i].seen_ns = now_ns;
		return true;
	}
	if (memcmp(&t->slot[i].key, &key, sizeof(key)) || !t->slot[i].seen_ns ||
	    now_ns > t->slot[i].seen_ns + FFFA_FRAGMENT_LIFE_S * FFFA_NS_PER_S)
		return false;
	p->key.sport = t->slot[i].ports.sport;
	p->key.dport = t->slot[i].ports.dport;
	return true;
}
