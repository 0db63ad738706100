// SPDX-License-Identifier: MIT
#include "agent/pipeline/spooler/spooler_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/base/minmax.h"
#include "sinks/batch.h"

#define SEGMENT_BYTES ((uint64_t)16 << 20)
#define OPEN_AGAIN_MS 1000

static void start_job(struct fffa_spooler *s);

static void on_timer(uv_timer_t *t)
{
	start_job(t->data);
}

static void lose_waiting(struct fffa_spooler *s, enum fffa_record_loss why)
{
	struct fffa_queued_batch *b;

	while ((b = fffa_spooler_next_waiting(s, NULL))) {
		fffa_spooler_take_back(s, b);
		s->conf.ops->lose(s->conf.queue, b, why);
	}
}

static void on_handle_closed(void *spooler)
{
	struct fffa_spooler *s = spooler;
	void (*closed)(void *arg) = s->closed;
	void *arg = s->closed_arg;

	if (--s->open_handles)
		return;
	fffa_spooler__free_segments(s);
	free(s);
	closed(arg);
}

static void on_timer_closed(uv_handle_t *h)
{
	on_handle_closed(h->data);
}

/* On the worker: closing a file may wait for its disk, too. */
static void close_store(void *arg)
{
	struct fffa_spooler *s = arg;

	if (s->leaves &&
	    fffa_spooler_is_drained(s)) /* the next start must not miss what came later */
		(void)fffa_store_ack_remove(s->store);
	fffa_store_close(s->store);
}

static void on_store_closed(void *arg)
{
	struct fffa_spooler *s = arg;

	s->open_handles = 2;
	uv_close((uv_handle_t *)&s->timer, on_timer_closed);
	fffa_worker_close(s->worker, on_handle_closed, s);
}

static void finish_close(struct fffa_spooler *s)
{
	lose_waiting(s, s->full ? FFFA_RL_SPOOL_FULL : FFFA_RL_SHUTDOWN);
	(void)uv_timer_stop(&s->timer);
	s->work = (struct fffa_worker_job){.work = close_store, .done = on_store_closed, .arg = s};
	fffa_worker_submit(s->worker, &s->work);
}

static void work_job(void *arg)
{
	struct fffa_spooler *s = arg;

	fffa_spooler__work(&s->job);
}

static void on_job_done(void *arg)
{
	struct fffa_spooler *s = arg;
	bool failed;

	s->running = false;
	s->planning = true; /* no job starts meanwhile */
	fffa_spooler__apply(s);
	s->planning = false;
	failed = s->closing && s->error;
	if (failed) /* at the end there is no second try */
		lose_waiting(s, FFFA_RL_SHUTDOWN);
	start_job(s);
	if (!s->closing)
		s->conf.ops->pump(s->conf.queue);
}

static void start_timer(struct fffa_spooler *s)
{
	if (s->wake_ms == FFFA_SPOOLER_NO_WAKE)
		return;
	uv_update_time(s->timer.loop);
	if (!uv_is_active((uv_handle_t *)&s->timer) || uv_timer_get_due_in(&s->timer) > s->wake_ms)
		(void)uv_timer_start(&s->timer, on_timer, s->wake_ms, 0);
}

static void submit_work(struct fffa_spooler *s)
{
	s->running = true;
	s->job_began_ns = fffa_clock_mono_ns(&fffa_clock_system);
	fffa_worker_submit(s->worker, &s->work);
}

static void on_open_done(void *arg)
{
	struct fffa_spooler *s = arg;

	s->running = false;
	fffa_spooler__open_end(s);
	if (s->store)
		s->work = (struct fffa_worker_job){.work = work_job, .done = on_job_done, .arg = s};
	if (!s->store && s->closing) { /* at the end there is no second try */
		s->started = false;
		finish_close(s);
		return;
	}
	start_job(s);
	if (!s->closing)
		s->conf.ops->pump(s->conf.queue);
}

/* Lets the worker open the directory. When that has failed, the sink works without until it can. */
static void start_opening(struct fffa_spooler *s)
{
	if (fffa_spooler__open_begin(s, on_open_done)) {
		submit_work(s);
		return;
	}
	if (s->closing) {
		s->started = false;
		finish_close(s);
		return;
	}
	s->wake_ms = OPEN_AGAIN_MS;
	start_timer(s);
	if (!s->error)
		return;
	s->planning = true;
	fffa_spooler__bypass_disk(s);
	s->planning = false;
}

/* Starts the next job, if there is something to do and no job runs. */
static void start_job(struct fffa_spooler *s)
{
	bool work;

	if (!s->started || s->running || s->planning)
		return;
	if (!s->store) {
		start_opening(s);
		return;
	}
	s->planning = true;
	work = fffa_spooler__plan(s);
	s->planning = false;
	start_timer(s);
	if (work) {
		submit_work(s);
	} else if (s->closing) {
		s->started = false; /* that was the last job */
		finish_close(s);
	}
}

void fffa_spooler_settled(struct fffa_spooler *s, struct fffa_queued_batch *b)
{
	if (fffa_spooler__release_ref(s, b))
		start_job(s);
}

