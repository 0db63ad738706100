// SPDX-License-Identifier: MIT
#include "tests/stubs/spy_sink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <uv.h>

/* An open delivery or, without a delivery, a ready that is due. */
struct pending {
	TAILQ_ENTRY(pending) link;
	uv_timer_t timer;
	struct fffa_sink *sink;
	struct fffa_delivery *delivery;
	struct fffa_outcome outcome;
	bool held;
};

TAILQ_HEAD(pendings, pending);

struct fffa_sink {
	const struct fffa_sink_env *env;
	struct spy_peer *peer;
	struct pendings pendings;
	uv_timer_t anchor;
	size_t open;
	size_t handles;
	bool refused; /* because max_open was reached */
	bool closing;
	void (*closed)(void *arg);
	void *closed_arg;
};

/* The peer's memory is not under test: it tries again when a test makes one allocation fail. */
static void append(struct spy_peer *peer, struct fffa_span s)
{
	while (peer->len + s.len > peer->cap) {
		size_t cap = peer->cap ? peer->cap * 2 : 65536;
		uint8_t *p = realloc(peer->bytes, cap);

		if (!p)
			p = realloc(peer->bytes, cap);
		if (!p)
			abort();
		peer->bytes = p;
		peer->cap = cap;
	}
	if (s.len)
		memcpy(peer->bytes + peer->len, s.ptr, s.len);
	peer->len += s.len;
}

static void on_handle_closed(struct fffa_sink *s)
{
	void (*closed)(void *arg) = s->closed;
	void *arg = s->closed_arg;

	if (--s->handles || !s->closing)
		return;
	s->peer->sink = NULL;
	free(s);
	closed(arg);
}

static void on_pending_closed(uv_handle_t *h)
{
	struct pending *p = h->data;
	struct fffa_sink *s = p->sink;
	struct fffa_outcome o = {.verdict = FFFA_V_RETRY, .cause = -ECANCELED};

	if (p->delivery) {
		s->open--;
		s->peer->dones++;
		s->env->done(s->env->pipe, p->delivery, &o);
	}
	free(p);
	on_handle_closed(s);
}

static void drop_pending(struct pending *p)
{
	TAILQ_REMOVE(&p->sink->pendings, p, link);
	uv_close((uv_handle_t *)&p->timer, on_pending_closed);
}

static void on_due(uv_timer_t *t)
{
	struct pending *p = t->data;
	struct fffa_sink *s = p->sink;
	struct fffa_delivery *d = p->delivery;
	struct fffa_outcome o = p->outcome;
	bool ready = !d;

	p->delivery = NULL;
	drop_pending(p);
	if (d) {
		if (o.verdict == FFFA_V_DELIVERED)
			append(s->peer, fffa_batch_bytes(fffa_delivery_batch(d)));
		ready = s->refused;
		s->refused = false;
		s->open--;
		s->peer->dones++;
		s->env->done(s->env->pipe, d, &o);
	}
	if (ready && !s->closing) {
		s->peer->readies++;
		s->env->ready(s->env->pipe);
	}
}

static struct pending *add_pending(struct fffa_sink *s, struct fffa_delivery *d)
{
	struct pending *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->sink = s;
	p->delivery = d;
	p->timer.data = p;
	(void)uv_timer_init(s->env->loop, &p->timer);
	s->handles++;
	TAILQ_INSERT_TAIL(&s->pendings, p, link);
	return p;
}

static void start_timer(struct pending *p, uint32_t delay_ms)
{
	uv_update_time(p->sink->env->loop);
	(void)uv_timer_start(&p->timer, on_due, delay_ms, 0);
}

static void note_delivery(struct spy_peer *peer, const struct fffa_batch *b)
{
	struct spy_seen *n;

	if (peer->accepted++ >= SPY_SEEN_MAX)
		return;
	n = &peer->seen[peer->accepted - 1];
	n->batch = b;
	n->first_seq = fffa_batch_first_seq(b);
	n->count = fffa_batch_count(b);
	n->bytes = fffa_batch_bytes(b).len;
	n->at_ns = uv_hrtime();
}

