// SPDX-License-Identifier: MIT
#include "tests/stubs/cmocka_all.h"

#include "agent/base/histogram.h"

static void test_bounds_rise(void **state)
{
	(void)state;
	assert_int_equal(fffa_histogram_bound_ns(0), 100000);
	for (unsigned int i = 1; i < FFFA_HISTOGRAM_BOUNDS; i++)
		assert_true(fffa_histogram_bound_ns(i) > fffa_histogram_bound_ns(i - 1));
	assert_int_equal(fffa_histogram_bound_ns(FFFA_HISTOGRAM_BOUNDS - 1), UINT64_C(60000000000));
}

/* A bound belongs to its bucket ("le"); one more belongs to the next. */
static void test_each_border(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < FFFA_HISTOGRAM_BOUNDS; i++) {
		struct fffa_histogram h = {.count = 0};
		uint64_t bound = fffa_histogram_bound_ns(i);

		fffa_histogram_observe_ns(&h, bound);
		assert_int_equal(h.buckets[i], 1);
		fffa_histogram_observe_ns(&h, bound + 1);
		assert_int_equal(h.buckets[i + 1], 1);
		assert_int_equal(h.count, 2);
		assert_int_equal(h.sum_ns, 2 * bound + 1);
	}
}

static void test_ends(void **state)
{
	struct fffa_histogram h = {.count = 0};

	(void)state;
	fffa_histogram_observe_ns(&h, 0);
	assert_int_equal(h.buckets[0], 1);
	fffa_histogram_observe_ns(&h, UINT64_MAX / 2);
	assert_int_equal(h.buckets[FFFA_HISTOGRAM_BOUNDS], 1);
	assert_int_equal(h.count, 2);
	assert_int_equal(h.sum_ns, UINT64_MAX / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bounds_rise),
		cmocka_unit_test(test_each_border),
		cmocka_unit_test(test_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