void fffa_spooler_add(struct fffa_spooler *s, struct fffa_queued_batch *b)
{
	s->waiting_bytes += fffa_batch_footprint(b->d.batch);
	TAILQ_INSERT_TAIL(&s->waiting, b, link);
	start_job(s);
}

struct fffa_queued_batch *fffa_spooler_next_waiting(const struct fffa_spooler *s,
						    const struct fffa_queued_batch *b)
{
	struct fffa_queued_batch *next;

	if (b)
		return TAILQ_NEXT(b, link);
	next = TAILQ_FIRST(&s->waiting);
	for (size_t i = 0; next && i < s->in_job; i++)
		next = TAILQ_NEXT(next, link);
	return next;
}

bool fffa_spooler_is_empty(const struct fffa_spooler *s)
{
	return TAILQ_EMPTY(&s->waiting) && !s->unread;
}

bool fffa_spooler_is_full(const struct fffa_spooler *s)
{
	return s->full;
}

bool fffa_spooler_works(const struct fffa_spooler *s, uint64_t patience_ns)
{
	if (s->error)
		return false;
	return !s->running ||
	       fffa_clock_mono_ns(&fffa_clock_system) - s->job_began_ns <= patience_ns;
}

uint64_t fffa_spooler_waiting_records(const struct fffa_spooler *s)
{
	const struct fffa_queued_batch *b;
	uint64_t records = 0;

	TAILQ_FOREACH(b, &s->waiting, link)
	{
		records += fffa_batch_count(b->d.batch);
	}
	return records;
}

size_t fffa_spooler_waiting_bytes(const struct fffa_spooler *s)
{
	return s->waiting_bytes;
}

void fffa_spooler_set_bounds(struct fffa_spooler *s, size_t memory_bytes, uint64_t bound_bytes,
			     bool drops_oldest)
{
	s->conf.memory_bytes = memory_bytes;
	s->conf.bound_bytes = bound_bytes;
	s->conf.drops_oldest = drops_oldest;
}

size_t fffa_spooler_memory_bytes(const struct fffa_spooler *s)
{
	return s->waiting_bytes + s->ref_bytes;
}

size_t fffa_spooler_reserved_bytes(const struct fffa_spooler *s)
{
	return s->reserved_bytes;
}

uint64_t fffa_spooler_disk_bytes(const struct fffa_spooler *s)
{
	return s->disk_bytes;
}

uint64_t fffa_spooler_errors(const struct fffa_spooler *s)
{
	return s->errors;
}

uint64_t fffa_spooler_epoch(const struct fffa_spooler *s)
{
	return s->epoch;
}

int fffa_spooler_open(const struct fffa_spooler_conf *c, struct fffa_spooler **out,
		      struct fffa_err *err)
{
	struct fffa_spooler *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return fffa_fail(err, ENOMEM, "no memory for the spool");
	s->conf = *c;
	s->segment_bytes = fffa_min_u64(c->bound_bytes / 8, SEGMENT_BYTES);
	TAILQ_INIT(&s->segments);
	TAILQ_INIT(&s->refs);
	TAILQ_INIT(&s->waiting);
	rc = c->opens_later ? 0 : fffa_spooler__open_now(s, err);
	if (!rc) {
		rc = fffa_worker_open(c->loop, "spool", &s->worker);
		if (rc)
			(void)fffa_fail(err, -rc, "cannot start a thread: %s", strerror(-rc));
	}
	if (rc) {
		fffa_spooler__free_segments(s);
		fffa_store_close(s->store);
		free(s);
		return rc;
	}
	s->job.name = s->conf.name;
	s->work = (struct fffa_worker_job){.work = work_job, .done = on_job_done, .arg = s};
	(void)uv_timer_init(c->loop, &s->timer); /* never fails */
	s->timer.data = s;
	*out = s;
	return 0;
}

static void begin_work(struct fffa_spooler *s, uint64_t epoch, const uint64_t *given)
{
	s->now_epoch = epoch;
	s->given = given;
	/* Otherwise the next start would not know this epoch if this agent is killed at once. */
	if (s->store)
		(void)fffa_store_ack_write(s->store, &s->account, false);
	s->started = true;
	start_job(s);
}

void fffa_spooler_start(struct fffa_spooler *s, uint64_t epoch, const uint64_t *given)
{
	fffa_spooler__account_join(s, epoch, *given);
	begin_work(s, epoch, given);
}

void fffa_spooler_join(struct fffa_spooler *s, uint64_t epoch, const uint64_t *given,
		       uint64_t outstanding)
{
	fffa_spooler__account_join_late(s, epoch, *given, outstanding);
	begin_work(s, epoch, given);
}

void fffa_spooler_leave(struct fffa_spooler *s)
{
	s->leaves = true;
	s->last_given = *s->given;
	s->given = &s->last_given;
}

bool fffa_spooler_is_drained(const struct fffa_spooler *s)
{
	return s->store && fffa_spooler_is_empty(s) && TAILQ_EMPTY(&s->refs);
}

void fffa_spooler_stop(struct fffa_spooler *s)
{
	s->stopped = true;
}

void fffa_spooler_close(struct fffa_spooler *s, void (*closed)(void *arg), void *arg)
{
	s->closed = closed;
	s->closed_arg = arg;
	s->closing = true;
	s->started = true;
	s->error = 0; /* tries once more */
	start_job(s);
}
