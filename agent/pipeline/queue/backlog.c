// SPDX-License-Identifier: MIT
#include "agent/pipeline/queue/backlog.h"

#include <inttypes.h>
#include <stdlib.h>

#include "agent/base/assert.h"
#include "agent/base/clock.h"

void fffa_backlog_init(struct fffa_backlog *q, const char *tag, size_t memory_bytes,
		       bool drops_oldest)
{
	*q = (struct fffa_backlog){
		.tag = tag, .memory_bytes = memory_bytes, .drops_oldest = drops_oldest};
	TAILQ_INIT(&q->queue);
}

void fffa_backlog_set_source(struct fffa_backlog *q, struct fffa_encoder *encoder,
			     const struct fffa_origin_source *source)
{
	fffa_skipdata_records_init(&q->skipdata, encoder, source);
}

void fffa_backlog_set_spooler(struct fffa_backlog *q, struct fffa_spooler *s)
{
	q->spooler = s;
}

/* The ledger. */

static void leave_flight(struct fffa_backlog *q, uint64_t records)
{
	FFFA_ASSERT(q->ledger.in_flight >= records);
	q->ledger.in_flight -= records;
}

void fffa_backlog_count_delivered(struct fffa_backlog *q, uint32_t records)
{
	leave_flight(q, records);
	q->ledger.delivered += records;
}

void fffa_backlog_count_rejected(struct fffa_backlog *q, uint32_t records)
{
	leave_flight(q, records);
	q->ledger.rejected += records;
}

static void count_lost(struct fffa_backlog *q, uint64_t records, enum fffa_record_loss why)
{
	leave_flight(q, records);
	q->ledger.lost[why] += records;
}

void fffa_backlog_count_retry(struct fffa_backlog *q)
{
	q->ledger.retries++;
}

void fffa_backlog_resume(struct fffa_backlog *q, uint64_t records)
{
	q->ledger.records += records;
	q->ledger.resumed += records;
	q->ledger.in_flight += records;
}

const struct fffa_sink_ledger *fffa_backlog_ledger(const struct fffa_backlog *q)
{
	return &q->ledger;
}

/* Memory. */

static void hold(struct fffa_backlog *q, const struct fffa_batch *batch)
{
	q->held_bytes += fffa_batch_footprint(batch);
}

static void let_go(struct fffa_backlog *q, const struct fffa_batch *batch)
{
	size_t footprint = fffa_batch_footprint(batch);

	FFFA_ASSERT(q->held_bytes >= footprint);
	q->held_bytes -= footprint;
}

size_t fffa_backlog_held_bytes(const struct fffa_backlog *q)
{
	return q->held_bytes;
}

size_t fffa_backlog_memory_bytes(const struct fffa_backlog *q)
{
	return q->held_bytes + (q->spooler ? fffa_spooler_memory_bytes(q->spooler) : 0);
}

/* The bound allows bytes more. */
static bool fits(const struct fffa_backlog *q, size_t bytes)
{
	size_t reserved = q->spooler ? fffa_spooler_reserved_bytes(q->spooler) : 0;

	return fffa_backlog_memory_bytes(q) + reserved + bytes <= q->memory_bytes;
}

bool fffa_backlog_has_room(const struct fffa_backlog *q, size_t bytes)
{
	size_t waiting;

	if (!q->spooler)
		return !q->held_bytes || (q->held_bytes <= q->memory_bytes / 4 &&
					  q->held_bytes + bytes <= q->memory_bytes);
	waiting = fffa_spooler_waiting_bytes(q->spooler);
	return !fffa_spooler_is_full(q->spooler) &&
	       (!waiting || (waiting + bytes <= q->memory_bytes / 4 && fits(q, bytes)));
}

/* The queue. */

struct fffa_queued_batch *fffa_backlog_first(const struct fffa_backlog *q)
{
	return TAILQ_FIRST(&q->queue);
}

void fffa_backlog_take_first(struct fffa_backlog *q)
{
	TAILQ_REMOVE(&q->queue, TAILQ_FIRST(&q->queue), link);
}

void fffa_backlog_put_first(struct fffa_backlog *q, struct fffa_queued_batch *b)
{
	TAILQ_INSERT_HEAD(&q->queue, b, link);
}

static bool is_older(const struct fffa_batch *a, const struct fffa_batch *b)
{
	uint64_t ea = fffa_batch_origin(a)->epoch, eb = fffa_batch_origin(b)->epoch;

	return ea != eb ? ea < eb : fffa_batch_first_seq(a) < fffa_batch_first_seq(b);
}

void fffa_backlog_put(struct fffa_backlog *q, struct fffa_queued_batch *b)
{
	struct fffa_queued_batch *next;

	TAILQ_FOREACH(next, &q->queue, link)
	{
		if (is_older(b->d.batch, next->d.batch)) {
			TAILQ_INSERT_BEFORE(next, b, link);
			return;
		}
	}
	TAILQ_INSERT_TAIL(&q->queue, b, link);
}

void fffa_backlog_append(struct fffa_backlog *q, struct fffa_queued_batch *b)
{
	hold(q, b->d.batch);
	TAILQ_INSERT_TAIL(&q->queue, b, link);
}

