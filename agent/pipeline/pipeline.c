// SPDX-License-Identifier: MIT
#include "agent/pipeline/pipeline.h"

#include <errno.h>
#include <stdlib.h>

#include "agent/base/minmax.h"
#include "agent/pipeline/pipeline_internal.h"

struct fffa_batcher *fffa_pipeline__find_batcher(struct fffa_pipeline *p,
						 const struct fffa_sink_common_conf *c,
						 struct fffa_err *err, int *rc)
{
	struct fffa_batcher *b = NULL;

	for (size_t i = 0; i < p->batcher_count; i++) {
		if (fffa_batcher__suits(&p->batchers[i], c))
			return &p->batchers[i];
		if (fffa_batcher__is_idle(&p->batchers[i]))
			b = &p->batchers[i];
	}
	if (!b && p->batcher_count == FFFA_PIPELINE_BATCHERS_MAX) {
		*rc = fffa_fail(err, EAGAIN, "too many sinks have changed at once");
		return NULL;
	}
	if (!b)
		b = &p->batchers[p->batcher_count];
	*rc = fffa_batcher__init(b, p->loop, c, &p->source, &p->stream, err);
	if (*rc)
		return NULL;
	p->batcher_count += b == &p->batchers[p->batcher_count];
	return b;
}

struct fffa_batcher *fffa_pipeline__batcher_of(struct fffa_pipeline *p,
					       const struct fffa_sink_queue *q)
{
	for (size_t i = 0; i < p->batcher_count; i++) {
		if (fffa_batcher__has(&p->batchers[i], q))
			return &p->batchers[i];
	}
	return NULL;
}

int fffa_pipeline__open_queue(struct fffa_pipeline *p, size_t i, const struct fffa_sink_conf *conf,
			      struct fffa_err *err)
{
	const struct fffa_sink_common_conf *c = &conf->common;
	const struct fffa_sink_ops *ops = conf->ops;
	struct fffa_sink_queue_source source;
	struct fffa_batcher *b;
	enum fffa_format format;
	int rc = 0;

	p->queues[i] = fffa_sink_queue_new(p->loop, conf, fffa_pipeline__emptied, p);
	if (!p->queues[i])
		return fffa_fail(err, ENOMEM, "no memory");
	if (fffa_format_parse(c->format, &format))
		return fffa_fail(err, EINVAL, "format: %s is not known", c->format);
	if (!(ops->formats & 1u << format))
		return fffa_fail(err, EINVAL, "format: a sink of type %s cannot take %s", ops->name,
				 c->format);
	if (ops->check)
		rc = ops->check(conf->own, err);
	if (rc)
		return rc;
	b = fffa_pipeline__find_batcher(p, c, err, &rc);
	if (!b)
		return rc;
	source = (struct fffa_sink_queue_source){
		.running = p->running,
		.spool_dir = p->no_spool ? NULL : p->conf->spool_dir,
	};
	fffa_stream_last(&p->stream, c->name, &source.last_epoch, &source.last_given);
	fffa_batcher__describe(b, &source);
	fffa_batcher__feed(b, p->queues[i]);
	return fffa_sink_queue_open(p->queues[i], &source, err);
}

static struct fffa_pipeline *new_pipeline(uv_loop_t *loop, const struct fffa_config *conf)
{
	struct fffa_pipeline *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->queues = calloc(FFFA_CONFIG_SINKS_MAX, sizeof(struct fffa_sink_queue *));
	p->batchers = calloc(FFFA_PIPELINE_BATCHERS_MAX, sizeof(*p->batchers));
	if (!p->queues || !p->batchers) {
		free(p->queues);
		free(p->batchers);
		free(p);
		return NULL;
	}
	p->loop = loop;
	p->conf = conf;
	p->queue_count = conf->sink_count;
	return p;
}

static void init_timer(struct fffa_pipeline *p, uv_timer_t *t)
{
	(void)uv_timer_init(p->loop, t); /* never fails */
	t->data = p;
}

