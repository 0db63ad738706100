// SPDX-License-Identifier: MIT
/* What the next job of a spool does. No job runs while this looks. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/pipeline/spooler/spooler_priv.h"

#define WRITE_BYTES  ((uint64_t)8 << 20) /* per job, about */
#define READ_BYTES   ((size_t)4 << 20)
#define ACK_EVERY_NS (200 * FFFA_NS_PER_MS)

static uint64_t now_ns(void)
{
	return fffa_clock_mono_ns(&fffa_clock_system);
}

void fffa_spooler__lose_unread(struct fffa_spooler *s, struct fffa_spool_seg *seg,
			       const struct fffa_spool_pos *to, enum fffa_record_loss why)
{
	struct fffa_lane *l = s->lane;
	uint64_t most = fffa_spooler__unread_of(seg), records = to->records - seg->read.records;
	struct fffa_missing m = {
		.records = to->numbers - seg->read.numbers,
		.epoch = seg->epoch,
		.last_seq = to->seq,
		.first_ms = seg->first_ms,
		.last_ms = seg->last_ms,
	};

	if (records > most)
		records = most;
	seg->read = *to;
	seg->settled += records;
	s->unread -= records;
	l->ledger.in_flight -= records;
	l->ledger.lost[why] += records;
	if (records)
		fffa_told__add(l, why, &m);
}

static void plan_removal(struct fffa_spooler *s, struct fffa_spool_seg *seg)
{
	s->job.removes[s->job.remove_count++] = seg->id;
	s->bytes -= seg->disk_bytes;
	TAILQ_REMOVE(&s->segs, seg, link);
	if (seg == s->writing)
		s->writing = NULL;
	fffa_spooler__forget_seg(s, seg);
}

static bool is_done(const struct fffa_spooler *s, const struct fffa_spool_seg *seg)
{
	if (seg->settled < seg->end.records - seg->begin_records)
		return false;
	/* One that is being written goes on until it is worth it. */
	return seg != s->writing || s->closing ||
	       (seg->end.records && seg->end.at >= s->segment_bytes / 4);
}

/* All settled; they lie before the first that is not read. */
static void plan_removals(struct fffa_spooler *s)
{
	struct fffa_spool_seg *seg = TAILQ_FIRST(&s->segs), *next;

	for (; seg && s->job.remove_count < FFFA_SPOOL_REMOVES; seg = next) {
		next = TAILQ_NEXT(seg, link);
		if (fffa_spooler__unread_of(seg))
			break;
		if (is_done(s, seg))
			plan_removal(s, seg);
	}
	/* Begun while the disk took no frame. */
	while ((seg = TAILQ_LAST(&s->segs, fffa_spool_segs)) && seg != s->writing &&
	       !seg->end.records && s->job.remove_count < FFFA_SPOOL_REMOVES)
		plan_removal(s, seg);
}

/* The segment being written goes when all in it is settled. */
static bool drop_settled(struct fffa_spooler *s)
{
	struct fffa_spool_seg *seg = s->writing;

	if (!seg || s->job.write_count || s->job.remove_count == FFFA_SPOOL_REMOVES ||
	    seg->settled < seg->end.records)
		return false;
	plan_removal(s, seg);
	return true;
}

/* The oldest segment goes, but for what the sink holds. False when there is none to go. */
static bool drop_segment(struct fffa_spooler *s)
{
	struct fffa_lane *l = s->lane;
	struct fffa_spool_seg *seg = TAILQ_FIRST(&s->segs);
	uint64_t before = l->ledger.lost[FFFA_RL_SPOOL_FULL];
	struct fffa_parcel *p, *next;

	if (!seg || s->job.remove_count == FFFA_SPOOL_REMOVES ||
	    (s->job.write_count && seg->id >= s->job.writes[0].seg->id))
		return false; /* what this very job writes stays */
	for (p = TAILQ_FIRST(&l->queue); p; p = next) {
		next = TAILQ_NEXT(p, link);
		if (!p->slip || p->slip->seg != seg)
			continue;
		TAILQ_REMOVE(&l->queue, p, link);
		fffa_settle__lose(l, p, FFFA_RL_SPOOL_FULL);
	}
	fffa_spooler__lose_unread(s, seg, &seg->end, FFFA_RL_SPOOL_FULL);
	fffa_deliver__complain(l, FFFA_COMPLAIN_SPOOL_FULL,
			       l->ledger.lost[FFFA_RL_SPOOL_FULL] - before);
	plan_removal(s, seg);
	return true;
}

