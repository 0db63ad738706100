// SPDX-License-Identifier: MIT
#include "agent/pipeline/pipeline.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "agent/base/random.h"
#include "agent/pipeline/internal.h"
#include "agent/pipeline/spooler/spooler.h"

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
	*rc = fffa_batcher__init(b, c, &p->source, err);
	if (*rc)
		return NULL;
	p->batcher_count++;
	return b;
}

static void init_lane(struct fffa_pipeline *p, struct fffa_lane *l,
		      const struct fffa_sink_conf *conf)
{
	const struct fffa_sink_common_conf *c = &conf->common;

	l->conf = conf;
	(void)snprintf(l->tag, sizeof(l->tag), "sink.%s", c->name);
	l->env = (struct fffa_sink_env){
		.loop = p->loop,
		.tag = l->tag,
		.pipe = l,
		.done = fffa_settle__done,
		.ready = fffa_deliver__ready,
	};
	l->retry = (struct fffa_retry){
		.min_ns = (uint64_t)c->retry_min_ns,
		.max_ns = (uint64_t)(c->retry_max_ns > c->retry_min_ns ? c->retry_max_ns
								       : c->retry_min_ns),
		.give_up_ns = (uint64_t)c->retry_give_up_ns,
	};
	l->random = fffa_random_seed();
	l->budget = FFFA_DELIVER_PER_TURN;
	l->emptied = fffa_pipeline__emptied;
	l->arg = p;
}

/* Joins one sink to its batcher, creates and starts it. On failure __end cleans up. */
static int open_sink(struct fffa_pipeline *p, struct fffa_lane *l, struct fffa_err *err)
{
	const struct fffa_sink_ops *ops = l->conf->ops;
	struct fffa_batcher *b;
	enum fffa_format format;
	int rc = 0;

	if (fffa_format_parse(l->conf->common.format, &format))
		return fffa_fail(err, EINVAL, "format: %s is not known", l->conf->common.format);
	if (!(ops->formats & 1u << format))
		return fffa_fail(err, EINVAL, "format: a sink of type %s cannot take %s", ops->name,
				 l->conf->common.format);
	if (ops->check)
		rc = ops->check(l->conf->own, err);
	if (rc)
		return rc;
	b = find_batcher(p, &l->conf->common, err, &rc);
	if (!b)
		return rc;
	l->env.format = format;
	l->env.content_type = fffa_encoder_content_type(b->encoder);
	if (l->conf->common.header)
		l->env.preamble = (struct fffa_span){b->header, b->header_len};
	fffa_batcher__feed(b, l);
	if (l->conf->common.queue_spool && !p->no_spool) {
		rc = fffa_spooler__open(l, p->conf->spool_dir,
					fffa_batcher__identity(&l->conf->common), &l->spooler, err);
		if (rc)
			return rc;
	}
	rc = ops->create(&l->env, l->conf->own, &l->sink, err);
	if (rc)
		return rc;
	return ops->start(l->sink, err);
}

static struct fffa_pipeline *new_pipeline(uv_loop_t *loop, const struct fffa_config *conf)
{
	size_t n = conf->sink_count ? conf->sink_count : 1;
	struct fffa_pipeline *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->lanes = calloc(n, sizeof(*p->lanes));
	p->batchers = calloc(n, sizeof(*p->batchers));
	if (!p->lanes || !p->batchers) {
		free(p->lanes);
		free(p->batchers);
		free(p);
		return NULL;
	}
	p->loop = loop;
	p->conf = conf;
	return p;
}

static void init_timer(struct fffa_pipeline *p, uv_timer_t *t, void *data)
{
	(void)uv_timer_init(p->loop, t); /* never fails */
	t->data = data;
}

/* An epoch is above all before it, whatever the clock says. */
static void start_spools(struct fffa_pipeline *p)
{
	for (size_t i = 0; i < p->conf->sink_count; i++) {
		struct fffa_spooler *s = p->lanes[i].spooler;

		if (!s)
			continue;
		if (fffa_spooler__epoch(s) >= p->source.epoch)
			p->source.epoch = fffa_spooler__epoch(s) + 1;
		fffa_spooler__start(s);
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
	init_timer(p, &p->check, p);
	init_timer(p, &p->deadline, p);
	for (size_t i = 0; i < conf->sink_count; i++) {
		init_lane(p, &p->lanes[i], &conf->sinks[i]);
		TAILQ_INIT(&p->lanes[i].queue);
		init_timer(p, &p->lanes[i].timer, &p->lanes[i]);
		(void)uv_idle_init(loop, &p->lanes[i].again); /* never fails */
		p->lanes[i].again.data = &p->lanes[i];
		init_timer(p, &p->batchers[i].timer, &p->batchers[i]);
	}
	p->no_spool = env->no_spool;
	for (size_t i = 0; i < conf->sink_count; i++) {
		rc = open_sink(p, &p->lanes[i], &why);
		if (rc) {
			(void)fffa_fail(err, -rc, "sink %s: %s", conf->sinks[i].common.name,
					why.text);
			fffa_pipeline__end(p);
			return rc;
		}
	}
	start_spools(p);
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
	for (size_t i = 0; i < p->conf->sink_count; i++) {
		p->lanes[i].ledger.records++;
		p->lanes[i].ledger.lost[FFFA_RL_SHUTDOWN]++;
	}
}

bool fffa_pipeline_has_room(const struct fffa_pipeline *p)
{
	for (size_t i = 0; i < p->batcher_count; i++) {
		size_t batch_bytes = fffa_batcher__footprint_max(&p->batchers[i]);

		for (const struct fffa_lane *l = p->batchers[i].lanes; l; l = l->next) {
			size_t bound = (size_t)l->conf->common.queue_memory;

			if (l->spooler && !fffa_spooler__has_room(l->spooler, batch_bytes))
				return false;
			/* What is in the open batch comes on top. */
			if (!l->spooler && l->queue_bytes &&
			    (l->queue_bytes > bound / 4 || l->queue_bytes + batch_bytes > bound))
				return false;
		}
	}
	return true;
}

void fffa_pipeline_reopen(struct fffa_pipeline *p)
{
	for (size_t i = 0; i < p->conf->sink_count; i++) {
		if (p->lanes[i].sink && p->lanes[i].conf->ops->reopen)
			p->lanes[i].conf->ops->reopen(p->lanes[i].sink);
	}
}
