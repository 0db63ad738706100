/* SPDX-License-Identifier: MIT */
/*
 * Texts of identities, kept. Most of a record says who the interface is, and is the same in every
 * record of it. The stamp of an identity (agent/flow/ident.h) tells whether the text is still true;
 * an identity without one is written anew each time.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/encode/program.h"
#include "agent/encode/text.h"

/* Identities side by side; a host has a handful of interfaces. */
#define SLOTS 16

struct slot {
	uint64_t stamp;
	struct {
		uint16_t at;
		uint16_t len;
		uint16_t count;
	} part[FFFA_KEPT_RUNS_MAX];
	uint8_t *bytes;
};

struct fffa_keep {
	struct slot slots[SLOTS + 1]; /* the last one: for identities without a stamp */
	uint8_t bytes[];
};

/* End of the longest run at i of steps that may be kept together: they depend on the identity
 * alone, on the same condition, and open nothing that they do not close. i when there is none. */
static size_t kept_end(const struct fffa_encoder *e, size_t i, uint8_t *when)
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

/* Returns the bytes that one identity needs. */
static size_t find_runs(struct fffa_encoder *e)
{
	size_t bytes = 0, kept = 0, end;
	struct fffa_run *last = NULL;
	uint8_t when;

	for (size_t i = 0; i < e->n; i = end) {
		end = kept < FFFA_KEPT_RUNS_MAX ? kept_end(e, i, &when) : i;
		if (end == i) {
			end = i + 1;
			if (last && !last->kept) {
				last->n++;
				continue;
			}
			last = &e->runs[e->run_count++];
			*last = (struct fffa_run){.first = (uint8_t)i, .n = 1};
			continue;
		}
		last = &e->runs[e->run_count++];
		*last = (struct fffa_run){
			.first = (uint8_t)i, .n = (uint8_t)(end - i), .when = when, .kept = true};
		kept++;
		for (size_t k = i; k < end; k++)
			bytes += fffa_step_bound(&e->steps[k]);
	}
	return kept ? bytes + FFFA_TEXT_SLACK_BYTES : 0;
}

int fffa_keep_new(struct fffa_encoder *e)
{
	size_t bytes = find_runs(e);
	struct fffa_keep *k;

	if (!bytes)
		return 0;
	k = calloc(1, sizeof(*k) + (SLOTS + 1) * bytes);
	if (!k)
		return -ENOMEM;
	for (size_t i = 0; i <= SLOTS; i++)
		k->slots[i].bytes = k->bytes + i * bytes;
	e->keep = k;
	return 0;
}

void fffa_keep_free(struct fffa_keep *k)
{
	free(k);
}

static void fill(const struct fffa_encoder *e, const struct fffa_record *r, struct slot *slot)
{
	struct fffa_out o = {.p = slot->bytes};
	size_t part = 0;

	for (size_t i = 0; i < e->run_count; i++) {
		const struct fffa_run *run = &e->runs[i];
		uint8_t *begin = o.p;

		if (!run->kept)
			continue;
		o.count = 0;
		e->put(&e->steps[run->first], &e->steps[run->first + run->n],
		       run->when | FFFA_WHEN_ALWAYS, r, &e->consts, &o);
		slot->part[part].at = (uint16_t)(begin - slot->bytes);
		slot->part[part].len = (uint16_t)(o.p - begin);
		slot->part[part++].count = (uint16_t)o.count;
	}
	slot->stamp = r->ident->stamp;
}

static const struct slot *find(const struct fffa_encoder *e, const struct fffa_record *r)
{
	uint64_t stamp = r->ident->stamp;
	struct slot *slot = &e->keep->slots[stamp ? stamp % SLOTS : SLOTS];

	if (slot->stamp != stamp || !stamp)
		fill(e, r, slot);
	return slot;
}

static unsigned int conditions(const struct fffa_record *r)
{
	if (r->status == FFFA_STATUS_NODATA)
		return FFFA_WHEN_ALWAYS | FFFA_WHEN_NODATA;
	if (r->status != FFFA_STATUS_OK)
		return FFFA_WHEN_ALWAYS | FFFA_WHEN_SKIPDATA;
	return FFFA_WHEN_ALWAYS | FFFA_WHEN_FLOW |
	       (r->key.view & FFFA_VIEW_EGRESS ? FFFA_WHEN_EGRESS : FFFA_WHEN_INGRESS);
}

void fffa_keep_put(const struct fffa_encoder *e, const struct fffa_record *r, struct fffa_out *o)
{
	const struct slot *slot = e->keep ? find(e, r) : NULL;
	unsigned int have = conditions(r);
	size_t part = 0, len;

	for (size_t i = 0; i < e->run_count; i++) {
		const struct fffa_run *run = &e->runs[i];

		if (!run->kept) {
			e->put(&e->steps[run->first], &e->steps[run->first + run->n], have, r,
			       &e->consts, o);
			continue;
		}
		if (run->when & have) {
			len = slot->part[part].len;
			/* A copy of constant size is cheaper; the slack makes it safe. */
			if (len <= FFFA_TEXT_SLACK_BYTES)
				memcpy(o->p, slot->bytes + slot->part[part].at,
				       FFFA_TEXT_SLACK_BYTES);
			else
				memcpy(o->p, slot->bytes + slot->part[part].at, len);
			o->p += len;
			o->count += slot->part[part].count;
		}
		part++;
	}
}