static struct spy_step next_step(struct spy_peer *peer, const struct fffa_batch *b)
{
	struct spy_step step = {.answer = peer->hold ? SPY_HOLD : SPY_TAKE,
				.outcome = {.verdict = FFFA_V_DELIVERED}};

	if (peer->submits++ < peer->step_count)
		return peer->steps[peer->submits - 1];
	if (peer->judge)
		step.outcome = peer->judge(peer->arg, b);
	return step;
}

static int submit(struct fffa_sink *s, struct fffa_delivery *d)
{
	const struct fffa_batch *b = fffa_delivery_batch(d);
	struct spy_step step;
	struct pending *p;

	if (s->peer->max_open && s->open >= s->peer->max_open) {
		s->refused = true;
		return -EAGAIN;
	}
	step = next_step(s->peer, b);
	if (step.answer == SPY_FAIL)
		return step.outcome.cause;
	p = add_pending(s, step.answer == SPY_REFUSE ? NULL : d);
	if (!p)
		return -ENOMEM;
	if (step.answer == SPY_REFUSE) {
		start_timer(p, step.delay_ms);
		return -EAGAIN;
	}
	s->open++;
	note_delivery(s->peer, b);
	p->outcome = step.outcome;
	p->held = step.answer == SPY_HOLD;
	if (!p->held)
		start_timer(p, step.delay_ms);
	return 0;
}

static int check(const void *conf, struct fffa_err *err)
{
	const struct spy_conf *c = conf;

	return c->peer ? 0 : fffa_fail(err, EINVAL, "peer: is required");
}

static int create(const struct fffa_sink_env *env, const void *conf, struct fffa_sink **out,
		  struct fffa_err *err)
{
	const struct spy_conf *c = conf;
	struct fffa_sink *s = calloc(1, sizeof(*s));

	if (!s)
		return fffa_fail(err, ENOMEM, "no memory for the sink");
	s->env = env;
	s->peer = c->peer;
	TAILQ_INIT(&s->pendings);
	(void)uv_timer_init(env->loop, &s->anchor);
	s->anchor.data = s;
	s->handles = 1;
	s->peer->sink = s;
	s->peer->creates++;
	*out = s;
	return 0;
}

static int start(struct fffa_sink *s, struct fffa_err *err)
{
	s->peer->starts++;
	if (s->peer->start_error)
		return fffa_fail(err, -s->peer->start_error, "the peer is not there");
	append(s->peer, s->env->preamble);
	return 0;
}

static void flush(struct fffa_sink *s)
{
	s->peer->flushes++;
}

static void reopen(struct fffa_sink *s)
{
	s->peer->reopens++;
}

static void on_anchor_closed(uv_handle_t *h)
{
	on_handle_closed(h->data);
}

static void close_sink(struct fffa_sink *s, void (*closed)(void *arg), void *arg)
{
	struct pending *p;

	s->peer->closes++;
	s->closing = true;
	s->closed = closed;
	s->closed_arg = arg;
	while ((p = TAILQ_FIRST(&s->pendings)))
		drop_pending(p);
	uv_close((uv_handle_t *)&s->anchor, on_anchor_closed);
}

size_t spy_open(const struct spy_peer *peer)
{
	return peer->sink ? peer->sink->open : 0;
}

bool spy_release(struct spy_peer *peer, struct fffa_outcome o)
{
	struct pending *p;

	TAILQ_FOREACH(p, &peer->sink->pendings, link)
	{
		if (p->delivery && p->held) {
			p->held = false;
			p->outcome = o;
			start_timer(p, 0);
			return true;
		}
	}
	return false;
}

void spy_peer_fini(struct spy_peer *peer)
{
	free(peer->bytes);
	peer->bytes = NULL;
	peer->len = peer->cap = 0;
}

static const struct fffa_option options[] = {{.key = NULL}};

const struct fffa_sink_ops spy_sink_ops = {
	.name = "spy",
	.formats = ~0u,
	.conf_size = sizeof(struct spy_conf),
	.opts = options,
	.check = check,
	.create = create,
	.start = start,
	.submit = submit,
	.flush = flush,
	.reopen = reopen,
	.close = close_sink,
};
