// SPDX-License-Identifier: MIT
/* Queues, verdicts and retries. */
#include "tests/unit/pipeline/pipeline_fixture.h"

#define HOUR_NS (3600 * 1000 * MS)

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/base/histogram.h"

#define DELIVERED                                                                                  \
	{                                                                                          \
		.verdict = FFFA_V_DELIVERED                                                        \
	}
#define RETRY(c)                                                                                   \
	{                                                                                          \
		.verdict = FFFA_V_RETRY, .cause = (c)                                              \
	}

static void script_steps(struct fixture *f, size_t i, const struct spy_step *steps, size_t n)
{
	f->peers[i].steps = steps;
	f->peers[i].step_count = n;
}

static void a_full_sink_is_asked_again_when_ready(void **state)
{
	static const struct spy_step steps[] = {
		{SPY_REFUSE, {0}, 5}, {SPY_TAKE, DELIVERED, 3}, {SPY_REFUSE, {0}, 0}};
	struct fixture *f = *state;

	script_steps(f, 0, steps, 3);
	fixture_open(f, 1);
	fixture_feed(f, 50);
	assert_int_equal(f->peers[0].submits, 1); /* not asked again before ready */
	fixture_settle(f);
	assert_int_equal(f->peers[0].readies, 2);
	assert_int_equal(fixture_ledger(f, 0)->retries, 0);
	fixture_close(f, 0);
	fixture_expect_any_order(f, 0, 1, 50);
}

static void several_deliveries_are_open_until_the_sink_is_full(void **state)
{
	struct fixture *f = *state;

	f->peers[0].max_open = 3;
	f->peers[0].hold = true;
	fixture_open(f, 1);
	fixture_feed(f, 100);
	assert_int_equal(spy_open(&f->peers[0]), 3);
	for (size_t done = 1; spy_release(&f->peers[0], outcome(FFFA_V_DELIVERED, 0)); done++) {
		while (f->peers[0].dones < done)
			fixture_turn(f);
		assert_int_equal(spy_open(&f->peers[0]), done <= 7 ? 3 : 10 - done);
	}
	fixture_settle(f);
	fixture_close(f, 0);
	fixture_expect(f, 0, 1, 100);
}

static void retries_before_anything_younger(void **state)
{
	static const struct spy_step steps[] = {{SPY_TAKE, RETRY(-EIO), 0},
						{SPY_TAKE, RETRY(-EIO), 0},
						{SPY_FAIL, RETRY(-ENOBUFS), 0}};
	struct fixture *f = *state;

	f->peers[0].max_open = 1;
	script_steps(f, 0, steps, 3);
	fixture_open(f, 1);
	fixture_feed(f, 40);
	fixture_settle(f);
	assert_int_equal(f->peers[0].seen[0].first_seq, 1);
	assert_int_equal(f->peers[0].seen[1].first_seq, 1);
	assert_int_equal(f->peers[0].seen[2].first_seq, 1);
	assert_int_equal(f->peers[0].seen[3].first_seq, 11);
	assert_int_equal(fixture_ledger(f, 0)->retries, 2); /* the refused submit is not counted */
	fixture_close(f, 0);
	fixture_expect(f, 0, 1, 40);
}

/*
 * Several open deliveries fail. They are retried in order, and the wait grows once and not
 * for each.
 */
static void a_round_of_failures_keeps_the_order(void **state)
{
	static const struct spy_step steps[] = {
		{SPY_TAKE, RETRY(-EIO), 2}, {SPY_TAKE, RETRY(-EIO), 1}, {SPY_TAKE, RETRY(-EIO), 0}};
	struct fixture *f = *state;

	f->peers[0].max_open = 3;
	script_steps(f, 0, steps, 3);
	f->sinks[0].common.retry_min_ns = 20 * MS;
	f->sinks[0].common.retry_max_ns = 10000 * MS;
	fixture_open(f, 1);
	fixture_feed(f, 60);
	fixture_settle(f);
	for (uint64_t i = 0; i < 3; i++)
		assert_int_equal(f->peers[0].seen[3 + i].first_seq, 1 + 10 * i);
	assert_true(f->peers[0].seen[3].at_ns - f->peers[0].seen[0].at_ns < 9000 * (uint64_t)MS);
	fixture_close(f, 0);
	fixture_expect(f, 0, 1, 60);
}

