// SPDX-License-Identifier: MIT
/* Batches that the receiver refuses without a reason. */
#include <errno.h>

#include "tests/unit/pipeline/pipeline_fixture.h"

/* A receiver that refuses all, or the batch that begins with a number. */
struct refusing {
	bool all;
	uint64_t first_seq;
};

static struct fffa_outcome refuse(void *arg, const struct fffa_batch *b)
{
	struct refusing *r = arg;

	if (r->all || fffa_batch_first_seq(b) == r->first_seq)
		return outcome(FFFA_V_REFUSED, -EBADMSG);
	return outcome(FFFA_V_DELIVERED, 0);
}

static void refuse_at(struct fixture *f, struct refusing *r)
{
	f->peers[0].judge = refuse;
	f->peers[0].arg = r;
	f->sinks[0].common.retry_min_ns = 10 * MS;
	f->sinks[0].common.retry_max_ns = 20 * MS;
}

static void a_refused_batch_is_rejected_when_another_passes(void **state)
{
	struct refusing r = {.first_seq = 11};
	struct fixture *f = *state;
	struct fffa_sink_status s;

	refuse_at(f, &r);
	f->peers[0].max_open = 1;
	fixture_open(f, 1);
	fixture_feed(f, 40);
	fixture_settle(f);
	assert_int_equal(fixture_ledger(f, 0)->rejected, 10);
	assert_int_equal(fixture_ledger(f, 0)->delivered, 30);
	assert_int_equal(f->peers[0].accepted, 4); /* it is not sent again */
	fffa_pipeline_sink_status(f->p, 0, &s);
	assert_true(s.up);
	fixture_close(f, 0);
}

/* A wrong index or header: the receiver refuses everything until a person repairs it. */
static void while_none_passes_nothing_is_rejected(void **state)
{
	struct refusing r = {.all = true};
	struct fixture *f = *state;
	struct fffa_sink_status s;

	refuse_at(f, &r);
	f->peers[0].max_open = 4;
	fixture_open(f, 1);
	fixture_feed(f, 80);
	while (f->peers[0].accepted < 8)
		fixture_turn(f);
	fixture_run_for(f, 150);
	fixture_feed(f, 20);
	fixture_run_for(f, 50);
	assert_int_equal(fixture_ledger(f, 0)->rejected, 0);
	assert_int_equal(fixture_ledger(f, 0)->in_flight, 100);
	assert_uint_in_range(f->peers[0].accepted, 8, 40); /* one at a time, with pauses */
	fffa_pipeline_sink_status(f->p, 0, &s);
	assert_false(s.up);
	r.all = false;
	fixture_settle(f);
	assert_int_equal(fixture_ledger(f, 0)->delivered, 100);
	fixture_close(f, 0);
	fixture_expect_any_order(f, 0, 1, 100);
}

/* After the repair, each refused batch is tried once more. What is refused again is the reason. */
static void a_batch_refused_before_and_after_the_repair_is_rejected(void **state)
{
	struct refusing r = {.all = true, .first_seq = 21};
	struct fixture *f = *state;

	refuse_at(f, &r);
	fixture_open(f, 1);
	fixture_feed(f, 60);
	fixture_run_for(f, 200);
	assert_int_equal(fixture_ledger(f, 0)->rejected, 0);
	r.all = false;
	fixture_settle(f);
	assert_int_equal(fixture_ledger(f, 0)->rejected, 10);
	assert_int_equal(fixture_ledger(f, 0)->delivered, 50);
	fixture_close(f, 0);
}

/* A replay: no batch follows the refused one, but others were delivered before it. */
static void the_last_batch_is_rejected_at_the_end(void **state)
{
	struct refusing r = {.first_seq = 31};
	struct fixture *f = *state;

	refuse_at(f, &r);
	f->peers[0].max_open = 1;
	fixture_open(f, 1);
	fixture_feed(f, 40);
	while (fixture_ledger(f, 0)->delivered < 30)
		fixture_turn(f);
	fixture_run_for(f, 100);
	assert_int_equal(fixture_ledger(f, 0)->in_flight, 10);
	fixture_close(f, 0);
	assert_int_equal(f->last[0].rejected, 10);
	assert_int_equal(f->last[0].delivered, 30);
}

static void at_a_deadline_nothing_refused_is_rejected(void **state)
{
	struct refusing r = {.all = false};
	struct fixture *f = *state;

	refuse_at(f, &r);
	fixture_open(f, 1);
	fixture_feed(f, 10);
	fixture_settle(f);
	r.all = true;
	fixture_feed(f, 30);
	fixture_run_for(f, 50);
	fixture_close(f, 50 * MS);
	assert_int_equal(f->last[0].rejected, 0);
	assert_int_equal(f->last[0].lost[FFFA_RL_SHUTDOWN], 30);
}

struct refused_records {
	bool beside; /* others of the batch are delivered */
	uint8_t verdicts[10];
};

static struct fffa_outcome refuse_records(void *arg, const struct fffa_batch *b)
{
	struct refused_records *r = arg;

	for (uint32_t i = 0; i < fffa_batch_count(b); i++)
		r->verdicts[i] = i && r->beside ? FFFA_V_DELIVERED : FFFA_V_REFUSED;
	return (struct fffa_outcome){
		.verdict = FFFA_V_RETRY, .cause = -EBADMSG, .records = r->verdicts};
}

static void refused_records_are_compared_with_those_beside(void **state)
{
	struct refused_records r = {.beside = false};
	struct fixture *f = *state;

	f->peers[0].judge = refuse_records;
	f->peers[0].arg = &r;
	f->sinks[0].common.retry_min_ns = 10 * MS;
	f->sinks[0].common.retry_max_ns = 20 * MS;
	fixture_open(f, 1);
	fixture_feed(f, 20);
	fixture_run_for(f, 100);
	assert_int_equal(fixture_ledger(f, 0)->rejected, 0);
	assert_int_equal(fixture_ledger(f, 0)->in_flight, 20);
	r.beside = true;
	fixture_settle(f);
	assert_int_equal(fixture_ledger(f, 0)->rejected, 2);
	assert_int_equal(fixture_ledger(f, 0)->delivered, 18);
	fixture_close(f, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_refused_batch_is_rejected_when_another_passes),
		CASE(while_none_passes_nothing_is_rejected),
		CASE(a_batch_refused_before_and_after_the_repair_is_rejected),
		CASE(the_last_batch_is_rejected_at_the_end),
		CASE(at_a_deadline_nothing_refused_is_rejected),
		CASE(refused_records_are_compared_with_those_beside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
