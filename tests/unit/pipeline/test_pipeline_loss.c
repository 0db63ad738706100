// SPDX-License-Identifier: MIT
/* Lost records are recorded in the stream: every number is there or explained. */
#include "tests/unit/pipeline/pipeline_fixture.h"

#include <errno.h>
#include <string.h>

#include "agent/pipeline/queue/deliver.h"

#define QUEUE_BYTES 9000 /* room for a few batches */

static char *as_config_text(const char *literal)
{
	return (char *)(uintptr_t)literal;
}

static void want_loss_fields(struct fixture *f, size_t n)
{
	for (size_t i = 0; i < n; i++)
		f->sinks[i].common.fields = as_config_text(FIXTURE_LOSS_FIELDS);
}

/* The sink holds everything until the queue has overflowed, then takes all. */
static void overflow(struct fixture *f, int when_full)
{
	want_loss_fields(f, 2);
	f->peers[0].hold = true;
	f->peers[0].max_open = 1;
	f->sinks[0].common.queue_memory = QUEUE_BYTES;
	f->sinks[0].common.queue_when_full = when_full;
	fixture_open(f, 2);
	for (int i = 0; i < 100; i++) {
		struct fffa_sink_status s;

		fixture_feed(f, 10);
		(void)uv_run(&f->loop, UV_RUN_NOWAIT);
		fffa_pipeline_sink_status(f->p, 0, &s);
		assert_true(s.queue_bytes <= QUEUE_BYTES);
	}
	f->peers[0].hold = false;
	assert_true(spy_release(&f->peers[0], outcome(FFFA_V_DELIVERED, 0)));
	fixture_settle(f);
	fixture_feed(f, 10);
	fixture_settle(f);
}

static void check_explained(struct fixture *f, enum fffa_record_loss why)
{
	struct fixture_stream s = fixture_stream(f, 0, f->fed);

	assert_true(s.skips > 0);
	assert_int_equal(s.records + s.lost, f->fed);
	assert_int_equal(s.skips, f->last[0].skipdata_records);
	assert_non_null(strstr(s.reason, fffa_ledger_record_loss_name(why)));
	s = fixture_stream(f, 1, f->fed); /* the other sink lost nothing and has no SKIPDATA */
	assert_int_equal(s.records, f->fed);
	assert_int_equal(s.skips, 0);
}

static void newest_are_dropped_and_recorded(void **state)
{
	struct fixture *f = *state;

	overflow(f, FFFA_WHEN_FULL_DROP_NEWEST);
	fixture_close(f, 0);
	assert_int_equal(f->peers[0].seen[1].first_seq, 11); /* the oldest are there */
	check_explained(f, FFFA_RL_QUEUE_FULL);
}

static void oldest_are_dropped_and_recorded(void **state)
{
	struct fixture *f = *state;
	struct fixture_stream s;

	overflow(f, FFFA_WHEN_FULL_DROP_OLDEST);
	fixture_close(f, 0);
	s = fixture_stream(f, 0, f->fed);
	assert_int_equal(f->peers[0].seen[0].first_seq, 1); /* what the sink held is there */
	assert_true(f->peers[0].seen[1].first_seq > 500);
	assert_true(s.records > 60);
	check_explained(f, FFFA_RL_QUEUE_FULL);
}

static struct fffa_outcome always_retry(void *arg, const struct fffa_batch *b)
{
	(void)arg;
	(void)b;
	return outcome(FFFA_V_RETRY, -EIO);
}

static void given_up_records_are_recorded_as_lost(void **state)
{
	struct fixture *f = *state;

	want_loss_fields(f, 2);
	f->peers[0].judge = always_retry;
	f->sinks[0].common.retry_give_up_ns = 20 * MS;
	fixture_open(f, 2);
	fixture_feed(f, 30);
	fixture_settle(f);
	assert_int_equal(f->peers[0].len, 0);
	f->peers[0].judge = NULL;
	fixture_feed(f, 20);
	fixture_settle(f);
	fixture_close(f, 0);
	check_explained(f, FFFA_RL_GAVE_UP);
}

/*
 * The last records are lost and nothing follows, so the loss is recorded at the end of the stream.
 */
static void the_end_records_the_rest_as_lost(void **state)
{
	struct fixture *f = *state;

	want_loss_fields(f, 2);
	f->peers[0].judge = always_retry;
	f->sinks[0].common.retry_give_up_ns = 20 * MS;
	fixture_open(f, 2);
	fixture_feed(f, 30);
	fixture_settle(f);
	f->peers[0].judge = NULL;
	fixture_close(f, 0);
	check_explained(f, FFFA_RL_GAVE_UP);
	assert_int_equal(fixture_stream(f, 0, 30).lost, 30);
}

static struct fffa_outcome refuse_skipdata(void *arg, const struct fffa_batch *b)
{
	size_t *left = arg;

	if (fffa_batch_count(b) == 1 && *left) {
		(*left)--;
		return outcome(FFFA_V_RETRY, -EIO);
	}
	return outcome(*left && fffa_batch_first_seq(b) < 25 ? FFFA_V_RETRY : FFFA_V_DELIVERED, 0);
}

