// SPDX-License-Identifier: MIT
#include "agent/pipeline/queue/settle.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/assert.h"
#include "agent/base/clock.h"
#include "agent/pipeline/queue/sub_batch.h"

/* A batch that is delivered this soon after the only refusal tells that the batch is the reason. */
#define PROBE_NS (2 * FFFA_NS_PER_S)

void fffa_settle_init(struct fffa_settle *s, const char *tag, struct fffa_backlog *backlog,
		      struct fffa_pause *pause)
{
	*s = (struct fffa_settle){.tag = tag, .backlog = backlog, .pause = pause};
	fffa_health_init(&s->health, tag);
}

bool fffa_settle_is_down(const struct fffa_settle *s)
{
	return fffa_health_is_blocked(&s->health);
}

bool fffa_settle_is_probing(const struct fffa_settle *s)
{
	return s->refusals > 0;
}

void fffa_settle_set_last(struct fffa_settle *s)
{
	s->is_last = true;
}

void fffa_settle_status(const struct fffa_settle *s, struct fffa_sink_status *out)
{
	fffa_health_status(&s->health, out);
	out->latency = &s->latency;
}

void fffa_settle_trouble(struct fffa_settle *s, const struct fffa_outcome *o)
{
	fffa_health_failed(&s->health, o, fffa_backlog_is_ending(s->backlog));
}

/* Counts the records of b, which is held and not queued, as rejected, and ends it. */
static void reject_batch(struct fffa_settle *s, struct fffa_queued_batch *b,
			 const struct fffa_outcome *o)
{
	uint32_t n = fffa_batch_count(b->d.batch);

	fffa_backlog_count_rejected(s->backlog, b, n);
	fffa_backlog_end(s->backlog, b);
	fffa_health_rejected(&s->health, o, n);
}

/* The receiver takes records, so the batch that it refused just before is the reason itself. */
static void reject_refused(struct fffa_settle *s)
{
	struct fffa_queued_batch *b = fffa_backlog_find_refused(s->backlog);

	if (!b)
		return;
	fffa_backlog_take(s->backlog, b);
	reject_batch(s, b, NULL);
}

