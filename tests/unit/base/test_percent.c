// SPDX-License-Identifier: MIT
#include "tests/stubs/cmocka_all.h"

#include <errno.h>
#include <string.h>

#include "agent/base/percent.h"

static void known_encodings(void **state)
{
	static const struct {
		const char *raw, *want;
	} rows[] = {
		{"", ""},
		{"web_1.a~Z9", "web_1.a~Z9"},
		{"a-b", "a%2Db"},
		{"a b", "a%20b"},
		{"k:v", "k%3Av"},
		{"a/b=c", "a%2Fb%3Dc"},
		{"+@%\"'\\", "%2B%40%25%22%27%5C"},
		{"\xc3\xa9", "%C3%A9"},
		{"\xe2\x82\xac", "%E2%82%AC"},
		{"\xf0\x9f\x90\xa7", "%F0%9F%90%A7"},
		{"\x7f\t", "%7F%09"},
		{"-", "%2D"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char got[64];

		assert_int_equal(
			fffa_percent_encode(got, sizeof(got), rows[i].raw, strlen(rows[i].raw)), 0);
		assert_string_equal(got, rows[i].want);
	}
}

/* What the table of RFC 3629, section 4, excludes. */
static void what_is_no_utf8(void **state)
{
	static const char *const bad[] = {
		"\x80",
		"a\xc0\x80",
		"\xc1\xbf",
		"\xc3",
		"\xc3(",
		"\xe0\x9f\xbf",
		"\xe2\x82",
		"\xed\xa0\x80",
		"\xf0\x8f\xbf\xbf",
		"\xf4\x90\x80\x80",
		"\xf5\x80\x80",
		"\xff",
		"\xf0\x9f\x90(",
		"\xe2(\xac",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char got[64] = "x";

		if (fffa_percent_encode(got, sizeof(got), bad[i], strlen(bad[i])) != -EINVAL)
			fail_msg("row %zu was accepted", i);
		assert_string_equal(got, "");
	}
}

static void the_buffer_must_have_room(void **state)
{
	char got[8];

	(void)state;
	assert_int_equal(fffa_percent_encode(got, 7, "abc--", 3), 0);
	assert_int_equal(fffa_percent_encode(got, 6, "--", 2), -ENAMETOOLONG);
	assert_string_equal(got, "");
	assert_int_equal(fffa_percent_encode(got, 6, "-abc", 4), -ENAMETOOLONG);
	assert_int_equal(fffa_percent_encode(got, 6, "-abc", 3), 0);
	assert_string_equal(got, "%2Dab");
	assert_int_equal(fffa_percent_encode(got, 8, "a\0b", 3), 0);
	assert_string_equal(got, "a%00b");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_encodings),
		cmocka_unit_test(what_is_no_utf8),
		cmocka_unit_test(the_buffer_must_have_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