/* A new batch: into the queue, or through the spool. */
static void enqueue(struct fffa_backlog *q, struct fffa_queued_batch *b)
{
	if (q->spooler) {
		fffa_spooler_add(q->spooler, b);
		return;
	}
	hold(q, b->d.batch);
	fffa_backlog_put(q, b);
}

bool fffa_backlog_is_empty(const struct fffa_backlog *q)
{
	return TAILQ_EMPTY(&q->queue) && (!q->spooler || fffa_spooler_is_empty(q->spooler));
}

/* What is missing in the stream. */

/* False: no memory, or no room that is needed. Nothing has changed then. */
static bool say_one(struct fffa_backlog *q, enum fffa_record_loss why, bool needs_room)
{
	struct fffa_queued_batch *b = fffa_skipdata_records_make(&q->skipdata, why);

	if (!b)
		return false;
	if (needs_room && !fits(q, fffa_batch_footprint(b->d.batch))) {
		fffa_batch_unref(b->d.batch);
		free(b);
		return false;
	}
	fffa_skipdata_records_said(&q->skipdata, why);
	q->ledger.skipdata_records++;
	fffa_backlog_count_record(q);
	enqueue(q, b);
	return true;
}

void fffa_backlog_say_missing(struct fffa_backlog *q, bool urgent)
{
	bool is_crowded = fffa_backlog_memory_bytes(q) > q->memory_bytes / 2;

	if (q->ending || !fffa_skipdata_records_begin(&q->skipdata, urgent || !is_crowded))
		return;
	for (int i = 0; i < FFFA_RL_MAX; i++) {
		enum fffa_record_loss why = (enum fffa_record_loss)i;

		if (fffa_skipdata_records_missing(&q->skipdata, why) && !say_one(q, why, true))
			fffa_skipdata_records_left(&q->skipdata);
	}
}

static void add_missing(struct fffa_backlog *q, enum fffa_record_loss why,
			const struct fffa_missing *m)
{
	if (!m->records || why == FFFA_RL_SHUTDOWN || q->ending)
		return; /* the stream ends here */
	/* One record speaks of one epoch: what was missing before is said at once, room or not. */
	if (fffa_skipdata_records_clash(&q->skipdata, why, m) && !say_one(q, why, false))
		q->ledger.untold += fffa_skipdata_records_missing(&q->skipdata, why);
	fffa_skipdata_records_add(&q->skipdata, why, m);
}

/* Loss. */

/* b is neither queued nor held any more. */
static void free_batch(struct fffa_backlog *q, struct fffa_queued_batch *b)
{
	fffa_batch_unref(b->d.batch);
	if (q->spooler)
		fffa_spooler_settled(q->spooler, b);
	free(b);
}

void fffa_backlog_end(struct fffa_backlog *q, struct fffa_queued_batch *b)
{
	let_go(q, b->d.batch);
	free_batch(q, b);
}

void fffa_backlog_lose_waiting(struct fffa_backlog *q, struct fffa_queued_batch *b,
			       enum fffa_record_loss why)
{
	struct fffa_missing m;

	count_lost(q, fffa_batch_count(b->d.batch), why);
	if (b->is_skipdata) { /* what it stands for is still to be said */
		add_missing(q, b->why, &b->skipped);
	} else {
		m = fffa_skipdata_records_of_batch(b->d.batch);
		add_missing(q, why, &m);
	}
	free_batch(q, b);
}

void fffa_backlog_lose(struct fffa_backlog *q, struct fffa_queued_batch *b,
		       enum fffa_record_loss why)
{
	let_go(q, b->d.batch);
	fffa_backlog_lose_waiting(q, b, why);
}

uint64_t fffa_backlog_lose_segment(struct fffa_backlog *q, const struct fffa_spooler_segment *seg)
{
	struct fffa_queued_batch *b, *next;
	uint64_t records = 0;

	for (b = TAILQ_FIRST(&q->queue); b; b = next) {
		next = TAILQ_NEXT(b, link);
		if (!fffa_spooler_is_in(b, seg))
			continue;
		records += fffa_batch_count(b->d.batch);
		TAILQ_REMOVE(&q->queue, b, link);
		fffa_backlog_lose(q, b, FFFA_RL_SPOOL_FULL);
	}
	return records;
}

void fffa_backlog_lose_unread(struct fffa_backlog *q, uint64_t records,
			      const struct fffa_missing *m, enum fffa_record_loss why)
{
	count_lost(q, records, why);
	add_missing(q, why, m);
}

void fffa_backlog_lose_record(struct fffa_backlog *q, const struct fffa_record *r,
			      enum fffa_record_loss why)
{
	struct fffa_missing m = {.records = 1,
				 .epoch = r->epoch,
				 .last_seq = r->seq,
				 .first_ms = r->end_ms,
				 .last_ms = r->end_ms};

	fffa_backlog_lose_unread(q, 1, &m, why);
}

