// SPDX-License-Identifier: MIT
/* Decides what the next job does. */
#include <stdio.h>

#include "agent/base/clock.h"
#include "agent/base/minmax.h"
#include "agent/pipeline/spooler/spooler_internal.h"
#include "sinks/batch.h"

#define WRITE_BYTES  ((uint64_t)8 << 20) /* about so much in a job */
#define READ_BYTES   ((size_t)4 << 20)
#define ACK_EVERY_NS (5 * FFFA_NS_PER_MS)
#define IDLE_MS	     200 /* how often to look for numbers that are in no batch yet */

static uint64_t now_ns(void)
{
	return fffa_clock_mono_ns(&fffa_clock_system);
}

static void wake_after(struct fffa_spooler *s, uint64_t ms)
{
	s->wake_ms = fffa_min_u64(s->wake_ms, ms);
}

static void plan_removal(struct fffa_spooler *s, struct fffa_spooler_segment *seg)
{
	s->job.removes[s->job.remove_count++] = seg->id;
	s->disk_bytes -= seg->disk_bytes;
	TAILQ_REMOVE(&s->segments, seg, link);
	if (seg == s->writing)
		s->writing = NULL;
	fffa_spooler__forget_segment(s, seg);
}

static bool is_removable(const struct fffa_spooler *s, const struct fffa_spooler_segment *seg)
{
	if (seg->settled < seg->end.records - seg->begin_records)
		return false;
	/* The segment being written is removed only once it has a quarter of the full size. */
	return seg != s->writing || s->closing ||
	       (seg->end.records && seg->end.at >= s->segment_bytes / 4);
}

/* Removes settled segments up to the first one with unread frames. */
static void plan_removals(struct fffa_spooler *s)
{
	struct fffa_spooler_segment *seg = TAILQ_FIRST(&s->segments), *next;

	for (; seg && s->job.remove_count < FFFA_SPOOLER_REMOVES; seg = next) {
		next = TAILQ_NEXT(seg, link);
		if (fffa_spooler__unread_of(seg))
			break;
		if (is_removable(s, seg))
			plan_removal(s, seg);
	}
	/* Removes empty segments at the end, begun while no frame could be written. */
	while ((seg = TAILQ_LAST(&s->segments, fffa_spooler_segments)) && seg != s->writing &&
	       !seg->end.records && s->job.remove_count < FFFA_SPOOLER_REMOVES)
		plan_removal(s, seg);
}

/* Removes the segment that is being written when all in it is settled. */
static bool drop_settled(struct fffa_spooler *s)
{
	struct fffa_spooler_segment *seg = s->writing;

	if (!seg || s->job.write_count || s->job.remove_count == FFFA_SPOOLER_REMOVES ||
	    seg->settled < seg->end.records)
		return false;
	plan_removal(s, seg);
	return true;
}

/* Drops the oldest segment, but for what the sink holds of it. False when there is none to drop. */
static bool drop_segment(struct fffa_spooler *s)
{
	struct fffa_spooler_segment *seg = TAILQ_FIRST(&s->segments);
	uint64_t records;

	if (!seg || s->job.remove_count == FFFA_SPOOLER_REMOVES ||
	    (s->job.write_count && seg->id >= s->job.writes[0].seg->id))
		return false; /* what this job writes stays */
	records = s->conf.ops->lose_segment(s->conf.queue, seg);
	records += fffa_spooler__lose_unread(s, seg, &seg->end, FFFA_RL_SPOOL_FULL);
	fffa_spooler_warn_full(s, records);
	plan_removal(s, seg);
	return true;
}

static bool make_room(struct fffa_spooler *s, uint64_t need)
{
	bool may_drop = s->conf.drops_oldest && !s->closing;

	while (s->disk_bytes + need + FFFA_STORE_ACK_BYTES > s->conf.bound_bytes) {
		if (!drop_settled(s) && (!may_drop || !drop_segment(s)))
			return false;
	}
	return true;
}

