// SPDX-License-Identifier: MIT
/*
 * The n-th allocation fails, for every n, in two lives on one spool. Every lost record is counted,
 * and nothing leaks.
 */
#include "tests/component/pipeline/spool_fixture.h"

#include <errno.h>

#include "tests/stubs/failing_alloc.h"

#define FED 60

static bool opened(struct fixture *f)
{
	struct fffa_err err = {""};
	int rc;

	f->conf.sink_count = 2;
	rc = fffa_pipeline_open(&f->loop, &f->conf, f->epoch, &f->env, &f->p, &err);
	if (!rc)
		return true;
	assert_int_equal(rc, -ENOMEM);
	assert_true(err.text[0]);
	assert_int_equal(uv_run(&f->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&f->loop), 0);
	return false;
}

/* A life in which the sink takes nothing, so that most records are only on disk. */
static uint64_t outage(struct spool_fixture *r, unsigned long n, bool *fired)
{
	struct fixture *f = spool_fixture_life(r, 1 << 20);
	uint64_t left = 0;

	f->peers[0].judge = spool_fixture_refuse;
	f->sinks[0].common.queue_memory = 4608;
	failing_alloc_arm(n);
	if (opened(f)) {
		for (int i = 0; i < FED / 10; i++) {
			fixture_feed(f, 10);
			(void)uv_run(&f->loop, UV_RUN_NOWAIT);
		}
		fixture_close(f, 5 * MS);
		assert_int_equal(f->last[0].spooled + fffa_ledger_sink_lost(&f->last[0]),
				 f->last[0].records);
		left = f->last[0].spooled;
	}
	*fired = failing_alloc_fired();
	failing_alloc_arm(0);
	return left;
}

static void recovery(struct spool_fixture *r, unsigned long n, uint64_t left, bool *fired)
{
	struct fixture *f = spool_fixture_life(r, 1 << 20);

	f->sinks[0].common.queue_memory = 4608;
	f->peers[0].max_open = 1;
	failing_alloc_arm(n);
	if (opened(f)) {
		/* What the other life lost at its end is reported now. */
		assert_int_equal(fixture_ledger(f, 0)->resumed -
					 fixture_ledger(f, 0)->lost[FFFA_RL_UNSAVED],
				 left);
		for (int i = 0; i < 3; i++) {
			fixture_settle(f);
			fixture_feed(f, 10);
		}
		fixture_close(f, 0);
		assert_int_equal(f->last[0].delivered + fffa_ledger_sink_lost(&f->last[0]),
				 f->last[0].records);
		assert_int_equal(fffa_ledger_sink_lost(&f->last[0]),
				 f->last[0].lost[FFFA_RL_NO_MEMORY] +
					 f->last[0].lost[FFFA_RL_UNSAVED]);
	}
	*fired = failing_alloc_fired();
	failing_alloc_arm(0);
}

static void any_single_allocation_may_fail(void **state)
{
	unsigned long n = 0;
	bool fired;

	do {
		uint64_t left = outage(*state, ++n, &fired);
		bool again = false;

		recovery(*state, 0, left, &again);
		assert_false(again);
	} while (fired);
	assert_true(n > 30);
}

static void memory_is_bounded_while_the_spool_is_read(void **state)
{
	unsigned long n = 0;
	bool fired, first;

	do {
		uint64_t left = outage(*state, 0, &first);

		assert_int_equal(left, FED);
		recovery(*state, ++n, left, &fired);
		/* what could not be opened is still there */
		if (spool_fixture_files(*state, ".seg"))
			recovery(*state, 0, left, &first);
		assert_int_equal(spool_fixture_files(*state, ".seg"), 0);
	} while (fired);
	assert_true(n > 30);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SPOOL_CASE(any_single_allocation_may_fail),
		SPOOL_CASE(memory_is_bounded_while_the_spool_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