static void note_success(struct fffa_settle *s)
{
	bool only = s->refusals == 1 &&
		    fffa_clock_mono_ns(&fffa_clock_system) - s->refused_ns < PROBE_NS;

	s->refusals = 0;
	s->deliveries++;
	fffa_pause_forget_failures(s->pause);
	if (only)
		reject_refused(s);
	fffa_health_delivered(&s->health);
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

static void settle_retry(struct fffa_settle *s, struct fffa_queued_batch *b,
			 const struct fffa_outcome *o)
{
	if (o->transient && !b->first_fail_ns)
		fffa_health_interrupted(&s->health, o);
	else
		fffa_health_failed(&s->health, o, fffa_backlog_is_ending(s->backlog));
	retry_later(s, b, o->retry_after_ms);
}

void fffa_settle_retry(struct fffa_settle *s, struct fffa_queued_batch *b, int cause)
{
	settle_retry(s, b, &(struct fffa_outcome){.verdict = FFFA_V_RETRY, .cause = cause});
}

/*
 * b was refused, was held while another one was delivered, and is refused again: it is the reason.
 */
static bool is_reason(const struct fffa_settle *s, const struct fffa_queued_batch *b)
{
	return b->refusals && (s->deliveries > b->refused_after || (s->is_last && s->deliveries));
}

static void settle_refused(struct fffa_settle *s, struct fffa_queued_batch *b,
			   const struct fffa_outcome *o)
{
	bool ending = fffa_backlog_is_ending(s->backlog);

	if (is_reason(s, b)) {
		reject_batch(s, b, o);
		return;
	}
	if (!b->refusals++)
		b->refused_after = s->deliveries;
	s->refused_ns = fffa_clock_mono_ns(&fffa_clock_system);
	if (s->refusals++ || ending || !fffa_backlog_has_other(s->backlog)) {
		fffa_health_failed(&s->health, o, ending);
		retry_later(s, b, 0);
		return;
	}
	fffa_health_interrupted(&s->health, o);
	b->first_fail_ns = s->refused_ns;
	fffa_backlog_put(s->backlog, b); /* no pause: the next batch is tried at once */
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

static void settle_too_big(struct fffa_settle *s, struct fffa_queued_batch *b,
			   const struct fffa_outcome *o)
{
	if (fffa_batch_count(b->d.batch) == 1)
		reject_batch(s, b, o);
	else if (fffa_backlog_is_ending(s->backlog))
		fffa_backlog_store_or_lose(s->backlog, b);
	else if (split_batch(s, b))
		fffa_settle_retry(s, b, -ENOMEM);
}

static void settle_delivered(struct fffa_settle *s, struct fffa_queued_batch *b)
{
	fffa_backlog_count_delivered(s->backlog, b, fffa_batch_count(b->d.batch));
	fffa_histogram_observe_ns(&s->latency, fffa_clock_mono_ns(&fffa_clock_system) - b->born_ns);
	note_success(s);
	fffa_backlog_end(s->backlog, b);
	fffa_backlog_report_missing(s->backlog, false);
}

/* How the records of a batch were judged, where each has a verdict of its own. */
struct judgement {
	uint32_t n[FFFA_V_LAST + 1];
	struct fffa_batch *again, *big; /* these records as batches; NULL: there are none */
	enum fffa_verdict again_as;	/* RETRY or REFUSED */
};

/*
 * Records that were refused beside others that were delivered are rejected. Where none was
 * delivered they are tried again: with those to retry, if there are any.
 */
static void join_refused(uint8_t *records, uint32_t count, struct judgement *j)
{
	enum fffa_verdict v = j->n[FFFA_V_DELIVERED] ? FFFA_V_REJECTED : FFFA_V_RETRY;

	j->again_as = FFFA_V_RETRY;
	if (!j->n[FFFA_V_REFUSED])
		return;
	if (v == FFFA_V_RETRY && !j->n[FFFA_V_RETRY]) {
		j->again_as = FFFA_V_REFUSED;
		return;
	}
	for (uint32_t i = 0; i < count; i++) {
		if (records[i] == FFFA_V_REFUSED)
			records[i] = (uint8_t)v;
	}
	j->n[v] += j->n[FFFA_V_REFUSED];
	j->n[FFFA_V_REFUSED] = 0;
}

/* 0, or -ENOMEM; then *j holds nothing. Changes records. */
static int judge_records(const struct fffa_batch *b, uint8_t *records, struct judgement *j)
{
	uint32_t count = fffa_batch_count(b);

	*j = (struct judgement){.again = NULL};
	for (uint32_t i = 0; i < count; i++) {
		FFFA_ASSERT(records[i] > FFFA_V_NONE && records[i] <= FFFA_V_LAST);
		j->n[records[i]]++;
	}
	join_refused(records, count, j);
	/* a single record that is too big cannot be split: rejected */
	if (j->n[FFFA_V_TOO_BIG] == 1) {
		j->n[FFFA_V_TOO_BIG] = 0;
		j->n[FFFA_V_REJECTED]++;
	}
	if (j->n[j->again_as])
		j->again = fffa_sub_batch_pick(b, records, j->again_as, j->n[j->again_as]);
	if (j->n[FFFA_V_TOO_BIG])
		j->big = fffa_sub_batch_pick(b, records, FFFA_V_TOO_BIG, j->n[FFFA_V_TOO_BIG]);
	if ((j->n[j->again_as] && !j->again) || (j->n[FFFA_V_TOO_BIG] && !j->big)) {
		fffa_batch_unref(j->again);
		fffa_batch_unref(j->big);
		return -ENOMEM;
	}
	return 0;
}

static void note_judgement(struct fffa_settle *s, const struct fffa_queued_batch *b,
			   const struct judgement *j, const struct fffa_outcome *o)
{
	fffa_backlog_count_delivered(s->backlog, b, j->n[FFFA_V_DELIVERED]);
	fffa_backlog_count_rejected(s->backlog, b, j->n[FFFA_V_REJECTED]);
	if (j->n[FFFA_V_REJECTED])
		fffa_health_rejected(&s->health, o, j->n[FFFA_V_REJECTED]);
	if (j->n[FFFA_V_DELIVERED])
		note_success(s);
}

/* Splits b into the records that are too big, which are settled, and those to be tried again. */
static void settle_judged(struct fffa_settle *s, struct fffa_queued_batch *b,
			  struct fffa_queued_batch *big, const struct judgement *j,
			  const struct fffa_outcome *o)
{
	note_judgement(s, b, j, o);
	if (j->big) {
		fffa_backlog_split_off(s->backlog, big, b, j->big);
		settle_too_big(s, big, o);
	} else {
		free(big);
	}
	if (!j->again) {
		fffa_backlog_end(s->backlog, b);
		return;
	}
	fffa_backlog_replace(s->backlog, b, j->again);
	if (j->again_as == FFFA_V_REFUSED)
		settle_refused(s, b, o);
	else if (j->n[FFFA_V_DELIVERED])
		retry_later(s, b, o->retry_after_ms);
	else
		settle_retry(s, b, o);
}

/* The sink judged each record by itself. */
static void settle_records(struct fffa_settle *s, struct fffa_queued_batch *b,
			   const struct fffa_outcome *o)
{
	uint32_t count = fffa_batch_count(b->d.batch);
	struct fffa_queued_batch *big = calloc(1, sizeof(*big));
	uint8_t *records = calloc(count ? count : 1, 1);
	struct judgement j;

	if (records)
		memcpy(records, o->records, count);
	if (big && records && !judge_records(b->d.batch, records, &j)) {
		settle_judged(s, b, big, &j, o);
	} else {
		free(big);
		fffa_settle_retry(s, b, -ENOMEM); /* the whole batch once more */
	}
	free(records);
}

void fffa_settle_outcome(struct fffa_settle *s, struct fffa_queued_batch *b,
			 const struct fffa_outcome *o)
{
	if (o->records) {
		settle_records(s, b, o);
		return;
	}
	/* Without a verdict b would stay in flight for ever. */
	FFFA_ASSERT(o->verdict > FFFA_V_NONE && o->verdict <= FFFA_V_LAST);
	switch (o->verdict) {
	case FFFA_V_DELIVERED:
		settle_delivered(s, b);
		break;
	case FFFA_V_REJECTED:
		reject_batch(s, b, o);
		break;
	case FFFA_V_TOO_BIG:
		settle_too_big(s, b, o);
		break;
	case FFFA_V_REFUSED:
		settle_refused(s, b, o);
		break;
	case FFFA_V_RETRY:
		settle_retry(s, b, o);
		break;
	case FFFA_V_NONE:
		break; /* see the assertion */
	}
}
