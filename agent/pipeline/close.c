// SPDX-License-Identifier: MIT
/* The end of a pipeline: seal, deliver until the deadline, count the rest, close sinks, close
 * handles, free. */
#include <stdlib.h>

#include "agent/base/clock.h"
#include "agent/pipeline/internal.h"
#include "agent/pipeline/spooler/spooler.h"

static void on_handle_closed(uv_handle_t *h)
{
	struct fffa_pipeline *p = h->data;

	if (--p->open_handles)
		return;
	if (p->closed)
		p->closed(p->closed_arg, p);
	free(p->lanes);
	free(p->batchers);
	free(p);
}

static void close_handle(struct fffa_pipeline *p, uv_handle_t *h)
{
	h->data = p; /* nothing fires any more */
	p->open_handles++;
	uv_close(h, on_handle_closed);
}

static void close_timer(struct fffa_pipeline *p, uv_timer_t *t)
{
	close_handle(p, (uv_handle_t *)t);
}

static void close_handles(struct fffa_pipeline *p)
{
	close_timer(p, &p->check);
	close_timer(p, &p->deadline);
	for (size_t i = 0; i < p->conf->sink_count; i++) {
		close_timer(p, &p->lanes[i].timer);
		(void)uv_idle_stop(&p->lanes[i].again);
		close_handle(p, (uv_handle_t *)&p->lanes[i].again);
		close_timer(p, &p->batchers[i].timer);
		fffa_batcher__fini(&p->batchers[i]);
	}
}

static void on_spool_closed(void *arg)
{
	struct fffa_pipeline *p = arg;

	if (--p->open_spools == 0)
		close_handles(p);
}

/* After the sinks: their last word decides what stays. */
static void close_spools(struct fffa_pipeline *p)
{
	p->open_spools = 1; /* this call */
	for (size_t i = 0; i < p->conf->sink_count; i++) {
		struct fffa_spooler *s = p->lanes[i].spooler;

		if (!s)
			continue;
		p->open_spools++;
		fffa_spooler__close(s, on_spool_closed, p);
	}
	on_spool_closed(p);
}

static void on_sink_closed(void *arg)
{
	struct fffa_pipeline *p = arg;

	if (--p->open_sinks == 0)
		close_spools(p);
}

void fffa_pipeline__end(struct fffa_pipeline *p)
{
	p->phase = FFFA_PP_CLOSING;
	(void)uv_timer_stop(&p->check);
	(void)uv_timer_stop(&p->deadline);
	p->open_sinks =
		1; /* this call, so that the count is not zero before the last sink is asked */
	for (size_t i = 0; i < p->conf->sink_count; i++) {
		struct fffa_lane *l = &p->lanes[i];

		l->ending = true;
		(void)uv_timer_stop(&l->timer);
		(void)uv_idle_stop(&l->again);
		fffa_settle__leave_queue(l);
		if (!l->sink)
			continue;
		p->open_sinks++;
		l->conf->ops->close(l->sink, on_sink_closed, p);
		l->sink = NULL;
	}
	on_sink_closed(p);
}

static bool all_delivered(const struct fffa_pipeline *p)
{
	for (size_t i = 0; i < p->conf->sink_count; i++) {
		if (!fffa_lane_is_empty(&p->lanes[i]))
			return false;
	}
	return true;
}

static void on_check(uv_timer_t *t)
{
	struct fffa_pipeline *p = t->data;

	if (all_delivered(p))
		fffa_pipeline__end(p);
}

static void on_deadline(uv_timer_t *t)
{
	fffa_pipeline__end(t->data);
}

/* Called from inside a sink's done: the sink is closed from a stack of its own. */
void fffa_pipeline__emptied(void *arg)
{
	struct fffa_pipeline *p = arg;

	if (p->phase == FFFA_PP_DRAINING)
		(void)uv_timer_start(&p->check, on_check, 0, 0);
}

void fffa_pipeline_limit(struct fffa_pipeline *p, uint64_t deadline_ns)
{
	if (p->phase != FFFA_PP_DRAINING)
		return;
	uv_update_time(p->loop);
	(void)uv_timer_start(&p->deadline, on_deadline,
			     (deadline_ns + FFFA_NS_PER_MS - 1) / FFFA_NS_PER_MS, 0);
}

void fffa_pipeline_close(struct fffa_pipeline *p, uint64_t deadline_ns,
			 void (*closed)(void *arg, struct fffa_pipeline *p), void *arg)
{
	p->closed = closed;
	p->closed_arg = arg;
	p->phase = FFFA_PP_DRAINING;
	if (deadline_ns)
		fffa_pipeline_limit(p, deadline_ns);
	for (size_t i = 0; i < p->batcher_count; i++)
		fffa_batcher__seal(&p->batchers[i]);
	for (size_t i = 0; i < p->conf->sink_count; i++) {
		fffa_told__tell(&p->lanes[i], true);
		fffa_deliver__pump(&p->lanes[i]);
		if (p->lanes[i].conf->ops->flush)
			p->lanes[i].conf->ops->flush(p->lanes[i].sink);
	}
	fffa_pipeline__emptied(p); /* there may be nothing to wait for */
}