static void waits_at_least_the_minimum_and_the_hint(void **state)
{
	static const struct spy_step steps[] = {
		{SPY_TAKE, RETRY(-EIO), 0},
		{SPY_TAKE, {.verdict = FFFA_V_RETRY, .retry_after_ms = 80, .cause = -EBUSY}, 0}};
	struct fixture *f = *state;
	const struct spy_seen *seen = f->peers[0].seen;

	script_steps(f, 0, steps, 2);
	f->sinks[0].common.retry_min_ns = 30 * MS;
	f->sinks[0].common.retry_max_ns = 30 * MS;
	fixture_open(f, 1);
	fixture_feed(f, 10);
	fixture_settle(f);
	assert_int_equal(f->peers[0].accepted, 3);
	assert_true(seen[1].at_ns - seen[0].at_ns >= 29 * (uint64_t)MS);
	assert_true(seen[2].at_ns - seen[1].at_ns >= 79 * (uint64_t)MS);
	fixture_close(f, 0);
}

static void note_accepted(uv_timer_t *t)
{
	const struct fixture *f = t->data;

	assert_int_equal(f->peers[0].accepted, 9);
}

/*
 * After six failures in a row the wait is at least 640 ms, after seven 1280. After a success it
 * begins at 20 to 40 ms again: before a timer of 1200 ms, also where the loop is late for both.
 */
static void success_resets_the_wait(void **state)
{
	static const struct spy_step steps[] = {
		{SPY_TAKE, RETRY(-EIO), 0}, {SPY_TAKE, RETRY(-EIO), 0}, {SPY_TAKE, RETRY(-EIO), 0},
		{SPY_TAKE, RETRY(-EIO), 0}, {SPY_TAKE, RETRY(-EIO), 0}, {SPY_TAKE, RETRY(-EIO), 0},
		{SPY_TAKE, DELIVERED, 0},   {SPY_TAKE, RETRY(-EIO), 0}};
	struct fixture *f = *state;
	const struct spy_seen *seen = f->peers[0].seen;
	uv_timer_t late;

	script_steps(f, 0, steps, 8);
	f->sinks[0].common.retry_min_ns = 20 * MS;
	f->sinks[0].common.retry_max_ns = 10000 * MS;
	fixture_open(f, 1);
	fixture_feed(f, 10);
	fixture_settle(f);
	assert_true(seen[6].at_ns - seen[5].at_ns >= 639 * (uint64_t)MS);
	fixture_feed(f, 10);
	while (f->peers[0].dones < 8)
		fixture_step(f);
	assert_int_equal(uv_timer_init(&f->loop, &late), 0);
	late.data = f;
	assert_int_equal(uv_timer_start(&late, note_accepted, 1200, 0), 0);
	while (uv_is_active((uv_handle_t *)&late))
		fixture_turn(f);
	uv_close((uv_handle_t *)&late, NULL);
	fixture_settle(f);
	fixture_close(f, 0);
	fixture_expect(f, 0, 1, 20);
}

static struct fffa_outcome always_retry(void *arg, const struct fffa_batch *b)
{
	(void)arg;
	(void)b;
	return outcome(FFFA_V_RETRY, -EIO);
}

static void gives_up_after_the_configured_time(void **state)
{
	struct fixture *f = *state;
	uint64_t begin = fixture_turn_ns(f);

	f->peers[0].judge = always_retry;
	f->sinks[0].common.retry_give_up_ns = 500 * MS; /* enough tries on a busy machine */
	fixture_open(f, 2);
	fixture_feed(f, 10);
	fixture_settle(f);
	assert_true(uv_hrtime() - begin >= 500 * (uint64_t)MS);
	assert_true(f->peers[0].accepted > 3);
	assert_int_equal(fixture_ledger(f, 0)->lost[FFFA_RL_GAVE_UP], 10);
	assert_int_equal(fixture_ledger(f, 1)->delivered, 10);
	f->peers[0].judge = NULL; /* what comes later is delivered */
	fixture_feed(f, 10);
	fixture_settle(f);
	assert_int_equal(fixture_ledger(f, 0)->delivered, 11); /* and one SKIPDATA, number 10 */
	fixture_close(f, 0);
	fixture_expect_any_order(f, 0, 10, 20);
}

