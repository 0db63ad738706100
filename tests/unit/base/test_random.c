// SPDX-License-Identifier: MIT
#include "tests/stubs/cmocka_all.h"

#include "agent/base/minmax.h"
#include "agent/base/random.h"

static void test_seeds_differ(void **state)
{
	uint64_t a = fffa_random_seed(), b = fffa_random_seed();

	(void)state;
	assert_true(a != 0);
	assert_true(b != 0);
	assert_true(a != b);
}

/* The first numbers of xorshift64 with 13, 7 and 17. */
static void test_sequence(void **state)
{
	uint64_t x = 1;

	(void)state;
	assert_true(fffa_random_next(&x) == UINT64_C(0x40822041));
	assert_true(x == UINT64_C(0x40822041));
	assert_true(fffa_random_next(&x) == UINT64_C(0x100041060c011441));
}

static void test_is_never_zero(void **state)
{
	uint64_t x = UINT64_MAX;

	(void)state;
	for (int i = 0; i < 1000000; i++) {
		if (!fffa_random_next(&x))
			fail_msg("zero after %d numbers", i);
	}
}

static void test_min_and_max(void **state)
{
	(void)state;
	assert_true(fffa_min_u64(1, UINT64_MAX) == 1);
	assert_true(fffa_min_u64(UINT64_MAX, 1) == 1);
	assert_true(fffa_max_u64(1, UINT64_MAX) == UINT64_MAX);
	assert_true(fffa_min_i64(-1, 1) == -1);
	assert_true(fffa_max_i64(INT64_MIN, -1) == -1);
	assert_true(fffa_min_u32(7, 7) == 7);
	assert_true(fffa_max_size(3, 2) == 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_seeds_differ),
		cmocka_unit_test(test_sequence),
		cmocka_unit_test(test_is_never_zero),
		cmocka_unit_test(test_min_and_max),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
