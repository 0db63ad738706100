// SPDX-License-Identifier: MIT
/* What a queue loses, because it is full or ends, and what the stream reports of it. */
#include <stdlib.h>

#include "agent/base/clock.h"
#include "agent/pipeline/queue/backlog_internal.h"

/* Queues one SKIPDATA record. False without memory or, where it needs room, without room. */
static bool report_one(struct fffa_backlog *q, enum fffa_record_loss why, bool needs_room)
{
	struct fffa_queued_batch *b = fffa_skipdata_records_make(&q->skipdata, why);

	if (!b)
		return false;
	if (needs_room && !fffa_backlog__fits(q, fffa_batch_footprint(b->d.batch))) {
		fffa_batch_unref(b->d.batch);
		free(b);
		return false;
	}
	fffa_skipdata_records_reported(&q->skipdata, why);
	b->encoding = q->encoding;
	q->ledger.skipdata_records++;
	fffa_backlog_count_record(q);
	fffa_backlog__enqueue(q, b);
	return true;
}

static void add_missing(struct fffa_backlog *q, enum fffa_record_loss why,
			const struct fffa_missing *m)
{
	if (!m->records)
		return;
	if (fffa_backlog__spools(q))
		fffa_spooler_note_missing(q->spooler, m);
	if (why == FFFA_RL_SHUTDOWN || q->ending)
		return; /* the stream ends here; where there is a spool, the next start reports it */
	/*
	 * A SKIPDATA record covers one epoch: numbers of another epoch are reported first, even
	 * without room.
	 */
	if (fffa_skipdata_records_clash(&q->skipdata, why, m) && !report_one(q, why, false))
		q->ledger.untold += fffa_skipdata_records_missing(&q->skipdata, why);
	fffa_skipdata_records_add(&q->skipdata, why, m);
}

/* Takes over what the spooler found missing at the start. */
static void add_found_at_start(struct fffa_backlog *q)
{
	enum fffa_record_loss why;
	struct fffa_missing m;

	while (q->spooler && fffa_spooler_next_loss(q->spooler, &m, &why))
		add_missing(q, why, &m);
}

void fffa_backlog_report_missing(struct fffa_backlog *q, bool urgent)
{
	bool is_crowded = fffa_backlog_memory_bytes(q) > q->memory_bytes / 2;

	if (!q->ending)
		add_found_at_start(q);
	if (q->ending || !fffa_skipdata_records_start_report(&q->skipdata, urgent || !is_crowded))
		return;
	for (int i = 0; i < FFFA_RL_MAX; i++) {
		enum fffa_record_loss why = (enum fffa_record_loss)i;

		if (fffa_skipdata_records_missing(&q->skipdata, why) && !report_one(q, why, true))
			fffa_skipdata_records_report_later(&q->skipdata);
	}
}

void fffa_backlog__lose_waiting(struct fffa_backlog *q, struct fffa_queued_batch *b,
				enum fffa_record_loss why)
{
	struct fffa_missing m;

	fffa_backlog__count_lost(q, fffa_batch_count(b->d.batch), why);
	if (q->spooler)
		fffa_spooler_count_lost(q->spooler, b);
	if (b->is_skipdata) { /* what it stands for must be reported again */
		add_missing(q, b->why, &b->skipped);
	} else {
		m = fffa_skipdata_records_of_batch(b->d.batch);
		add_missing(q, why, &m);
	}
	fffa_backlog__free_batch(q, b);
}

void fffa_backlog_lose(struct fffa_backlog *q, struct fffa_queued_batch *b,
		       enum fffa_record_loss why)
{
	fffa_backlog__let_go(q, b->d.batch);
	fffa_backlog__lose_waiting(q, b, why);
}

void fffa_backlog__lose_unread(struct fffa_backlog *q, uint64_t records,
			       const struct fffa_missing *m, enum fffa_record_loss why)
{
	fffa_backlog__count_lost(q, records, why);
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

	fffa_backlog__lose_unread(q, 1, &m, why);
}

static void lose_new(struct fffa_backlog *q, const struct fffa_batch *batch,
		     enum fffa_record_loss why)
{
	struct fffa_missing m = fffa_skipdata_records_of_batch(batch);

	fffa_backlog__lose_unread(q, fffa_batch_count(batch), &m, why);
}

static enum fffa_record_loss reason_when_full(const struct fffa_backlog *q)
{
	return fffa_backlog__spools(q) && fffa_spooler_is_full(q->spooler) ? FFFA_RL_SPOOL_FULL
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

/* Loses the oldest batch that the sink does not hold. Returns its records; 0: there is none. */
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
		fffa_backlog__lose_waiting(q, b, reason_when_full(q));
		return records;
	}
	return 0;
}

static void make_room(struct fffa_backlog *q, size_t bytes)
{
	uint64_t records = 0;
	uint32_t n = 1;

	while (n && !fffa_backlog__fits(q, bytes)) {
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
	/* An empty queue takes one batch whatever the bound is: else none would ever pass. */
	if (fffa_backlog_memory_bytes(q) && !fffa_backlog__fits(q, footprint)) {
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
	b->encoding = q->encoding;
	b->born_ns = fffa_clock_mono_ns(&fffa_clock_system);
	fffa_backlog__enqueue(q, b);
}

void fffa_backlog_store_or_lose(struct fffa_backlog *q, struct fffa_queued_batch *b)
{
	if (!q->spooler || (q->spool_leaves && !b->ref)) {
		fffa_backlog_lose(q, b, FFFA_RL_SHUTDOWN);
		return;
	}
	if (b->ref && !fffa_spooler_holds(b)) {
		fffa_backlog_lose(q, b, FFFA_RL_SPOOL_FULL);
		return;
	}
	fffa_backlog__let_go(q, b->d.batch);
	if (!b->ref) {
		fffa_spooler_add(q->spooler, b);
		return;
	}
	fffa_spooler_detach(b);
	fffa_batch_unref(b->d.batch);
	free(b);
}
