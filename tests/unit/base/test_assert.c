// SPDX-License-Identifier: MIT
#undef NDEBUG  /* a release build has it already */
#define NDEBUG /* as in a release build that turns assert() off */
#include "tests/stubs/cmocka_all.h"

#include <string.h>
#include <unistd.h>

#include "agent/base/assert.h"
#include "tests/stubs/death.h"

static void write_dump(const char *text)
{
	(void)!write(STDERR_FILENO, text, strlen(text));
}

static void dump(void *arg)
{
	write_dump(arg);
}

static void dump_that_breaks(void *arg)
{
	write_dump(arg);
	FFFA_ASSERT(arg == NULL);
}

static void break_one(void *arg)
{
	int n = *(const int *)arg;

	FFFA_ASSERT(n == 1 + 1);
	write_dump("went on");
}

static void a_true_condition_is_evaluated_once(void **state)
{
	int n = 0;

	(void)state;
	FFFA_ASSERT(++n);
	assert_int_equal(n, 1);
}

static void a_false_condition_is_logged_and_aborts(void **state)
{
	char said[1024];
	int n = 3;

	(void)state;
	death_expect(break_one, &n, said, sizeof(said));
	assert_non_null(strstr(said, "n == 1 + 1"));
	/* The place is said within the tree, without the path of the machine that built it. */
	assert_non_null(strstr(said, " tests/unit/base/test_assert.c:"));
	assert_null(strstr(said, "went on"));
}

static void the_dump_follows_the_message(void **state)
{
	char said[1024], text[] = "the dump\n";
	const char *why, *dumped;
	int n = 3;

	(void)state;
	fffa_assert_set_dump(dump, text);
	death_expect(break_one, &n, said, sizeof(said));
	fffa_assert_set_dump(NULL, NULL);
	why = strstr(said, "n == 1 + 1");
	dumped = strstr(said, text);
	assert_true(why && dumped && why < dumped);
}

static void a_dump_that_breaks_ends_as_well(void **state)
{
	char said[1024], text[] = "the dump\n";
	int n = 3;

	(void)state;
	fffa_assert_set_dump(dump_that_breaks, text);
	death_expect(break_one, &n, said, sizeof(said));
	fffa_assert_set_dump(NULL, NULL);
	assert_non_null(strstr(said, "arg == NULL"));
	assert_null(strstr(strstr(said, text) + 1, text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_true_condition_is_evaluated_once),
		cmocka_unit_test(a_false_condition_is_logged_and_aborts),
		cmocka_unit_test(the_dump_follows_the_message),
		cmocka_unit_test(a_dump_that_breaks_ends_as_well),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
