// SPDX-License-Identifier: MIT
/*
 * Loss is part of the data: for every N numbers that are missing in a sink's stream for one reason,
 * a SKIPDATA record with the last of these numbers says N. So (agent_id, epoch, seq) stays unique,
 * and N - 1 numbers are in no record.
 */
#include <stdlib.h>

#include "agent/base/clock.h"
#include "agent/base/minmax.h"
#include "agent/pipeline/batcher.h"
#include "agent/pipeline/queue/lane.h"

#define TELL_EVERY_NS FFFA_NS_PER_S /* where the queue stays full */

/* A sealed batch of the one record; NULL without memory. */
static struct fffa_batch *make(struct fffa_lane *l, enum fffa_record_loss why,
			       const struct fffa_missing *m)
{
	const struct fffa_batcher *by = l->batcher;
	struct fffa_batch *b = fffa_batch_new(FFFA_RECORD_BYTES_MAX, 1);
	uint8_t *dst = b ? fffa_batch_room(b, FFFA_RECORD_BYTES_MAX) : NULL;
	struct fffa_batch_origin origin;
	struct fffa_record r = {
		.start_ms = m->first_ms,
		.end_ms = m->last_ms,
		.seq = m->last_seq,
		.epoch = m->epoch,
		.status = FFFA_STATUS_SKIPDATA,
		.lost_records = m->records,
		.lost_reason = fffa_ledger_record_loss_name(why),
	};

	if (!dst) {
		fffa_batch_unref(b);
		return NULL;
	}
	fffa_origin__identify(by->source, &r);
	fffa_batch_commit(b, fffa_encoder_write(by->encoder, &r, dst, FFFA_RECORD_BYTES_MAX),
			  &(struct fffa_record_info){.seq = r.seq, .time_ms = r.end_ms});
	fffa_origin__fill(by->source, &origin);
	origin.epoch = m->epoch;
	fffa_batch_set_origin(b, &origin);
	fffa_batch_seal(b);
	return b;
}

/* False: no memory, or no room that is needed. Nothing has changed then. */
static bool tell_one(struct fffa_lane *l, enum fffa_record_loss why, bool needs_room)
{
	struct fffa_missing *m = &l->missing[why];
	struct fffa_batch *b = make(l, why, m);
	struct fffa_parcel *p = b ? calloc(1, sizeof(*p)) : NULL;

	if (!p || (needs_room && !fffa_deliver__has_room(l, fffa_batch_footprint(b)))) {
		fffa_batch_unref(b);
		free(p);
		return false;
	}
	p->d.batch = b;
	p->born_ns = fffa_clock_mono_ns(&fffa_clock_system);
	p->is_skipdata = true;
	p->why = why;
	p->skip = *m;
	*m = (struct fffa_missing){0};
	l->queue_bytes += fffa_batch_footprint(b);
	l->ledger.records++;
	l->ledger.skipdata_records++;
	l->ledger.in_flight++;
	fffa_deliver__enqueue(l, p);
	return true;
}

void fffa_told__add(struct fffa_lane *l, enum fffa_record_loss why, const struct fffa_missing *add)
{
	struct fffa_missing *m = &l->missing[why];

	if (!add->records || why == FFFA_RL_SHUTDOWN || l->ending)
		return; /* the stream ends here */
	/* Of another epoch: what was missing before is told at once, room or not. */
	if (m->records && m->epoch != add->epoch && !tell_one(l, why, false))
		l->ledger.untold += m->records;
	if (!m->records || m->epoch != add->epoch) {
		*m = *add;
	} else {
		m->records += add->records;
		m->last_seq = m->last_seq > add->last_seq ? m->last_seq : add->last_seq;
		m->first_ms = fffa_min_i64(m->first_ms, add->first_ms);
		m->last_ms = fffa_max_i64(m->last_ms, add->last_ms);
	}
	l->is_missing = true;
}

bool fffa_told__may_lose(const struct fffa_lane *l, const struct fffa_parcel *p)
{
	const struct fffa_missing *m = &l->missing[p->why];

	return !p->is_skipdata || !m->records || m->epoch == p->skip.epoch;
}

void fffa_told__add_batch(struct fffa_lane *l, enum fffa_record_loss why,
			  const struct fffa_batch *b)
{
	struct fffa_missing m = {
		.records = fffa_batch_count(b),
		.epoch = fffa_batch_origin(b)->epoch,
		.last_seq = fffa_batch_last_seq(b),
		.first_ms = INT64_MAX,
		.last_ms = INT64_MIN,
	};

	for (uint32_t i = 0; i < m.records; i++) {
		int64_t ms = fffa_batch_record_info(b, i).time_ms;

		m.first_ms = fffa_min_i64(m.first_ms, ms);
		m.last_ms = fffa_max_i64(m.last_ms, ms);
	}
	fffa_told__add(l, why, &m);
}

void fffa_told__tell(struct fffa_lane *l, bool anyway)
{
	uint64_t now;

	if (!l->is_missing || l->ending || (l->down && !anyway))
		return;
	now = fffa_clock_mono_ns(&fffa_clock_system);
	if (!anyway && l->queue_bytes > (size_t)l->conf->common.queue_memory / 2 &&
	    now - l->told_ns < TELL_EVERY_NS)
		return;
	l->told_ns = now;
	l->is_missing = false;
	for (int why = 0; why < FFFA_RL_MAX; why++) {
		if (l->missing[why].records && !tell_one(l, (enum fffa_record_loss)why, true))
			l->is_missing = true;
	}
}
