// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "tests/stubs/cmocka_all.h"

#include "agent/status/text/json.h"
#include "agent/status/text/escape.h"

static void assert_text(struct fffa_buf *o, const char *want)
{
	assert_false(o->error);
	assert_int_equal(o->len, strlen(want));
	assert_memory_equal(o->ptr, want, o->len);
	fffa_buf_fini(o);
}

static void test_grows_to_its_cap(void **state)
{
	struct fffa_buf o;

	(void)state;
	o = (struct fffa_buf){.max = 10000};
	for (int i = 0; i < 10000; i++)
		fffa_buf_add(&o, "x", 1);
	assert_false(o.error);
	assert_int_equal(o.len, 10000);
	fffa_buf_add(&o, "y", 1);
	assert_true(o.error);
	assert_int_equal(o.len, 10000);
	fffa_buf_fini(&o);
}

/*
 * A piece that does not fit whole is left out with all that follows, so that the text has no hole.
 */
static void test_stays_failed(void **state)
{
	struct fffa_buf o;

	(void)state;
	o = (struct fffa_buf){.max = 4};
	fffa_buf_text(&o, "abc");
	fffa_buf_text(&o, "de");
	fffa_buf_text(&o, "f");
	assert_true(o.error);
	assert_int_equal(o.len, 3);
	fffa_buf_fini(&o);
}

static void test_format_bounds(void **state)
{
	char *longest = malloc(1025);
	struct fffa_buf o;

	(void)state;
	assert_non_null(longest);
	memset(longest, 'x', 1024);
	longest[1023] = '\0';
	o = (struct fffa_buf){.max = 1 << 16};
	fffa_buf_format(&o, "%s", longest);
	assert_false(o.error);
	longest[1023] = 'x';
	longest[1024] = '\0';
	fffa_buf_format(&o, "%s", longest);
	assert_true(o.error);
	fffa_buf_fini(&o);
	free(longest);
}

static void test_labels(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {
		{"", ""},
		{"eth0.100", "eth0.100"},
		{"a\"b", "a\\\"b"},
		{"a\\b", "a\\\\b"},
		{"a\nb", "a\\\\x0ab"},
		{"\xff\xc3\xa9", "\xef\xbf\xbd\xc3\xa9"},
		{"\x7f\t", "\\\\x7f\\\\x09"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fffa_buf o;

		o = (struct fffa_buf){.max = 1000};
		fffa_escape_label(&o, cases[i].in);
		assert_text(&o, cases[i].out);
	}
}

/* A character across the border of two pieces is not cut. */
static void test_json_across_pieces(void **state)
{
	(void)state;
	for (size_t before = 56; before <= 72; before++) {
		char in[128], want[128];
		struct fffa_buf o;

		memset(in, 'a', before);
		(void)strcpy(in + before, "\xf0\x9f\x90\x8d\xc3\xa9z");
		want[0] = '"';
		(void)strcpy(want + 1, in);
		(void)strcat(want, "\"");
		o = (struct fffa_buf){.max = 1000};
		fffa_escape_json(&o, in);
		assert_text(&o, want);
	}
}

static void test_json_not_utf8(void **state)
{
	char in[201];
	struct fffa_buf o;

	(void)state;
	memset(in, '\x80', 200);
	in[200] = '\0';
	o = (struct fffa_buf){.max = 2000};
	fffa_escape_json(&o, in);
	assert_false(o.error);
	assert_int_equal(o.len, 2 + 200 * 6);
	assert_memory_equal(o.ptr, "\"\\ufffd\\ufffd", 13);
	fffa_buf_fini(&o);
}

static void test_json_commas(void **state)
{
	struct fffa_buf o;
	struct fffa_json j = {.out = &o};

	(void)state;
	o = (struct fffa_buf){.max = 1000};
	fffa_json_open(&j, NULL, '{');
	fffa_json_u64(&j, "a", UINT64_MAX);
	fffa_json_open(&j, "b", '[');
	fffa_json_close(&j, ']');
	fffa_json_open(&j, "c", '[');
	fffa_json_i64(&j, NULL, INT64_MIN);
	fffa_json_bool(&j, NULL, true);
	fffa_json_text(&j, NULL, NULL);
	fffa_json_close(&j, ']');
	fffa_json_text(&j, "d\"", "\n");
	fffa_json_close(&j, '}');
	assert_text(&o, "{\"a\":18446744073709551615,\"b\":[],\"c\":[-9223372036854775808,true,"
			"null],\"d\\\"\":\"\\u000a\"}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grows_to_its_cap),   cmocka_unit_test(test_stays_failed),
		cmocka_unit_test(test_format_bounds),	   cmocka_unit_test(test_labels),
		cmocka_unit_test(test_json_across_pieces), cmocka_unit_test(test_json_not_utf8),
		cmocka_unit_test(test_json_commas),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