static bool make_room(struct fffa_spooler *s, uint64_t need)
{
	bool may_drop =
		s->lane->conf->common.queue_when_full == FFFA_WHEN_FULL_DROP_OLDEST && !s->closing;

	while (s->bytes + need + FFFA_STORE_ACK_BYTES > s->bound_bytes) {
		if (!drop_settled(s) && (!may_drop || !drop_segment(s)))
			return false;
	}
	return true;
}

static struct fffa_spool_seg *new_segment(struct fffa_spooler *s, uint64_t epoch)
{
	struct fffa_spool_seg *seg = calloc(1, sizeof(*seg));

	if (!seg)
		return NULL;
	seg->id = s->next_id++;
	seg->epoch = epoch;
	seg->read = seg->end = fffa_spool_walk_begin();
	seg->disk_bytes = FFFA_SPOOL_SEGMENT_HEAD;
	seg->first_ms = INT64_MAX;
	seg->last_ms = INT64_MIN;
	s->bytes += seg->disk_bytes;
	s->plan = seg->end;
	s->writing = seg;
	TAILQ_INSERT_TAIL(&s->segs, seg, link);
	return seg;
}

static void fill_write(struct fffa_spooler *s, struct fffa_spool_write *w, struct fffa_parcel *p)
{
	const struct fffa_batch *b = p->d.batch;
	uint64_t age_ns = now_ns() - p->born_ns;
	uint64_t last = fffa_batch_last_seq(b);

	w->p = p;
	w->seg = s->writing;
	w->rc = 0;
	w->begin = s->plan;
	w->head = (struct fffa_spool_segment){
		.id = w->seg->id, .epoch = w->seg->epoch, .identity = s->identity};
	(void)snprintf(w->head.format, sizeof(w->head.format), "%s", s->lane->conf->common.format);
	w->frame = (struct fffa_spool_frame){
		.identity = s->identity,
		.sealed_ms = (int64_t)((fffa_clock_unix_ns(&fffa_clock_system) - age_ns) /
				       FFFA_NS_PER_MS),
		.records_before = s->plan.records,
		.numbers_before = s->plan.numbers,
		.seq_before = s->plan.seq,
		.numbers = p->is_skipdata ? p->skip.records : fffa_batch_count(b),
		.is_skipdata = p->is_skipdata,
	};
	if (p->is_skipdata)
		(void)snprintf(w->frame.reason, sizeof(w->frame.reason), "%s",
			       fffa_ledger_record_loss_name(p->why));
	s->plan.at += fffa_spool_frame_len(b);
	s->plan.records += fffa_batch_count(b);
	s->plan.numbers += w->frame.numbers;
	s->plan.seq = s->plan.seq > last ? s->plan.seq : last;
	w->end = s->plan;
}

static bool begins(const struct fffa_spooler *s, uint64_t epoch, uint64_t len)
{
	return !s->writing || s->writing->epoch != epoch ||
	       (s->plan.records && s->plan.at + len > s->segment_bytes);
}

static bool plan_write(struct fffa_spooler *s, struct fffa_parcel *p)
{
	uint64_t len = fffa_spool_frame_len(p->d.batch);
	uint64_t epoch = fffa_batch_origin(p->d.batch)->epoch;
	struct fffa_spool_write *w = &s->job.writes[s->job.write_count];

	if (!make_room(s, len + FFFA_SPOOL_SEGMENT_HEAD)) {
		s->full = true;
		return false;
	}
	w->begins = begins(s, epoch, len); /* what was written to may have made room */
	if (w->begins && !new_segment(s, epoch)) {
		fffa_spooler__wake(s, 1000);
		return false;
	}
	s->full = false;
	s->bytes += len;
	s->writing->disk_bytes += len;
	fill_write(s, w, p);
	s->job.write_count++;
	return true;
}

/* While the disk does not take them, and nothing older lies there, they go without it. */
static void bypass(struct fffa_spooler *s)
{
	struct fffa_lane *l = s->lane;
	struct fffa_parcel *p;

	if (s->unread || l->ending)
		return;
	while ((p = TAILQ_FIRST(&s->waiting))) {
		TAILQ_REMOVE(&s->waiting, p, link);
		s->waiting_bytes -= fffa_batch_footprint(p->d.batch);
		TAILQ_INSERT_TAIL(&l->queue, p, link);
	}
	fffa_deliver__pump(l);
}

