// SPDX-License-Identifier: MIT
/* Verdict -> ledger: release, try again, split, lose. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/assert.h"
#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/pipeline/queue/lane.h"
#include "agent/pipeline/queue/part.h"
#include "agent/pipeline/spooler/spooler.h"

/* Ends p; its records have just been counted somewhere. */
static void release(struct fffa_lane *l, struct fffa_parcel *p)
{
	FFFA_ASSERT(l->ledger.in_flight >= fffa_batch_count(p->d.batch));
	FFFA_ASSERT(l->queue_bytes >= fffa_batch_footprint(p->d.batch));
	l->ledger.in_flight -= fffa_batch_count(p->d.batch);
	l->queue_bytes -= fffa_batch_footprint(p->d.batch);
	fffa_batch_unref(p->d.batch);
	if (l->spooler)
		fffa_spooler__settled(l->spooler, p);
	free(p);
}

void fffa_settle__lose(struct fffa_lane *l, struct fffa_parcel *p, enum fffa_record_loss why)
{
	l->ledger.lost[why] += fffa_batch_count(p->d.batch);
	if (p->is_skipdata) /* what it stands for is still to be told */
		fffa_told__add(l, p->why, &p->skip);
	else
		fffa_told__add_batch(l, why, p->d.batch);
	release(l, p);
}

static void reject(struct fffa_lane *l, struct fffa_parcel *p)
{
	uint32_t n = fffa_batch_count(p->d.batch);

	l->ledger.rejected += n;
	release(l, p);
	fffa_deliver__complain(l, FFFA_COMPLAIN_REJECTED, n);
}

/* The lane is ending: p stays on disk, goes there, or is lost. */
static void leave(struct fffa_lane *l, struct fffa_parcel *p)
{
	if (l->spooler && !p->slip) {
		fffa_spooler__add(l->spooler, p);
		return;
	}
	if (!l->spooler || !fffa_spooler__holds(p)) {
		fffa_settle__lose(l, p, l->spooler ? FFFA_RL_SPOOL_FULL : FFFA_RL_SHUTDOWN);
		return;
	}
	l->queue_bytes -= fffa_batch_footprint(p->d.batch);
	fffa_batch_unref(p->d.batch);
	fffa_spooler__left(l->spooler, p);
	free(p);
}

void fffa_settle__leave_queue(struct fffa_lane *l)
{
	struct fffa_parcel *p;

	while ((p = TAILQ_FIRST(&l->queue))) {
		TAILQ_REMOVE(&l->queue, p, link);
		leave(l, p);
	}
}

static void note_error(struct fffa_lane *l, int cause, const char *detail)
{
	(void)snprintf(l->last_error, sizeof(l->last_error), "%s",
		       detail && detail[0] ? detail
		       : cause < 0	   ? strerror(-cause)
					   : "the far end does not take records");
}

/* Waits and goes before all younger ones, unless that has lasted too long. */
static void again(struct fffa_lane *l, struct fffa_parcel *p, uint32_t after_ms)
{
	uint64_t now = fffa_clock_mono_ns(&fffa_clock_system), first;

	if (l->ending) {
		leave(l, p);
		return;
	}
	if (!p->first_fail_ns)
		p->first_fail_ns = now;
	first = p->first_fail_ns;
	if (fffa_retry_gives_up(&l->retry, first, now)) {
		fffa_deliver__complain(l, FFFA_COMPLAIN_GAVE_UP, fffa_batch_count(p->d.batch));
		fffa_settle__lose(l, p, FFFA_RL_GAVE_UP);
		first = now; /* the pause is for the next delivery */
	} else {
		fffa_deliver__put(l, p);
	}
	fffa_deliver__pause(l, first, after_ms * FFFA_NS_PER_MS);
}

void fffa_settle__retry(struct fffa_lane *l, struct fffa_parcel *p, uint32_t after_ms, int cause,
			const char *detail)
{
	note_error(l, cause, detail);
	if (!l->down && !l->ending) {
		l->down = true;
		fffa_warn(l->tag, "down, will be tried again: %s", l->last_error);
	}
	again(l, p, after_ms);
}

/* p becomes the first half, a new parcel behind it the second. -ENOMEM: p is as it was. */
static int split(struct fffa_lane *l, struct fffa_parcel *p)
{
	const struct fffa_batch *b = p->d.batch;
	uint32_t n = fffa_batch_count(b);
	struct fffa_batch *front = fffa_part__range(b, 0, n / 2),
			  *back = fffa_part__range(b, n / 2, n - n / 2);
	struct fffa_parcel *q = calloc(1, sizeof(*q));

	if (!front || !back || !q)
		goto err;
	l->queue_bytes -= fffa_batch_footprint(b);
	l->queue_bytes += fffa_batch_footprint(front) + fffa_batch_footprint(back);
	fffa_batch_unref(p->d.batch);
	p->d.batch = front;
	p->tries = 0; /* other bytes: not the same delivery again */
	q->d.batch = back;
	q->first_fail_ns = p->first_fail_ns;
	q->born_ns = p->born_ns;
	fffa_spooler__share(q, p);
	fffa_deliver__put(l, p);
	fffa_deliver__put(l, q);
	return 0;
err:
	fffa_batch_unref(front);
	fffa_batch_unref(back);
	free(q);
	return -ENOMEM;
}

static void too_big(struct fffa_lane *l, struct fffa_parcel *p)
{
	if (fffa_batch_count(p->d.batch) == 1)
		reject(l, p);
	else if (l->ending)
		leave(l, p);
	else if (split(l, p))
		fffa_settle__retry(l, p, 0, -ENOMEM, NULL);
}

