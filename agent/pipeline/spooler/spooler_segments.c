// SPDX-License-Identifier: MIT
/* Segments on disk, and references of batches in memory to their frames. */
#include <stdlib.h>

#include "agent/base/assert.h"
#include "agent/base/minmax.h"
#include "agent/pipeline/spooler/spooler_internal.h"
#include "sinks/batch.h"

struct fffa_spooler_segment *fffa_spooler__new_segment(uint64_t id,
						       const struct fffa_spool_pos *from)
{
	struct fffa_spooler_segment *seg = calloc(1, sizeof(*seg));

	if (!seg)
		return NULL;
	seg->id = id;
	seg->read = seg->end = *from;
	seg->begin_records = from->records;
	seg->first_ms = INT64_MAX;
	seg->last_ms = INT64_MIN;
	return seg;
}

static void end_ref(struct fffa_spooler *s, struct fffa_spool_ref *ref)
{
	struct fffa_spooler_segment *seg = ref->seg;

	FFFA_ASSERT(seg->refs && s->ref_bytes >= sizeof(*ref));
	if (!ref->batches)
		fffa_spooler__account_frame(s, ref);
	TAILQ_REMOVE(&s->refs, ref, link);
	s->ref_bytes -= sizeof(*ref);
	if (!--seg->refs && seg->gone)
		free(seg);
	free(ref);
}

void fffa_spooler__forget_segment(struct fffa_spooler *s, struct fffa_spooler_segment *seg)
{
	struct fffa_spool_ref *ref, *next;

	/* Frees this segment's settled references, which only wait for older frames. */
	for (ref = TAILQ_FIRST(&s->refs); ref && seg->refs; ref = next) {
		next = TAILQ_NEXT(ref, link);
		if (ref->seg == seg && !ref->batches)
			end_ref(s, ref);
	}
	seg->gone = true;
	if (!seg->refs)
		free(seg);
}

void fffa_spooler__free_segments(struct fffa_spooler *s)
{
	struct fffa_spooler_segment *seg;
	struct fffa_spool_ref *ref;

	while ((ref = TAILQ_FIRST(&s->refs)))
		end_ref(s, ref);
	while ((seg = TAILQ_FIRST(&s->segments))) {
		TAILQ_REMOVE(&s->segments, seg, link);
		free(seg);
	}
}

bool fffa_spooler__add_ref(struct fffa_spooler *s, struct fffa_queued_batch *b,
			   struct fffa_spooler_segment *seg, const struct fffa_spool_pos *begin)
{
	struct fffa_spool_ref *ref = calloc(1, sizeof(*ref));

	if (!ref)
		return false;
	ref->seg = seg;
	ref->begin = *begin;
	ref->records = fffa_batch_count(b->d.batch);
	ref->numbers = b->is_skipdata ? b->skipped.records : ref->records;
	ref->last_seq = fffa_batch_last_seq(b->d.batch);
	ref->batches = 1;
	seg->refs++;
	s->ref_bytes += sizeof(*ref);
	TAILQ_INSERT_TAIL(&s->refs, ref, link);
	b->ref = ref;
	return true;
}

bool fffa_spooler__release_ref(struct fffa_spooler *s, struct fffa_queued_batch *b)
{
	struct fffa_spool_ref *ref = b->ref, *next;

	b->ref = NULL;
	if (!ref)
		return false;
	FFFA_ASSERT(ref->batches);
	if (--ref->batches)
		return false;
	ref->seg->settled += ref->records;
	if (ref->seg->gone)
		end_ref(s, ref);
	/* Frees settled references at the head of the list; the first that stays bounds the ack. */
	for (ref = TAILQ_FIRST(&s->refs); ref && !ref->batches; ref = next) {
		next = TAILQ_NEXT(ref, link);
		end_ref(s, ref);
	}
	return true;
}

void fffa_spooler_share(struct fffa_queued_batch *b, const struct fffa_queued_batch *from)
{
	b->ref = from->ref;
	if (b->ref)
		b->ref->batches++;
}

void fffa_spooler_detach(struct fffa_queued_batch *b)
{
	b->ref = NULL; /* the reference stays, so that the ack does not pass this frame */
}

bool fffa_spooler_holds(const struct fffa_queued_batch *b)
{
	return b->ref && !b->ref->seg->gone;
}

bool fffa_spooler_is_in(const struct fffa_queued_batch *b, const struct fffa_spooler_segment *seg)
{
	return b->ref && b->ref->seg == seg;
}

uint64_t fffa_spooler__lose_unread(struct fffa_spooler *s, struct fffa_spooler_segment *seg,
				   const struct fffa_spool_pos *to, enum fffa_record_loss why)
{
	uint64_t records =
		fffa_min_u64(to->records - seg->read.records, fffa_spooler__unread_of(seg));
	struct fffa_missing m = {
		.records = to->numbers - seg->read.numbers,
		.epoch = seg->epoch,
		.last_seq = to->seq,
		.first_ms = seg->first_ms,
		.last_ms = seg->last_ms,
	};

	FFFA_ASSERT(s->unread >= records);
	seg->read = *to;
	seg->settled += records;
	s->unread -= records;
	if (records)
		s->conf.ops->lose_unread(s->conf.queue, records, &m, why);
	return records;
}

void fffa_spooler_warn_full(struct fffa_spooler *s, uint64_t records)
{
	fffa_log_limited(&s->full_log, s->conf.tag, "spool is full, records are dropped", records);
}

size_t fffa_spooler__ready_bytes(const struct fffa_spooler *s)
{
	return s->conf.ops->held_bytes(s->conf.queue) + s->ref_bytes;
}

void fffa_spooler_take_back(struct fffa_spooler *s, struct fffa_queued_batch *b)
{
	size_t footprint = fffa_batch_footprint(b->d.batch);

	FFFA_ASSERT(s->waiting_bytes >= footprint);
	TAILQ_REMOVE(&s->waiting, b, link);
	s->waiting_bytes -= footprint;
}
