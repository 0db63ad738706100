// SPDX-License-Identifier: MIT
/* Verdict -> ledger: release, try again, split, lose. */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/pipeline/lane.h"

/* Ends p; its records have just been counted somewhere. */
static void release(struct fffa_lane *l, struct fffa_parcel *p)
{
	l->ledger.in_flight -= fffa_batch_count(p->d.batch);
	l->queue_bytes -= fffa_batch_footprint(p->d.batch);
	fffa_batch_unref(p->d.batch);
	free(p);
}

static void lose(struct fffa_lane *l, struct fffa_parcel *p, enum fffa_record_loss why)
{
	l->ledger.lost[why] += fffa_batch_count(p->d.batch);
	release(l, p);
}

static void reject(struct fffa_lane *l, struct fffa_parcel *p)
{
	uint32_t n = fffa_batch_count(p->d.batch);

	l->ledger.rejected += n;
	release(l, p);
	fffa_deliver__complain(l, FFFA_COMPLAIN_REJECTED, n);
}

void fffa_settle__lose_queue(struct fffa_lane *l, enum fffa_record_loss why)
{
	struct fffa_parcel *p;

	while ((p = TAILQ_FIRST(&l->queue))) {
		TAILQ_REMOVE(&l->queue, p, link);
		lose(l, p, why);
	}
}

static void note_error(struct fffa_lane *l, int cause, const char *detail)
{
	(void)snprintf(l->last_error, sizeof(l->last_error), "%s",
		       detail && detail[0] ? detail
		       : cause < 0	   ? strerror(-cause)
					   : "the far end does not take records");
}

void fffa_settle__retry(struct fffa_lane *l, struct fffa_parcel *p, uint32_t after_ms, int cause,
			const char *detail)
{
	uint64_t now = fffa_clock_mono_ns(&fffa_clock_system), first;

	note_error(l, cause, detail);
	if (!l->down && !l->ending) {
		l->down = true;
		fffa_warn(l->tag, "down, will be tried again: %s", l->last_error);
	}
	if (l->ending) {
		lose(l, p, FFFA_RL_SHUTDOWN);
		return;
	}
	if (!p->first_fail_ns)
		p->first_fail_ns = now;
	first = p->first_fail_ns;
	if (fffa_retry_gives_up(&l->retry, first, now)) {
		fffa_deliver__complain(l, FFFA_COMPLAIN_GAVE_UP, fffa_batch_count(p->d.batch));
		lose(l, p, FFFA_RL_GAVE_UP);
		first = now; /* the pause is for the next delivery */
	} else {
		fffa_deliver__put(l, p);
	}
	fffa_deliver__pause(l, first, after_ms * FFFA_NS_PER_MS);
}

/* A sealed batch of n records of b from the first on; NULL without memory. */
static struct fffa_batch *part(const struct fffa_batch *b, uint32_t first, uint32_t n)
{
	struct fffa_span begin = fffa_batch_record(b, first);
	struct fffa_span last = fffa_batch_record(b, first + n - 1);
	struct fffa_batch *out = fffa_batch_new((size_t)(last.ptr - begin.ptr) + last.len, n);

	for (uint32_t i = 0; out && i < n; i++) {
		struct fffa_span r = fffa_batch_record(b, first + i);
		struct fffa_batch_mark mark = fffa_batch_mark(b, first + i);
		uint8_t *dst = fffa_batch_room(out, r.len);

		if (!dst) {
			fffa_batch_unref(out);
			return NULL;
		}
		memcpy(dst, r.ptr, r.len);
		fffa_batch_commit(out, r.len, &mark);
	}
	if (out) {
		fffa_batch_set_origin(out, fffa_batch_origin(b));
		fffa_batch_seal(out);
	}
	return out;
}

/* p becomes the first half, a new parcel behind it the second. -ENOMEM: p is as it was. */
static int split(struct fffa_lane *l, struct fffa_parcel *p)
{
	const struct fffa_batch *b = p->d.batch;
	uint32_t n = fffa_batch_count(b);
	struct fffa_batch *front = part(b, 0, n / 2), *back = part(b, n / 2, n - n / 2);
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
		lose(l, p, FFFA_RL_SHUTDOWN);
	else if (split(l, p))
		fffa_settle__retry(l, p, 0, -ENOMEM, NULL);
}

static void delivered(struct fffa_lane *l, struct fffa_parcel *p)
{
	l->ledger.delivered += fffa_batch_count(p->d.batch);
	l->fails = 0;
	if (l->down) {
		l->down = false;
		fffa_info(l->tag, "up again");
	}
	release(l, p);
}

void fffa_settle__done(void *lane, struct fffa_delivery *d, const struct fffa_outcome *o)
{
	struct fffa_lane *l = lane;
	struct fffa_parcel *p = (struct fffa_parcel *)d;

	assert(l->sent);
	l->sent--;
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
	case FFFA_V_NONE:
		assert(!"a sink's outcome without a verdict");
		/* fall through */
	case FFFA_V_RETRY:
		fffa_settle__retry(l, p, o->retry_after_ms, o->cause, o->detail);
		break;
	}
	fffa_deliver__pump(l);
}