static void rejected_is_counted_and_not_repeated(void **state)
{
	static const struct spy_step steps[] = {
		{SPY_TAKE, {.verdict = FFFA_V_REJECTED, .cause = -EINVAL}, 0}};
	struct fixture *f = *state;

	script_steps(f, 0, steps, 1);
	fixture_open(f, 1);
	fixture_feed(f, 30);
	fixture_settle(f);
	assert_int_equal(f->peers[0].accepted, 3);
	assert_int_equal(fixture_ledger(f, 0)->rejected, 10);
	assert_int_equal(fixture_ledger(f, 0)->delivered, 20);
	fixture_close(f, 0);
	fixture_expect(f, 0, 11, 30);
}

/* A connection that ends does not make the sink look down; a second time in a row does. */
static void a_connection_that_ends_is_no_outage(void **state)
{
#define ENDS                                                                                       \
	{                                                                                          \
		SPY_TAKE, {.verdict = FFFA_V_RETRY, .cause = -ECONNRESET, .transient = true}, 0    \
	}
	static const struct spy_step steps[] = {
		{SPY_TAKE, DELIVERED, 0}, ENDS, {SPY_TAKE, DELIVERED, 0}, ENDS, ENDS};
#undef ENDS
	struct fixture *f = *state;
	struct fffa_sink_status s;

	script_steps(f, 0, steps, 5);
	f->peers[0].max_open = 1;
	f->sinks[0].common.retry_min_ns = 30 * MS;
	fixture_open(f, 1);
	for (size_t batch = 1; batch <= 3; batch++) {
		static const size_t ends[] = {1, 2, 5};
		bool up = true;

		fixture_feed(f, 10);
		while (f->peers[0].dones < ends[batch - 1])
			fixture_step(f);
		fffa_pipeline_sink_status(f->p, 0, &s);
		up = batch < 3;
		assert_int_equal(s.up, up);
		if (batch < 3)
			fixture_settle(f);
	}
	assert_string_equal(s.last_error, strerror(ECONNRESET));
	fixture_settle(f);
	fixture_close(f, 0);
	fixture_expect(f, 0, 1, 30);
}

/* A sink that takes at most two records, and never number 13. */
static struct fffa_outcome small_mouth(void *arg, const struct fffa_batch *b)
{
	uint64_t first = fffa_batch_first_seq(b);
	bool has_13 = first <= 13 && fffa_batch_last_seq(b) >= 13;

	(void)arg;
	return outcome(fffa_batch_count(b) > 2 || has_13 ? FFFA_V_TOO_BIG : FFFA_V_DELIVERED, 0);
}

static void too_big_is_split_down_to_one_record(void **state)
{
	struct fixture *f = *state;
	const char *text;

	f->peers[0].judge = small_mouth;
	f->peers[0].max_open = 1;
	fixture_open(f, 2); /* the other sink shares the batches and takes them whole */
	fixture_feed(f, 40);
	fixture_settle(f);
	assert_int_equal(fixture_ledger(f, 0)->delivered, 39);
	assert_int_equal(fixture_ledger(f, 0)->rejected, 1);
	assert_int_equal(fixture_ledger(f, 0)->retries, 0);
	fixture_close(f, 0);
	fixture_expect(f, 1, 1, 40);
	text = (const char *)f->peers[0].bytes;
	for (unsigned int seq = 1; seq <= 40; seq++) {
		char want[32];
		int n = snprintf(want, sizeof(want), "{\"seq\":%u}\n", seq);

		if (seq == 13)
			continue;
		assert_memory_equal(text, want, n);
		text += n;
	}
	assert_ptr_equal(text, f->peers[0].bytes + f->peers[0].len);
}

