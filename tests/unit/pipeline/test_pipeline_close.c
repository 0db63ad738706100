// SPDX-License-Identifier: MIT
/* Closing: every record is delivered or counted, and the loop is empty. */
#include "tests/unit/pipeline/pipeline_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void close_without_any_record(void **state)
{
	struct fixture *f = *state;

	fixture_open(f, 4);
	fixture_close(f, 0);
	assert_int_equal(f->peers[0].flushes, 1);
}

static void without_sinks(void **state)
{
	struct fixture *f = *state;

	fixture_open(f, 0);
	fixture_feed(f, 3);
	assert_true(fffa_pipeline_has_room(f->p));
	fixture_close(f, 0);
}

static void the_open_batch_is_delivered(void **state)
{
	struct fixture *f = *state;

	f->sinks[0].common.batch_age_ns = 3600 * 1000 * MS;
	fixture_open(f, 1);
	fixture_feed(f, 3);
	fixture_close(f, 1000 * MS);
	assert_int_equal(f->last[0].delivered, 3);
	fixture_expect(f, 0, 1, 3);
}

static void a_dead_sink_is_left_at_the_deadline(void **state)
{
	struct fixture *f = *state;
	uint64_t begin;

	f->peers[0].hold = true;
	f->peers[0].max_open = 2;
	fixture_open(f, 2);
	fixture_feed(f, 55);
	begin = fixture_turn_ns(f);
	fixture_close(f, 50 * MS);
	assert_true(uv_hrtime() - begin >= 50 * (uint64_t)MS);
	assert_int_equal(f->last[0].lost[FFFA_RL_SHUTDOWN], 55);
	assert_int_equal(f->last[1].delivered, 55);
	fixture_expect(f, 1, 1, 55);
}

static struct fffa_outcome always_retry(void *arg, const struct fffa_batch *b)
{
	(void)arg;
	(void)b;
	return outcome(FFFA_V_RETRY, -EIO);
}

static void a_failing_sink_is_tried_until_the_deadline(void **state)
{
	struct fixture *f = *state;

	f->peers[0].judge = always_retry;
	fixture_open(f, 1);
	fixture_feed(f, 25);
	fixture_close(f, 600 * MS); /* a busy machine tries less often */
	assert_true(f->peers[0].accepted > 4);
	assert_int_equal(f->last[0].lost[FFFA_RL_SHUTDOWN], 25);
	assert_int_equal(f->peers[0].len, 0);
}

struct recovery {
	unsigned int failures_left;
};

static struct fffa_outcome recover(void *arg, const struct fffa_batch *b)
{
	struct recovery *r = arg;

	(void)b;
	if (!r->failures_left)
		return outcome(FFFA_V_DELIVERED, 0);
	r->failures_left--;
	return outcome(FFFA_V_RETRY, -ECONNREFUSED);
}

static void a_sink_that_recovers_gets_all(void **state)
{
	struct fixture *f = *state;
	struct recovery r = {.failures_left = 12};

	f->peers[0].judge = recover;
	f->peers[0].arg = &r;
	f->peers[0].max_open = 2;
	fixture_open(f, 1);
	fixture_feed(f, 95);
	fixture_close(f, 0); /* no deadline */
	assert_int_equal(f->last[0].delivered, 95);
	assert_int_equal(f->last[0].retries, 12);
	fixture_expect(f, 0, 1, 95);
}

/*
 * The sink gives up its last delivery while the pipeline drains, so there is nothing to wait for.
 */
static void giving_up_the_last_batch_ends_the_wait(void **state)
{
	static const struct spy_step steps[] = {
		{SPY_FAIL, {.cause = -EIO}, 0},
		{SPY_FAIL, {.cause = -EIO}, 0},
		{SPY_FAIL, {.cause = -EIO}, 0},
		{SPY_FAIL, {.cause = -EIO}, 0},
	};
	struct fixture *f = *state;

	f->peers[0].steps = steps;
	f->peers[0].step_count = 4;
	f->sinks[0].common.retry_give_up_ns = 1;
	fixture_open(f, 1);
	fixture_feed(f, 5);
	fixture_close(f, 0);
	assert_int_equal(f->last[0].lost[FFFA_RL_GAVE_UP], 5);
}

