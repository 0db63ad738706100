// SPDX-License-Identifier: MIT
#include "agent/capture/replay/fragments.h"

#include <stdlib.h>
#include <string.h>

#include "agent/base/clock.h"
#include "bpf/fragment.h"

#define WAYS 4
#define SETS (FFFA_FRAGMENTS_MAX / WAYS) /* power of two */

struct entry {
	struct fffa_fragment_key key;
	struct fffa_fragment_ports ports;
	uint64_t seen_ns; /* 0: free */
};

struct fffa_fragments {
	struct entry e[SETS][WAYS];
};

struct fffa_fragments *fffa_fragments_new(void)
{
	return calloc(1, sizeof(struct fffa_fragments));
}

void fffa_fragments_free(struct fffa_fragments *t)
{
	free(t);
}

static struct entry *set_of(struct fffa_fragments *t, const struct fffa_fragment_key *key)
{
	uint64_t w[sizeof(*key) / 8], h = UINT64_C(0x9e3779b97f4a7c15);

	memcpy(w, key, sizeof(w));
	for (size_t i = 0; i < sizeof(w) / sizeof(w[0]); i++) {
		h = (h ^ w[i]) * UINT64_C(0xff51afd7ed558ccd);
		h ^= h >> 32;
	}
	return t->e[h & (SETS - 1)];
}

static struct entry *find(struct entry *set, const struct fffa_fragment_key *key)
{
	for (int i = 0; i < WAYS; i++) {
		if (set[i].seen_ns && !memcmp(&set[i].key, key, sizeof(*key)))
			return &set[i];
	}
	return NULL;
}

static struct entry *oldest(struct entry *set)
{
	struct entry *e = set;

	for (int i = 1; i < WAYS; i++) {
		if (set[i].seen_ns < e->seen_ns)
			e = &set[i];
	}
	return e;
}

bool fffa_fragments_apply(struct fffa_fragments *t, struct fffa_packet *p, uint64_t now_ns)
{
	struct fffa_fragment_key key;
	struct entry *set, *e;

	if (p->fragment == FFFA_FRAGMENT_NONE)
		return true;
	fffa_fragment_key_of(p, &key);
	set = set_of(t, &key);
	e = find(set, &key);
	if (p->fragment == FFFA_FRAGMENT_FIRST) {
		if (!e)
			e = oldest(set);
		e->key = key;
		e->ports.sport = p->key.sport;
		e->ports.dport = p->key.dport;
		e->ports.proto = p->key.proto;
		e->seen_ns = now_ns ? now_ns : 1;
		return true;
	}
	if (!e || now_ns > e->seen_ns + FFFA_FRAGMENT_LIFE_S * FFFA_NS_PER_S)
		return false;
	p->key.sport = e->ports.sport;
	p->key.dport = e->ports.dport;
	p->key.proto = e->ports.proto;
	return true;
}
