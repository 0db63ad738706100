// SPDX-License-Identifier: MIT
#include "agent/pipeline/spooler/spooler_priv.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "agent/base/assert.h"
#include "agent/base/clock.h"
#include "agent/base/log.h"

#define SEGMENT_BYTES ((uint64_t)16 << 20)

size_t fffa_spooler__ready_bytes(const struct fffa_spooler *s)
{
	return s->lane->queue_bytes - s->waiting_bytes;
}

static void on_timer(uv_timer_t *t)
{
	fffa_spooler__kick(t->data);
}

void fffa_spooler__wake(struct fffa_spooler *s, uint64_t ms)
{
	uv_update_time(s->timer.loop);
	if (!uv_is_active((uv_handle_t *)&s->timer) || uv_timer_get_due_in(&s->timer) > ms)
		(void)uv_timer_start(&s->timer, on_timer, ms, 0);
}

bool fffa_spooler__slip(struct fffa_spooler *s, struct fffa_parcel *p, struct fffa_spool_seg *seg,
			const struct fffa_spool_pos *begin)
{
	struct fffa_slip *slip = calloc(1, sizeof(*slip));

	if (!slip)
		return false;
	slip->seg = seg;
	slip->begin = *begin;
	slip->records = p->d.batch ? fffa_batch_count(p->d.batch) : 0;
	slip->parcels = 1;
	seg->slips++;
	s->lane->queue_bytes += sizeof(*slip);
	TAILQ_INSERT_TAIL(&s->slips, slip, link);
	p->slip = slip;
	return true;
}

static void end_slip(struct fffa_spooler *s, struct fffa_slip *slip)
{
	struct fffa_spool_seg *seg = slip->seg;

	TAILQ_REMOVE(&s->slips, slip, link);
	s->lane->queue_bytes -= sizeof(*slip);
	if (!--seg->slips && seg->gone)
		free(seg);
	free(slip);
}

void fffa_spooler__forget_seg(struct fffa_spooler *s, struct fffa_spool_seg *seg)
{
	struct fffa_slip *slip, *next;

	/* The settled ones wait for older ones only to raise the watermark. */
	for (slip = TAILQ_FIRST(&s->slips); slip && seg->slips; slip = next) {
		next = TAILQ_NEXT(slip, link);
		if (slip->seg == seg && !slip->parcels)
			end_slip(s, slip);
	}
	seg->gone = true;
	if (!seg->slips)
		free(seg);
}

bool fffa_spooler__holds(const struct fffa_parcel *p)
{
	return p->slip && !p->slip->seg->gone;
}

void fffa_spooler__share(struct fffa_parcel *q, const struct fffa_parcel *p)
{
	q->slip = p->slip;
	if (q->slip)
		q->slip->parcels++;
}

void fffa_spooler__settled(struct fffa_spooler *s, struct fffa_parcel *p)
{
	struct fffa_slip *slip = p->slip, *next;

	p->slip = NULL;
	if (!slip || --slip->parcels)
		return;
	slip->seg->settled += slip->records;
	if (slip->seg->gone)
		end_slip(s, slip);
	/* The watermark rises over all that are settled in a row. */
	for (slip = TAILQ_FIRST(&s->slips); slip && !slip->parcels; slip = next) {
		next = TAILQ_NEXT(slip, link);
		end_slip(s, slip);
	}
	fffa_spooler__kick(s);
}

void fffa_spooler__left(struct fffa_spooler *s, struct fffa_parcel *p)
{
	/* The slip stays: the watermark must not pass it. */
	(void)s;
	p->slip = NULL;
}

static void lose_waiting(struct fffa_spooler *s, enum fffa_record_loss why)
{
	struct fffa_parcel *p;

	while ((p = fffa_spooler__take_waiting(s, true)))
		fffa_settle__lose(s->lane, p, why);
}

static void free_segs(struct fffa_spooler *s)
{
	struct fffa_spool_seg *seg, *next;

	for (seg = TAILQ_FIRST(&s->segs); seg; seg = next) {
		next = TAILQ_NEXT(seg, link);
		free(seg);
	}
	TAILQ_INIT(&s->segs);
}

static void on_timer_closed(uv_handle_t *h)
{
	struct fffa_spooler *s = h->data;
	void (*closed)(void *arg) = s->closed;
	void *arg = s->closed_arg;
	struct fffa_slip *slip, *next;

	for (slip = TAILQ_FIRST(&s->slips); slip; slip = next) {
		next = TAILQ_NEXT(slip, link);
		end_slip(s, slip);
	}
	free_segs(s);
	fffa_store_close(s->store);
	free(s);
	closed(arg);
}

static void finish(struct fffa_spooler *s)
{
	struct fffa_sink_ledger *ledger = &s->lane->ledger;

	lose_waiting(s, s->full ? FFFA_RL_SPOOL_FULL : FFFA_RL_SHUTDOWN);
	ledger->spooled = ledger->in_flight; /* nothing else is left */
	if (ledger->spooled)
		fffa_info(s->lane->tag, "spool: kept for the next start records=%" PRIu64,
			  ledger->spooled);
	(void)uv_timer_stop(&s->timer);
	uv_close((uv_handle_t *)&s->timer, on_timer_closed);
}

