// SPDX-License-Identifier: MIT
/* What each verdict does to a batch, to the ledger, to the pause and to the sink's state. */
#include "tests/unit/pipeline/settle_fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void delivered_ends_it(void **state)
{
	struct settling *t = *state;
	struct fffa_sink_status s = {.name = NULL};
	struct fffa_queued_batch *b;

	settle_fixture_add(t, 2);
	assert_false(settle_fixture_is_up(t));
	b = take(t);
	b->born_ns = now_ns() - 3 * S;
	t->pause.fails = 5;
	settle_fixture_judge(t, b, FFFA_V_DELIVERED, 0);
	assert_int_equal(ledger(t)->delivered, 10);
	assert_int_equal(ledger(t)->in_flight, 10);
	assert_int_equal(t->pause.fails, 0);
	assert_int_equal(t->s.deliveries, 1);
	fffa_settle_status(&t->s, &s);
	assert_true(s.up);
	assert_int_equal(s.latency->count, 1);
	assert_uint_in_range(s.latency->sum_ns, 3 * S, 60 * S);
	queue_fixture_expect(t->f, SEQS(11));
}

static void a_delivery_reports_what_is_missing(void **state)
{
	struct settling *t = *state;

	settle_fixture_add(t, 2);
	fffa_backlog_lose(&t->f->q, take(t), FFFA_RL_GAVE_UP);
	settle_fixture_judge(t, take(t), FFFA_V_DELIVERED, 0);
	queue_fixture_expect(t->f, SEQS(10));
	assert_true(fffa_backlog_first(&t->f->q)->is_skipdata);
}

/* Each round doubles the pause. Other failures of the same round do not. */
static void failures_in_a_row_double_the_pause(void **state)
{
	static const uint64_t low[] = {10, 20, 40, 40, 40}, high[] = {20, 40, 80, 80, 80};
	struct settling *t = *state;

	settle_fixture_add(t, 3);
	for (unsigned int round = 0; round < 5; round++) {
		struct fffa_queued_batch *v[3];
		uint64_t begin = now_ns(), until;

		for (size_t i = 0; i < 3; i++)
			v[i] = take(t);
		settle_fixture_judge(t, v[0], FFFA_V_RETRY, -EIO);
		assert_int_equal(t->pause.fails, round + 1);
		settle_fixture_expect_pause(t, begin, low[round] * S, high[round] * S);
		until = t->pause.until_ns;
		settle_fixture_judge(t, v[1], FFFA_V_RETRY, -EIO);
		settle_fixture_judge(t, v[2], FFFA_V_RETRY, -EIO);
		assert_int_equal(t->pause.fails, round + 1);
		assert_int_equal(t->pause.until_ns, until);
		queue_fixture_expect(t->f, SEQS(1, 11, 21));
		settle_fixture_end_pause(t);
	}
	assert_false(settle_fixture_is_up(t));
	assert_true(fffa_settle_is_down(&t->s));
	settle_fixture_judge(t, take(t), FFFA_V_DELIVERED, 0);
	assert_false(fffa_settle_is_down(&t->s));
	settle_fixture_judge(t, take(t), FFFA_V_RETRY, -EIO);
	assert_int_equal(t->pause.fails, 1);
}

/* The receiver's wish counts where it is longer, also when it comes second in a round. */
static void the_receiver_may_ask_for_more_time(void **state)
{
	struct settling *t = *state;
	struct fffa_outcome o = {.verdict = FFFA_V_RETRY, .cause = -EBUSY};
	struct fffa_queued_batch *v[4];
	uint64_t begin = now_ns(), until;

	settle_fixture_add(t, 4);
	for (size_t i = 0; i < 4; i++)
		v[i] = take(t);
	o.retry_after_ms = 100000;
	fffa_settle_outcome(&t->s, v[0], &o);
	settle_fixture_expect_pause(t, begin, 100 * S, 100 * S);
	o.retry_after_ms = 200000;
	fffa_settle_outcome(&t->s, v[1], &o);
	settle_fixture_expect_pause(t, begin, 200 * S, 200 * S);
	until = t->pause.until_ns;
	o.retry_after_ms = 50000; /* less does not shorten it */
	fffa_settle_outcome(&t->s, v[2], &o);
	assert_int_equal(t->pause.until_ns, until);
	o.retry_after_ms = UINT32_MAX;
	fffa_settle_outcome(&t->s, v[3], &o); /* until this batch is given up */
	settle_fixture_expect_pause(t, begin, 1000 * S, 1000 * S);
}

