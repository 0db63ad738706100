// SPDX-License-Identifier: MIT
#include "agent/pipeline/queue/sink_queue_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "agent/base/log.h"

/* Opening. */

struct fffa_sink_queue *fffa_sink_queue_new(struct uv_loop_s *loop,
					    const struct fffa_sink_conf *conf,
					    void (*emptied)(void *arg), void *arg)
{
	const struct fffa_sink_common_conf *c = &conf->common;
	const struct fffa_retry retry = fffa_sink_queue__retry_of(c);
	struct fffa_sink_queue *q = calloc(1, sizeof(*q));

	if (!q)
		return NULL;
	q->conf = conf;
	q->loop = loop;
	(void)snprintf(q->tag, sizeof(q->tag), "sink.%s", c->name);
	(void)snprintf(q->name, sizeof(q->name), "%s", c->name);
	fffa_backlog_init(&q->backlog, q->tag, (size_t)c->queue_memory,
			  c->queue_when_full == FFFA_WHEN_FULL_DROP_OLDEST);
	fffa_pause_init(&q->pause, loop, &retry, fffa_deliver_pump, &q->deliver);
	fffa_settle_init(&q->settle, q->tag, &q->backlog, &q->pause);
	fffa_deliver_init(&q->deliver, loop, &q->backlog, &q->settle, &q->pause, conf->ops, emptied,
			  arg);
	fffa_deliver_on_other_encoding(&q->deliver, fffa_sink_queue__swap_encoding, q);
	(void)uv_timer_init(loop, &q->swap_timer); /* never fails */
	q->swap_timer.data = q;
	return q;
}

static int open_spooler(struct fffa_sink_queue *q, const struct fffa_sink_common_conf *c,
			const struct fffa_sink_queue_source *src, struct fffa_err *err)
{
	const struct fffa_spooler_conf conf = {
		.loop = q->loop,
		.spool_dir = src->spool_dir,
		.name = q->name,
		.bound_bytes = (uint64_t)c->queue_spool,
		.opens_later = src->running,
		.last_epoch = src->last_epoch,
		.last_given = src->last_given,
	};

	return fffa_backlog_open_spool(&q->backlog, &conf, fffa_deliver_pump, &q->deliver, err);
}

int fffa_sink_queue_open(struct fffa_sink_queue *q, const struct fffa_sink_queue_source *src,
			 struct fffa_err *err)
{
	struct fffa_sink *sink;
	int rc = 0;

	q->env = (struct fffa_sink_env){
		.loop = q->loop,
		.tag = q->tag,
		.pipe = &q->deliver,
		.done = fffa_deliver_done,
		.ready = fffa_deliver_ready,
		.trouble = fffa_deliver_trouble,
		.running = src->running,
	};
	fffa_backlog_set_source(&q->backlog, src->encoding.encoder, src->origin);
	fffa_sink_queue_set_encoding(q, &src->encoding);
	fffa_sink_queue__describe(q, &src->encoding);
	if (q->conf->common.queue_spool && src->spool_dir)
		rc = open_spooler(q, &q->conf->common, src, err);
	if (!rc)
		rc = q->conf->ops->create(&q->env, q->conf->own, &sink, err);
	if (rc)
		return rc;
	fffa_deliver_set_sink(&q->deliver, sink, src->encoding.identity);
	return q->conf->ops->start(sink, err);
}

uint64_t fffa_sink_queue_epoch(const struct fffa_sink_queue *q)
{
	return fffa_backlog_epoch(&q->backlog);
}

void fffa_sink_queue_start(struct fffa_sink_queue *q, uint64_t epoch, const uint64_t *given)
{
	fffa_backlog_start_spool(&q->backlog, epoch, given);
}

int fffa_sink_queue_change_spool(struct fffa_sink_queue *q, const struct fffa_sink_conf *conf,
				 const struct fffa_sink_queue_source *src, uint64_t epoch,
				 const uint64_t *given, struct fffa_err *err)
{
	bool wanted = conf->common.queue_spool && src->spool_dir;
	int rc;

	if (wanted == fffa_backlog_spools(&q->backlog))
		return 0;
	if (!wanted) {
		fffa_backlog_leave_spool(&q->backlog);
		return 0;
	}
	if (!fffa_backlog_may_open_spool(&q->backlog))
		return fffa_fail(err, EAGAIN, "queue.spool: the spool of before is not empty yet");
	rc = open_spooler(q, &conf->common, src, err);
	if (rc)
		return rc;
	fffa_backlog_join_spool(&q->backlog, epoch, given, &q->deliver.submitted);
	return 0;
}

void fffa_sink_queue_set_given(struct fffa_sink_queue *q, const uint64_t *given)
{
	fffa_backlog_set_given(&q->backlog, given);
}

void fffa_sink_queue_report_missing(struct fffa_sink_queue *q)
{
	fffa_backlog_report_missing(&q->backlog, true);
	fffa_deliver_pump(&q->deliver);
}

/* Running. */

void fffa_sink_queue_count_record(struct fffa_sink_queue *q)
{
	fffa_backlog_count_record(&q->backlog);
}

void fffa_sink_queue_count_filtered(struct fffa_sink_queue *q)
{
	fffa_backlog_count_filtered(&q->backlog);
}

void fffa_sink_queue_lose_record(struct fffa_sink_queue *q, const struct fffa_record *r,
				 enum fffa_record_loss why)
{
	fffa_backlog_lose_record(&q->backlog, r, why);
}

