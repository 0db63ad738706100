// SPDX-License-Identifier: MIT
#include "agent/pipeline/queue/retry.h"
#include "tests/stubs/cmocka_all.h"

#define S UINT64_C(1000000000)

static void wait_doubles_between_min_and_max(void **state)
{
	const struct fffa_retry r = {.min_ns = 1 * S, .max_ns = 30 * S};
	static const uint64_t low[] = {1, 2, 4, 8, 15, 15, 15};
	static const uint64_t high[] = {2, 4, 8, 16, 30, 30, 30};

	(void)state;
	for (unsigned int i = 0; i < 7; i++) {
		assert_int_equal(fffa_retry_delay_ns(&r, i + 1, 0, 0), low[i] * S);
		assert_int_equal(fffa_retry_delay_ns(&r, i + 1, 0, UINT32_MAX), high[i] * S);
		assert_uint_in_range(fffa_retry_delay_ns(&r, i + 1, 0, UINT32_MAX / 2),
				     low[i] * S + 1, high[i] * S - 1);
	}
	assert_int_equal(fffa_retry_delay_ns(&r, 63, 0, UINT32_MAX), 30 * S);
	assert_int_equal(fffa_retry_delay_ns(&r, 64, 0, UINT32_MAX), 30 * S);
	assert_int_equal(fffa_retry_delay_ns(&r, UINT32_MAX, 0, UINT32_MAX), 30 * S);
}

static void never_overflows(void **state)
{
	const struct fffa_retry r = {.min_ns = UINT64_MAX / 4, .max_ns = INT64_MAX};

	(void)state;
	for (unsigned int fails = 1; fails < 70; fails++)
		assert_uint_in_range(fffa_retry_delay_ns(&r, fails, 0, 12345), r.min_ns, r.max_ns);
}

static void equal_bounds_give_a_fixed_wait(void **state)
{
	const struct fffa_retry r = {.min_ns = 5 * S, .max_ns = 5 * S};

	(void)state;
	for (unsigned int fails = 1; fails < 5; fails++)
		assert_int_equal(fffa_retry_delay_ns(&r, fails, 0, fails * 1000000007u), 5 * S);
}

static void honours_a_hint_within_reason(void **state)
{
	const struct fffa_retry r = {.min_ns = 1 * S, .max_ns = 30 * S};

	(void)state;
	assert_int_equal(fffa_retry_delay_ns(&r, 1, 120 * S, 0), 120 * S);
	assert_int_equal(fffa_retry_delay_ns(&r, 4, 3 * S, 0), 8 * S);
	assert_int_equal(fffa_retry_delay_ns(&r, 1, UINT64_MAX, 0), FFFA_RETRY_HINT_MAX_NS);
}

static void gives_up_at_the_configured_time(void **state)
{
	const struct fffa_retry never = {.min_ns = 1, .max_ns = 1};
	const struct fffa_retry r = {.min_ns = 1, .max_ns = 1, .give_up_ns = 60 * S};

	(void)state;
	assert_false(fffa_retry_gives_up(&never, 0, UINT64_MAX));
	assert_false(fffa_retry_gives_up(&r, 10 * S, 10 * S));
	assert_false(fffa_retry_gives_up(&r, 10 * S, 70 * S - 1));
	assert_true(fffa_retry_gives_up(&r, 10 * S, 70 * S));
}

static void last_try_is_at_the_end(void **state)
{
	const struct fffa_retry never = {.min_ns = 1, .max_ns = 1};
	const struct fffa_retry r = {.min_ns = 1, .max_ns = 1, .give_up_ns = 60 * S};

	(void)state;
	assert_int_equal(fffa_retry_clip_ns(&never, 0, 100 * S, 30 * S), 30 * S);
	assert_int_equal(fffa_retry_clip_ns(&r, 10 * S, 20 * S, 30 * S), 30 * S);
	assert_int_equal(fffa_retry_clip_ns(&r, 10 * S, 50 * S, 30 * S), 20 * S);
	assert_int_equal(fffa_retry_clip_ns(&r, 10 * S, 80 * S, 30 * S), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wait_doubles_between_min_and_max),
		cmocka_unit_test(never_overflows),
		cmocka_unit_test(equal_bounds_give_a_fixed_wait),
		cmocka_unit_test(honours_a_hint_within_reason),
		cmocka_unit_test(gives_up_at_the_configured_time),
		cmocka_unit_test(last_try_is_at_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
