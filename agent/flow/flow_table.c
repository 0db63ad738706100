// SPDX-License-Identifier: MIT
/* The flow table's memory: hash index and slots. flow_expire.c decides what happens to a flow. */
#include "agent/flow/flow_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>

#include "agent/base/clock.h"
#include "agent/flow/flow_internal.h"
#include "agent/flow/fold.h"

/* For any value that a key can have. */
#define TUNNELS_BYTES ((UINT16_MAX + 1) * sizeof(uint32_t))

/* Zeroed memory that costs nothing until it is touched. */
static void *map_lazily(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* The three products do not wait for one another. */
static uint32_t bucket_of(const struct fffa_flow_table *t, const struct fffa_key *k)
{
	const uint64_t *r = t->hash_key;
	uint64_t w[5], h;

	memcpy(w, k, sizeof(w));
	h = fffa_fold(w[0] ^ r[0], w[1] ^ r[1]) + fffa_fold(w[2] ^ r[2], w[3] ^ r[3]) +
	    fffa_fold(w[4] ^ r[4], k->ifindex ^ r[5]);
	return (uint32_t)fffa_fold(h ^ r[6], UINT64_C(0x9e3779b97f4a7c15)) & t->bucket_mask;
}

/* Prefetches in two steps: the bucket now, its first flow FFFA_FLOW_AHEAD / 2 calls later. */
void fffa_flow_expect(struct fffa_flow_table *t, const struct fffa_delta *d)
{
	uint32_t bucket = bucket_of(t, &d->key);
	uint32_t half = t->expected[(t->expected_at + FFFA_FLOW_AHEAD / 2) % FFFA_FLOW_AHEAD];
	uint32_t i = t->buckets[half];

	__builtin_prefetch(&t->buckets[bucket], 1);
	if (i) {
		__builtin_prefetch(&t->flows[i - 1], 1);
		__builtin_prefetch((const char *)&t->flows[i - 1] + 64, 1);
	}
	t->expected[t->expected_at] = bucket;
	t->expected_at = (t->expected_at + 1) % FFFA_FLOW_AHEAD;
}

void fffa_flow__prefetch(const struct fffa_flow_table *t, uint32_t i)
{
	const struct fffa_flow *f = &t->flows[i];

	__builtin_prefetch(&t->buckets[bucket_of(t, &f->key)], 1);
	if (f->next != FFFA_NIL) {
		__builtin_prefetch(&t->flows[f->next], 1);
		__builtin_prefetch((const char *)&t->flows[f->next] + 64, 1);
	}
}

uint32_t fffa_flow__find(const struct fffa_flow_table *t, const struct fffa_key *k)
{
	uint32_t i = t->buckets[bucket_of(t, k)];

	/* Chains hold index + 1, so that fresh memory is an empty table. */
	while (i && memcmp(&t->flows[i - 1].key, k, sizeof(*k)))
		i = t->flows[i - 1].hash_next;
	return i ? i - 1 : FFFA_NIL;
}

uint32_t fffa_flow__add(struct fffa_flow_table *t, const struct fffa_key *k)
{
	uint32_t *bucket = &t->buckets[bucket_of(t, k)];
	struct fffa_flow *f;
	uint32_t i;

	if (t->free_head != FFFA_NIL) {
		i = t->free_head;
		t->free_head = t->flows[i].hash_next;
	} else if (t->high_water < t->places) {
		i = t->high_water++;
	} else {
		return FFFA_NIL;
	}
	f = &t->flows[i];
	memset(f, 0, sizeof(*f));
	f->key = *k;
	f->hash_next = *bucket;
	*bucket = i + 1;
	t->count++;
	t->tunnels[k->tunnel]++;
	return i;
}

void fffa_flow__remove(struct fffa_flow_table *t, uint32_t i)
{
	struct fffa_flow *f = &t->flows[i];
	uint32_t *link = &t->buckets[bucket_of(t, &f->key)];

	fffa_wheel__unlink(t, i);
	while (*link != i + 1)
		link = &t->flows[*link - 1].hash_next;
	*link = f->hash_next;
	f->hash_next = t->free_head;
	f->slot = FFFA_NIL; /* free: flush passes over it */
	t->free_head = i;
	t->count--;
	t->tunnels[f->key.tunnel]--;
}

static uint32_t bucket_count(uint32_t max_flows)
{
	uint32_t buckets = 1024;

	while (buckets < max_flows && buckets < 1u << 31)
		buckets *= 2;
	return buckets;
}

int fffa_flow_table_new(const struct fffa_flow_conf *conf, struct fffa_ledger *ledger,
			fffa_record_fn record, void *arg, struct fffa_flow_table **out)
{
	struct fffa_flow_table *t = calloc(1, sizeof(*t));
	uint32_t buckets = bucket_count(conf->max_flows);

	if (!t)
		return -ENOMEM;
	t->conf = *conf;
	t->places = conf->max_flows;
	t->ledger = ledger;
	t->record = record;
	t->arg = arg;
	t->bucket_mask = buckets - 1;
	t->free_head = FFFA_NIL;
	t->flows = map_lazily(conf->max_flows * sizeof(*t->flows));
	t->buckets = map_lazily(buckets * sizeof(*t->buckets));
	t->tunnels = map_lazily(TUNNELS_BYTES);
	fffa_wheel__init(&t->wheel);
	/* Keys come from the network: who sends packets must not choose the chains. */
	if (!t->flows || !t->buckets || !t->tunnels ||
	    getrandom(t->hash_key, sizeof(t->hash_key), 0) != (ssize_t)sizeof(t->hash_key)) {
		fffa_flow_table_free(t);
		return -ENOMEM;
	}
	*out = t;
	return 0;
}

void fffa_flow_set_timeouts(struct fffa_flow_table *t, uint64_t idle_ns, uint64_t active_ns,
			    uint64_t linger_ns)
{
	t->conf.linger_ns = linger_ns;
	t->conf.idle_ns = idle_ns;
	t->conf.active_ns = active_ns;
}

static void use_buckets(struct fffa_flow_table *t, uint32_t *buckets, uint32_t count)
{
	(void)munmap(t->buckets, ((size_t)t->bucket_mask + 1) * sizeof(*t->buckets));
	t->buckets = buckets;
	t->bucket_mask = count - 1;
	for (uint32_t i = 0; i < t->high_water; i++) {
		struct fffa_flow *f = &t->flows[i];
		uint32_t *bucket = &t->buckets[bucket_of(t, &f->key)];

		if (f->slot == FFFA_NIL) /* free */
			continue;
		f->hash_next = *bucket;
		*bucket = i + 1;
	}
}

int fffa_flow_set_max(struct fffa_flow_table *t, uint32_t max_flows)
{
	uint32_t count = bucket_count(max_flows), *buckets;
	void *flows;

	if (max_flows > t->places) {
		flows = mremap(t->flows, t->places * sizeof(*t->flows),
			       max_flows * sizeof(*t->flows), MREMAP_MAYMOVE);
		if (flows == MAP_FAILED)
			return -ENOMEM;
		t->flows = flows;
		t->places = max_flows;
	}
	if (count > t->bucket_mask + 1) {
		buckets = map_lazily(count * sizeof(*buckets));
		if (!buckets)
			return -ENOMEM;
		use_buckets(t, buckets, count);
	}
	t->conf.max_flows = max_flows;
	return 0;
}

void fffa_flow_table_free(struct fffa_flow_table *t)
{
	if (!t)
		return;
	if (t->flows)
		(void)munmap(t->flows, t->places * sizeof(*t->flows));
	if (t->buckets)
		(void)munmap(t->buckets, ((size_t)t->bucket_mask + 1) * sizeof(*t->buckets));
	if (t->tunnels)
		(void)munmap(t->tunnels, TUNNELS_BYTES);
	free(t);
}

void fffa_flow_set_time(struct fffa_flow_table *t, uint64_t now_ns, uint64_t unix_ns)
{
	if (!t->wheel.tick && now_ns > FFFA_WHEEL_TICK_NS)
		t->wheel.tick =
			now_ns / FFFA_WHEEL_TICK_NS - 1; /* the first call: begin the wheel here */
	if (now_ns > t->now_ns)
		t->now_ns = now_ns;
	t->unix_ns = unix_ns;
}

struct fffa_amount fffa_flow_held(const struct fffa_flow_table *t)
{
	return t->held;
}

uint32_t fffa_flow_count(const struct fffa_flow_table *t)
{
	return t->count;
}

uint32_t fffa_flow_tunnel_flows(const struct fffa_flow_table *t, uint16_t id)
{
	return t->tunnels[id];
}