static void a_wish_has_a_bound_of_an_hour(void **state)
{
	struct settling *t = *state;
	const struct fffa_retry never = {.min_ns = 10 * S, .max_ns = 80 * S};
	uint64_t begin = now_ns();

	fffa_pause_set_retry(&t->pause, &never);
	fffa_pause_begin(&t->pause, begin, 90000 * S);
	settle_fixture_expect_pause(t, begin, 3600 * S, 3600 * S);
	fffa_pause_begin(&t->pause, begin, 99000 * S);
	settle_fixture_expect_pause(t, begin, 3600 * S, 3600 * S);
}

static void the_end_of_a_pause_is_said_once(void **state)
{
	struct settling *t = *state;
	const struct fffa_retry quick = {.min_ns = 2 * MS, .max_ns = 2 * MS};
	uint64_t begin = uv_now(&t->loop) * MS; /* the timer counts from the loop's turn */

	fffa_pause_set_retry(&t->pause, &quick);
	fffa_pause_begin(&t->pause, begin, 0);
	fffa_pause_begin(&t->pause, begin, 7 * MS);
	(void)uv_run(&t->loop, UV_RUN_DEFAULT);
	assert_int_equal(t->over, 1);
	assert_false(fffa_pause_is_active(&t->pause));
	assert_true(now_ns() - begin >= 7 * MS);
	fffa_pause_begin(&t->pause, begin, 0);
	fffa_pause_stop(&t->pause);
	(void)uv_run(&t->loop, UV_RUN_DEFAULT);
	assert_int_equal(t->over, 1);
}

/* The last try is when retry.give_up ends, counted from the batch's first failure. */
static void the_last_try_is_at_the_end(void **state)
{
	struct settling *t = *state;
	struct fffa_queued_batch *b;
	uint64_t first;

	settle_fixture_add(t, 1);
	b = take(t);
	settle_fixture_judge(t, b, FFFA_V_RETRY, -EIO);
	first = b->first_fail_ns;
	assert_true(first && first <= now_ns());
	settle_fixture_end_pause(t);
	b = take(t);
	settle_fixture_judge(t, b, FFFA_V_RETRY, -EIO);
	assert_int_equal(b->first_fail_ns, first);
	settle_fixture_end_pause(t);
	b->first_fail_ns = now_ns() - 995 * S;
	b = take(t);
	settle_fixture_judge(t, b, FFFA_V_RETRY, -EIO);
	assert_int_equal(t->pause.until_ns, b->first_fail_ns + 1000 * S);
	queue_fixture_expect(t->f, SEQS(1));
}

/* What follows a batch that is given up has its own time, and waits as after a failure. */
static void after_giving_up_the_next_waits(void **state)
{
	struct settling *t = *state;
	struct fffa_queued_batch *b;
	uint64_t begin;

	settle_fixture_add(t, 2);
	b = take(t);
	b->first_fail_ns = now_ns() - 1000 * S;
	begin = now_ns();
	settle_fixture_judge(t, b, FFFA_V_RETRY, -EIO);
	assert_int_equal(ledger(t)->lost[FFFA_RL_GAVE_UP], 10);
	queue_fixture_expect(t->f, SEQS(11));
	assert_int_equal(fffa_backlog_first(&t->f->q)->first_fail_ns, 0);
	assert_int_equal(t->pause.fails, 1);
	settle_fixture_expect_pause(t, begin, 10 * S, 20 * S);
	assert_false(settle_fixture_is_up(t));
	settle_fixture_end_pause(t);
	b = take(t);
	settle_fixture_judge(t, b, FFFA_V_RETRY, -EIO); /* its first failure */
	assert_int_equal(ledger(t)->lost[FFFA_RL_GAVE_UP], 10);
	queue_fixture_expect(t->f, SEQS(11));
}

static void at_the_end_nothing_is_tried_again(void **state)
{
	struct settling *t = *state;
	struct fffa_queued_batch *v[3];

	settle_fixture_add(t, 3);
	for (size_t i = 0; i < 3; i++)
		v[i] = take(t);
	fffa_backlog_stop(&t->f->q);
	settle_fixture_judge(t, v[0], FFFA_V_RETRY, -EIO);
	settle_fixture_judge(t, v[1], FFFA_V_REFUSED, -EBADMSG);
	settle_fixture_judge(t, v[2], FFFA_V_TOO_BIG, -EMSGSIZE);
	assert_int_equal(ledger(t)->lost[FFFA_RL_SHUTDOWN], 30);
	assert_false(fffa_pause_is_active(&t->pause));
	queue_fixture_expect(t->f, NONE);
}

