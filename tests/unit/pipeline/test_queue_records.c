// SPDX-License-Identifier: MIT
/* Batches of which each record has a verdict of its own. */
#include "tests/unit/pipeline/settle_fixture.h"

#include <errno.h>
#include <string.h>

/* d delivered, r to retry, x rejected, b too big, f refused: one letter for each of ten records. */
static void judge_records(struct settling *t, struct fffa_queued_batch *b, const char *letters)
{
	static const char known[] = ".drxbf";
	uint8_t v[10];

	for (size_t i = 0; i < 10; i++)
		v[i] = (uint8_t)(strchr(known, letters[i]) - known);
	fffa_settle_outcome(&t->s, b,
			    &(struct fffa_outcome){.verdict = FFFA_V_RETRY,
						   .retry_after_ms = 30000,
						   .cause = -EIO,
						   .records = v});
}

/* Only the rest is tried again, after a pause that is not longer for the failures before. */
static void after_a_partial_success_the_rest_comes_again(void **state)
{
	struct settling *t = *state;
	uint64_t begin = now_ns(), first;
	struct fffa_queued_batch *b;

	settle_fixture_add(t, 2);
	t->pause.fails = 7;
	b = take(t);
	b->tries = 3;
	judge_records(t, b, "drddxrrddd");
	assert_int_equal(ledger(t)->delivered, 6);
	assert_int_equal(ledger(t)->rejected, 1);
	assert_int_equal(t->pause.fails, 1);
	settle_fixture_expect_pause(t, begin, 30 * S, 30 * S);
	assert_true(settle_fixture_is_up(t));
	assert_int_equal(t->s.deliveries, 1);
	queue_fixture_expect(t->f, SEQS(2, 11));
	assert_int_equal(b->tries, 0);
	first = b->first_fail_ns;
	assert_true(first >= begin);
	settle_fixture_end_pause(t);
	settle_fixture_deliver(t, 2, 7, 3);
	assert_int_equal(ledger(t)->delivered, 9);
}

static void where_none_was_delivered_the_sink_is_down(void **state)
{
	struct settling *t = *state;

	settle_fixture_add(t, 1);
	judge_records(t, take(t), "rrxrrrrrrr");
	assert_int_equal(ledger(t)->rejected, 1);
	assert_false(settle_fixture_is_up(t));
	assert_true(fffa_settle_is_down(&t->s));
	assert_int_equal(t->s.deliveries, 0);
	settle_fixture_deliver(t, 1, 10, 9);
}

/* Records refused beside others that were delivered are the reason themselves. */
static void refused_beside_delivered_is_rejected(void **state)
{
	struct settling *t = *state;

	settle_fixture_add(t, 1);
	judge_records(t, take(t), "dfdfrddddd");
	assert_int_equal(ledger(t)->rejected, 2);
	assert_int_equal(ledger(t)->delivered, 7);
	settle_fixture_deliver(t, 5, 5, 1);
	queue_fixture_expect(t->f, NONE);
}

static void refused_beside_others_to_retry_comes_again(void **state)
{
	struct settling *t = *state;

	settle_fixture_add(t, 1);
	judge_records(t, take(t), "frxfffffff");
	assert_int_equal(ledger(t)->rejected, 1);
	assert_false(fffa_settle_is_probing(&t->s));
	assert_true(fffa_pause_is_active(&t->pause));
	settle_fixture_deliver(t, 1, 10, 9);
}

static void refused_alone_is_a_refusal(void **state)
{
	struct settling *t = *state;
	struct fffa_queued_batch *b;

	settle_fixture_add(t, 2);
	b = take(t);
	judge_records(t, b, "fxffffffff");
	assert_int_equal(ledger(t)->rejected, 1);
	assert_true(fffa_settle_is_probing(&t->s));
	assert_int_equal(b->refusals, 1);
	assert_int_equal(fffa_batch_count(b->d.batch), 9);
	assert_false(fffa_pause_is_active(&t->pause));
	queue_fixture_expect(t->f, SEQS(1, 11));
}

/* A message that is too big is rejected alone; several are split, apart from the others. */
static void too_big_records_are_set_apart(void **state)
{
	struct settling *t = *state;

	settle_fixture_add(t, 1);
	judge_records(t, take(t), "bdddddddrd");
	assert_int_equal(ledger(t)->rejected, 1);
	settle_fixture_deliver(t, 9, 9, 1);
	assert_int_equal(ledger(t)->delivered, 9);
	queue_fixture_add(t->f, EPOCH, 101, 10);
	judge_records(t, take(t), "dbrdbddddb");
	queue_fixture_expect(t->f, SEQS(102, 103, 105));
	settle_fixture_deliver(t, 102, 102, 1);
	settle_fixture_deliver(t, 103, 103, 1);
	settle_fixture_deliver(t, 105, 110, 2);
	assert_int_equal(ledger(t)->rejected, 1);
	assert_int_equal(ledger(t)->delivered, 19);
}

static void all_delivered_one_by_one(void **state)
{
	struct settling *t = *state;

	settle_fixture_add(t, 1);
	judge_records(t, take(t), "dddddddddd");
	assert_int_equal(ledger(t)->delivered, 10);
	assert_false(fffa_pause_is_active(&t->pause));
	assert_int_equal(fffa_backlog_memory_bytes(&t->f->q), 0);
	queue_fixture_expect(t->f, NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SETTLE_CASE(after_a_partial_success_the_rest_comes_again),
		SETTLE_CASE(where_none_was_delivered_the_sink_is_down),
		SETTLE_CASE(refused_beside_delivered_is_rejected),
		SETTLE_CASE(refused_beside_others_to_retry_comes_again),
		SETTLE_CASE(refused_alone_is_a_refusal),
		SETTLE_CASE(too_big_records_are_set_apart),
		SETTLE_CASE(all_delivered_one_by_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
