// SPDX-License-Identifier: MIT
/* What a job of a spool has done. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/pipeline/spooler/spooler_priv.h"

#define AGAIN_NS	(1 * FFFA_NS_PER_S)
#define MEMORY_NS	(50 * FFFA_NS_PER_MS) /* where memory was short */
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
			fffa_warn(s->lane->tag,
				  "spool: cannot be written, records wait in memory: %s",
				  strerror(-rc));
		s->writing = NULL;
		s->write_again_ns = later_ns(AGAIN_NS);
	} else if (s->error) {
		fffa_info(s->lane->tag, "spool: is written again");
		s->write_again_ns = 0;
	}
	s->error = rc;
}

/* In memory as long as nothing older is not, and there is room. */
static bool may_keep(const struct fffa_spooler *s, size_t footprint)
{
	size_t ready = fffa_spooler__ready_bytes(s);

	return !s->unread && !s->lane->ending &&
	       (!ready || ready + footprint <= (size_t)s->lane->conf->common.queue_memory / 2);
}

static void forget(struct fffa_lane *l, struct fffa_parcel *p)
{
	l->queue_bytes -= fffa_batch_footprint(p->d.batch);
	fffa_batch_unref(p->d.batch);
	free(p);
}

static void written(struct fffa_spooler *s, struct fffa_spool_write *w)
{
	struct fffa_lane *l = s->lane;
	struct fffa_parcel *p = w->p;
	struct fffa_spool_seg *seg = w->seg;
	size_t footprint = fffa_batch_footprint(p->d.batch);

	bool keeps = may_keep(s, footprint) && fffa_spooler__slip(s, p, seg, &w->begin);

	TAILQ_REMOVE(&s->waiting, p, link);
	s->waiting_bytes -= footprint;
	seg->first_ms = seg->first_ms < w->frame.first_ms ? seg->first_ms : w->frame.first_ms;
	seg->last_ms = seg->last_ms > w->frame.last_ms ? seg->last_ms : w->frame.last_ms;
	if (keeps) {
		seg->end = seg->read = w->end;
		TAILQ_INSERT_TAIL(&l->queue, p, link);
		return;
	}
	seg->end = w->end;
	s->unread += w->frame.count;
	forget(l, p);
}

static void apply_writes(struct fffa_spooler *s)
{
	struct fffa_spool_job *j = &s->job;
	int rc = 0;

	s->in_job = 0;
	for (size_t i = 0; i < j->write_count; i++) {
		struct fffa_spool_write *w = &j->writes[i];
		uint64_t len = w->end.at - w->begin.at;

		if (!w->rc) {
			written(s, w);
			continue;
		}
		rc = w->rc; /* it stays in waiting */
		w->seg->disk_bytes -= len;
		s->bytes -= len;
	}
	if (j->write_count)
		note_write(s, rc);
}

static uint64_t born_of(const struct fffa_spool_frame *f)
{
	uint64_t mono = fffa_clock_mono_ns(&fffa_clock_system);
	uint64_t unix_ms = fffa_clock_unix_ns(&fffa_clock_system) / FFFA_NS_PER_MS;
	uint64_t age_ms = (uint64_t)f->sealed_ms < unix_ms ? unix_ms - (uint64_t)f->sealed_ms : 0;

	return age_ms < mono / FFFA_NS_PER_MS ? mono - age_ms * FFFA_NS_PER_MS : 0;
}

/* The frame just read joins the queue (takes its batch). False without memory. */
static bool join(struct fffa_spooler *s, struct fffa_spool_read *r)
{
	const struct fffa_spool_frame *f = &r->found.frame;
	struct fffa_spool_seg *seg = s->job.read_seg;
	struct fffa_parcel *p = calloc(1, sizeof(*p));

	if (!p || !fffa_spooler__slip(s, p, seg, &r->found.begin)) {
		free(p);
		return false;
	}
	p->d.batch = r->batch;
	p->slip->records = f->count;
	p->born_ns = born_of(f);
	p->is_skipdata = f->is_skipdata;
	p->why = fffa_ledger_record_loss_find(f->reason);
	if (p->why == FFFA_RL_MAX)
		p->why = FFFA_RL_SPOOL_DAMAGED; /* of another version */
	p->skip = (struct fffa_missing){.records = f->numbers,
					.epoch = f->origin.epoch,
					.last_seq = f->last_seq,
					.first_ms = f->first_ms,
					.last_ms = f->last_ms};
	s->lane->queue_bytes += fffa_batch_footprint(r->batch);
	r->batch = NULL;
	seg->read = r->found.end;
	s->unread -= f->count;
	TAILQ_INSERT_TAIL(&s->lane->queue, p, link);
	return true;
}

static void note_damage(struct fffa_spooler *s, uint64_t records)
{
	s->errors++;
	fffa_deliver__complain(s->lane, FFFA_COMPLAIN_SPOOL_DAMAGED, records);
}

static void lose_damaged(struct fffa_spooler *s, const struct fffa_spool_pos *to)
{
	struct fffa_spool_seg *seg = s->job.read_seg;

	note_damage(s, to->records - seg->read.records);
	fffa_spooler__lose_unread(s, seg, to, FFFA_RL_SPOOL_DAMAGED);
}

/* False: without memory, to be read again. */
static bool apply_read(struct fffa_spooler *s, struct fffa_spool_read *r)
{
	struct fffa_spool_seg *seg = s->job.read_seg;

	if (r->found.begin.at != seg->read.at)
		lose_damaged(s, &r->found.begin);
	if (r->batch)
		return join(s, r);
	lose_damaged(s, &r->found.end);
	return true;
}

/* The rest of a segment that cannot be read any more is lost. */
static void end_of_reading(struct fffa_spooler *s)
{
	struct fffa_spool_job *j = &s->job;
	struct fffa_spool_seg *seg = j->read_seg;

	if (j->read_rc == -ENOMEM) {
		s->read_again_ns = later_ns(MEMORY_NS);
		return;
	}
	if (j->read_rc && j->read_rc != -ENOENT && ++seg->read_errors < READ_ERRORS_MAX) {
		fffa_warn(s->lane->tag, "spool: cannot be read: %s", strerror(-j->read_rc));
		s->read_again_ns = later_ns(AGAIN_NS);
		return;
	}
	if ((j->read_rc || j->read_ended) && fffa_spooler__unread_of(seg))
		lose_damaged(s, &seg->end);
}

static void apply_reads(struct fffa_spooler *s)
{
	struct fffa_spool_job *j = &s->job;
	bool good = !s->lane->ending;
	size_t i;

	s->reserved_bytes = 0;
	if (!j->read_seg)
		return;
	for (i = 0; i < j->read_count && good; i++)
		good = apply_read(s, &j->reads[i]);
	for (i = 0; i < j->read_count; i++)
		fffa_batch_unref(j->reads[i].batch); /* NULL where it was taken */
	if (good)
		end_of_reading(s);
	else
		s->read_again_ns = later_ns(MEMORY_NS);
}

void fffa_spooler__apply(struct fffa_spooler *s)
{
	apply_reads(s); /* older than what was written */
	apply_writes(s);
}
