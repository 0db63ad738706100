// SPDX-License-Identifier: MIT
/* Another sink, and other bytes, for a queue that stays. */
#include "agent/pipeline/queue/sink_queue_internal.h"

#include <stdio.h>
#include <stdlib.h>

#include "agent/base/minmax.h"
#include "agent/encode/recognize.h"

#define DRAIN_MS 2000 /* for what the sink holds, before it is replaced */
#define AGAIN_MS 5000 /* after a sink could not be opened */

struct fffa_retry fffa_sink_queue__retry_of(const struct fffa_sink_common_conf *c)
{
	return (struct fffa_retry){
		.min_ns = (uint64_t)c->retry_min_ns,
		.max_ns = (uint64_t)fffa_max_i64(c->retry_min_ns, c->retry_max_ns),
		.give_up_ns = (uint64_t)c->retry_give_up_ns,
	};
}

void fffa_sink_queue__free_conf(struct fffa_sink_conf *c)
{
	if (c)
		fffa_config_free_sink(c);
	free(c);
}

const struct fffa_sink_conf *fffa_sink_queue_conf(const struct fffa_sink_queue *q)
{
	return q->wanted ? q->wanted : q->conf;
}

void fffa_sink_queue_own_conf(struct fffa_sink_queue *q, struct fffa_sink_conf *conf)
{
	q->owned = conf;
}

/* The encoding as the spool knows it. Records in an envelope are of another format than the same without. */
static struct fffa_batch_encoding spool_encoding(const struct fffa_encoding *e)
{
	struct fffa_batch_encoding out = {.identity = e->identity};

	(void)snprintf(out.format, sizeof(out.format), "%s%s", fffa_format_name(e->format),
		       e->is_wrapped ? "+wrap" : "");
	return out;
}

bool fffa_sink_queue_has_encoding_room(const struct fffa_sink_queue *q,
				       const struct fffa_encoding *e)
{
	return fffa_encodings_has_room(&q->encodings, e->identity);
}

void fffa_sink_queue_set_encoding(struct fffa_sink_queue *q, const struct fffa_encoding *e)
{
	const struct fffa_batch_encoding encoding = spool_encoding(e);

	fffa_encodings_set(&q->encodings, e);
	fffa_backlog_set_encoding(&q->backlog, e->encoder, &encoding);
}

void fffa_sink_queue__describe(struct fffa_sink_queue *q, const struct fffa_encoding *e)
{
	size_t len = 0;

	if (q->conf->common.header)
		len = fffa_encoder_write_header(e->encoder, q->preamble, sizeof(q->preamble));
	q->env.preamble = (struct fffa_span){q->preamble, len};
	q->env.format = e->format;
	q->env.content_type = fffa_encoder_content_type(e->encoder);
	q->env.recognize = fffa_recognize;
	q->env.recognizer = e->encoder;
}

static void on_swap_timer(uv_timer_t *t);

static void wait_to_open(struct fffa_sink_queue *q, uint64_t ms)
{
	q->swap = FFFA_SWAP_WAITING;
	(void)uv_timer_start(&q->swap_timer, on_swap_timer, ms, 0);
}

/* A sink is gone: the old one, or a new one that could not be started. */
static void on_swapped_closed(void *arg)
{
	struct fffa_sink_queue *q = arg;
	if (q->sink_closed)
		q->sink_closed(q);
	else
		wait_to_open(q, q->failed ? AGAIN_MS : 0);
}

static void use_wanted(struct fffa_sink_queue *q)
{
	const struct fffa_sink_common_conf *c = &q->wanted->common;
	const struct fffa_retry retry = fffa_sink_queue__retry_of(c);

	fffa_sink_queue__free_conf(q->owned);
	q->conf = q->owned = q->wanted;
	q->wanted = NULL;
	fffa_pause_set_retry(&q->pause, &retry);
	fffa_backlog_set_bounds(&q->backlog, (size_t)c->queue_memory, (uint64_t)c->queue_spool,
				c->queue_when_full == FFFA_WHEN_FULL_DROP_OLDEST);
}

static void report_open_failure(struct fffa_sink_queue *q, int rc, const struct fffa_err *err)
{
	fffa_settle_trouble(&q->settle, &(struct fffa_outcome){.verdict = FFFA_V_RETRY,
							       .cause = rc,
							       .detail = err->text,
							       .reason = rc,
							       .repair = true});
}

