// SPDX-License-Identifier: MIT
/* Sealed batch x sink -> delivery: the bounded queue of a lane and its way into the sink. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/base/random.h"
#include "agent/pipeline/queue/lane.h"
#include "agent/pipeline/spooler/spooler.h"

#define COMPLAIN_EVERY_NS (60 * FFFA_NS_PER_S)

void fffa_deliver__complain(struct fffa_lane *l, enum fffa_complaint what, uint64_t records)
{
	static const char *const texts[] = {
		[FFFA_COMPLAIN_QUEUE_FULL] = "queue is full, records are dropped",
		[FFFA_COMPLAIN_SPOOL_FULL] = "spool is full, records are dropped",
		[FFFA_COMPLAIN_SPOOL_DAMAGED] = "spool is damaged, records are lost",
		[FFFA_COMPLAIN_REJECTED] = "the far end rejects records",
		[FFFA_COMPLAIN_GAVE_UP] = "records are given up after retry.give_up",
	};
	uint64_t now = fffa_clock_mono_ns(&fffa_clock_system);

	l->complaints[what].records += records;
	if (l->complaints[what].last_ns && now - l->complaints[what].last_ns < COMPLAIN_EVERY_NS)
		return;
	fffa_warn(l->tag, "%s: records=%" PRIu64, texts[what], l->complaints[what].records);
	l->complaints[what].records = 0;
	l->complaints[what].last_ns = now;
}

bool fffa_lane_is_empty(const struct fffa_lane *l)
{
	return TAILQ_EMPTY(&l->queue) && !l->sent &&
	       (!l->spooler || fffa_spooler__is_empty(l->spooler));
}

static enum fffa_record_loss why_full(const struct fffa_lane *l)
{
	return l->spooler && fffa_spooler__is_full(l->spooler) ? FFFA_RL_SPOOL_FULL
							       : FFFA_RL_QUEUE_FULL;
}

static void complain_full(struct fffa_lane *l, uint64_t records)
{
	fffa_deliver__complain(l,
			       why_full(l) == FFFA_RL_SPOOL_FULL ? FFFA_COMPLAIN_SPOOL_FULL
								 : FFFA_COMPLAIN_QUEUE_FULL,
			       records);
}

static struct fffa_parcel *take_oldest(struct fffa_lane *l)
{
	struct fffa_parcel *p;

	TAILQ_FOREACH(p, &l->queue, link)
	{
		if (!fffa_told__may_lose(l, p))
			continue;
		TAILQ_REMOVE(&l->queue, p, link);
		return p;
	}
	return l->spooler ? fffa_spooler__take_waiting(l->spooler, false) : NULL;
}

static void lose_batch(struct fffa_lane *l, const struct fffa_batch *b, enum fffa_record_loss why)
{
	l->ledger.in_flight -= fffa_batch_count(b);
	l->ledger.lost[why] += fffa_batch_count(b);
	fffa_told__add_batch(l, why, b);
}

bool fffa_deliver__has_room(const struct fffa_lane *l, size_t bytes)
{
	size_t held = l->queue_bytes + (l->spooler ? fffa_spooler__reserved(l->spooler) : 0);

	return held + bytes <= (size_t)l->conf->common.queue_memory;
}

/* What the sink holds stays. */
static void drop_oldest(struct fffa_lane *l, size_t bytes)
{
	uint64_t records = 0;
	struct fffa_parcel *p;

	while (!fffa_deliver__has_room(l, bytes) && (p = take_oldest(l))) {
		records += fffa_batch_count(p->d.batch);
		fffa_settle__lose(l, p, why_full(l));
	}
	if (records)
		complain_full(l, records);
}

void fffa_deliver__offer(struct fffa_lane *l, struct fffa_batch *b)
{
	size_t footprint = fffa_batch_footprint(b);
	struct fffa_parcel *p;

	fffa_told__tell(l, false);
	if (l->conf->common.queue_when_full == FFFA_WHEN_FULL_DROP_OLDEST)
		drop_oldest(l, footprint);
	/* An empty queue has room for one batch, whatever the bound is: else nothing would ever
	 * pass. */
	if (l->queue_bytes && !fffa_deliver__has_room(l, footprint)) {
		complain_full(l, fffa_batch_count(b));
		lose_batch(l, b, why_full(l));
		return;
	}
	p = calloc(1, sizeof(*p));
	if (!p) {
		lose_batch(l, b, FFFA_RL_NO_MEMORY);
		return;
	}
	p->d.batch = fffa_batch_ref(b);
	p->born_ns = fffa_clock_mono_ns(&fffa_clock_system);
	l->queue_bytes += footprint;
	fffa_deliver__enqueue(l, p);
	fffa_deliver__pump(l);
}

