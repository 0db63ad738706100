// SPDX-License-Identifier: MIT
/* Sinks that come, change and go while the pipeline runs. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/pipeline/pipeline_internal.h"

#define LOOK_MS 50 /* how often leavers are looked at */

/* Moves *conf to the heap. NULL without memory. */
static struct fffa_sink_conf *take_conf(struct fffa_sink_conf *conf)
{
	struct fffa_sink_conf *own = malloc(sizeof(*own));

	if (!own)
		return NULL;
	*own = *conf;
	memset(conf, 0, sizeof(*conf));
	return own;
}

static void on_look(uv_timer_t *t)
{
	struct fffa_pipeline *p = t->data;
	bool open = false;

	for (size_t i = 0; i < FFFA_CONFIG_SINKS_MAX; i++) {
		struct fffa_pipeline_leaver *l = &p->leavers[i];

		if (!l->queue || l->closing)
			continue;
		if (fffa_sink_queue_is_empty(l->queue) || uv_now(p->loop) >= l->deadline_ms)
			fffa_pipeline__close_leaver(l);
		else
			open = true;
	}
	if (!open)
		(void)uv_timer_stop(t);
}

static struct fffa_pipeline_leaver *find_place(struct fffa_pipeline *p)
{
	for (size_t i = 0; i < FFFA_CONFIG_SINKS_MAX; i++) {
		if (!p->leavers[i].queue)
			return &p->leavers[i];
	}
	return NULL;
}

/* Takes queue i out; the sinks behind it move up. */
static struct fffa_sink_queue *take_queue(struct fffa_pipeline *p, size_t i)
{
	struct fffa_sink_queue *q = p->queues[i];
	struct fffa_batcher *b = fffa_pipeline__batcher_of(p, q);

	if (b)
		fffa_batcher__leave(b, q);
	p->queue_count--;
	for (size_t k = i; k < p->queue_count; k++)
		p->queues[k] = p->queues[k + 1];
	p->queues[p->queue_count] = NULL;
	memset(p->stall.progress, 0, sizeof(p->stall.progress));
	return q;
}

int fffa_pipeline_remove(struct fffa_pipeline *p, size_t i, uint64_t deadline_ns)
{
	struct fffa_pipeline_leaver *l = find_place(p);

	if (!l)
		return -EAGAIN;
	*l = (struct fffa_pipeline_leaver){
		.p = p,
		.queue = take_queue(p, i),
		.deadline_ms = uv_now(p->loop) + deadline_ns / FFFA_NS_PER_MS,
	};
	fffa_sink_queue_flush(l->queue, false);
	(void)uv_timer_start(&p->leave, on_look, 0, LOOK_MS);
	return 0;
}

/* The sink could not be opened: it goes at once. */
static void undo_add(struct fffa_pipeline *p, size_t i, struct fffa_pipeline_leaver *l)
{
	if (!p->queues[i]) {
		p->queue_count--;
		return;
	}
	*l = (struct fffa_pipeline_leaver){.p = p, .queue = take_queue(p, i)};
	fffa_pipeline__close_leaver(l);
}

int fffa_pipeline_add(struct fffa_pipeline *p, struct fffa_sink_conf *conf, struct fffa_err *err)
{
	struct fffa_pipeline_leaver *l = find_place(p);
	struct fffa_sink_conf *own;
	size_t i = p->queue_count;
	int rc;

	if (i == FFFA_CONFIG_SINKS_MAX || !l)
		return fffa_fail(err, EAGAIN, "too many sinks");
	own = take_conf(conf);
	if (!own)
		return fffa_fail(err, ENOMEM, "no memory");
	p->queue_count++;
	rc = fffa_pipeline__open_queue(p, i, own, err);
	if (p->queues[i]) {
		fffa_sink_queue_own_conf(p->queues[i], own);
	} else {
		*conf = *own;
		free(own);
	}
	if (rc) {
		undo_add(p, i, l);
		return rc;
	}
	fffa_pipeline__start_queue(p, p->queues[i]);
	return 0;
}

static void change_batcher(struct fffa_sink_queue *q, struct fffa_batcher *now,
			   struct fffa_batcher *next, const struct fffa_encoding *encoding)
{
	if (now)
		fffa_batcher__leave(now, q);
	fffa_sink_queue_report_missing(q); /* in the stream in which it is missing */
	fffa_batcher__change_stream(now, next);
	fffa_batcher__feed(next, q);
	fffa_sink_queue_set_encoding(q, encoding);
	fffa_sink_queue_set_given(q, fffa_batcher__given(next));
}

/* What is numbered by now is of the spool, or was given before it. */
static int change_spool(struct fffa_pipeline *p, struct fffa_sink_queue *q, struct fffa_batcher *b,
			const struct fffa_sink_conf *conf, struct fffa_err *err)
{
	const struct fffa_sink_queue_source source = {
		.running = true, .spool_dir = p->no_spool ? NULL : p->conf->spool_dir};

	fffa_batcher__seal(b);
	return fffa_sink_queue_change_spool(q, conf, &source, p->source.epoch,
					    fffa_batcher__given(b), err);
}

int fffa_pipeline_change(struct fffa_pipeline *p, size_t i, struct fffa_sink_conf *conf,
			 struct fffa_err *err)
{
	struct fffa_sink_queue *q = p->queues[i];
	struct fffa_batcher *now = fffa_pipeline__batcher_of(p, q), *next = now;
	struct fffa_sink_queue_source source = {.running = true};
	struct fffa_sink_conf *own;
	int rc = 0;

	if (!now || !fffa_batcher__suits(now, &conf->common))
		next = fffa_pipeline__find_batcher(p, &conf->common, err, &rc);
	if (!next)
		return rc;
	fffa_batcher__describe(next, &source);
	if (!fffa_sink_queue_has_encoding_room(q, &source.encoding))
		return fffa_fail(err, EAGAIN, "records of too many formats wait for delivery");
	own = take_conf(conf);
	if (!own)
		return fffa_fail(err, ENOMEM, "no memory");
	rc = change_spool(p, q, now ? now : next, own, err);
	if (rc) {
		*conf = *own;
		free(own);
		return rc;
	}
	if (next != now)
		change_batcher(q, now, next, &source.encoding);
	fffa_sink_queue_change(q, own);
	return 0;
}