static void full_queue_drops_the_newest_for_this_sink_only(void **state)
{
	struct fixture *f = *state;
	uint64_t kept;

	f->peers[0].hold = true;
	f->peers[0].max_open = 1;
	f->sinks[0].common.queue_memory = 4096;
	fixture_open(f, 2);
	for (int i = 0; i < 200; i++) {
		fixture_feed(f, 10);
		(void)uv_run(&f->loop, UV_RUN_NOWAIT);
	}
	while (fixture_ledger(f, 1)->delivered < 2000)
		fixture_turn(f);
	kept = fixture_ledger(f, 0)->in_flight;
	assert_uint_in_range(kept, 50, 400); /* batches of ten short lines in 4 KiB */
	kept -= fixture_ledger(f, 0)->skipdata_records;
	assert_int_equal(fixture_ledger(f, 0)->lost[FFFA_RL_QUEUE_FULL], 2000 - kept);
	f->peers[0].hold = false;
	assert_true(spy_release(&f->peers[0], outcome(FFFA_V_DELIVERED, 0)));
	fixture_settle(f);
	fixture_expect_begin(f, 0, 1, kept); /* the oldest */
	fixture_feed(f, 10);
	fixture_settle(f);
	assert_int_equal(fixture_ledger(f, 0)->delivered,
			 kept + 10 + fixture_ledger(f, 0)->skipdata_records); /* room again */
	fixture_close(f, 0);
	fixture_expect(f, 1, 1, 2010);
}

static void has_room_until_a_quarter_full(void **state)
{
	struct fixture *f = *state;

	f->peers[0].hold = true;
	f->peers[0].max_open = 1;
	f->sinks[0].common.batch_bytes = 64;
	f->sinks[0].common.queue_memory = 20000;
	fixture_open(f, 2);
	assert_true(fffa_pipeline_has_room(f->p));
	while (fffa_pipeline_has_room(f->p)) {
		fixture_feed(f, 1);
		assert_true(f->fed < 1000);
	}
	assert_true(f->fed > 50);
	fixture_feed(f, 2 * (size_t)f->fed); /* three quarters of the queue are still free */
	assert_int_equal(fixture_ledger(f, 0)->lost[FFFA_RL_QUEUE_FULL], 0);
	f->peers[0].hold = false;
	assert_true(spy_release(&f->peers[0], outcome(FFFA_V_DELIVERED, 0)));
	fixture_settle(f);
	assert_true(fffa_pipeline_has_room(f->p));
	fixture_close(f, 0);
	fixture_expect(f, 0, 1, f->fed);
}

/* Waiting makes no room where the sink takes nothing, or fails. */
static void waiting_helps_while_the_sink_moves(void **state)
{
	struct fixture *f = *state;

	f->peers[0].hold = true;
	f->peers[0].max_open = 1;
	f->sinks[0].common.batch_bytes = 64;
	f->sinks[0].common.queue_memory = 20000;
	f->sinks[0].common.retry_min_ns = f->sinks[0].common.retry_max_ns = HOUR_NS;
	fixture_open(f, 2);
	assert_false(fffa_pipeline_should_wait(f->p, HOUR_NS));
	while (fffa_pipeline_has_room(f->p))
		fixture_feed(f, 1);
	assert_true(fffa_pipeline_should_wait(f->p, HOUR_NS));
	fixture_run_for(f, 5);
	assert_false(fffa_pipeline_should_wait(f->p, 1 * MS)); /* no verdict for longer */
	assert_true(spy_release(&f->peers[0], outcome(FFFA_V_DELIVERED, 0)));
	fixture_turn(f);
	while (fffa_pipeline_has_room(f->p))
		fixture_feed(f, 1);
	assert_true(fffa_pipeline_should_wait(f->p, HOUR_NS));
	assert_true(spy_release(&f->peers[0], outcome(FFFA_V_RETRY, -EIO)));
	fixture_turn(f);
	assert_false(fffa_pipeline_has_room(f->p));
	assert_false(fffa_pipeline_should_wait(f->p, HOUR_NS)); /* it is down */
	fixture_close(f, 1 * MS);
}