static void one_end_of_a_connection_is_no_outage(void **state)
{
	const struct fffa_outcome o = {
		.verdict = FFFA_V_RETRY, .cause = -ECONNRESET, .transient = true};
	struct settling *t = *state;
	struct fffa_queued_batch *b;

	settle_fixture_add(t, 2);
	settle_fixture_judge(t, take(t), FFFA_V_DELIVERED, 0);
	b = take(t);
	fffa_settle_outcome(&t->s, b, &o);
	assert_true(settle_fixture_is_up(t));
	assert_true(fffa_settle_is_down(&t->s)); /* nobody waits for it */
	assert_string_equal(t->s.health.last_error, strerror(ECONNRESET));
	settle_fixture_end_pause(t);
	fffa_settle_outcome(&t->s, take(t), &o);
	assert_false(settle_fixture_is_up(t));
}

static void rejected_is_counted_and_gone(void **state)
{
	struct settling *t = *state;

	settle_fixture_add(t, 2);
	settle_fixture_judge(t, take(t), FFFA_V_REJECTED, -EINVAL);
	assert_int_equal(ledger(t)->rejected, 10);
	assert_false(fffa_pause_is_active(&t->pause));
	assert_false(settle_fixture_is_up(t));
	assert_int_equal(t->s.deliveries, 0);
	queue_fixture_expect(t->f, SEQS(11));
}

/* No pause: the next batch shows at once whether the refused one is the reason. */
static void another_batch_tells_why_one_was_refused(void **state)
{
	struct settling *t = *state;

	settle_fixture_add(t, 3);
	settle_fixture_judge(t, take(t), FFFA_V_REFUSED, -EBADMSG);
	assert_true(fffa_settle_is_probing(&t->s));
	assert_false(fffa_pause_is_active(&t->pause));
	queue_fixture_expect(t->f, SEQS(1, 11, 21));
	assert_int_equal(ledger(t)->rejected, 0);
	assert_int_equal(fffa_batch_first_seq(fffa_backlog_next_probe(&t->f->q)->d.batch), 11);
}

static struct fffa_queued_batch *take_probe(struct settling *t)
{
	struct fffa_queued_batch *b = fffa_backlog_next_probe(&t->f->q);

	fffa_backlog_take(&t->f->q, b);
	return b;
}

static void a_delivery_soon_after_rejects_the_refused_batch(void **state)
{
	struct settling *t = *state;

	settle_fixture_add(t, 3);
	settle_fixture_judge(t, take(t), FFFA_V_REFUSED, -EBADMSG);
	settle_fixture_judge(t, take_probe(t), FFFA_V_DELIVERED, 0);
	assert_int_equal(ledger(t)->rejected, 10);
	assert_int_equal(ledger(t)->delivered, 10);
	assert_false(fffa_settle_is_probing(&t->s));
	assert_true(settle_fixture_is_up(t));
	queue_fixture_expect(t->f, SEQS(21));
}

/* After so long, a person may have repaired the receiver: it is tried once more. */
static void a_delivery_long_after_rejects_nothing(void **state)
{
	struct settling *t = *state;
	struct fffa_queued_batch *b;

	settle_fixture_add(t, 3);
	settle_fixture_judge(t, take(t), FFFA_V_REFUSED, -EBADMSG);
	t->s.refused_ns -= 2 * S;
	settle_fixture_judge(t, take_probe(t), FFFA_V_DELIVERED, 0);
	assert_int_equal(ledger(t)->rejected, 0);
	queue_fixture_expect(t->f, SEQS(1, 21));
	b = take(t);
	assert_int_equal(b->refusals, 1);
	settle_fixture_judge(t, b, FFFA_V_REFUSED, -EBADMSG); /* others were delivered meanwhile */
	assert_int_equal(ledger(t)->rejected, 10);
	queue_fixture_expect(t->f, SEQS(21));
}

/* Two refusals in a row: it may be the receiver, so there are pauses, and nothing is rejected. */
static void refusals_in_a_row_are_the_receivers(void **state)
{
	struct settling *t = *state;
	uint64_t begin = now_ns();

	settle_fixture_add(t, 3);
	settle_fixture_judge(t, take(t), FFFA_V_REFUSED, -EBADMSG);
	settle_fixture_judge(t, take_probe(t), FFFA_V_REFUSED, -EBADMSG);
	settle_fixture_expect_pause(t, begin, 10 * S, 20 * S);
	assert_false(settle_fixture_is_up(t));
	settle_fixture_end_pause(t);
	settle_fixture_judge(t, take_probe(t), FFFA_V_DELIVERED, 0);
	assert_int_equal(ledger(t)->rejected, 0);
	assert_int_equal(t->pause.fails, 0);
	queue_fixture_expect(t->f, SEQS(1, 11));
}

