// SPDX-License-Identifier: MIT
/* When a window ends, and what becomes of its flow. */
#include <string.h>

#include "agent/base/clock.h"
#include "agent/flow/flow_internal.h"

/* Unix milliseconds of a monotonic instant, by the clock as it stands now: a step of the clock
 * moves both ends. */
static int64_t unix_ms(const struct fffa_flow_table *t, uint64_t mono_ns)
{
	int64_t offset_ns = (int64_t)(t->unix_ns - t->now_ns);

	return ((int64_t)mono_ns + offset_ns) / (int64_t)FFFA_NS_PER_MS;
}

/* Writes the open window as a record and closes it. */
static void emit(struct fffa_flow_table *t, struct fffa_flow *f, enum fffa_end_reason why)
{
	struct fffa_record rc = {
		.key = f->key,
		.packets = f->packets,
		.bytes = f->bytes,
		.start_ms = unix_ms(t, f->first_ns),
		.end_ms = unix_ms(t, f->last_ns),
		.cookie = f->cookie,
		.flags = f->flags,
		.end_reason = (uint8_t)why,
		.status = FFFA_STATUS_OK,
	};

	if (f->state & FFFA_FLOW_UNTIMED) {
		rc.untimed = true;
		rc.start_ms = rc.end_ms = 0;
	}

	if (!f->packets)
		return;
	t->held.packets -= f->packets;
	t->held.bytes -= f->bytes;
	f->packets = 0;
	f->bytes = 0;
	f->flags = 0;
	if (t->conf.wants && !t->conf.wants(t->arg, &rc)) {
		fffa_amount_add(&t->ledger->filtered, rc.packets, rc.bytes);
		fffa_amount_add(&t->ledger->filtered_merged, rc.packets, rc.bytes);
		return;
	}
	fffa_amount_add(&t->ledger->recorded, rc.packets, rc.bytes);
	t->ledger->records++;
	t->ledger->records_by_end[why]++;
	t->record(t->arg, &rc);
}

/* Packets of a capture may be late; their flow's time runs from when they were read. */
static uint64_t seen_ns(const struct fffa_flow *f, uint64_t packet_ns)
{
	return packet_ns + f->late * FFFA_FLOW_LATE_NS;
}

/* When the flow must be looked at again. */
static uint64_t deadline_ns(const struct fffa_flow_table *t, const struct fffa_flow *f)
{
	uint64_t first_ns = seen_ns(f, f->first_ns), d = seen_ns(f, f->last_ns) + t->conf.idle_ns;

	if (f->packets && first_ns + t->conf.active_ns < d)
		d = first_ns + t->conf.active_ns;
	if (f->state & FFFA_FLOW_ENDED && f->end_ns < d)
		d = f->end_ns;
	return d;
}

static void relink(struct fffa_flow_table *t, uint32_t i)
{
	fffa_wheel__unlink(t, i);
	fffa_wheel__link(t, i, deadline_ns(t, &t->flows[i]));
}

static void set_ended(struct fffa_flow_table *t, uint32_t i)
{
	struct fffa_flow *f = &t->flows[i];

	if (f->state & FFFA_FLOW_ENDED)
		return;
	f->state |= FFFA_FLOW_ENDED;
	f->end_ns = t->now_ns + t->conf.linger_ns;
	relink(t, i);
}

/* FIN both ways or a RST ends both directions (as AWS and IPFIX "end of flow detected"). */
static void note_end(struct fffa_flow_table *t, uint32_t i, uint16_t flags)
{
	struct fffa_flow *f = &t->flows[i];
	struct fffa_key back = f->key;
	uint32_t j;

	memcpy(back.src, f->key.dst, sizeof(back.src));
	memcpy(back.dst, f->key.src, sizeof(back.dst));
	back.sport = f->key.dport;
	back.dport = f->key.sport;
	back.view ^= FFFA_VIEW_EGRESS;
	j = fffa_flow__find(t, &back);
	if (j == FFFA_NIL) {
		/* where XDP counts ingress and TC egress, the reverse key also has another hook bit */
		back.view ^= FFFA_VIEW_HOOK_XDP;
		j = fffa_flow__find(t, &back);
	}
	if (flags & FFFA_F_FIN)
		f->state |= FFFA_FLOW_FIN;
	if (!(flags & FFFA_F_RST) && (j == FFFA_NIL || !(t->flows[j].state & FFFA_FLOW_FIN)))
		return;
	set_ended(t, i);
	if (j != FFFA_NIL)
		set_ended(t, j);
}

/* A slot for key k; the flow that is due next is reported early when the table is full. */
static uint32_t make_flow(struct fffa_flow_table *t, const struct fffa_key *k)
{
	/* Two, where the bound has become smaller: so the table shrinks step by step. */
	for (int n = 0; n < 2 && fffa_flow_count(t) >= t->conf.max_flows; n++) {
		uint32_t victim = fffa_wheel__first(t);

		if (victim == FFFA_NIL)
			return FFFA_NIL;
		emit(t, &t->flows[victim], FFFA_END_RESOURCES);
		fffa_flow__remove(t, victim);
	}
	return fffa_flow__add(t, k);
}