/* Of sinks that share a batcher the last one counts as the first. */
static void each_sink_of_a_batcher_is_waited_for(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < 3; i++)
		f->sinks[i].common.queue_memory = i == 2 ? 20000 : 1 << 24;
	f->peers[2].hold = true;
	f->peers[2].max_open = 1;
	fixture_open(f, 3);
	while (fffa_pipeline_has_room(f->p))
		fixture_feed(f, 1);
	assert_true(fffa_pipeline_should_wait(f->p, HOUR_NS));
	fixture_close(f, 1 * MS);
	assert_int_equal(f->last[0].delivered, f->fed);
	assert_int_equal(f->last[1].delivered, f->fed);
}

/* A source that asks for room before each record loses nothing, however small the queue is. */
static void a_source_that_asks_loses_nothing(void **state)
{
	struct fixture *f = *state;

	f->peers[0].max_open = 1;
	f->sinks[0].common.queue_memory = 1;
	while (f->fed < 500) {
		if (!f->p)
			fixture_open(f, 1);
		if (fffa_pipeline_has_room(f->p))
			fixture_feed(f, 1);
		else
			fixture_turn(f);
	}
	fixture_close(f, 0);
	assert_int_equal(f->last[0].delivered, 500);
	fixture_expect(f, 0, 1, 500);
}

static void status_shows_queue_and_last_error(void **state)
{
	static const struct spy_step steps[] = {
		{SPY_TAKE, {.verdict = FFFA_V_RETRY, .detail = "topic flows: unknown"}, 0}};
	struct fixture *f = *state;
	struct fffa_sink_status s;

	script_steps(f, 0, steps, 1);
	f->sinks[0].common.retry_min_ns = 20 * MS;
	fixture_open(f, 2);
	fffa_pipeline_sink_status(f->p, 0, &s);
	assert_string_equal(s.name, "a");
	assert_string_equal(s.type, "spy");
	assert_string_equal(s.last_error, "");
	assert_false(s.up); /* nothing was delivered yet */
	assert_int_equal(s.last_delivery_ns, 0);
	assert_int_equal(s.oldest_ns, 0);
	assert_int_equal(s.queue_capacity, f->sinks[0].common.queue_memory);
	assert_ptr_equal(s.ledger, fixture_ledger(f, 0));
	fixture_feed(f, 10);
	fffa_pipeline_sink_status(f->p, 0, &s);
	assert_int_equal(s.in_flight, 10);
	assert_uint_in_range(s.queue_bytes, 100, 4096);
	while (!s.last_error[0]) {
		fixture_step(f);
		fffa_pipeline_sink_status(f->p, 0, &s);
	}
	assert_string_equal(s.last_error, "topic flows: unknown");
	assert_false(s.up);
	assert_true(s.oldest_ns > 0);
	fixture_settle(f);
	fffa_pipeline_sink_status(f->p, 0, &s);
	assert_true(s.up);
	assert_true(s.last_delivery_ns > UINT64_C(1000000000) * 1000000000);
	assert_int_equal(s.oldest_ns, 0);
	assert_int_equal(s.retries, 1);
	assert_int_equal(s.in_flight, 0);
	assert_int_equal(s.queue_bytes, 0);
	assert_int_equal(s.latency->count, 1);
	assert_true(s.latency->sum_ns >= 19 * (uint64_t)MS); /* waited once */
	fffa_pipeline_sink_status(f->p, 1, &s);
	assert_string_equal(s.last_error, "");
	fixture_close(f, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_full_sink_is_asked_again_when_ready),
		CASE(several_deliveries_are_open_until_the_sink_is_full),
		CASE(retries_before_anything_younger),
		CASE(a_round_of_failures_keeps_the_order),
		CASE(waits_at_least_the_minimum_and_the_hint),
		CASE(success_resets_the_wait),
		CASE(gives_up_after_the_configured_time),
		CASE(rejected_is_counted_and_not_repeated),
		CASE(too_big_is_split_down_to_one_record),
		CASE(full_queue_drops_the_newest_for_this_sink_only),
		CASE(has_room_until_a_quarter_full),
		CASE(each_sink_of_a_batcher_is_waited_for),
		CASE(waiting_helps_while_the_sink_moves),
		CASE(a_source_that_asks_loses_nothing),
		CASE(a_connection_that_ends_is_no_outage),
		CASE(status_shows_queue_and_last_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
