// SPDX-License-Identifier: MIT
#include "agent/pipeline/queue/settle.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/assert.h"
#include "agent/base/clock.h"
#include "agent/pipeline/queue/sub_batch.h"

void fffa_settle_init(struct fffa_settle *s, const char *tag, struct fffa_backlog *backlog,
		      struct fffa_pause *pause)
{
	*s = (struct fffa_settle){.tag = tag, .backlog = backlog, .pause = pause};
}

bool fffa_settle_is_down(const struct fffa_settle *s)
{
	return s->down;
}

void fffa_settle_status(const struct fffa_settle *s, struct fffa_sink_status *out)
{
	out->up = !s->down;
	out->latency = &s->latency;
	out->last_error = s->last_error;
}

static void note_error(struct fffa_settle *s, int cause, const char *detail)
{
	(void)snprintf(s->last_error, sizeof(s->last_error), "%s",
		       detail && detail[0] ? detail
		       : cause < 0	   ? strerror(-cause)
					   : "no reason is known");
}

static void note_success(struct fffa_settle *s)
{
	fffa_pause_forget_failures(s->pause);
	if (s->down) {
		s->down = false;
		fffa_info(s->tag, "delivers again");
	}
}

static void reject_batch(struct fffa_settle *s, struct fffa_queued_batch *b)
{
	uint32_t n = fffa_batch_count(b->d.batch);

	fffa_backlog_count_rejected(s->backlog, n);
	fffa_backlog_end(s->backlog, b);
	fffa_log_limited(&s->rejected_log, s->tag, "records are rejected", n);
}

/* Queues b again before all younger batches, or loses it when retry.give_up has passed. */
static void retry_later(struct fffa_settle *s, struct fffa_queued_batch *b, uint32_t after_ms)
{
	uint64_t now = fffa_clock_mono_ns(&fffa_clock_system), first;

	if (fffa_backlog_is_ending(s->backlog)) {
		fffa_backlog_store_or_lose(s->backlog, b);
		return;
	}
	if (!b->first_fail_ns)
		b->first_fail_ns = now;
	first = b->first_fail_ns;
	if (fffa_pause_gives_up(s->pause, first, now)) {
		fffa_log_limited(&s->gave_up_log, s->tag,
				 "records are lost, retry.give_up has passed",
				 fffa_batch_count(b->d.batch));
		fffa_backlog_lose(s->backlog, b, FFFA_RL_GAVE_UP);
		first = now; /* the next delivery has not failed yet */
	} else {
		fffa_backlog_put(s->backlog, b);
	}
	fffa_pause_begin(s->pause, first, after_ms * FFFA_NS_PER_MS);
}

void fffa_settle_retry(struct fffa_settle *s, struct fffa_queued_batch *b, uint32_t after_ms,
		       int cause, const char *detail)
{
	note_error(s, cause, detail);
	if (!s->down && !fffa_backlog_is_ending(s->backlog)) {
		s->down = true;
		fffa_warn(s->tag, "deliveries fail, will retry: %s", s->last_error);
	}
	retry_later(s, b, after_ms);
}

/*
 * Splits b at a record: b keeps the first half, a new batch has the second. -ENOMEM: b is as
 * it was.
 */
static int split_batch(struct fffa_settle *s, struct fffa_queued_batch *b)
{
	const struct fffa_batch *whole = b->d.batch;
	uint32_t n = fffa_batch_count(whole);
	struct fffa_batch *front = fffa_sub_batch_range(whole, 0, n / 2),
			  *back = fffa_sub_batch_range(whole, n / 2, n - n / 2);
	struct fffa_queued_batch *second = calloc(1, sizeof(*second));

	if (!front || !back || !second) {
		fffa_batch_unref(front);
		fffa_batch_unref(back);
		free(second);
		return -ENOMEM;
	}
	fffa_backlog_split_off(s->backlog, second, b, back);
	fffa_backlog_replace(s->backlog, b, front);
	fffa_backlog_put(s->backlog, b);
	fffa_backlog_put(s->backlog, second);
	return 0;
}

static void settle_too_big(struct fffa_settle *s, struct fffa_queued_batch *b)
{
	if (fffa_batch_count(b->d.batch) == 1)
		reject_batch(s, b);
	else if (fffa_backlog_is_ending(s->backlog))
		fffa_backlog_store_or_lose(s->backlog, b);
	else if (split_batch(s, b))
		fffa_settle_retry(s, b, 0, -ENOMEM, NULL);
}

