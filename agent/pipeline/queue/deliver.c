// SPDX-License-Identifier: MIT
#include "agent/pipeline/queue/deliver.h"

#include <errno.h>

#include "agent/base/assert.h"
#include "agent/base/clock.h"
#include "agent/base/minmax.h"

void fffa_deliver_init(struct fffa_deliver *d, uv_loop_t *loop, struct fffa_backlog *backlog,
		       struct fffa_settle *settle, struct fffa_pause *pause,
		       const struct fffa_sink_ops *ops, void (*emptied)(void *arg), void *arg)
{
	*d = (struct fffa_deliver){
		.backlog = backlog,
		.settle = settle,
		.pause = pause,
		.ops = ops,
		.budget = FFFA_DELIVER_PER_TURN,
		.emptied = emptied,
		.arg = arg,
	};
	TAILQ_INIT(&d->submitted);
	(void)uv_idle_init(loop, &d->next_turn); /* never fails */
	d->next_turn.data = d;
}

void fffa_deliver_set_sink(struct fffa_deliver *d, struct fffa_sink *s, uint64_t identity)
{
	d->sink = s;
	d->identity = identity;
}

void fffa_deliver_on_other_encoding(struct fffa_deliver *d, void (*other)(void *arg), void *arg)
{
	d->other_encoding = other;
	d->other_arg = arg;
}

struct fffa_sink *fffa_deliver_sink(const struct fffa_deliver *d)
{
	return d->sink;
}

struct fffa_sink *fffa_deliver_take_sink(struct fffa_deliver *d)
{
	struct fffa_sink *s = d->sink;

	d->sink = NULL;
	return s;
}

bool fffa_deliver_is_idle(const struct fffa_deliver *d)
{
	return !d->sent && fffa_backlog_is_empty(d->backlog);
}

bool fffa_deliver_is_stalled(const struct fffa_deliver *d, uint64_t patience_ns)
{
	return (d->sent || d->blocked) &&
	       fffa_clock_mono_ns(&fffa_clock_system) - d->moved_ns > patience_ns;
}

static void on_next_turn(uv_idle_t *h)
{
	struct fffa_deliver *d = h->data;

	(void)uv_idle_stop(h);
	d->budget = FFFA_DELIVER_PER_TURN;
	fffa_deliver_pump(d);
}

static bool may_submit(struct fffa_deliver *d)
{
	if (fffa_backlog_is_ending(d->backlog) || d->blocked || fffa_pause_is_active(d->pause) ||
	    !fffa_backlog_first(d->backlog))
		return false;
	if (d->held || (d->sent && fffa_settle_is_probing(d->settle)))
		return false;
	if (d->budget)
		return true;
	(void)uv_idle_start(&d->next_turn, on_next_turn);
	return false;
}

static struct fffa_queued_batch *choose_next(const struct fffa_deliver *d)
{
	return fffa_settle_is_probing(d->settle) ? fffa_backlog_next_probe(d->backlog)
						 : fffa_backlog_first(d->backlog);
}

const struct fffa_queued_batch *fffa_deliver_next(const struct fffa_deliver *d)
{
	return choose_next(d);
}

static void submit_batch(struct fffa_deliver *d, struct fffa_queued_batch *b)
{
	bool probing = fffa_settle_is_probing(d->settle);
	int rc;

	fffa_backlog_take(d->backlog, b);
	if (!d->sent)
		d->moved_ns = fffa_clock_mono_ns(&fffa_clock_system);
	rc = d->ops->submit(d->sink, &b->d);
	if (rc == -EAGAIN) {
		d->blocked = true;
		if (probing)
			fffa_backlog_put(d->backlog, b);
		else
			fffa_backlog_put_first(d->backlog, b);
	} else if (rc) {
		fffa_settle_retry(d->settle, b, rc);
	} else {
		d->sent++;
		d->budget--;
		b->is_sent = true;
		TAILQ_INSERT_TAIL(&d->submitted, b, link);
		if (b->tries++)
			fffa_backlog_count_retry(d->backlog);
	}
}

void fffa_deliver_hold(struct fffa_deliver *d, void (*quiet)(void *arg), void *arg)
{
	d->held = true;
	d->quiet = quiet;
	d->quiet_arg = arg;
	if (!d->sent)
		quiet(arg);
}

void fffa_deliver_resume(struct fffa_deliver *d, const struct fffa_sink_ops *ops,
			 struct fffa_sink *s, uint64_t identity)
{
	d->ops = ops;
	fffa_deliver_set_sink(d, s, identity);
	d->held = d->blocked = false;
	fffa_deliver_pump(d);
}

void fffa_deliver_pump(void *deliver)
{
	struct fffa_deliver *d = deliver;
	struct fffa_queued_batch *b;

	while (may_submit(d)) {
		b = choose_next(d);
		if (b->encoding.identity == d->identity) {
			submit_batch(d, b);
			continue;
		}
		if (!d->sent)
			d->other_encoding(d->other_arg);
		break;
	}
	fffa_backlog_look_at_spool(d->backlog);
	if (fffa_deliver_is_idle(d))
		d->emptied(d->arg);
}

void fffa_deliver_done(void *deliver, struct fffa_delivery *delivery, const struct fffa_outcome *o)
{
	struct fffa_deliver *d = deliver;
	struct fffa_queued_batch *b = (struct fffa_queued_batch *)delivery;

	/* A second done for b would queue it twice, or free it twice. */
	FFFA_ASSERT(d->sent && b->is_sent);
	d->sent--;
	d->moved_ns = fffa_clock_mono_ns(&fffa_clock_system);
	b->is_sent = false;
	TAILQ_REMOVE(&d->submitted, b, link);
	if (d->held && o->verdict == FFFA_V_RETRY && o->cause == -ECANCELED && !o->records &&
	    !fffa_backlog_is_ending(d->backlog))
		fffa_backlog_put(d->backlog, b);
	else
		fffa_settle_outcome(d->settle, b, o);
	if (d->held && !d->sent)
		d->quiet(d->quiet_arg);
	fffa_deliver_pump(d);
}

void fffa_deliver_ready(void *deliver)
{
	struct fffa_deliver *d = deliver;

	d->blocked = false;
	fffa_deliver_pump(d);
}

uint64_t fffa_deliver_oldest_ns(const struct fffa_deliver *d)
{
	const struct fffa_queued_batch *b = fffa_backlog_first(d->backlog);
	uint64_t now = fffa_clock_mono_ns(&fffa_clock_system), born = b ? b->born_ns : now;

	TAILQ_FOREACH(b, &d->submitted, link)
	{
		born = fffa_min_u64(born, b->born_ns);
	}
	return now - born;
}

void fffa_deliver_trouble(void *deliver, const struct fffa_outcome *o)
{
	struct fffa_deliver *d = deliver;

	fffa_settle_trouble(d->settle, o);
}

void fffa_deliver_stop(struct fffa_deliver *d)
{
	(void)uv_idle_stop(&d->next_turn);
}

static void on_closed(uv_handle_t *h)
{
	struct fffa_deliver *d = h->data;

	d->closed(d->closed_arg);
}

void fffa_deliver_close(struct fffa_deliver *d, void (*closed)(void *arg), void *arg)
{
	d->closed = closed;
	d->closed_arg = arg;
	uv_close((uv_handle_t *)&d->next_turn, on_closed);
}
