// SPDX-License-Identifier: MIT
#include "agent/spool/tally.h"

#include <string.h>

#include "agent/base/minmax.h"

static void add_unused(struct fffa_spool_present *p, uint64_t first, uint64_t last)
{
	if (p->n == FFFA_SPOOL_UNUSED_MAX) /* fewer to choose from */
		memmove(p->unused, p->unused + 1, --p->n * sizeof(p->unused[0]));
	p->unused[p->n++] = (struct fffa_spool_range){first, last};
}

void fffa_spool_tally_init(struct fffa_spool_tally *t, const struct fffa_spool_account *account)
{
	*t = (struct fffa_spool_tally){.account = account};
	for (size_t i = 0; i < account->n; i++) {
		t->v[i].top = account->v[i].low;
		add_unused(&t->v[i], account->v[i].low + 1, UINT64_MAX);
	}
}

static void use_numbers(struct fffa_spool_present *p, uint64_t first, uint64_t last)
{
	const struct fffa_spool_present old = *p;

	p->n = 0;
	for (size_t i = 0; i < old.n; i++) {
		const struct fffa_spool_range *r = &old.unused[i];

		if (first > r->first)
			add_unused(p, r->first, fffa_min_u64(r->last, first - 1));
		if (last < r->last)
			add_unused(p, fffa_max_u64(r->first, last + 1), r->last);
	}
}

/* The number next to seq that no record and no report has, and that is not taken either. */
static uint64_t nearest_unused(const struct fffa_spool_present *p, uint64_t seq, uint64_t taken,
			       uint64_t given)
{
	for (size_t i = p->n; i-- > 0;) {
		uint64_t last = fffa_min_u64(p->unused[i].last, seq);

		if (taken && last == taken)
			last--;
		if (last >= p->unused[i].first)
			return last;
	}
	for (size_t i = 0; i < p->n; i++) {
		uint64_t first = fffa_max_u64(p->unused[i].first, seq);

		if (first == taken)
			first++;
		if (first <= fffa_min_u64(p->unused[i].last, given))
			return first;
	}
	return seq;
}

/* A frame, which is younger than the last hole, begins a hole or accounts for one. */
static void note_range(struct fffa_spool_present *p, uint64_t first, uint64_t last)
{
	if (first > p->top + 1) {
		p->hole_first = p->top + 1;
		p->hole = first - 1;
	} else if (first <= p->hole && last >= p->hole) {
		p->hole = first - 1;
		if (p->hole < p->hole_first)
			p->hole = p->hole_first = 0;
	}
	p->top = fffa_max_u64(p->top, last);
}

void fffa_spool_tally_add(struct fffa_spool_tally *t, const struct fffa_spool_pos *pos,
			  const struct fffa_spool_found *found)
{
	const struct fffa_spool_frame *f = &found->frame;
	uint64_t first = f->last_seq > f->numbers ? f->last_seq - f->numbers + 1 : 1;
	size_t i = t->account->n;

	while (i && t->account->v[i - 1].epoch != f->origin.epoch)
		i--;
	if (!i--)
		return;
	t->v[i].numbers += found->end.numbers - pos->numbers;
	/* The reader reports what damage hides in this segment. */
	if (found->begin.numbers > pos->numbers) {
		t->v[i].top = fffa_max_u64(t->v[i].top, found->begin.seq);
		use_numbers(&t->v[i], found->begin.seq, found->begin.seq);
	}
	note_range(&t->v[i], fffa_min_u64(first, f->first_seq), f->last_seq);
	use_numbers(&t->v[i], f->first_seq, f->last_seq);
	if (f->first_seq <= t->account->v[i].lost_seq && f->last_seq >= t->account->v[i].lost_seq)
		t->v[i].has_lost_seq = true;
}

/* A number that is in no record, of n that are missing. */
static uint64_t pick_missing(const struct fffa_spool_epoch *e, const struct fffa_spool_present *p,
			     uint64_t given, uint64_t n)
{
	if (p->hole)
		return fffa_min_u64(p->hole, p->hole_first + n - 1);
	return fffa_min_u64(fffa_max_u64(p->top, e->low) + n, given);
}

struct fffa_spool_missing fffa_spool_tally_missing(const struct fffa_spool_tally *t, size_t i)
{
	const struct fffa_spool_epoch *e = &t->account->v[i];
	const struct fffa_spool_present *p = &t->v[i];
	struct fffa_spool_missing m = {.damaged = 0};
	uint64_t top = fffa_max_u64(p->top, e->seq), given = fffa_max_u64(e->given, top);
	uint64_t there = e->settled + p->numbers;
	uint64_t lost_seq = p->has_lost_seq ? 0 : e->lost_seq;

	if (there >= given)
		return m;
	if (e->stored > p->numbers)
		m.damaged = fffa_min_u64(given - there, e->stored - p->numbers);
	if (given == top && !lost_seq)
		m.damaged = given - there; /* frames that are younger than the account */
	m.unsaved = given - there - m.damaged;
	m.unsaved_seq = given > top ? given : lost_seq;
	m.damaged_seq = nearest_unused(p, pick_missing(e, p, given - m.unsaved, m.damaged),
				       m.unsaved ? m.unsaved_seq : 0, given);
	return m;
}