void fffa_sink_queue_offer(struct fffa_sink_queue *q, struct fffa_batch *batch)
{
	if (!fffa_settle_is_down(&q->settle))
		fffa_backlog_report_missing(&q->backlog, false);
	fffa_backlog_add(&q->backlog, batch);
	fffa_deliver_pump(&q->deliver);
}

void fffa_sink_queue_flush(struct fffa_sink_queue *q, bool is_last)
{
	if (is_last)
		fffa_settle_set_last(&q->settle);
	fffa_backlog_report_missing(&q->backlog, true);
	fffa_deliver_pump(&q->deliver);
	if (q->conf->ops->flush && fffa_deliver_sink(&q->deliver))
		q->conf->ops->flush(fffa_deliver_sink(&q->deliver));
}

void fffa_sink_queue_reopen(struct fffa_sink_queue *q)
{
	struct fffa_sink *sink = fffa_deliver_sink(&q->deliver);

	if (sink && q->conf->ops->reopen)
		q->conf->ops->reopen(sink);
}

bool fffa_sink_queue_has_room(const struct fffa_sink_queue *q, size_t bytes)
{
	return fffa_backlog_has_room(&q->backlog, bytes);
}

bool fffa_sink_queue_moves(const struct fffa_sink_queue *q, uint64_t patience_ns)
{
	bool sink_works = !fffa_settle_is_down(&q->settle) &&
			  !fffa_deliver_is_stalled(&q->deliver, patience_ns);

	return fffa_backlog_moves(&q->backlog, sink_works, patience_ns);
}

bool fffa_sink_queue_is_empty(const struct fffa_sink_queue *q)
{
	return fffa_deliver_is_idle(&q->deliver);
}

const struct fffa_sink_ledger *fffa_sink_queue_ledger(const struct fffa_sink_queue *q)
{
	return fffa_backlog_ledger(&q->backlog);
}

void fffa_sink_queue_status(const struct fffa_sink_queue *q, struct fffa_sink_status *out)
{
	*out = (struct fffa_sink_status){.name = q->conf->common.name, .type = q->conf->ops->name};
	fffa_backlog_status(&q->backlog, out);
	fffa_settle_status(&q->settle, out);
	out->oldest_ns = fffa_deliver_oldest_ns(&q->deliver);
	out->queue_capacity = (uint64_t)q->conf->common.queue_memory;
	out->spool_capacity = (uint64_t)q->conf->common.queue_spool;
}

void fffa_sink_queue_report(const struct fffa_sink_queue *q,
			    void (*put)(void *arg, const char *key, const char *value), void *arg)
{
	const struct fffa_sink *sink = fffa_deliver_sink(&q->deliver);

	if (sink && q->conf->ops->report)
		q->conf->ops->report(sink, put, arg);
}

/* Closing: the sink, whose last verdicts decide what stays, then the spool, then the handles. */

static void on_handle_closed(void *arg)
{
	struct fffa_sink_queue *q = arg;

	if (--q->open_handles)
		return;
	q->is_closed = true;
	q->closed(q->closed_arg);
}

static void on_timer_closed(uv_handle_t *h)
{
	on_handle_closed(h->data);
}

static void on_spool_closed(void *arg)
{
	struct fffa_sink_queue *q = arg;

	q->open_handles = 3;
	uv_close((uv_handle_t *)&q->swap_timer, on_timer_closed);
	fffa_pause_close(&q->pause, on_handle_closed, q);
	fffa_deliver_close(&q->deliver, on_handle_closed, q);
}

static void on_sink_closed(void *arg)
{
	struct fffa_sink_queue *q = arg;

	fffa_backlog_close_spool(&q->backlog, on_spool_closed, q);
}

static void empty_queue(struct fffa_sink_queue *q)
{
	struct fffa_queued_batch *b;

	while ((b = fffa_backlog_first(&q->backlog))) {
		fffa_backlog_take(&q->backlog, b);
		fffa_backlog_store_or_lose(&q->backlog, b);
	}
}

void fffa_sink_queue_close(struct fffa_sink_queue *q, void (*closed)(void *arg), void *arg)
{
	struct fffa_sink *sink = fffa_deliver_take_sink(&q->deliver);

	q->closed = closed;
	q->closed_arg = arg;
	fffa_backlog_stop(&q->backlog);
	fffa_pause_stop(&q->pause);
	fffa_deliver_stop(&q->deliver);
	empty_queue(q);
	(void)uv_timer_stop(&q->swap_timer);
	q->sink_closed = on_sink_closed;
	if (sink)
		q->conf->ops->close(sink, on_sink_closed, q);
	else if (q->swap != FFFA_SWAP_CLOSING) /* else on_swapped_closed goes on */
		on_sink_closed(q);
}

void fffa_sink_queue_abandon(struct fffa_sink_queue *q)
{
	uint64_t lost;

	if (q->is_closed)
		return;
	lost = fffa_backlog_abandon(&q->backlog);
	fffa_error(q->tag,
		   "a thread still waits, perhaps for a disk that stands still; ending without it "
		   "lost=%" PRIu64,
		   lost);
}

void fffa_sink_queue_free(struct fffa_sink_queue *q)
{
	if (!q)
		return;
	fffa_sink_queue__free_conf(q->owned);
	fffa_sink_queue__free_conf(q->wanted);
	fffa_encodings_free(&q->encodings);
	free(q);
}