static void settle_delivered(struct fffa_settle *s, struct fffa_queued_batch *b)
{
	fffa_backlog_count_delivered(s->backlog, fffa_batch_count(b->d.batch));
	fffa_histogram_observe_ns(&s->latency, fffa_clock_mono_ns(&fffa_clock_system) - b->born_ns);
	note_success(s);
	fffa_backlog_end(s->backlog, b);
	fffa_backlog_report_missing(s->backlog, false);
}

/* How the records of a batch were judged, where each has a verdict of its own. */
struct judgement {
	uint32_t n[FFFA_V_TOO_BIG + 1];
	struct fffa_batch *retry, *big; /* these records as batches; NULL: there are none */
};

/* 0, or -ENOMEM; then *j holds nothing. */
static int judge_records(const struct fffa_batch *b, const uint8_t *records, struct judgement *j)
{
	*j = (struct judgement){.retry = NULL};
	for (uint32_t i = 0; i < fffa_batch_count(b); i++) {
		FFFA_ASSERT(records[i] > FFFA_V_NONE && records[i] <= FFFA_V_TOO_BIG);
		j->n[records[i]]++;
	}
	/* a single record that is too big cannot be split: rejected */
	if (j->n[FFFA_V_TOO_BIG] == 1) {
		j->n[FFFA_V_TOO_BIG] = 0;
		j->n[FFFA_V_REJECTED]++;
	}
	if (j->n[FFFA_V_RETRY])
		j->retry = fffa_sub_batch_pick(b, records, FFFA_V_RETRY, j->n[FFFA_V_RETRY]);
	if (j->n[FFFA_V_TOO_BIG])
		j->big = fffa_sub_batch_pick(b, records, FFFA_V_TOO_BIG, j->n[FFFA_V_TOO_BIG]);
	if ((j->n[FFFA_V_RETRY] && !j->retry) || (j->n[FFFA_V_TOO_BIG] && !j->big)) {
		fffa_batch_unref(j->retry);
		fffa_batch_unref(j->big);
		return -ENOMEM;
	}
	return 0;
}

static void note_judgement(struct fffa_settle *s, const struct judgement *j,
			   const struct fffa_outcome *o)
{
	fffa_backlog_count_delivered(s->backlog, j->n[FFFA_V_DELIVERED]);
	fffa_backlog_count_rejected(s->backlog, j->n[FFFA_V_REJECTED]);
	if (j->n[FFFA_V_DELIVERED])
		note_success(s);
	if (j->n[FFFA_V_REJECTED]) {
		note_error(s, o->cause, o->detail);
		fffa_log_limited(&s->rejected_log, s->tag, "records are rejected",
				 j->n[FFFA_V_REJECTED]);
	}
}

/* The sink judged each record by itself. */
static void settle_records(struct fffa_settle *s, struct fffa_queued_batch *b,
			   const struct fffa_outcome *o)
{
	struct fffa_queued_batch *big = calloc(1, sizeof(*big));
	struct judgement j;

	if (!big || judge_records(b->d.batch, o->records, &j)) {
		free(big);
		fffa_settle_retry(s, b, 0, -ENOMEM, NULL); /* the whole batch once more */
		return;
	}
	note_judgement(s, &j, o);
	if (j.big) {
		fffa_backlog_split_off(s->backlog, big, b, j.big);
		settle_too_big(s, big);
	} else {
		free(big);
	}
	if (!j.retry) {
		fffa_backlog_end(s->backlog, b);
		return;
	}
	fffa_backlog_replace(s->backlog, b, j.retry);
	if (j.n[FFFA_V_DELIVERED])
		retry_later(s, b, o->retry_after_ms);
	else
		fffa_settle_retry(s, b, o->retry_after_ms, o->cause, o->detail);
}

void fffa_settle_outcome(struct fffa_settle *s, struct fffa_queued_batch *b,
			 const struct fffa_outcome *o)
{
	if (o->records) {
		settle_records(s, b, o);
		return;
	}
	/* Without a verdict b would stay in flight for ever. */
	FFFA_ASSERT(o->verdict > FFFA_V_NONE && o->verdict <= FFFA_V_TOO_BIG);
	switch (o->verdict) {
	case FFFA_V_DELIVERED:
		settle_delivered(s, b);
		break;
	case FFFA_V_REJECTED:
		note_error(s, o->cause, o->detail);
		reject_batch(s, b);
		break;
	case FFFA_V_TOO_BIG:
		settle_too_big(s, b);
		break;
	case FFFA_V_RETRY:
		fffa_settle_retry(s, b, o->retry_after_ms, o->cause, o->detail);
		break;
	case FFFA_V_NONE:
		break; /* see the assertion */
	}
}
