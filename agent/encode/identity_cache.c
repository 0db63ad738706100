// SPDX-License-Identifier: MIT
/*
 * The cached texts of identities. Most of a record says who the interface is, which is the same in
 * each of its records. The stamp of an identity (agent/flow/ident.h) tells whether a cached text is
 * still true. An identity without a stamp is written anew for each record.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/assert.h"
#include "agent/encode/encoder_internal.h"
#include "agent/encode/field/text.h"

/* Identities that are cached at once; a host has a handful of interfaces. */
#define ENTRIES 16

struct entry {
	uint64_t stamp;
	struct {
		uint16_t offset;
		uint16_t len;
		uint16_t count; /* msgpack: pairs */
	} text[FFFA_CACHED_RUNS_MAX];
	uint8_t *bytes;
};

struct fffa_identity_cache {
	struct entry entries[ENTRIES + 1]; /* the last one: for identities without a stamp */
	uint8_t bytes[];
};

/*
 * The end of the longest run from i on that may be cached, or i. Its steps depend on the identity
 * alone and on one condition, which *when gets, and they close what they open.
 */
static size_t cacheable_end(const struct fffa_encoder *e, size_t i, uint8_t *when)
{
	unsigned int depth = 0, gate = 0;
	size_t best = i;

	for (size_t k = i; k < e->n; k++) {
		const struct fffa_step *s = &e->steps[k];

		if (s->kind == FFFA_STEP_OPEN) {
			depth++;
		} else if (s->kind == FFFA_STEP_CLOSE) {
			if (!depth--)
				break;
		} else {
			if (!(s->when & FFFA_WHEN_CONST) || (gate && gate != s->when))
				break;
			gate = s->when;
		}
		if (!depth && gate)
			best = k + 1;
	}
	*when = (uint8_t)gate;
	return best;
}

/* Divides the steps into runs. Returns the bytes that the cached texts of one identity need. */
static size_t find_runs(struct fffa_encoder *e)
{
	size_t bytes = 0, cached = 0, end;
	struct fffa_run *last = NULL;
	uint8_t when;

	for (size_t i = 0; i < e->n; i = end) {
		end = cached < FFFA_CACHED_RUNS_MAX ? cacheable_end(e, i, &when) : i;
		if (end == i) {
			end = i + 1;
			if (last && !last->cached) {
				last->n++;
				continue;
			}
			last = &e->runs[e->run_count++];
			*last = (struct fffa_run){.first = (uint8_t)i, .n = 1};
			continue;
		}
		last = &e->runs[e->run_count++];
		*last = (struct fffa_run){
			.first = (uint8_t)i, .n = (uint8_t)(end - i), .when = when, .cached = true};
		cached++;
		for (size_t k = i; k < end; k++)
			bytes += fffa_step_bound(&e->steps[k]);
	}
	return cached ? bytes + FFFA_TEXT_SLACK_BYTES : 0;
}

int fffa_identity_cache_new(struct fffa_encoder *e)
{
	size_t bytes = find_runs(e);
	struct fffa_identity_cache *c;

	if (!bytes)
		return 0;
	FFFA_ASSERT(bytes <= UINT16_MAX); /* of struct entry's offsets */
	c = calloc(1, sizeof(*c) + (ENTRIES + 1) * bytes);
	if (!c)
		return -ENOMEM;
	for (size_t i = 0; i <= ENTRIES; i++)
		c->entries[i].bytes = c->bytes + i * bytes;
	e->cache = c;
	return 0;
}

void fffa_identity_cache_free(struct fffa_identity_cache *c)
{
	free(c);
}

static void fill_entry(const struct fffa_encoder *e, const struct fffa_record *r,
		       struct entry *entry)
{
	struct fffa_out o = {.p = entry->bytes};
	size_t n = 0;

	for (size_t i = 0; i < e->run_count; i++) {
		const struct fffa_run *run = &e->runs[i];
		uint8_t *begin = o.p;

		if (!run->cached)
			continue;
		o.count = 0;
		e->put(&e->steps[run->first], &e->steps[run->first + run->n],
		       run->when | FFFA_WHEN_ALWAYS, r, &e->consts, &o);
		entry->text[n].offset = (uint16_t)(begin - entry->bytes);
		entry->text[n].len = (uint16_t)(o.p - begin);
		entry->text[n++].count = (uint16_t)o.count;
	}
	entry->stamp = r->ident->stamp;
}

static const struct entry *find_entry(const struct fffa_encoder *e, const struct fffa_record *r)
{
	uint64_t stamp = r->ident->stamp;
	struct entry *entry = &e->cache->entries[stamp ? stamp % ENTRIES : ENTRIES];

	if (entry->stamp != stamp || !stamp)
		fill_entry(e, r, entry);
	return entry;
}

static unsigned int record_conditions(const struct fffa_record *r)
{
	if (r->status == FFFA_STATUS_NODATA)
		return FFFA_WHEN_ALWAYS | FFFA_WHEN_NODATA;
	if (r->status != FFFA_STATUS_OK)
		return FFFA_WHEN_ALWAYS | FFFA_WHEN_SKIPDATA;
	return FFFA_WHEN_ALWAYS | FFFA_WHEN_FLOW |
	       (r->src_network || r->dst_network ? FFFA_WHEN_NETWORKS : 0) |
	       (r->key.view & FFFA_VIEW_EGRESS ? FFFA_WHEN_EGRESS : FFFA_WHEN_INGRESS);
}

void fffa_identity_cache_write(const struct fffa_encoder *e, const struct fffa_record *r,
			       struct fffa_out *o)
{
	const struct entry *entry = e->cache ? find_entry(e, r) : NULL;
	unsigned int have = record_conditions(r);
	size_t n = 0, len;

	for (size_t i = 0; i < e->run_count; i++) {
		const struct fffa_run *run = &e->runs[i];

		if (!run->cached) {
			e->put(&e->steps[run->first], &e->steps[run->first + run->n], have, r,
			       &e->consts, o);
			continue;
		}
		if (run->when & have) {
			len = entry->text[n].len;
			/* A copy of constant size is cheaper, and the slack makes it safe. */
			if (len <= FFFA_TEXT_SLACK_BYTES)
				memcpy(o->p, entry->bytes + entry->text[n].offset,
				       FFFA_TEXT_SLACK_BYTES);
			else
				memcpy(o->p, entry->bytes + entry->text[n].offset, len);
			o->p += len;
			o->count += entry->text[n].count;
		}
		n++;
	}
}