/* True before again_ns; then the spool looks again. */
static bool waits(struct fffa_spooler *s, uint64_t again_ns)
{
	uint64_t now = now_ns();

	if (now >= again_ns)
		return false;
	fffa_spooler__wake(s, (again_ns - now) / FFFA_NS_PER_MS + 1);
	return true;
}

/* What can never fit must not stand in the way. */
static bool lose_giant(struct fffa_spooler *s, struct fffa_parcel *p)
{
	uint64_t least =
		fffa_spool_frame_len(p->d.batch) + FFFA_SPOOL_SEGMENT_HEAD + FFFA_STORE_ACK_BYTES;

	if (least <= s->bound_bytes)
		return false;
	TAILQ_REMOVE(&s->waiting, p, link);
	s->waiting_bytes -= fffa_batch_footprint(p->d.batch);
	fffa_deliver__complain(s->lane, FFFA_COMPLAIN_SPOOL_FULL, fffa_batch_count(p->d.batch));
	fffa_settle__lose(s->lane, p, FFFA_RL_SPOOL_FULL);
	return true;
}

static void plan_writes(struct fffa_spooler *s)
{
	uint64_t begin = s->bytes;
	struct fffa_parcel *p, *next;

	if (s->error && waits(s, s->write_again_ns) && !s->closing) {
		bypass(s);
		return;
	}
	for (p = TAILQ_FIRST(&s->waiting); p; p = next) {
		next = TAILQ_NEXT(p, link);
		if (lose_giant(s, p))
			continue;
		if (s->job.write_count == FFFA_SPOOL_WRITES || s->bytes - begin > WRITE_BYTES ||
		    !plan_write(s, p))
			break;
	}
	s->in_job = s->job.write_count;
}

static void plan_read(struct fffa_spooler *s)
{
	size_t half = (size_t)s->lane->conf->common.queue_memory / 2;
	size_t ready = fffa_spooler__ready_bytes(s), room = half > ready ? half - ready : 0;
	struct fffa_spool_seg *seg;

	if (!s->unread || s->lane->ending || s->closing || waits(s, s->read_again_ns) ||
	    (ready && room < half / 4))
		return;
	seg = TAILQ_FIRST(&s->segs);
	while (seg && !fffa_spooler__unread_of(seg))
		seg = TAILQ_NEXT(seg, link);
	if (!seg)
		return;
	s->job.read_seg = seg;
	s->job.read_id = seg->id;
	s->job.read_from = seg->read;
	s->job.read_limit = seg->end.at;
	s->job.read_budget = room < READ_BYTES ? room : READ_BYTES;
	s->reserved_bytes = s->job.read_budget;
}

/* Up to here all is settled; segment 0: nothing is known. */
static struct fffa_spool_ack watermark(const struct fffa_spooler *s)
{
	const struct fffa_slip *slip;
	const struct fffa_spool_seg *seg, *last = TAILQ_LAST(&s->segs, fffa_spool_segs);

	TAILQ_FOREACH(slip, &s->slips, link)
	{
		if (!slip->seg->gone && slip->parcels)
			return (struct fffa_spool_ack){slip->seg->id, slip->begin};
	}
	if (s->unread) {
		TAILQ_FOREACH(seg, &s->segs, link)
		{
			if (fffa_spooler__unread_of(seg))
				return (struct fffa_spool_ack){seg->id, seg->read};
		}
	}
	return last ? (struct fffa_spool_ack){last->id, last->end} : s->acked;
}

static void plan_ack(struct fffa_spooler *s)
{
	struct fffa_spool_ack a = watermark(s);
	uint64_t now = now_ns();

	if (a.segment == s->acked.segment && a.pos.at == s->acked.pos.at)
		return;
	if (!s->closing && now - s->ack_ns < ACK_EVERY_NS) {
		fffa_spooler__wake(s, ACK_EVERY_NS / FFFA_NS_PER_MS);
		return;
	}
	s->ack_ns = now;
	s->acked = s->job.ack = a;
	s->job.acks = true;
}

bool fffa_spooler__plan(struct fffa_spooler *s)
{
	struct fffa_spool_job *j = &s->job;

	j->remove_count = j->write_count = j->read_count = 0;
	j->acks = j->read_ended = false;
	j->read_seg = NULL;
	j->read_rc = 0;
	plan_removals(s);
	plan_ack(s); /* before the writes: it must not speak of them */
	plan_writes(s);
	plan_read(s);
	return j->remove_count || j->write_count || j->acks || j->read_seg;
}
