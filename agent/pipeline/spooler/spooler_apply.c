// SPDX-License-Identifier: MIT
/* Takes over what a job has done. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/assert.h"
#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/base/minmax.h"
#include "agent/pipeline/spooler/spooler_internal.h"
#include "sinks/batch.h"

#define RETRY_NS	(1 * FFFA_NS_PER_S)
#define MEMORY_NS	(50 * FFFA_NS_PER_MS) /* after a lack of memory */
#define READ_ERRORS_MAX 3

static uint64_t later_ns(uint64_t wait_ns)
{
	return fffa_clock_mono_ns(&fffa_clock_system) + wait_ns;
}

static void note_write(struct fffa_spooler *s, int rc)
{
	if (rc) {
		s->errors++;
		if (!s->error)
			fffa_warn(s->conf.tag,
				  "cannot write to the spool, records wait in memory: %s",
				  strerror(-rc));
		s->writing = NULL;
		s->write_again_ns = later_ns(RETRY_NS);
	} else if (s->error) {
		fffa_info(s->conf.tag, "writes to the spool again");
		s->write_again_ns = 0;
	}
	s->error = rc;
}

/*
 * True when the batch may stay in memory: all older ones are there, too, and half of queue.memory
 * has room.
 */
static bool may_stay_in_memory(const struct fffa_spooler *s, size_t footprint)
{
	size_t ready = fffa_spooler__ready_bytes(s);

	return !s->unread && !s->stopped &&
	       (!ready || ready + footprint <= s->conf.memory_bytes / 2);
}

static void apply_write(struct fffa_spooler *s, struct fffa_spooler_write *w)
{
	struct fffa_queued_batch *b = w->b;
	struct fffa_spooler_segment *seg = w->seg;
	bool stays = may_stay_in_memory(s, fffa_batch_footprint(b->d.batch)) &&
		     fffa_spooler__add_ref(s, b, seg, &w->begin);

	fffa_spooler_take_back(s, b);
	seg->first_ms = fffa_min_i64(seg->first_ms, w->frame.first_ms);
	seg->last_ms = fffa_max_i64(seg->last_ms, w->frame.last_ms);
	seg->end = w->end;
	fffa_spooler__account_write(s, b);
	if (stays) {
		seg->read = w->end;
		s->conf.ops->put(s->conf.queue, b);
		return;
	}
	s->unread += w->frame.count;
	fffa_batch_unref(b->d.batch);
	free(b);
}

static void apply_writes(struct fffa_spooler *s)
{
	struct fffa_spooler_job *j = &s->job;
	int rc = 0;

	s->in_job = 0;
	for (size_t i = 0; i < j->write_count; i++) {
		struct fffa_spooler_write *w = &j->writes[i];
		uint64_t len = w->end.at - w->begin.at;

		if (!w->rc) {
			apply_write(s, w);
			continue;
		}
		rc = w->rc; /* the batch still waits */
		w->seg->disk_bytes -= len;
		s->disk_bytes -= len;
	}
	if (j->write_count)
		note_write(s, rc);
}

/* When the batch was sealed, on the monotonic clock of this boot; 0: before it. */
static uint64_t born_ns_of(const struct fffa_spool_frame *f)
{
	uint64_t mono = fffa_clock_mono_ns(&fffa_clock_system);
	uint64_t unix_ms = fffa_clock_unix_ns(&fffa_clock_system) / FFFA_NS_PER_MS;
	uint64_t age_ms = (uint64_t)f->sealed_ms < unix_ms ? unix_ms - (uint64_t)f->sealed_ms : 0;

	return age_ms < mono / FFFA_NS_PER_MS ? mono - age_ms * FFFA_NS_PER_MS : 0;
}

/* Puts the frame just read into the queue (takes its batch). False without memory. */
static bool put_read(struct fffa_spooler *s, struct fffa_spooler_read *r)
{
	const struct fffa_spool_frame *f = &r->found.frame;
	struct fffa_spooler_segment *seg = s->job.read_seg;
	struct fffa_queued_batch *b = calloc(1, sizeof(*b));

	if (!b)
		return false;
	b->d.batch = r->batch;
	b->encoding = seg->encoding;
	b->born_ns = born_ns_of(f);
	b->is_skipdata = f->is_skipdata;
	b->why = fffa_ledger_record_loss_find(f->reason);
	if (b->why == FFFA_RL_MAX)
		b->why = FFFA_RL_SPOOL_DAMAGED; /* a reason of another version */
	b->skipped = (struct fffa_missing){.records = f->numbers,
					   .epoch = f->origin.epoch,
					   .last_seq = f->last_seq,
					   .first_ms = f->first_ms,
					   .last_ms = f->last_ms};
	if (!fffa_spooler__add_ref(s, b, seg, &r->found.begin)) {
		free(b);
		return false;
	}
	r->batch = NULL;
	seg->read = r->found.end;
	FFFA_ASSERT(s->unread >= f->count);
	s->unread -= f->count;
	s->conf.ops->put(s->conf.queue, b);
	return true;
}

static void lose_damaged(struct fffa_spooler *s, const struct fffa_spool_pos *to)
{
	struct fffa_spooler_segment *seg = s->job.read_seg;

	s->errors++;
	fffa_log_limited(&s->damage_log, s->conf.tag, "spool is damaged, records are lost",
			 to->records - seg->read.records);
	(void)fffa_spooler__lose_unread(s, seg, to, FFFA_RL_SPOOL_DAMAGED);
}

/* False without memory: the frame must be read again. */
static bool apply_read(struct fffa_spooler *s, struct fffa_spooler_read *r)
{
	struct fffa_spooler_segment *seg = s->job.read_seg;

	if (r->found.begin.at != seg->read.at)
		lose_damaged(s, &r->found.begin);
	if (r->batch)
		return put_read(s, r);
	lose_damaged(s, &r->found.end);
	return true;
}

/* After the last frame of a job: reads again later, or loses what cannot be read. */
static void end_of_reading(struct fffa_spooler *s)
{
	struct fffa_spooler_job *j = &s->job;
	struct fffa_spooler_segment *seg = j->read_seg;

	if (j->read_rc == -ENOMEM) {
		s->read_again_ns = later_ns(MEMORY_NS);
		return;
	}
	if (j->read_rc && j->read_rc != -ENOENT && ++seg->read_errors < READ_ERRORS_MAX) {
		fffa_warn(s->conf.tag, "cannot read the spool: %s", strerror(-j->read_rc));
		s->read_again_ns = later_ns(RETRY_NS);
		return;
	}
	if ((j->read_rc || j->read_ended) && fffa_spooler__unread_of(seg))
		lose_damaged(s, &seg->end);
}

static void apply_reads(struct fffa_spooler *s)
{
	struct fffa_spooler_job *j = &s->job;
	bool good = !s->stopped;
	size_t i;

	s->reserved_bytes = 0;
	if (!j->read_seg)
		return;
	for (i = 0; i < j->read_count && good; i++)
		good = apply_read(s, &j->reads[i]);
	for (i = 0; i < j->read_count; i++)
		fffa_batch_unref(j->reads[i].batch); /* NULL: it was taken */
	if (good)
		end_of_reading(s);
	else
		s->read_again_ns = later_ns(MEMORY_NS);
}

void fffa_spooler__apply(struct fffa_spooler *s)
{
	apply_reads(s); /* they are older than what was written */
	apply_writes(s);
}