static bool begin_segment(struct fffa_spooler *s, const struct fffa_queued_batch *b)
{
	const struct fffa_spool_pos begin = fffa_spool_walk_begin();
	struct fffa_spooler_segment *seg = fffa_spooler__new_segment(s->next_id, &begin);

	if (!seg)
		return false;
	s->next_id++;
	seg->epoch = fffa_batch_origin(b->d.batch)->epoch;
	seg->encoding = b->encoding;
	seg->disk_bytes = FFFA_SPOOL_SEGMENT_HEAD;
	s->disk_bytes += seg->disk_bytes;
	s->plan = seg->end;
	s->writing = seg;
	TAILQ_INSERT_TAIL(&s->segments, seg, link);
	return true;
}

static void fill_frame(const struct fffa_spooler *s, struct fffa_spool_frame *f,
		       const struct fffa_queued_batch *b)
{
	uint64_t age_ns = now_ns() - b->born_ns;

	*f = (struct fffa_spool_frame){
		.identity = b->encoding.identity,
		.sealed_ms = (int64_t)((fffa_clock_unix_ns(&fffa_clock_system) - age_ns) /
				       FFFA_NS_PER_MS),
		.records_before = s->plan.records,
		.numbers_before = s->plan.numbers,
		.seq_before = s->plan.seq,
		.numbers = b->is_skipdata ? b->skipped.records : fffa_batch_count(b->d.batch),
		.is_skipdata = b->is_skipdata,
	};
	if (b->is_skipdata)
		(void)snprintf(f->reason, sizeof(f->reason), "%s",
			       fffa_ledger_record_loss_name(b->why));
}

static void fill_write(struct fffa_spooler *s, struct fffa_spooler_write *w,
		       struct fffa_queued_batch *b)
{
	w->b = b;
	w->seg = s->writing;
	w->rc = 0;
	w->begin = s->plan;
	w->head = (struct fffa_spool_segment){
		.id = w->seg->id, .epoch = w->seg->epoch, .identity = b->encoding.identity};
	(void)snprintf(w->head.format, sizeof(w->head.format), "%s", b->encoding.format);
	fill_frame(s, &w->frame, b);
	s->plan.at += fffa_spool_frame_len(b->d.batch);
	s->plan.records += fffa_batch_count(b->d.batch);
	s->plan.numbers += w->frame.numbers;
	s->plan.seq = fffa_max_u64(s->plan.seq, fffa_batch_last_seq(b->d.batch));
	w->end = s->plan;
}

/*
 * All frames of a segment are of one epoch and of one encoding, and their numbers rise: so what is
 * damaged is reported by a number of its own, not by the highest of the frames before it.
 */
static bool begins_segment(const struct fffa_spooler *s, const struct fffa_queued_batch *b,
			   uint64_t len)
{
	return !s->writing || s->writing->epoch != fffa_batch_origin(b->d.batch)->epoch ||
	       s->writing->encoding.identity != b->encoding.identity ||
	       fffa_batch_last_seq(b->d.batch) <= s->plan.seq ||
	       (s->plan.records && s->plan.at + len > s->segment_bytes);
}

static bool plan_write(struct fffa_spooler *s, struct fffa_queued_batch *b)
{
	uint64_t len = fffa_spool_frame_len(b->d.batch);
	struct fffa_spooler_write *w = &s->job.writes[s->job.write_count];

	if (!make_room(s, len + FFFA_SPOOL_SEGMENT_HEAD)) {
		s->full = true;
		return false;
	}
	/* make_room may have removed the segment that was being written */
	w->begins = begins_segment(s, b, len);
	if (w->begins && !begin_segment(s, b)) {
		wake_after(s, 1000);
		return false;
	}
	s->full = false;
	s->disk_bytes += len;
	s->writing->disk_bytes += len;
	fill_write(s, w, b);
	s->job.write_count++;
	return true;
}

void fffa_spooler__bypass_disk(struct fffa_spooler *s)
{
	struct fffa_queued_batch *b;

	if (s->unread || s->stopped)
		return;
	while ((b = TAILQ_FIRST(&s->waiting))) {
		fffa_spooler_take_back(s, b);
		s->conf.ops->put(s->conf.queue, b);
	}
	s->conf.ops->pump(s->conf.queue);
}

