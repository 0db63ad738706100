// SPDX-License-Identifier: MIT
/* The spool of a backlog: what the spooler calls, see struct fffa_spooler_queue. */
#include <inttypes.h>

#include "agent/pipeline/queue/backlog_internal.h"

static void put_batch(void *queue, struct fffa_queued_batch *b)
{
	struct fffa_backlog *q = queue;

	fffa_origin_name_host(q->skipdata.source, b->d.batch);
	fffa_backlog__hold(q, b->d.batch);
	TAILQ_INSERT_TAIL(&q->queue, b, link);
}

static void pump_queue(void *queue)
{
	struct fffa_backlog *q = queue;

	q->pump(q->pump_arg);
}

static size_t held_bytes(const void *queue)
{
	const struct fffa_backlog *q = queue;

	return q->held_bytes;
}

static void lose_batch(void *queue, struct fffa_queued_batch *b, enum fffa_record_loss why)
{
	fffa_backlog__lose_waiting(queue, b, why);
}

static uint64_t lose_segment(void *queue, const struct fffa_spooler_segment *seg)
{
	struct fffa_backlog *q = queue;
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

static void lose_unread(void *queue, uint64_t records, const struct fffa_missing *m,
			enum fffa_record_loss why)
{
	fffa_backlog__lose_unread(queue, records, m, why);
}

static void resume_records(void *queue, uint64_t records)
{
	struct fffa_backlog *q = queue;

	q->ledger.records += records;
	q->ledger.resumed += records;
	q->ledger.in_flight += records;
}

static const struct fffa_spooler_queue spooler_queue = {
	.put = put_batch,
	.pump = pump_queue,
	.held_bytes = held_bytes,
	.lose = lose_batch,
	.lose_segment = lose_segment,
	.lose_unread = lose_unread,
	.resume = resume_records,
};

int fffa_backlog_open_spool(struct fffa_backlog *q, const struct fffa_spooler_conf *conf,
			    void (*pump)(void *arg), void *arg, struct fffa_err *err)
{
	struct fffa_spooler_conf c = *conf;

	c.tag = q->tag;
	c.encoding = q->encoding;
	c.memory_bytes = q->memory_bytes;
	c.drops_oldest = q->drops_oldest;
	c.ops = &spooler_queue;
	c.queue = q;
	q->pump = pump;
	q->pump_arg = arg;
	return fffa_spooler_open(&c, &q->spooler, err);
}

uint64_t fffa_backlog_epoch(const struct fffa_backlog *q)
{
	return q->spooler ? fffa_spooler_epoch(q->spooler) : 0;
}

void fffa_backlog_start_spool(struct fffa_backlog *q, uint64_t epoch, const uint64_t *given)
{
	if (q->spooler)
		fffa_spooler_start(q->spooler, epoch, given);
}

void fffa_backlog_set_given(struct fffa_backlog *q, const uint64_t *given)
{
	if (q->spooler)
		fffa_spooler_set_given(q->spooler, given);
}

static uint64_t numbers_of(const struct fffa_queued_batch *b)
{
	return b->is_skipdata ? b->skipped.records : fffa_batch_count(b->d.batch);
}

/* Sequence numbers that are in no record which is settled. */
static uint64_t count_outstanding(const struct fffa_backlog *q,
				  const struct fffa_queued_batches *submitted)
{
	const struct fffa_queued_batch *b;
	uint64_t n = 0;

	TAILQ_FOREACH(b, &q->queue, link)
	{
		n += numbers_of(b);
	}
	TAILQ_FOREACH(b, submitted, link)
	{
		n += numbers_of(b);
	}
	for (int i = 0; i < FFFA_RL_MAX; i++)
		n += fffa_skipdata_records_missing(&q->skipdata, (enum fffa_record_loss)i);
	return n;
}

void fffa_backlog_join_spool(struct fffa_backlog *q, uint64_t epoch, const uint64_t *given,
			     const struct fffa_queued_batches *submitted)
{
	uint64_t outstanding = count_outstanding(q, submitted);
	struct fffa_queued_batch *b;

	fffa_spooler_join(q->spooler, epoch, given, outstanding);
	while ((b = TAILQ_FIRST(&q->queue)) && !b->ref) {
		TAILQ_REMOVE(&q->queue, b, link);
		fffa_backlog__let_go(q, b->d.batch);
		fffa_spooler_add(q->spooler, b);
	}
}

bool fffa_backlog_spools(const struct fffa_backlog *q)
{
	return fffa_backlog__spools(q);
}

bool fffa_backlog_may_open_spool(const struct fffa_backlog *q)
{
	return !q->spooler && !q->spool_closing;
}

void fffa_backlog_leave_spool(struct fffa_backlog *q)
{
	fffa_spooler_leave(q->spooler);
	q->spool_leaves = true;
	fffa_backlog_look_at_spool(q);
}

static void on_left(void *arg)
{
	struct fffa_backlog *q = arg;

	q->spool_closing = false;
	if (q->closed) /* the queue ends meanwhile */
		q->closed(q->closed_arg);
}

void fffa_backlog_look_at_spool(struct fffa_backlog *q)
{
	struct fffa_spooler *s = q->spooler;

	if (!q->spool_leaves || q->ending || !fffa_spooler_is_drained(s))
		return;
	q->spooler = NULL;
	q->spool_leaves = false;
	q->spool_closing = true;
	fffa_spooler_stop(s);
	fffa_spooler_close(s, on_left, q);
	fffa_info(q->tag, "its spool is empty and is not used any more");
}

static void on_spooler_closed(void *arg)
{
	struct fffa_backlog *q = arg;

	q->spooler = NULL;
	q->ledger.spooled = q->ledger.in_flight; /* all else is settled */
	if (q->ledger.spooled)
		fffa_info(q->tag, "the spool keeps records for the next start: records=%" PRIu64,
			  q->ledger.spooled);
	q->closed(q->closed_arg);
}

void fffa_backlog_close_spool(struct fffa_backlog *q, void (*closed)(void *arg), void *arg)
{
	if (!q->spooler && !q->spool_closing) {
		closed(arg);
		return;
	}
	q->closed = closed;
	q->closed_arg = arg;
	if (!q->spooler)
		return; /* on_left calls it */
	fffa_spooler_close(q->spooler, on_spooler_closed, q);
}