/* The loss of a SKIPDATA record is recorded, with all that it stood for. */
static void a_lost_skipdata_record_is_repeated(void **state)
{
	struct fixture *f = *state;
	size_t left = 30;

	want_loss_fields(f, 2);
	f->peers[0].judge = refuse_skipdata;
	f->peers[0].arg = &left;
	f->sinks[0].common.retry_give_up_ns = 10 * MS;
	fixture_open(f, 2);
	for (int i = 0; i < 20; i++) {
		fixture_feed(f, 10);
		fixture_run_for(f, 5);
	}
	left = 0;
	fixture_settle(f);
	fixture_feed(f, 10);
	fixture_settle(f);
	fixture_close(f, 0);
	assert_true(f->last[0].skipdata_records > 1);
	{
		struct fixture_stream s = fixture_stream(f, 0, f->fed);

		assert_true(s.lost > 0);
		assert_int_equal(s.records + s.lost, f->fed);
		assert_true(s.skips < f->last[0].skipdata_records);
	}
}

/* Of ten records, the first is rejected, the next three are retried, and the fifth is too big. */
static const uint8_t one_by_one[10] = {
	FFFA_V_REJECTED,  FFFA_V_RETRY,	    FFFA_V_RETRY,     FFFA_V_RETRY,	FFFA_V_TOO_BIG,
	FFFA_V_DELIVERED, FFFA_V_DELIVERED, FFFA_V_DELIVERED, FFFA_V_DELIVERED, FFFA_V_DELIVERED};

static struct fffa_outcome judge_each(void *arg, const struct fffa_batch *b)
{
	size_t *seen = arg;

	(*seen)++;
	if (fffa_batch_count(b) == 10)
		return (struct fffa_outcome){.verdict = FFFA_V_RETRY, .records = one_by_one};
	assert_int_equal(fffa_batch_count(b), 3);
	assert_int_equal(fffa_batch_first_seq(b) % 10, 2);
	assert_int_equal(fffa_batch_last_seq(b) % 10, 4);
	assert_int_equal(fffa_batch_origin(b)->epoch, 77);
	return outcome(FFFA_V_DELIVERED, 0);
}

static void only_the_rest_is_sent_again(void **state)
{
	struct fixture *f = *state;
	size_t seen = 0;

	f->peers[0].judge = judge_each;
	f->peers[0].arg = &seen;
	fixture_open(f, 2);
	fixture_feed(f, 50);
	fixture_settle(f);
	assert_int_equal(fixture_ledger(f, 0)->delivered, 40);
	assert_int_equal(fixture_ledger(f, 0)->rejected, 10);
	assert_int_equal(seen, 10);
	fixture_close(f, 0);
	fixture_expect(f, 1, 1, 50);
}

/* Every message is too big, so it is halved until one record is alone. */
static struct fffa_outcome big_messages(void *arg, const struct fffa_batch *b)
{
	static const uint8_t all_big[10] = {
		FFFA_V_TOO_BIG, FFFA_V_TOO_BIG, FFFA_V_TOO_BIG, FFFA_V_TOO_BIG, FFFA_V_TOO_BIG,
		FFFA_V_TOO_BIG, FFFA_V_TOO_BIG, FFFA_V_TOO_BIG, FFFA_V_TOO_BIG, FFFA_V_TOO_BIG};

	(void)arg;
	if (fffa_batch_count(b) <= 2)
		return outcome(FFFA_V_DELIVERED, 0);
	return (struct fffa_outcome){.verdict = FFFA_V_RETRY, .records = all_big};
}

static void too_big_one_by_one_is_split(void **state)
{
	struct fixture *f = *state;

	f->peers[0].judge = big_messages;
	f->peers[0].max_open = 1;
	fixture_open(f, 1);
	fixture_feed(f, 40);
	fixture_settle(f);
	assert_int_equal(fixture_ledger(f, 0)->delivered, 40);
	fixture_close(f, 0);
	fixture_expect(f, 0, 1, 40);
}

struct turns {
	uv_check_t h;
	size_t n;
};

static void on_turn(uv_check_t *h)
{
	((struct turns *)h->data)->n++;
}

/* However many records wait, the loop runs in between. */
static void a_long_queue_does_not_hold_the_loop(void **state)
{
	static const struct spy_step refuse = {SPY_REFUSE, {0}, 1};
	struct fixture *f = *state;
	struct turns t = {.n = 0};

	f->peers[0].steps = &refuse;
	f->peers[0].step_count = 1;
	fixture_open(f, 1);
	fixture_feed(f, 5000);
	assert_int_equal(f->peers[0].submits, 1);
	assert_int_equal(uv_check_init(&f->loop, &t.h), 0);
	t.h.data = &t;
	assert_int_equal(uv_check_start(&t.h, on_turn), 0);
	while (f->peers[0].submits == 1)
		fixture_turn(f);
	assert_uint_in_range(f->peers[0].submits, 2,
			     1 + 2 * FFFA_DELIVER_PER_TURN); /* timers, idle */
	fixture_settle(f);
	assert_true(t.n >= 5000 / 10 / (2 * FFFA_DELIVER_PER_TURN));
	uv_close((uv_handle_t *)&t.h, NULL);
	fixture_close(f, 0);
	fixture_expect(f, 0, 1, 5000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(newest_are_dropped_and_recorded),
		CASE(oldest_are_dropped_and_recorded),
		CASE(given_up_records_are_recorded_as_lost),
		CASE(the_end_records_the_rest_as_lost),
		CASE(a_lost_skipdata_record_is_repeated),
		CASE(only_the_rest_is_sent_again),
		CASE(too_big_one_by_one_is_split),
		CASE(a_long_queue_does_not_hold_the_loop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
