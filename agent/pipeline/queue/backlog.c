// SPDX-License-Identifier: MIT
#include <stdlib.h>

#include "agent/base/assert.h"
#include "agent/pipeline/queue/backlog_internal.h"

void fffa_backlog_init(struct fffa_backlog *q, const char *tag, size_t memory_bytes,
		       bool drops_oldest)
{
	*q = (struct fffa_backlog){
		.tag = tag, .memory_bytes = memory_bytes, .drops_oldest = drops_oldest};
	TAILQ_INIT(&q->queue);
}

void fffa_backlog_set_bounds(struct fffa_backlog *q, size_t memory_bytes, uint64_t spool_bytes,
			     bool drops_oldest)
{
	q->memory_bytes = memory_bytes;
	q->drops_oldest = drops_oldest;
	if (fffa_backlog__spools(q))
		fffa_spooler_set_bounds(q->spooler, memory_bytes, spool_bytes, drops_oldest);
}

void fffa_backlog_set_source(struct fffa_backlog *q, struct fffa_encoder *encoder,
			     const struct fffa_origin_source *source)
{
	fffa_skipdata_records_init(&q->skipdata, encoder, source);
}

void fffa_backlog_set_encoding(struct fffa_backlog *q, struct fffa_encoder *encoder,
			       const struct fffa_batch_encoding *encoding)
{
	q->skipdata.encoder = encoder;
	q->encoding = *encoding;
}

/* The ledger. */

static void subtract_in_flight(struct fffa_backlog *q, uint64_t records)
{
	FFFA_ASSERT(q->ledger.in_flight >= records);
	q->ledger.in_flight -= records;
}

static void count_settled(struct fffa_backlog *q, const struct fffa_queued_batch *b,
			  uint32_t records)
{
	subtract_in_flight(q, records);
	if (q->spooler && (b->ref || !q->spool_leaves))
		fffa_spooler_count_settled(q->spooler, b, records);
}

void fffa_backlog_count_delivered(struct fffa_backlog *q, const struct fffa_queued_batch *b,
				  uint32_t records)
{
	count_settled(q, b, records);
	q->ledger.delivered += records;
}

void fffa_backlog_count_rejected(struct fffa_backlog *q, const struct fffa_queued_batch *b,
				 uint32_t records)
{
	count_settled(q, b, records);
	q->ledger.rejected += records;
}

void fffa_backlog__count_lost(struct fffa_backlog *q, uint64_t records, enum fffa_record_loss why)
{
	subtract_in_flight(q, records);
	q->ledger.lost[why] += records;
}

void fffa_backlog_count_retry(struct fffa_backlog *q)
{
	q->ledger.retries++;
}

void fffa_backlog_status(const struct fffa_backlog *q, struct fffa_sink_status *out)
{
	out->in_flight = q->ledger.in_flight;
	out->retries = q->ledger.retries;
	out->ledger = &q->ledger;
	out->queue_bytes = fffa_backlog_memory_bytes(q);
	out->spool_bytes = q->spooler ? fffa_spooler_disk_bytes(q->spooler) : 0;
	out->spool_errors = q->spooler ? fffa_spooler_errors(q->spooler) : 0;
}

const struct fffa_sink_ledger *fffa_backlog_ledger(const struct fffa_backlog *q)
{
	return &q->ledger;
}

/* Memory. */

void fffa_backlog__hold(struct fffa_backlog *q, const struct fffa_batch *batch)
{
	q->held_bytes += fffa_batch_footprint(batch);
}

void fffa_backlog__let_go(struct fffa_backlog *q, const struct fffa_batch *batch)
{
	size_t footprint = fffa_batch_footprint(batch);

	FFFA_ASSERT(q->held_bytes >= footprint);
	q->held_bytes -= footprint;
}

size_t fffa_backlog_memory_bytes(const struct fffa_backlog *q)
{
	return q->held_bytes + (q->spooler ? fffa_spooler_memory_bytes(q->spooler) : 0);
}

bool fffa_backlog__fits(const struct fffa_backlog *q, size_t bytes)
{
	size_t reserved = q->spooler ? fffa_spooler_reserved_bytes(q->spooler) : 0;

	return fffa_backlog_memory_bytes(q) + reserved + bytes <= q->memory_bytes;
}