static void note_success(struct fffa_lane *l)
{
	l->fails = 0;
	if (l->down) {
		l->down = false;
		fffa_info(l->tag, "up again");
	}
}

static void delivered(struct fffa_lane *l, struct fffa_parcel *p)
{
	l->ledger.delivered += fffa_batch_count(p->d.batch);
	fffa_histogram_observe_ns(&l->latency, fffa_clock_mono_ns(&fffa_clock_system) - p->born_ns);
	note_success(l);
	release(l, p);
	fffa_told__tell(l, false);
}

/* p goes on with b alone (takes b); the caller has counted the records that are done. */
static void narrow(struct fffa_lane *l, struct fffa_parcel *p, struct fffa_batch *b)
{
	l->queue_bytes -= fffa_batch_footprint(p->d.batch);
	l->queue_bytes += fffa_batch_footprint(b);
	l->ledger.in_flight -= fffa_batch_count(p->d.batch) - fffa_batch_count(b);
	fffa_batch_unref(p->d.batch);
	p->d.batch = b;
	p->tries = 0;
}

struct judgement {
	uint32_t n[FFFA_V_TOO_BIG + 1];
	struct fffa_batch *retry, *big; /* NULL: no such records */
};

/* -ENOMEM: nothing is left behind. */
static int judge(const struct fffa_batch *b, const uint8_t *records, struct judgement *j)
{
	*j = (struct judgement){.retry = NULL};
	for (uint32_t i = 0; i < fffa_batch_count(b); i++) {
		FFFA_ASSERT(records[i] > FFFA_V_NONE && records[i] <= FFFA_V_TOO_BIG);
		j->n[records[i]]++;
	}
	if (j->n[FFFA_V_TOO_BIG] == 1) { /* it was alone in what was too big */
		j->n[FFFA_V_TOO_BIG] = 0;
		j->n[FFFA_V_REJECTED]++;
	}
	if (j->n[FFFA_V_RETRY])
		j->retry = fffa_part__pick(b, records, FFFA_V_RETRY, j->n[FFFA_V_RETRY]);
	if (j->n[FFFA_V_TOO_BIG])
		j->big = fffa_part__pick(b, records, FFFA_V_TOO_BIG, j->n[FFFA_V_TOO_BIG]);
	if ((j->n[FFFA_V_RETRY] && !j->retry) || (j->n[FFFA_V_TOO_BIG] && !j->big)) {
		fffa_batch_unref(j->retry);
		fffa_batch_unref(j->big);
		return -ENOMEM;
	}
	return 0;
}

/* The far end took some and not others. */
static void judged(struct fffa_lane *l, struct fffa_parcel *p, const struct fffa_outcome *o)
{
	struct fffa_parcel *q = calloc(1, sizeof(*q)); /* the ones that are too big */
	struct judgement j;

	if (!q || judge(p->d.batch, o->records, &j)) {
		free(q);
		fffa_settle__retry(l, p, 0, -ENOMEM, NULL); /* all of it once more */
		return;
	}
	l->ledger.delivered += j.n[FFFA_V_DELIVERED];
	l->ledger.rejected += j.n[FFFA_V_REJECTED];
	if (j.n[FFFA_V_DELIVERED])
		note_success(l);
	if (j.n[FFFA_V_REJECTED]) {
		note_error(l, o->cause, o->detail);
		fffa_deliver__complain(l, FFFA_COMPLAIN_REJECTED, j.n[FFFA_V_REJECTED]);
	}
	if (j.big) {
		*q = (struct fffa_parcel){
			.d.batch = j.big, .born_ns = p->born_ns, .first_fail_ns = p->first_fail_ns};
		fffa_spooler__share(q, p);
		l->queue_bytes += fffa_batch_footprint(j.big);
		l->ledger.in_flight += fffa_batch_count(j.big);
		too_big(l, q);
	} else {
		free(q);
	}
	if (!j.retry) {
		release(l, p);
		return;
	}
	narrow(l, p, j.retry);
	if (j.n[FFFA_V_DELIVERED])
		again(l, p, o->retry_after_ms);
	else
		fffa_settle__retry(l, p, o->retry_after_ms, o->cause, o->detail);
}

static void settle(struct fffa_lane *l, struct fffa_parcel *p, const struct fffa_outcome *o)
{
	if (o->records) {
		judged(l, p, o);
		return;
	}
	/* Without a verdict p would never be settled. */
	FFFA_ASSERT(o->verdict > FFFA_V_NONE && o->verdict <= FFFA_V_TOO_BIG);
	switch (o->verdict) {
	case FFFA_V_DELIVERED:
		delivered(l, p);
		break;
	case FFFA_V_REJECTED:
		note_error(l, o->cause, o->detail);
		reject(l, p);
		break;
	case FFFA_V_TOO_BIG:
		too_big(l, p);
		break;
	case FFFA_V_RETRY:
		fffa_settle__retry(l, p, o->retry_after_ms, o->cause, o->detail);
		break;
	case FFFA_V_NONE:
		break; /* not possible: see above */
	}
}

void fffa_settle__done(void *lane, struct fffa_delivery *d, const struct fffa_outcome *o)
{
	struct fffa_lane *l = lane;
	struct fffa_parcel *p = (struct fffa_parcel *)d;

	/* A second done for p would put it into two queues, or free it twice. */
	FFFA_ASSERT(l->sent && p->is_sent);
	l->sent--;
	p->is_sent = false;
	settle(l, p, o);
	fffa_deliver__pump(l);
}