static void on_job_done(uv_work_t *w, int status)
{
	struct fffa_spool_job *j = w->data;
	struct fffa_spooler *s =
		(struct fffa_spooler *)((char *)j - offsetof(struct fffa_spooler, job));
	bool failed;

	FFFA_ASSERT(!status); /* never cancelled */
	s->running = false;
	s->planning = true; /* nothing starts while this is taken over */
	fffa_spooler__apply(s);
	s->planning = false;
	failed = s->closing && s->error;
	if (failed) /* no second try at the end */
		lose_waiting(s, FFFA_RL_SHUTDOWN);
	fffa_spooler__kick(s);
	if (!s->closing)
		fffa_deliver__pump(s->lane);
}

void fffa_spooler__kick(struct fffa_spooler *s)
{
	bool work;

	if (!s->started || s->running || s->planning)
		return;
	s->planning = true;
	work = fffa_spooler__plan(s);
	s->planning = false;
	if (work) {
		s->running = true;
		s->job.work.data = &s->job;
		(void)uv_queue_work(s->timer.loop, &s->job.work, fffa_spooler__work, on_job_done);
	} else if (s->closing) {
		s->started = false; /* this was the last */
		finish(s);
	}
}

void fffa_spooler__add(struct fffa_spooler *s, struct fffa_parcel *p)
{
	s->waiting_bytes += fffa_batch_footprint(p->d.batch);
	TAILQ_INSERT_TAIL(&s->waiting, p, link);
	fffa_spooler__kick(s);
}

struct fffa_parcel *fffa_spooler__take_waiting(struct fffa_spooler *s, bool any)
{
	struct fffa_parcel *p = TAILQ_FIRST(&s->waiting);

	for (size_t i = 0; p && i < s->in_job; i++)
		p = TAILQ_NEXT(p, link);
	while (p && !any && !fffa_told__may_lose(s->lane, p))
		p = TAILQ_NEXT(p, link);
	if (!p)
		return NULL;
	TAILQ_REMOVE(&s->waiting, p, link);
	s->waiting_bytes -= fffa_batch_footprint(p->d.batch);
	return p;
}

bool fffa_spooler__is_empty(const struct fffa_spooler *s)
{
	return TAILQ_EMPTY(&s->waiting) && !s->unread;
}

bool fffa_spooler__is_full(const struct fffa_spooler *s)
{
	return s->full;
}

bool fffa_spooler__has_room(const struct fffa_spooler *s, size_t bytes)
{
	size_t bound = (size_t)s->lane->conf->common.queue_memory;

	return !s->full &&
	       (!s->waiting_bytes || (s->waiting_bytes + bytes <= bound / 4 &&
				      s->lane->queue_bytes + s->reserved_bytes + bytes <= bound));
}

size_t fffa_spooler__reserved(const struct fffa_spooler *s)
{
	return s->reserved_bytes;
}

uint64_t fffa_spooler__bytes(const struct fffa_spooler *s)
{
	return s->bytes;
}

uint64_t fffa_spooler__errors(const struct fffa_spooler *s)
{
	return s->errors;
}

uint64_t fffa_spooler__epoch(const struct fffa_spooler *s)
{
	return s->epoch;
}

int fffa_spooler__open(struct fffa_lane *l, const char *spool_dir, uint64_t identity,
		       struct fffa_spooler **out, struct fffa_err *err)
{
	const struct fffa_sink_common_conf *c = &l->conf->common;
	struct fffa_spooler *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return fffa_fail(err, ENOMEM, "no memory for the spool");
	s->lane = l;
	s->identity = identity;
	s->bound_bytes = (uint64_t)c->queue_spool;
	s->segment_bytes = s->bound_bytes / 8 < SEGMENT_BYTES ? s->bound_bytes / 8 : SEGMENT_BYTES;
	TAILQ_INIT(&s->segs);
	TAILQ_INIT(&s->slips);
	TAILQ_INIT(&s->waiting);
	rc = fffa_store_open(spool_dir, c->name, &s->store, err);
	if (!rc)
		rc = fffa_spooler__scan(s, err);
	if (rc) {
		free_segs(s);
		fffa_store_close(s->store);
		free(s);
		return rc;
	}
	s->job.store = s->store;
	(void)uv_timer_init(l->env.loop, &s->timer); /* never fails */
	s->timer.data = s;
	*out = s;
	return 0;
}

void fffa_spooler__start(struct fffa_spooler *s)
{
	s->started = true;
	fffa_spooler__kick(s);
}

void fffa_spooler__close(struct fffa_spooler *s, void (*closed)(void *arg), void *arg)
{
	s->closed = closed;
	s->closed_arg = arg;
	s->closing = true;
	s->started = true;
	s->error = 0; /* one more try */
	fffa_spooler__kick(s);
}