static bool takes_format(const struct fffa_sink_conf *c, enum fffa_format format)
{
	struct fffa_err err;

	return c->ops->formats & 1u << format &&
	       (!c->ops->check_format || !c->ops->check_format(c->own, format, &err));
}

/* The encoding of what is delivered next; *identity: of its batches. */
static const struct fffa_encoding *next_encoding(struct fffa_sink_queue *q, uint64_t *identity)
{
	const struct fffa_queued_batch *b = fffa_deliver_next(&q->deliver);

	if (b) {
		*identity = b->encoding.identity;
	} else if (fffa_backlog_is_empty(&q->backlog)) {
		fffa_encodings_forget(&q->encodings);
		*identity = fffa_encodings_current(&q->encodings)->identity;
	} else {
		*identity =
			q->deliver.identity; /* of the records that wait in the spool, as before */
	}
	return fffa_encodings_find(&q->encodings, *identity);
}

static int open_sink(struct fffa_sink_queue *q, const struct fffa_encoding *e,
		     struct fffa_sink **sink, struct fffa_err *err)
{
	int rc;

	fffa_sink_queue__describe(q, e);
	rc = q->conf->ops->create(&q->env, q->conf->own, sink, err);
	return rc ? rc : q->conf->ops->start(*sink, err);
}

/* What was encoded before a change that its sink cannot take goes to the sink of before. */
static void open_new_sink(struct fffa_sink_queue *q)
{
	struct fffa_sink *sink = NULL;
	struct fffa_err err = {""};
	uint64_t identity;
	const struct fffa_encoding *e = next_encoding(q, &identity);
	int rc;

	if (q->wanted && takes_format(q->wanted, e->format))
		use_wanted(q);
	q->env.running = true;
	rc = open_sink(q, e, &sink, &err);
	q->failed = rc != 0;
	if (!rc) {
		q->swap = FFFA_SWAP_NONE;
		fffa_deliver_resume(&q->deliver, q->conf->ops, sink, identity);
		return;
	}
	report_open_failure(q, rc, &err);
	if (!sink) {
		wait_to_open(q, AGAIN_MS);
		return;
	}
	q->swap = FFFA_SWAP_CLOSING;
	q->conf->ops->close(sink, on_swapped_closed, q);
}

static void on_quiet(void *arg)
{
	struct fffa_sink_queue *q = arg;

	if (q->swap == FFFA_SWAP_DRAINING)
		(void)uv_timer_start(&q->swap_timer, on_swap_timer, 0, 0);
}

static void on_swap_timer(uv_timer_t *t)
{
	struct fffa_sink_queue *q = t->data;
	struct fffa_sink *sink;

	if (q->swap == FFFA_SWAP_WAITING) {
		open_new_sink(q);
		return;
	}
	q->swap = FFFA_SWAP_CLOSING;
	fffa_deliver_hold(&q->deliver, on_quiet, q);
	sink = fffa_deliver_take_sink(&q->deliver);
	q->failed = false;
	q->conf->ops->close(sink, on_swapped_closed, q);
}

void fffa_sink_queue__swap_encoding(void *queue)
{
	struct fffa_sink_queue *q = queue;

	if (q->swap != FFFA_SWAP_NONE && q->swap != FFFA_SWAP_DRAINING)
		return;
	q->swap = FFFA_SWAP_DRAINING;
	fffa_deliver_hold(&q->deliver, on_quiet, q);
}

void fffa_sink_queue_change(struct fffa_sink_queue *q, struct fffa_sink_conf *conf)
{
	uint64_t identity = fffa_encodings_current(&q->encodings)->identity;

	fffa_sink_queue__free_conf(q->wanted);
	q->wanted = conf;
	if (q->swap == FFFA_SWAP_WAITING) {
		wait_to_open(q, 0);
	} else if (q->swap == FFFA_SWAP_NONE) {
		q->swap = FFFA_SWAP_DRAINING;
		(void)uv_timer_start(&q->swap_timer, on_swap_timer, DRAIN_MS, 0);
		/* Batches of before, if there are any, go to the sink of before meanwhile. */
		if (identity == q->deliver.identity)
			fffa_deliver_hold(&q->deliver, on_quiet, q);
	}
}
