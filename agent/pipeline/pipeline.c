// SPDX-License-Identifier: MIT
#include "agent/pipeline/pipeline.h"

#include <errno.h>
#include <stdlib.h>

#include "agent/pipeline/pipeline_internal.h"

static struct fffa_batcher *find_batcher(struct fffa_pipeline *p,
					 const struct fffa_sink_common_conf *c,
					 struct fffa_err *err, int *rc)
{
	struct fffa_batcher *b;

	for (size_t i = 0; i < p->batcher_count; i++) {
		if (fffa_batcher__suits(&p->batchers[i], c))
			return &p->batchers[i];
	}
	b = &p->batchers[p->batcher_count];
	*rc = fffa_batcher__init(b, p->loop, c, &p->source, err);
	if (*rc)
		return NULL;
	p->batcher_count++;
	return b;
}

/* Makes one queue, joins it to its batcher, and opens its sink. On failure __end cleans up. */
static int open_queue(struct fffa_pipeline *p, size_t i, bool no_spool, struct fffa_err *err)
{
	const struct fffa_sink_common_conf *c = &p->conf->sinks[i].common;
	const struct fffa_sink_ops *ops = p->conf->sinks[i].ops;
	struct fffa_sink_queue_source source;
	struct fffa_batcher *b;
	enum fffa_format format;
	int rc = 0;

	p->queues[i] = fffa_sink_queue_new(p->loop, &p->conf->sinks[i], fffa_pipeline__emptied, p);
	if (!p->queues[i])
		return fffa_fail(err, ENOMEM, "no memory");
	if (fffa_format_parse(c->format, &format))
		return fffa_fail(err, EINVAL, "format: %s is not known", c->format);
	if (!(ops->formats & 1u << format))
		return fffa_fail(err, EINVAL, "format: a sink of type %s cannot take %s", ops->name,
				 c->format);
	if (ops->check)
		rc = ops->check(p->conf->sinks[i].own, err);
	if (rc)
		return rc;
	b = find_batcher(p, c, err, &rc);
	if (!b)
		return rc;
	source = (struct fffa_sink_queue_source){
		.format = format,
		.spool_dir = no_spool ? NULL : p->conf->spool_dir,
		.identity = fffa_batcher__identity(c),
	};
	fffa_batcher__describe(b, c->header, &source);
	fffa_batcher__feed(b, p->queues[i]);
	return fffa_sink_queue_open(p->queues[i], &source, err);
}

static struct fffa_pipeline *new_pipeline(uv_loop_t *loop, const struct fffa_config *conf)
{
	size_t n = conf->sink_count ? conf->sink_count : 1;
	struct fffa_pipeline *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->queues = calloc(n, sizeof(struct fffa_sink_queue *));
	p->batchers = calloc(n, sizeof(*p->batchers));
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

/* The epoch is above all that a spool holds, whatever the clock says. */
static void start_queues(struct fffa_pipeline *p)
{
	for (size_t i = 0; i < p->queue_count; i++) {
		uint64_t epoch = fffa_sink_queue_epoch(p->queues[i]);

		if (epoch >= p->source.epoch)
			p->source.epoch = epoch + 1;
		fffa_sink_queue_start(p->queues[i]);
	}
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
	p->source = (struct fffa_origin_source){
		.identify = env->identify, .arg = env->arg, .epoch = epoch};
	init_timer(p, &p->check);
	init_timer(p, &p->deadline);
	init_timer(p, &p->stall.timer);
	for (size_t i = 0; i < p->queue_count; i++) {
		rc = open_queue(p, i, env->no_spool, &why);
		if (rc) {
			(void)fffa_fail(err, -rc, "sink %s: %s", conf->sinks[i].common.name,
					why.text);
			fffa_pipeline__end(p);
			return rc;
		}
	}
	start_queues(p);
	fffa_pipeline__watch_stall(p, env);
	*out = p;
	return 0;
}

void fffa_pipeline_record(struct fffa_pipeline *p, struct fffa_record *r)
{
	r->seq = ++p->last_seq;
	r->epoch = p->source.epoch;
	if (p->phase == FFFA_PP_OPEN) {
		for (size_t i = 0; i < p->batcher_count; i++)
			fffa_batcher__add(&p->batchers[i], r);
		return;
	}
	for (size_t i = 0; i < p->queue_count; i++) {
		fffa_sink_queue_count_record(p->queues[i]);
		fffa_sink_queue_lose_record(p->queues[i], r, FFFA_RL_SHUTDOWN);
	}
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
