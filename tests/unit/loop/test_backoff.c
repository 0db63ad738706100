// SPDX-License-Identifier: MIT
#include "tests/stubs/cmocka_all.h"

#include "agent/loop/backoff.h"

#define S UINT64_C(1000000000)

static void test_doubles_within_bounds(void **state)
{
	static const uint64_t steps_s[] = {1, 2, 4, 8, 16, 32, 60, 60, 60};

	(void)state;
	for (uint64_t seed = 1; seed <= 200; seed++) {
		struct fffa_backoff b;

		fffa_backoff_init(&b, 1 * S, 60 * S, seed);
		for (size_t i = 0; i < sizeof(steps_s) / sizeof(steps_s[0]); i++) {
			uint64_t wait = fffa_backoff_next_ns(&b);

			assert_uint_in_range(wait, steps_s[i] * S / 2, steps_s[i] * S);
		}
	}
}

static void test_spreads(void **state)
{
	uint64_t low = UINT64_MAX, high = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= 200; seed++) {
		struct fffa_backoff b;
		uint64_t wait;

		fffa_backoff_init(&b, 8 * S, 60 * S, seed * UINT64_C(0x9e3779b97f4a7c15));
		wait = fffa_backoff_next_ns(&b);
		low = wait < low ? wait : low;
		high = wait > high ? wait : high;
	}
	assert_true(low < 5 * S); /* of 4 .. 8 s */
	assert_true(high > 7 * S);
}

static void test_reset_begins_again(void **state)
{
	struct fffa_backoff b;

	(void)state;
	fffa_backoff_init(&b, 1 * S, 60 * S, 7);
	for (int i = 0; i < 6; i++)
		(void)fffa_backoff_next_ns(&b);
	fffa_backoff_reset(&b);
	assert_uint_in_range(fffa_backoff_next_ns(&b), S / 2, S);
}

static void test_kernel_seeds_differ(void **state)
{
	struct fffa_backoff a, b;

	(void)state;
	fffa_backoff_init(&a, 1 * S, 60 * S, 0);
	fffa_backoff_init(&b, 1 * S, 60 * S, 0);
	assert_true(a.random != 0 && b.random != 0);
	assert_true(a.random != b.random);
}

static void test_steps(void **state)
{
	(void)state;
	assert_int_equal(fffa_backoff_step_ns(3, 100, 0), 3);
	assert_int_equal(fffa_backoff_step_ns(3, 100, 1), 6);
	assert_int_equal(fffa_backoff_step_ns(3, 96, 5), 96);
	assert_int_equal(fffa_backoff_step_ns(3, 95, 5), 95);
	assert_int_equal(fffa_backoff_step_ns(3, 100, 6), 100);
	assert_int_equal(fffa_backoff_step_ns(1, UINT64_MAX, 62), UINT64_C(1) << 62);
	assert_int_equal(fffa_backoff_step_ns(1, UINT64_MAX, 63), UINT64_C(1) << 63);
	assert_true(fffa_backoff_step_ns(1, UINT64_MAX, 64) == UINT64_MAX);
	assert_true(fffa_backoff_step_ns(1, UINT64_MAX, 65) == UINT64_MAX);
	assert_int_equal(fffa_backoff_step_ns(1, 100, 1U << 31), 100);
}

static void test_between(void **state)
{
	(void)state;
	assert_int_equal(fffa_backoff_between_ns(10, 30, 0), 10);
	assert_int_equal(fffa_backoff_between_ns(10, 30, UINT32_MAX / 2 + 1), 20);
	assert_int_equal(fffa_backoff_between_ns(10, 30, UINT32_MAX), 30);
	assert_int_equal(fffa_backoff_between_ns(10, 10, 5), 10);
	assert_true(fffa_backoff_between_ns(1, UINT64_MAX, UINT32_MAX) == UINT64_MAX);
}

/* It stays at the longest wait, however many there were. */
static void test_very_many_failures(void **state)
{
	struct fffa_backoff b;

	(void)state;
	fffa_backoff_init(&b, 1 * S, 60 * S, 7);
	assert_int_equal(b.random, 7);
	b.fails = UINT32_MAX - 1;
	for (int i = 0; i < 3; i++) {
		assert_uint_in_range(fffa_backoff_next_ns(&b), 30 * S, 60 * S);
		assert_int_equal(b.fails, UINT32_MAX);
	}
}

static void test_extremes(void **state)
{
	struct fffa_backoff b;

	(void)state;
	fffa_backoff_init(&b, 1, 1, 3);
	for (int i = 0; i < 10; i++)
		assert_true(fffa_backoff_next_ns(&b) <= 1);
	fffa_backoff_init(&b, UINT64_MAX / 4, UINT64_MAX / 2, 3);
	for (int i = 0; i < 10; i++)
		assert_true(fffa_backoff_next_ns(&b) <= UINT64_MAX / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_doubles_within_bounds),
		cmocka_unit_test(test_spreads),
		cmocka_unit_test(test_reset_begins_again),
		cmocka_unit_test(test_kernel_seeds_differ),
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_between),
		cmocka_unit_test(test_very_many_failures),
		cmocka_unit_test(test_extremes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
