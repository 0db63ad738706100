// SPDX-License-Identifier: MIT
/* A source that ends by itself must not wait for ever for a file that takes nothing. */
#include <inttypes.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/pipeline/pipeline_internal.h"

#define LOOK_MS	    200
#define RETRIES_MIN 2

/*
 * Whether sink i writes to a file of this host, has failed since the last record it took, and goes
 * on to do so. A pipe without room does not fail, and a receiver in the network may come back.
 */
static bool is_failing(struct fffa_pipeline *p, size_t i)
{
	const struct fffa_sink_ledger *l = fffa_sink_queue_ledger(p->queues[i]);
	struct fffa_pipeline_progress *g = &p->stall.progress[i];
	uint64_t taken = l->delivered + l->rejected;

	if (taken != g->taken || !l->in_flight || strcmp(p->conf->sinks[i].common.type, "file")) {
		g->taken = taken;
		g->retries = l->retries;
		g->since_ms = uv_now(p->loop);
	}
	return l->retries - g->retries >= RETRIES_MIN &&
	       uv_now(p->loop) - g->since_ms >= p->stall.patience_ms;
}

static void on_look(uv_timer_t *t)
{
	struct fffa_pipeline *p = t->data;

	for (size_t i = 0; i < p->queue_count; i++) {
		struct fffa_sink_status s;

		if (!is_failing(p, i))
			continue;
		(void)uv_timer_stop(t);
		fffa_sink_queue_status(p->queues[i], &s);
		fffa_error("pipeline", "sink %s took nothing for %" PRIu64 " ms, given up: %s",
			   p->conf->sinks[i].common.name, p->stall.patience_ms, s.last_error);
		p->stall.stalled(p->stall.arg);
		return;
	}
}

void fffa_pipeline__watch_stall(struct fffa_pipeline *p, const struct fffa_pipeline_env *env)
{
	if (!env->stalled)
		return;
	for (size_t i = 0; i < p->queue_count; i++)
		p->stall.progress[i].since_ms = uv_now(p->loop);
	p->stall.stalled = env->stalled;
	p->stall.arg = env->arg;
	p->stall.patience_ms = env->patience_ns / FFFA_NS_PER_MS;
	(void)uv_timer_start(&p->stall.timer, on_look, LOOK_MS, LOOK_MS);
	uv_unref((uv_handle_t *)&p->stall.timer);
}
