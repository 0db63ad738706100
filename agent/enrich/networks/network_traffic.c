// SPDX-License-Identifier: MIT
#include "agent/enrich/networks/network_traffic.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS	   1024 /* a power of two, twice the series */
#define FNV_OFFSET UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME  UINT64_C(0x100000001b3)

_Static_assert(SLOTS >= 2 * FFFA_NETWORK_TRAFFIC_MAX, "a search ends at a slot without a series");

struct fffa_network_traffic {
	size_t n;
	struct fffa_network_series series[FFFA_NETWORK_TRAFFIC_MAX];
	uint16_t slot[SLOTS]; /* index of a series and one more; 0: empty */
};

static const struct fffa_network nobody;

static uint64_t hash_text(uint64_t h, const char *s)
{
	for (; *s; s++)
		h = (h ^ (uint8_t)*s) * FNV_PRIME;
	return h * FNV_PRIME;
}

static uint64_t hash_pair(const struct fffa_network *src, const struct fffa_network *dst,
			  bool egress)
{
	uint64_t h = hash_text(FNV_OFFSET + egress, src->name);

	h = hash_text(h, src->az_id);
	h = hash_text(h, dst->name);
	h = hash_text(h, dst->az_id);
	return h ^ h >> 32;
}

static bool is_pair(const struct fffa_network_series *s, const struct fffa_network *src,
		    const struct fffa_network *dst, bool egress)
{
	return s->egress == egress && !strcmp(s->src_network, src->name) &&
	       !strcmp(s->dst_network, dst->name) && !strcmp(s->src_az_id, src->az_id) &&
	       !strcmp(s->dst_az_id, dst->az_id);
}

static struct fffa_network_series *add_series(struct fffa_network_traffic *t,
					      const struct fffa_network *src,
					      const struct fffa_network *dst, bool egress)
{
	struct fffa_network_series *s = &t->series[t->n++];

	(void)snprintf(s->src_network, sizeof(s->src_network), "%s", src->name);
	(void)snprintf(s->dst_network, sizeof(s->dst_network), "%s", dst->name);
	(void)snprintf(s->src_az_id, sizeof(s->src_az_id), "%s", src->az_id);
	(void)snprintf(s->dst_az_id, sizeof(s->dst_az_id), "%s", dst->az_id);
	s->egress = egress;
	return s;
}

/* The series of a pair, made when there is room; NULL: there is none. */
static struct fffa_network_series *find_series(struct fffa_network_traffic *t,
					       const struct fffa_network *src,
					       const struct fffa_network *dst, bool egress,
					       size_t room)
{
	size_t i = hash_pair(src, dst, egress) % SLOTS;

	for (; t->slot[i]; i = (i + 1) % SLOTS)
		if (is_pair(&t->series[t->slot[i] - 1], src, dst, egress))
			return &t->series[t->slot[i] - 1];
	if (t->n >= room)
		return NULL;
	t->slot[i] = (uint16_t)(t->n + 1);
	return add_series(t, src, dst, egress);
}

struct fffa_network_traffic *fffa_network_traffic_new(void)
{
	return calloc(1, sizeof(struct fffa_network_traffic));
}

void fffa_network_traffic_add(struct fffa_network_traffic *t, const struct fffa_record *r)
{
	static const struct fffa_network other = {.name = "other"};
	const struct fffa_network *src = r->src_network ? r->src_network : &nobody;
	const struct fffa_network *dst = r->dst_network ? r->dst_network : &nobody;
	bool egress = r->key.view & FFFA_VIEW_EGRESS;
	struct fffa_network_series *s;

	if ((!r->src_network && !r->dst_network) || r->status != FFFA_STATUS_OK)
		return;
	/* The last two are for others, one for each direction. */
	s = find_series(t, src, dst, egress, FFFA_NETWORK_TRAFFIC_MAX - 2);
	if (!s)
		s = find_series(t, &other, &other, egress, FFFA_NETWORK_TRAFFIC_MAX);
	s->bytes += r->bytes;
}

const struct fffa_network_series *fffa_network_traffic_series(const struct fffa_network_traffic *t,
							      size_t *n)
{
	*n = t->n;
	return t->series;
}
