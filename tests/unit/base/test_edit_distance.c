// SPDX-License-Identifier: MIT
/* Edits between words: each kind counts one, in both directions; long words are cut. */
#include "tests/stubs/cmocka_all.h"

#include <string.h>

#include "agent/base/edit_distance.h"

static void expect_distance(const char *a, const char *b, size_t edits)
{
	assert_int_equal(fffa_edit_distance(a, strlen(a), b, strlen(b)), edits);
	assert_int_equal(fffa_edit_distance(b, strlen(b), a, strlen(a)), edits);
}

static void each_kind_of_edit(void **state)
{
	(void)state;
	expect_distance("", "", 0);
	expect_distance("sinks", "sinks", 0);
	expect_distance("", "abc", 3);
	expect_distance("snks", "sinks", 1);
	expect_distance("sonks", "sinks", 1);
	expect_distance("lgo", "log", 1);
	expect_distance("kitten", "sitting", 3);
	expect_distance("ca", "abc", 3); /* a swapped pair is not edited again */
}

static void only_the_given_bytes_are_read(void **state)
{
	(void)state;
	assert_int_equal(fffa_edit_distance("srcaddr", 3, "srcport", 3), 0);
	assert_int_equal(fffa_edit_distance("srcaddr", 7, "srcport", 0), 7);
}

static void long_words_are_cut(void **state)
{
	char a[200], b[200];

	(void)state;
	memset(a, 'a', sizeof(a));
	memset(b, 'a', sizeof(b));
	memset(b + FFFA_EDIT_DISTANCE_BYTES_MAX, 'b', sizeof(b) - FFFA_EDIT_DISTANCE_BYTES_MAX);
	assert_int_equal(fffa_edit_distance(a, sizeof(a), b, sizeof(b)), 0);
	memset(b, 'b', sizeof(b));
	assert_int_equal(fffa_edit_distance(a, sizeof(a), b, sizeof(b)),
			 FFFA_EDIT_DISTANCE_BYTES_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_of_edit),
		cmocka_unit_test(only_the_given_bytes_are_read),
		cmocka_unit_test(long_words_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