static void lose_new(struct fffa_backlog *q, const struct fffa_batch *batch,
		     enum fffa_record_loss why)
{
	struct fffa_missing m = fffa_skipdata_records_of_batch(batch);

	fffa_backlog_lose_unread(q, fffa_batch_count(batch), &m, why);
}

static enum fffa_record_loss reason_when_full(const struct fffa_backlog *q)
{
	return q->spooler && fffa_spooler_is_full(q->spooler) ? FFFA_RL_SPOOL_FULL
							      : FFFA_RL_QUEUE_FULL;
}

static void warn_full(struct fffa_backlog *q, uint64_t records)
{
	if (reason_when_full(q) == FFFA_RL_SPOOL_FULL)
		fffa_spooler_warn_full(q->spooler, records);
	else
		fffa_log_limited(&q->full_log, q->tag, "queue is full, records are dropped",
				 records);
}

/* Returns the number of records that are lost now; 0: there is nothing to lose. */
static uint32_t lose_oldest(struct fffa_backlog *q)
{
	struct fffa_queued_batch *b;
	uint32_t records;

	TAILQ_FOREACH(b, &q->queue, link)
	{
		if (!fffa_skipdata_records_may_lose(&q->skipdata, b))
			continue;
		records = fffa_batch_count(b->d.batch);
		TAILQ_REMOVE(&q->queue, b, link);
		fffa_backlog_lose(q, b, reason_when_full(q));
		return records;
	}
	if (!q->spooler)
		return 0;
	for (b = fffa_spooler_next_waiting(q->spooler, NULL); b;
	     b = fffa_spooler_next_waiting(q->spooler, b)) {
		if (!fffa_skipdata_records_may_lose(&q->skipdata, b))
			continue;
		records = fffa_batch_count(b->d.batch);
		fffa_spooler_take_back(q->spooler, b);
		fffa_backlog_lose_waiting(q, b, reason_when_full(q));
		return records;
	}
	return 0;
}

/* What the sink holds stays. */
static void make_room(struct fffa_backlog *q, size_t bytes)
{
	uint64_t records = 0;
	uint32_t n = 1;

	while (n && !fits(q, bytes)) {
		n = lose_oldest(q);
		records += n;
	}
	if (records)
		warn_full(q, records);
}

void fffa_backlog_add(struct fffa_backlog *q, struct fffa_batch *batch)
{
	size_t footprint = fffa_batch_footprint(batch);
	struct fffa_queued_batch *b;

	if (q->drops_oldest)
		make_room(q, footprint);
	/* An empty queue has room for one batch, whatever the bound is: else none would ever pass. */
	if (fffa_backlog_memory_bytes(q) && !fits(q, footprint)) {
		warn_full(q, fffa_batch_count(batch));
		lose_new(q, batch, reason_when_full(q));
		return;
	}
	b = calloc(1, sizeof(*b));
	if (!b) {
		lose_new(q, batch, FFFA_RL_NO_MEMORY);
		return;
	}
	b->d.batch = fffa_batch_ref(batch);
	b->born_ns = fffa_clock_mono_ns(&fffa_clock_system);
	enqueue(q, b);
}

/* Verdicts for parts of a batch. */

void fffa_backlog_replace(struct fffa_backlog *q, struct fffa_queued_batch *b,
			  struct fffa_batch *batch)
{
	let_go(q, b->d.batch);
	hold(q, batch);
	fffa_batch_unref(b->d.batch);
	b->d.batch = batch;
	b->tries = 0; /* other bytes: not the same delivery again */
}

void fffa_backlog_split_off(struct fffa_backlog *q, struct fffa_queued_batch *b,
			    const struct fffa_queued_batch *from, struct fffa_batch *batch)
{
	b->d.batch = batch;
	b->first_fail_ns = from->first_fail_ns;
	b->born_ns = from->born_ns;
	fffa_spooler_share(b, from);
	hold(q, batch);
}

/* The end. */

void fffa_backlog_stop(struct fffa_backlog *q)
{
	q->ending = true;
	if (q->spooler)
		fffa_spooler_stop(q->spooler);
}

bool fffa_backlog_is_ending(const struct fffa_backlog *q)
{
	return q->ending;
}

void fffa_backlog_leave(struct fffa_backlog *q, struct fffa_queued_batch *b)
{
	if (!q->spooler) {
		fffa_backlog_lose(q, b, FFFA_RL_SHUTDOWN);
		return;
	}
	if (b->ref && !fffa_spooler_holds(b)) {
		fffa_backlog_lose(q, b, FFFA_RL_SPOOL_FULL);
		return;
	}
	let_go(q, b->d.batch);
	if (!b->ref) {
		fffa_spooler_add(q->spooler, b);
		return;
	}
	fffa_spooler_leave(b);
	fffa_batch_unref(b->d.batch);
	free(b);
}

void fffa_backlog_spooler_closed(struct fffa_backlog *q)
{
	q->spooler = NULL;
	q->ledger.spooled = q->ledger.in_flight; /* nothing else is left */
	if (q->ledger.spooled)
		fffa_info(q->tag, "spool: kept for the next start records=%" PRIu64,
			  q->ledger.spooled);
}
