// SPDX-License-Identifier: MIT
/* The end of a pipeline: seal, deliver until the deadline, count the rest, close. */
#include "agent/base/clock.h"
#include "agent/pipeline/pipeline_internal.h"

void fffa_pipeline__end(struct fffa_pipeline *p)
{
	p->phase = FFFA_PP_CLOSING;
	for (size_t i = 0; i < p->queue_count; i++) {
		if (!p->queues[i])
			continue;
		p->still_open++;
		fffa_sink_queue_close(p->queues[i], fffa_pipeline__one_closed, p);
	}
	fffa_pipeline__end_leavers(p);
	fffa_pipeline__close_timer(p, &p->check);
	fffa_pipeline__close_timer(p, &p->leave);
	fffa_pipeline__close_timer(p, &p->deadline);
	fffa_pipeline__close_timer(p, &p->stall.timer);
	for (size_t i = 0; i < p->batcher_count; i++) {
		p->still_open++;
		fffa_batcher__close(&p->batchers[i], fffa_pipeline__one_closed, p);
	}
}

static bool all_delivered(const struct fffa_pipeline *p)
{
	for (size_t i = 0; i < p->queue_count; i++) {
		if (!fffa_sink_queue_is_empty(p->queues[i]))
			return false;
	}
	return !fffa_pipeline__is_delivering(p);
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

/* May be called from inside a sink's done: the sink is closed in a turn of its own. */
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
	for (size_t i = 0; i < p->queue_count; i++)
		fffa_sink_queue_flush(p->queues[i], !deadline_ns);
	fffa_pipeline__emptied(p); /* all may be delivered already */
}

void fffa_pipeline_abandon(struct fffa_pipeline *p)
{
	if (p->phase != FFFA_PP_CLOSING)
		fffa_pipeline__end(p);
	for (size_t i = 0; i < p->queue_count; i++) {
		if (p->queues[i])
			fffa_sink_queue_abandon(p->queues[i]);
	}
	for (size_t i = 0; i < FFFA_CONFIG_SINKS_MAX; i++) {
		if (p->leavers[i].queue)
			fffa_sink_queue_abandon(p->leavers[i].queue);
	}
}