static void confirmations_while_closing_count(void **state)
{
	static const struct spy_step steps[] = {{SPY_TAKE, {.verdict = FFFA_V_DELIVERED}, 20},
						{SPY_TAKE, {.verdict = FFFA_V_REJECTED}, 20},
						{SPY_HOLD, {0}, 0}};
	struct fixture *f = *state;

	f->peers[0].steps = steps;
	f->peers[0].step_count = 3;
	fixture_open(f, 1);
	fixture_feed(f, 30);
	fixture_close(f, 100 * MS);
	assert_int_equal(f->last[0].delivered, 10);
	assert_int_equal(f->last[0].rejected, 10);
	assert_int_equal(f->last[0].lost[FFFA_RL_SHUTDOWN], 10);
}

static void records_after_close_are_counted(void **state)
{
	struct fixture *f = *state;

	fixture_open(f, 2);
	fixture_feed(f, 15);
	fixture_close_begin(f, 1000 * MS);
	fixture_feed(f, 4);
	fixture_close_end(f);
	assert_int_equal(f->last[0].delivered, 15);
	assert_int_equal(f->last[0].lost[FFFA_RL_SHUTDOWN], 4);
	fixture_expect(f, 1, 1, 15);
}

/*
 * Closes after each possible number of turns. In every state the ledgers balance and the loop
 * is empty.
 */
static void close_at_any_moment(void **state)
{
	for (int turns = 0; turns < 40; turns++) {
		struct recovery r = {.failures_left = 6};
		struct fixture *f;
		void *fresh;

		assert_int_equal(fixture_setup(&fresh), 0);
		f = fresh;
		f->peers[0].judge = recover;
		f->peers[0].arg = &r;
		f->peers[1].max_open = 1;
		fixture_open(f, 2);
		for (int i = 0; i < turns; i++) {
			fixture_feed(f, 7);
			(void)uv_run(&f->loop, UV_RUN_NOWAIT);
		}
		fixture_close(f, turns % 3 ? (uint64_t)turns * 300000 : 0);
		assert_int_equal(f->last[1].records, (uint64_t)turns * 7);
		if (turns % 3 == 0)
			fixture_expect_any_order(f, 0, 1, (uint64_t)turns * 7);
		assert_int_equal(fixture_teardown(&fresh), 0);
	}
	(void)state;
}

/* In a child: a process that abandons its sinks ends without freeing them. */
static int abandon(struct fixture *f)
{
	const struct fffa_sink_ledger *l;

	fixture_open(f, 3);
	fixture_feed(f, 25);
	if (fffa_pipeline_remove(f->p, 1, INT64_MAX))
		return 1;
	f->conf.sink_count = 2; /* that the fixture looks at */
	l = fffa_pipeline_sink_ledger(f->p, 0);
	fixture_close_begin(f, 0);
	fffa_pipeline_abandon(f->p);
	if (l->in_flight || l->lost[FFFA_RL_SHUTDOWN] != 25)
		return 2;
	l = fffa_pipeline_sink_ledger(f->p, 1); /* it was the third */
	return l->in_flight || l->lost[FFFA_RL_SHUTDOWN] != 25 ? 3 : 0;
}

static void abandoned_records_are_counted(void **state)
{
	struct fixture *f = *state;
	char said[2048] = "";
	int status, out[2];
	pid_t pid;

	for (size_t i = 0; i < 3; i++)
		f->peers[i].hold = true;
	assert_int_equal(pipe(out), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		(void)dup2(out[1], STDERR_FILENO);
		_exit(abandon(f));
	}
	(void)close(out[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_true(read(out[0], said, sizeof(said) - 1) > 0);
	(void)close(out[0]);
	for (const char *name = "abc"; *name; name++) { /* each says so, also the one that leaves */
		char line[64];

		(void)snprintf(line, sizeof(line), "sink.%c: a thread still waits, ", *name);
		assert_non_null(strstr(said, line));
	}
	assert_int_equal(uv_loop_close(&f->loop), 0); /* the child used its own */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(close_without_any_record),
		CASE(without_sinks),
		CASE(the_open_batch_is_delivered),
		CASE(a_dead_sink_is_left_at_the_deadline),
		CASE(a_failing_sink_is_tried_until_the_deadline),
		CASE(a_sink_that_recovers_gets_all),
		CASE(giving_up_the_last_batch_ends_the_wait),
		CASE(confirmations_while_closing_count),
		CASE(records_after_close_are_counted),
		cmocka_unit_test(close_at_any_moment),
		CASE(abandoned_records_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