void fffa_deliver__enqueue(struct fffa_lane *l, struct fffa_parcel *p)
{
	if (l->spooler)
		fffa_spooler__add(l->spooler, p);
	else
		fffa_deliver__put(l, p);
}

static bool older(const struct fffa_batch *a, const struct fffa_batch *b)
{
	uint64_t ea = fffa_batch_origin(a)->epoch, eb = fffa_batch_origin(b)->epoch;

	return ea != eb ? ea < eb : fffa_batch_first_seq(a) < fffa_batch_first_seq(b);
}

void fffa_deliver__put(struct fffa_lane *l, struct fffa_parcel *p)
{
	struct fffa_parcel *q;

	TAILQ_FOREACH(q, &l->queue, link)
	{
		if (older(p->d.batch, q->d.batch)) {
			TAILQ_INSERT_BEFORE(q, p, link);
			return;
		}
	}
	TAILQ_INSERT_TAIL(&l->queue, p, link);
}

static void on_again(uv_idle_t *h)
{
	struct fffa_lane *l = h->data;

	(void)uv_idle_stop(h);
	l->budget = FFFA_DELIVER_PER_TURN;
	fffa_deliver__pump(l);
}

static bool may_submit(struct fffa_lane *l)
{
	if (l->ending || l->blocked || l->paused || TAILQ_EMPTY(&l->queue))
		return false;
	if (l->budget)
		return true;
	(void)uv_idle_start(&l->again, on_again);
	return false;
}

static void submit(struct fffa_lane *l, struct fffa_parcel *p)
{
	int rc;

	TAILQ_REMOVE(&l->queue, p, link);
	rc = l->conf->ops->submit(l->sink, &p->d);
	if (rc == -EAGAIN) {
		l->blocked = true;
		TAILQ_INSERT_HEAD(&l->queue, p, link);
	} else if (rc) {
		fffa_settle__retry(l, p, 0, rc, NULL);
	} else {
		l->sent++;
		p->is_sent = true;
		l->budget--;
		if (p->tries++)
			l->ledger.retries++;
	}
}

void fffa_deliver__pump(struct fffa_lane *l)
{
	while (may_submit(l))
		submit(l, TAILQ_FIRST(&l->queue));
	if (fffa_lane_is_empty(l))
		l->emptied(l->arg);
}

void fffa_deliver__ready(void *lane)
{
	struct fffa_lane *l = lane;

	l->blocked = false;
	fffa_deliver__pump(l);
}

static void on_timer(uv_timer_t *t)
{
	struct fffa_lane *l = t->data;

	l->paused = false;
	fffa_deliver__pump(l);
}

static uint32_t draw(struct fffa_lane *l)
{
	return (uint32_t)(fffa_random_next(&l->random) >> 32);
}

void fffa_deliver__pause(struct fffa_lane *l, uint64_t first_fail_ns, uint64_t hint_ns)
{
	uint64_t now = fffa_clock_mono_ns(&fffa_clock_system);
	uint64_t delay;

	if (l->paused) {
		/* Another delivery of the same round: it does not double the wait, but may know
		 * more. */
		delay = hint_ns < FFFA_RETRY_HINT_MAX_NS ? hint_ns : FFFA_RETRY_HINT_MAX_NS;
	} else {
		l->fails++;
		delay = fffa_retry_delay_ns(&l->retry, l->fails, hint_ns, draw(l));
	}
	delay = fffa_retry_clip_ns(&l->retry, first_fail_ns, now, delay);
	if (l->paused && now + delay <= l->paused_until_ns)
		return;
	l->paused = true;
	l->paused_until_ns = now + delay;
	uv_update_time(l->timer.loop);
	(void)uv_timer_start(&l->timer, on_timer, (delay + FFFA_NS_PER_MS - 1) / FFFA_NS_PER_MS, 0);
}