static void a_single_batch_that_is_refused_waits(void **state)
{
	struct settling *t = *state;
	struct fffa_queued_batch *b;
	uint64_t begin = now_ns();

	settle_fixture_add(t, 1);
	b = take(t);
	settle_fixture_judge(t, b, FFFA_V_REFUSED, -EBADMSG);
	assert_int_equal(b->refusals, 1);
	assert_int_equal(b->refused_after, 0);
	settle_fixture_expect_pause(t, begin, 10 * S, 20 * S);
	assert_true(fffa_settle_is_down(&t->s));
	settle_fixture_end_pause(t);
	settle_fixture_judge(t, take(t), FFFA_V_REFUSED, -EBADMSG); /* nobody else was delivered */
	assert_int_equal(b->refusals, 2);
	assert_int_equal(ledger(t)->rejected, 0);
}

/* When nothing follows, what was delivered before must tell. */
static void the_last_batch_is_rejected_by_those_before(void **state)
{
	struct settling *t = *state;
	struct fffa_queued_batch *b;

	settle_fixture_add(t, 2);
	settle_fixture_judge(t, take(t), FFFA_V_DELIVERED, 0);
	b = take(t);
	settle_fixture_judge(t, b, FFFA_V_REFUSED, -EBADMSG);
	settle_fixture_end_pause(t);
	b = take(t);
	settle_fixture_judge(t, b, FFFA_V_REFUSED, -EBADMSG);
	assert_int_equal(ledger(t)->rejected, 0);
	settle_fixture_end_pause(t);
	fffa_settle_set_last(&t->s);
	settle_fixture_judge(t, take(t), FFFA_V_REFUSED, -EBADMSG);
	assert_int_equal(ledger(t)->rejected, 10);
}

static void too_big_is_halved(void **state)
{
	struct settling *t = *state;

	queue_fixture_add(t->f, EPOCH, 1, 5);
	queue_fixture_add(t->f, EPOCH, 6, 1);
	settle_fixture_judge(t, take(t), FFFA_V_TOO_BIG, -EMSGSIZE);
	assert_false(fffa_pause_is_active(&t->pause));
	queue_fixture_expect(t->f, SEQS(1, 3, 6));
	assert_int_equal(fffa_backlog_memory_bytes(&t->f->q), queue_fixture_footprint(2) +
								      queue_fixture_footprint(3) +
								      queue_fixture_footprint(1));
	settle_fixture_deliver(t, 1, 2, 2);
	settle_fixture_deliver(t, 3, 5, 3);
	settle_fixture_judge(t, take(t), FFFA_V_TOO_BIG,
			     -EMSGSIZE); /* one record cannot be halved */
	assert_int_equal(ledger(t)->rejected, 1);
	assert_int_equal(ledger(t)->delivered, 5);
	assert_false(settle_fixture_is_up(t));
}

/* The sink could not even take it. */
static void a_failed_submit_is_tried_again(void **state)
{
	struct settling *t = *state;
	const struct fffa_outcome o = {.cause = -EIO, .detail = "not there", .repair = true};
	struct fffa_sink_status s = {.name = NULL};

	settle_fixture_add(t, 1);
	fffa_settle_retry(&t->s, take(t), -ENOBUFS);
	assert_string_equal(t->s.health.last_error, strerror(ENOBUFS));
	assert_true(fffa_pause_is_active(&t->pause));
	queue_fixture_expect(t->f, SEQS(1));
	fffa_settle_trouble(&t->s, &o);
	fffa_settle_status(&t->s, &s);
	assert_string_equal(s.last_error, "not there");
	assert_true(s.misconfigured);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SETTLE_CASE(delivered_ends_it),
		SETTLE_CASE(a_delivery_reports_what_is_missing),
		SETTLE_CASE(failures_in_a_row_double_the_pause),
		SETTLE_CASE(the_receiver_may_ask_for_more_time),
		SETTLE_CASE(a_wish_has_a_bound_of_an_hour),
		SETTLE_CASE(the_end_of_a_pause_is_said_once),
		SETTLE_CASE(the_last_try_is_at_the_end),
		SETTLE_CASE(after_giving_up_the_next_waits),
		SETTLE_CASE(at_the_end_nothing_is_tried_again),
		SETTLE_CASE(one_end_of_a_connection_is_no_outage),
		SETTLE_CASE(rejected_is_counted_and_gone),
		SETTLE_CASE(another_batch_tells_why_one_was_refused),
		SETTLE_CASE(a_delivery_soon_after_rejects_the_refused_batch),
		SETTLE_CASE(a_delivery_long_after_rejects_nothing),
		SETTLE_CASE(refusals_in_a_row_are_the_receivers),
		SETTLE_CASE(a_single_batch_that_is_refused_waits),
		SETTLE_CASE(the_last_batch_is_rejected_by_those_before),
		SETTLE_CASE(too_big_is_halved),
		SETTLE_CASE(a_failed_submit_is_tried_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