/* True when it is too early to try again; the timer then plans anew at again_ns. */
static bool wait_until(struct fffa_spooler *s, uint64_t again_ns)
{
	uint64_t now = now_ns();

	if (now >= again_ns)
		return false;
	wake_after(s, (again_ns - now) / FFFA_NS_PER_MS + 1);
	return true;
}

/* Loses a batch that is larger than the whole spool. */
static bool lose_giant(struct fffa_spooler *s, struct fffa_queued_batch *b)
{
	uint64_t need =
		fffa_spool_frame_len(b->d.batch) + FFFA_SPOOL_SEGMENT_HEAD + FFFA_STORE_ACK_BYTES;

	if (need <= s->conf.bound_bytes)
		return false;
	fffa_spooler_take_back(s, b);
	fffa_spooler_warn_full(s, fffa_batch_count(b->d.batch));
	s->conf.ops->lose(s->conf.queue, b, FFFA_RL_SPOOL_FULL);
	return true;
}

static void plan_writes(struct fffa_spooler *s)
{
	uint64_t begin = s->disk_bytes;
	struct fffa_queued_batch *b, *next;

	if (s->error && wait_until(s, s->write_again_ns) && !s->closing) {
		fffa_spooler__bypass_disk(s);
		return;
	}
	for (b = TAILQ_FIRST(&s->waiting); b; b = next) {
		next = TAILQ_NEXT(b, link);
		if (lose_giant(s, b))
			continue;
		if (s->job.write_count == FFFA_SPOOLER_WRITES ||
		    s->disk_bytes - begin > WRITE_BYTES || !plan_write(s, b))
			break;
	}
	s->in_job = s->job.write_count;
}

static void plan_read(struct fffa_spooler *s)
{
	size_t half = s->conf.memory_bytes / 2;
	size_t ready = fffa_spooler__ready_bytes(s), room = half > ready ? half - ready : 0;
	struct fffa_spooler_segment *seg;

	if (!s->unread || s->stopped || s->closing || wait_until(s, s->read_again_ns) ||
	    (ready && room < half / 4))
		return;
	seg = TAILQ_FIRST(&s->segments);
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

/* The position up to which all is settled. Segment 0: nothing is known. */
static struct fffa_spool_ack watermark(const struct fffa_spooler *s)
{
	const struct fffa_spool_ref *ref;
	const struct fffa_spooler_segment *seg,
		*last = TAILQ_LAST(&s->segments, fffa_spooler_segments);

	TAILQ_FOREACH(ref, &s->refs, link)
	{
		if (!ref->seg->gone && ref->batches)
			return (struct fffa_spool_ack){ref->seg->id, ref->begin};
	}
	if (s->unread) {
		TAILQ_FOREACH(seg, &s->segments, link)
		{
			if (fffa_spooler__unread_of(seg))
				return (struct fffa_spool_ack){seg->id, seg->read};
		}
	}
	return last ? (struct fffa_spool_ack){last->id, last->end} : s->account.ack;
}

static void plan_ack(struct fffa_spooler *s)
{
	struct fffa_spool_ack a = watermark(s);
	uint64_t now = now_ns();

	if (!fffa_spooler__account_is_new(s, &a)) {
		wake_after(s, IDLE_MS);
		return;
	}
	if (!s->closing && !s->job.remove_count && now - s->ack_ns < ACK_EVERY_NS) {
		wake_after(s, ACK_EVERY_NS / FFFA_NS_PER_MS);
		return;
	}
	s->ack_ns = now;
	fffa_spooler__account_take(s, &a, &s->job.account);
	s->job.acks = true;
	s->job.syncs_ack = s->job.remove_count > 0;
}

bool fffa_spooler__plan(struct fffa_spooler *s)
{
	struct fffa_spooler_job *j = &s->job;

	j->remove_count = j->write_count = j->read_count = 0;
	j->acks = j->read_ended = false;
	j->read_seg = NULL;
	j->read_rc = 0;
	s->wake_ms = FFFA_SPOOLER_NO_WAKE;
	plan_removals(s);
	plan_writes(s);
	plan_ack(s); /* covers no frame of this job: they are taken over only when it is done */
	plan_read(s);
	return j->remove_count || j->write_count || j->acks || j->read_seg;
}
