// SPDX-License-Identifier: MIT
/* The n-th allocation fails, for every n. Nothing leaks, and every lost record is counted. */
#include "tests/unit/pipeline/pipeline_fixture.h"

#include <errno.h>

#include "tests/stubs/failing_alloc.h"

static struct fffa_outcome split_large(void *arg, const struct fffa_batch *b)
{
	(void)arg;
	return outcome(fffa_batch_count(b) > 5 ? FFFA_V_TOO_BIG : FFFA_V_DELIVERED, 0);
}

static void live(struct fixture *f)
{
	f->peers[0].judge = split_large;
	f->peers[2].max_open = 2;
	f->sinks[2].common.batch_bytes = 40;
	f->conf.sink_count = 3;
	fixture_feed(f, 40);
	for (int i = 0; i < 10; i++)
		fixture_turn(f);
	fixture_feed(f, 20);
	fixture_close_begin(f, 0);
	fixture_close_end(f);
}

static uint64_t one_life(unsigned long n, bool *fired)
{
	struct fffa_err err = {""};
	struct fixture *f;
	uint64_t lost = 0;
	void *state;
	int rc;

	assert_int_equal(fixture_setup(&state), 0);
	f = state;
	f->conf.sink_count = 3;
	failing_alloc_arm(n);
	rc = fffa_pipeline_open(&f->loop, &f->conf, 77, &f->env, &f->p, &err);
	if (rc) {
		assert_int_equal(rc, -ENOMEM);
		assert_true(err.text[0]);
		assert_null(f->p);
		*fired = failing_alloc_fired();
		failing_alloc_arm(0);
		assert_int_equal(uv_run(&f->loop, UV_RUN_DEFAULT), 0);
		assert_int_equal(uv_loop_close(&f->loop), 0);
	} else {
		live(f);
		*fired = failing_alloc_fired();
		failing_alloc_arm(0);
		for (size_t i = 0; i < 3; i++) {
			uint64_t l = f->last[i].lost[FFFA_RL_NO_MEMORY];

			assert_int_equal(f->last[i].delivered + l,
					 60 + f->last[i].skipdata_records);
			lost += l;
		}
	}
	assert_int_equal(fixture_teardown(&state), 0);
	return lost;
}

static void any_single_allocation_may_fail(void **state)
{
	unsigned long n = 0;
	uint64_t lost = 0;
	bool fired;

	(void)state;
	do {
		lost += one_life(++n, &fired);
	} while (fired);
	assert_true(n > 50);
	assert_true(lost > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(any_single_allocation_may_fail)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