/*
 * True when d would make the window of f too long, to either side: a delta may be older than what
 * f has. The ring is read before the table, and a packet of a capture may be of any time.
 */
static bool is_outside_window(const struct fffa_flow_table *t, const struct fffa_flow *f,
			      const struct fffa_delta *d)
{
	return (d->last_ns > f->first_ns && d->last_ns - f->first_ns > t->conf.active_ns) ||
	       (f->last_ns > d->first_ns && f->last_ns - d->first_ns > t->conf.active_ns);
}

/* A packet of a capture. */
static void take_time_of_capture(struct fffa_flow_table *t, struct fffa_flow *f,
				 const struct fffa_delta *d)
{
	if (!f->packets || (f->state & FFFA_FLOW_UNTIMED && !d->untimed)) {
		f->first_ns = d->first_ns;
		f->last_ns = d->last_ns;
		f->state &= (uint8_t)~FFFA_FLOW_UNTIMED;
		if (d->untimed)
			f->state |= FFFA_FLOW_UNTIMED;
	} else if (!d->untimed) {
		if (d->first_ns < f->first_ns)
			f->first_ns = d->first_ns;
		if (d->last_ns > f->last_ns)
			f->last_ns = d->last_ns;
	}
	f->late = t->now_ns > f->last_ns ? (uint32_t)((t->now_ns - f->last_ns) / FFFA_FLOW_LATE_NS)
					 : 0;
}

void fffa_flow_merge(struct fffa_flow_table *t, const struct fffa_delta *d)
{
	uint32_t i = fffa_flow__find(t, &d->key);
	bool fresh = i == FFFA_NIL;
	struct fffa_flow *f;

	fffa_amount_add(&t->ledger->merged, d->packets, d->bytes);
	if (fresh)
		i = make_flow(t, &d->key);
	if (i == FFFA_NIL) {
		fffa_amount_add(&t->ledger->lost[FFFA_PL_FLOW_TABLE], d->packets, d->bytes);
		return;
	}
	f = &t->flows[i];
	if (f->packets && is_outside_window(t, f, d))
		emit(t, f, FFFA_END_ACTIVE);
	if (d->seen_now) {
		take_time_of_capture(t, f, d);
	} else {
		/* deltas are out of order: a ring event may be read before an older table entry */
		if (!f->packets || d->first_ns < f->first_ns)
			f->first_ns = d->first_ns;
		if (!f->packets || d->last_ns > f->last_ns)
			f->last_ns = d->last_ns;
	}
	f->packets += d->packets;
	f->bytes += d->bytes;
	f->flags |= d->flags;
	if (d->cookie)
		f->cookie = d->cookie;
	fffa_amount_add(&t->held, d->packets, d->bytes);
	if (fresh)
		fffa_wheel__link(t, i, deadline_ns(t, f));
	if (d->flags & (FFFA_F_FIN | FFFA_F_RST) && d->key.proto == 6)
		note_end(t, i, d->flags);
}

/* One flow that the wheel brought up. */
static void look_at(struct fffa_flow_table *t, uint32_t i)
{
	struct fffa_flow *f = &t->flows[i];

	fffa_flow__prefetch(t, i); /* while the record is made */
	if (f->state & FFFA_FLOW_ENDED && t->now_ns >= f->end_ns) {
		emit(t, f, FFFA_END_END);
		fffa_flow__remove(t, i);
	} else if (t->now_ns >= seen_ns(f, f->last_ns) + t->conf.idle_ns) {
		emit(t, f, FFFA_END_IDLE);
		fffa_flow__remove(t, i);
	} else {
		if (t->now_ns >= seen_ns(f, f->first_ns) + t->conf.active_ns)
			emit(t, f, FFFA_END_ACTIVE);
		relink(t, i);
	}
}

bool fffa_flow_expire(struct fffa_flow_table *t, uint32_t budget)
{
	for (; budget; budget--) {
		uint32_t i = fffa_wheel__due(t);

		if (i == FFFA_NIL)
			return false;
		look_at(t, i);
	}
	return true;
}

bool fffa_flow_flush(struct fffa_flow_table *t, uint32_t budget)
{
	for (; budget && t->count; budget--) {
		while (t->flush_at < t->high_water && t->flows[t->flush_at].slot == FFFA_NIL)
			t->flush_at++;
		if (t->flush_at >= t->high_water)
			t->flush_at = 0;
		if (t->flows[t->flush_at].slot == FFFA_NIL)
			continue;
		emit(t, &t->flows[t->flush_at], FFFA_END_FORCED);
		fffa_flow__remove(t, t->flush_at);
	}
	return t->count != 0;
}