void fffa_pipeline__start_queue(struct fffa_pipeline *p, struct fffa_sink_queue *q)
{
	fffa_sink_queue_start(q, p->source.epoch,
			      fffa_batcher__given(fffa_pipeline__batcher_of(p, q)));
}

static void start_queues(struct fffa_pipeline *p, uint64_t epoch, bool boot)
{
	uint64_t above = 0;

	for (size_t i = 0; i < p->queue_count; i++)
		above = fffa_max_u64(above, fffa_sink_queue_epoch(p->queues[i]));
	p->source.epoch = fffa_stream_begin(&p->stream, epoch, above, boot);
	for (size_t i = 0; i < p->queue_count; i++)
		fffa_pipeline__start_queue(p, p->queues[i]);
}

static int open_stream(struct fffa_pipeline *p, bool no_spool, struct fffa_err *err)
{
	bool spools = false;

	for (size_t i = 0; i < p->queue_count; i++)
		spools = spools || p->conf->sinks[i].common.queue_spool;
	return fffa_stream_open(&p->stream, no_spool ? NULL : p->conf->spool_dir, spools, err);
}

int fffa_pipeline_open(uv_loop_t *loop, const struct fffa_config *conf, uint64_t epoch,
		       const struct fffa_pipeline_env *env, struct fffa_pipeline **out,
		       struct fffa_err *err)
{
	struct fffa_pipeline *p = new_pipeline(loop, conf);
	struct fffa_err why = {""};
	int rc;

	if (!p)
		return fffa_fail(err, ENOMEM, "no memory for the sinks");
	p->no_spool = env->no_spool;
	rc = open_stream(p, env->no_spool, err);
	p->source = (struct fffa_origin_source){
		.identify = env->identify, .arg = env->arg, .epoch = epoch};
	init_timer(p, &p->check);
	init_timer(p, &p->deadline);
	init_timer(p, &p->leave);
	init_timer(p, &p->stall.timer);
	for (size_t i = 0; i < p->queue_count && !rc; i++) {
		rc = fffa_pipeline__open_queue(p, i, &conf->sinks[i], &why);
		if (rc)
			(void)fffa_fail(err, -rc, "sink %s: %s", conf->sinks[i].common.name,
					why.text);
	}
	if (rc) {
		fffa_pipeline__end(p);
		return rc;
	}
	start_queues(p, epoch, env->boot_epoch);
	fffa_pipeline__watch_stall(p, env);
	p->running = true;
	*out = p;
	return 0;
}

void fffa_pipeline_record(struct fffa_pipeline *p, struct fffa_record *r)
{
	r->seq = fffa_stream_next(&p->stream);
	r->epoch = p->source.epoch;
	if (p->phase == FFFA_PP_OPEN) {
		for (size_t i = 0; i < p->batcher_count; i++)
			fffa_batcher__add(&p->batchers[i], r);
		return;
	}
	for (size_t i = 0; i < p->batcher_count; i++)
		fffa_batcher__add_late(&p->batchers[i], r);
}

void fffa_pipeline_report_missing(struct fffa_pipeline *p)
{
	for (size_t i = 0; i < p->queue_count && p->phase == FFFA_PP_OPEN; i++)
		fffa_sink_queue_report_missing(p->queues[i]);
}

bool fffa_pipeline_has_room(const struct fffa_pipeline *p)
{
	for (size_t i = 0; i < p->batcher_count; i++) {
		if (!fffa_batcher__has_room(&p->batchers[i]))
			return false;
	}
	return true;
}

bool fffa_pipeline_should_wait(const struct fffa_pipeline *p, uint64_t patience_ns)
{
	for (size_t i = 0; i < p->batcher_count; i++) {
		if (fffa_batcher__should_wait(&p->batchers[i], patience_ns))
			return true;
	}
	return false;
}

void fffa_pipeline_reopen(struct fffa_pipeline *p)
{
	for (size_t i = 0; i < p->queue_count; i++)
		fffa_sink_queue_reopen(p->queues[i]);
}