bool fffa_backlog_has_room(const struct fffa_backlog *q, size_t bytes)
{
	size_t waiting;

	if (!fffa_backlog__spools(q))
		return !q->held_bytes || (q->held_bytes <= q->memory_bytes / 4 &&
					  q->held_bytes + bytes <= q->memory_bytes);
	waiting = fffa_spooler_waiting_bytes(q->spooler);
	return !fffa_spooler_is_full(q->spooler) &&
	       (!waiting ||
		(waiting + bytes <= q->memory_bytes / 4 && fffa_backlog__fits(q, bytes)));
}

bool fffa_backlog_moves(const struct fffa_backlog *q, bool sink_works, uint64_t patience_ns)
{
	if (!fffa_backlog__spools(q))
		return sink_works;
	return fffa_spooler_works(q->spooler, patience_ns) &&
	       (sink_works || !fffa_spooler_is_full(q->spooler));
}

/* The queue. */

struct fffa_queued_batch *fffa_backlog_first(const struct fffa_backlog *q)
{
	return TAILQ_FIRST(&q->queue);
}

struct fffa_queued_batch *fffa_backlog_next_probe(const struct fffa_backlog *q)
{
	struct fffa_queued_batch *least = NULL, *b;

	TAILQ_FOREACH(b, &q->queue, link)
	{
		if (!least || b->refusals < least->refusals)
			least = b;
		if (!least->refusals)
			break;
	}
	return least;
}

struct fffa_queued_batch *fffa_backlog_find_refused(const struct fffa_backlog *q)
{
	struct fffa_queued_batch *b;

	TAILQ_FOREACH(b, &q->queue, link)
	{
		if (b->refusals)
			return b;
	}
	return NULL;
}

bool fffa_backlog_has_other(const struct fffa_backlog *q)
{
	const struct fffa_queued_batch *b = fffa_backlog_next_probe(q);

	return b && !b->refusals;
}

void fffa_backlog_take(struct fffa_backlog *q, struct fffa_queued_batch *b)
{
	TAILQ_REMOVE(&q->queue, b, link);
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

void fffa_backlog__enqueue(struct fffa_backlog *q, struct fffa_queued_batch *b)
{
	if (fffa_backlog__spools(q)) {
		fffa_spooler_add(q->spooler, b);
		return;
	}
	fffa_backlog__hold(q, b->d.batch);
	fffa_backlog_put(q, b);
}

bool fffa_backlog_is_empty(const struct fffa_backlog *q)
{
	return TAILQ_EMPTY(&q->queue) && (!q->spooler || fffa_spooler_is_empty(q->spooler));
}

void fffa_backlog__free_batch(struct fffa_backlog *q, struct fffa_queued_batch *b)
{
	fffa_batch_unref(b->d.batch);
	if (q->spooler)
		fffa_spooler_settled(q->spooler, b);
	free(b);
}

void fffa_backlog_end(struct fffa_backlog *q, struct fffa_queued_batch *b)
{
	fffa_backlog__let_go(q, b->d.batch);
	fffa_backlog__free_batch(q, b);
}

/* Verdicts for parts of a batch. */

void fffa_backlog_replace(struct fffa_backlog *q, struct fffa_queued_batch *b,
			  struct fffa_batch *batch)
{
	fffa_backlog__let_go(q, b->d.batch);
	fffa_backlog__hold(q, batch);
	fffa_batch_unref(b->d.batch);
	b->d.batch = batch;
	b->tries = 0; /* this is another delivery */
}

void fffa_backlog_split_off(struct fffa_backlog *q, struct fffa_queued_batch *b,
			    const struct fffa_queued_batch *from, struct fffa_batch *batch)
{
	b->d.batch = batch;
	b->encoding = from->encoding;
	b->first_fail_ns = from->first_fail_ns;
	b->born_ns = from->born_ns;
	b->refusals = from->refusals;
	b->refused_after = from->refused_after;
	fffa_spooler_share(b, from);
	fffa_backlog__hold(q, batch);
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

uint64_t fffa_backlog_abandon(struct fffa_backlog *q)
{
	uint64_t lost = q->ledger.in_flight - q->ledger.spooled;

	if (q->spooler) {
		lost = fffa_spooler_waiting_records(q->spooler);
		q->ledger.spooled = q->ledger.in_flight - lost;
	}
	fffa_backlog__count_lost(q, lost, FFFA_RL_SHUTDOWN);
	return lost;
}
