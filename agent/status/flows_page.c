// SPDX-License-Identifier: MIT
#include "agent/status/flows_page.h"

#include <string.h>

#include "agent/base/assert.h"
#include "agent/base/clock.h"

/* Flows of one turn: less than 2 ms of the loop. */
#define FLOWS_PER_TURN		32768
#define FILTERED_FLOWS_PER_TURN 8192
#define PAUSE_NS		(FFFA_NS_PER_S / 4) /* between two walks; and as long an answer is good */

static void start_walk(struct fffa_flows_page *p);

static bool is_same(const struct fffa_flows_question *a, const struct fffa_flows_question *b)
{
	return a->by_packets == b->by_packets && !strcmp(a->text, b->text);
}

static void write_body(struct fffa_flows_page *p, struct fffa_flows_request *r)
{
	struct fffa_status_view *v = &p->view;

	memset(v, 0, sizeof(*v));
	p->src.view(p->src.arg, v);
	r->body = (struct fffa_buf){.max = FFFA_FLOWS_PAGE_BYTES_MAX};
	fffa_largest_write(&r->body, &p->largest, r->n, p->walked_ms, v->flows_active,
			   v->interfaces);
	r->written = true;
}

/* Answers the requests with the question of the walk that has ended. */
static void answer_waiters(struct fffa_flows_page *p)
{
	struct fffa_flows_request *r = TAILQ_FIRST(&p->waiters), *next;

	for (; r; r = next) {
		next = TAILQ_NEXT(r, link);
		if (!is_same(&r->question, &p->question))
			continue;
		TAILQ_REMOVE(&p->waiters, r, link);
		r->waits = false;
		write_body(p, r);
		r->ready(r->arg);
	}
}

static void on_window(void *arg, const struct fffa_flow_window *w)
{
	struct fffa_flows_page *p = arg;

	if (fffa_filter_passes(p->filter, w->key, w->flags))
		fffa_largest_add(&p->largest, w);
}

static void on_walk(uv_idle_t *h)
{
	struct fffa_flows_page *p = h->data;
	const struct fffa_flow_table *t = p->src.flows(p->src.arg);

	if (t)
		p->walk_at = fffa_flow_walk(t, p->walk_at,
					    p->filter ? FILTERED_FLOWS_PER_TURN : FLOWS_PER_TURN,
					    &p->largest.min_bytes, on_window, p);
	if (t && p->walk_at)
		return;
	(void)uv_idle_stop(h);
	fffa_largest_sort(&p->largest);
	p->walked_ns = fffa_clock_mono_ns(&fffa_clock_system);
	p->walked_ms = (int64_t)(fffa_clock_unix_ns(&fffa_clock_system) / FFFA_NS_PER_MS);
	answer_waiters(p);
	if (!TAILQ_EMPTY(&p->waiters))
		start_walk(p);
}

static void on_pause(uv_timer_t *t)
{
	struct fffa_flows_page *p = t->data;

	if (!TAILQ_EMPTY(&p->waiters))
		start_walk(p);
}

static uint64_t time_since_walk(const struct fffa_flows_page *p)
{
	return p->walked_ns ? fffa_clock_mono_ns(&fffa_clock_system) - p->walked_ns : UINT64_MAX;
}

/* For the question of the request that has waited longest. */
static void start_walk(struct fffa_flows_page *p)
{
	struct fffa_flows_request *r = TAILQ_FIRST(&p->waiters);
	uint64_t since_ns = time_since_walk(p);

	if (uv_is_active((uv_handle_t *)&p->walk) || uv_is_active((uv_handle_t *)&p->pause))
		return;
	if (since_ns < PAUSE_NS) {
		(void)uv_timer_start(&p->pause, on_pause,
				     (PAUSE_NS - since_ns) / FFFA_NS_PER_MS + 1, 0);
		return;
	}
	fffa_filter_free(p->filter);
	p->filter = r->filter;
	r->filter = NULL;
	p->question = r->question;
	p->largest.by_packets = r->question.by_packets;
	p->largest.n = 0;
	p->largest.min_bytes = 0;
	p->walk_at = 0;
	(void)uv_idle_start(&p->walk, on_walk);
}

void fffa_flows_page_init(struct fffa_flows_page *p, uv_loop_t *loop,
			  const struct fffa_status_source *src)
{
	p->src = *src;
	TAILQ_INIT(&p->waiters);
	(void)uv_idle_init(loop, &p->walk);
	(void)uv_timer_init(loop, &p->pause);
	uv_unref((uv_handle_t *)&p->pause);
	p->handles = 2;
	p->walk.data = p->pause.data = p;
}

bool fffa_flows_page_ask(struct fffa_flows_page *p, struct fffa_flows_request *r)
{
	bool fresh = !uv_is_active((uv_handle_t *)&p->walk) && time_since_walk(p) < PAUSE_NS;

	if (!r->written && fresh && is_same(&r->question, &p->question))
		write_body(p, r);
	if (r->written)
		return true;
	TAILQ_INSERT_TAIL(&p->waiters, r, link);
	r->waits = true;
	start_walk(p);
	return false;
}

void fffa_flows_page_drop(struct fffa_flows_page *p, struct fffa_flows_request *r)
{
	if (r->waits)
		TAILQ_REMOVE(&p->waiters, r, link);
	r->waits = false;
	fffa_filter_free(r->filter);
	r->filter = NULL;
	fffa_buf_fini(&r->body);
}

static void on_closed(uv_handle_t *h)
{
	struct fffa_flows_page *p = h->data;

	if (!--p->handles)
		p->closed(p->closed_arg);
}

void fffa_flows_page_close(struct fffa_flows_page *p, void (*closed)(void *arg), void *arg)
{
	FFFA_ASSERT(TAILQ_EMPTY(&p->waiters));
	fffa_filter_free(p->filter);
	p->filter = NULL;
	p->closed = closed;
	p->closed_arg = arg;
	uv_close((uv_handle_t *)&p->walk, on_closed);
	uv_close((uv_handle_t *)&p->pause, on_closed);
}
