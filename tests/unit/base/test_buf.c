// SPDX-License-Identifier: MIT
/* The growing buffer: what it holds, its bound, and that a failure leaves no hole. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/stubs/cmocka_all.h"

#include "agent/base/buf.h"
#include "tests/stubs/failing_alloc.h"

static void test_holds_what_was_added(void **state)
{
	struct fffa_buf b = {.max = SIZE_MAX};

	(void)state;
	fffa_buf_text(&b, "a");
	fffa_buf_add(&b, "b\0c", 3);
	fffa_buf_format(&b, "%d%s", 12, "z");
	fffa_buf_add(&b, NULL, 0);
	assert_int_equal(b.error, 0);
	assert_int_equal(b.len, 7);
	assert_memory_equal(b.ptr, "ab\0c12z", 7);
	fffa_buf_fini(&b);
	assert_null(b.ptr);
	assert_int_equal(b.len, 0);
	assert_int_equal(b.held, 0);
	assert_true(b.max == SIZE_MAX);
}

static void test_grows_to_its_bound(void **state)
{
	struct fffa_buf b = {.max = 10000};

	(void)state;
	for (int i = 0; i < 10000; i++) {
		fffa_buf_add(&b, "x", 1);
		assert_true(b.held <= 10000);
	}
	assert_int_equal(b.error, 0);
	assert_int_equal(b.len, 10000);
	fffa_buf_add(&b, "y", 1);
	assert_int_equal(b.error, -EMSGSIZE);
	assert_int_equal(b.len, 10000);
	fffa_buf_fini(&b);
}

/* A number that overflows when it is added to len is beyond every bound. */
static void test_bound_is_exact(void **state)
{
	struct fffa_buf b = {.max = SIZE_MAX}, none = {.max = 0};

	(void)state;
	fffa_buf_text(&b, "abc");
	assert_null(fffa_buf_room(&b, SIZE_MAX - 2));
	assert_int_equal(b.error, -EMSGSIZE);
	assert_int_equal(b.len, 3);
	fffa_buf_fini(&b);
	fffa_buf_text(&none, "a");
	assert_int_equal(none.error, -EMSGSIZE);
	fffa_buf_fini(&none);
}

static void test_failure_sticks(void **state)
{
	struct fffa_buf b = {.max = 4};

	(void)state;
	fffa_buf_text(&b, "abc");
	fffa_buf_text(&b, "de");
	fffa_buf_text(&b, "f");
	assert_int_equal(b.error, -EMSGSIZE);
	assert_int_equal(b.len, 3);
	fffa_buf_reset(&b);
	fffa_buf_text(&b, "wxyz");
	assert_int_equal(b.error, 0);
	assert_memory_equal(b.ptr, "wxyz", 4);
	fffa_buf_fini(&b);
}

static void test_format_is_bounded(void **state)
{
	char text[2 * FFFA_BUF_FORMAT_BYTES_MAX];
	struct fffa_buf b = {.max = 1 << 16};

	(void)state;
	memset(text, 'x', sizeof(text));
	text[FFFA_BUF_FORMAT_BYTES_MAX] = '\0';
	fffa_buf_format(&b, "%s", text);
	assert_int_equal(b.error, 0);
	assert_int_equal(b.len, FFFA_BUF_FORMAT_BYTES_MAX);
	text[FFFA_BUF_FORMAT_BYTES_MAX] = 'x';
	text[FFFA_BUF_FORMAT_BYTES_MAX + 1] = '\0';
	fffa_buf_format(&b, "%s", text);
	assert_int_equal(b.error, -EMSGSIZE);
	assert_int_equal(b.len, FFFA_BUF_FORMAT_BYTES_MAX);
	fffa_buf_reset(&b);
	text[FFFA_BUF_FORMAT_BYTES_MAX + 1] = 'x';
	text[sizeof(text) - 1] = '\0';
	fffa_buf_format(&b, "%s", text);
	assert_int_equal(b.error, -EMSGSIZE);
	assert_int_equal(b.len, 0);
	fffa_buf_fini(&b);
}

/* Room that was lent and not used leaves nothing behind. */
static void test_lends_room(void **state)
{
	struct fffa_buf b = {.max = 1000};
	uint8_t *p;

	(void)state;
	fffa_buf_text(&b, "a");
	p = fffa_buf_room(&b, 999);
	assert_ptr_equal(p, b.ptr + 1);
	memset(p, 'b', 999);
	b.len++;
	fffa_buf_text(&b, "c");
	assert_int_equal(b.len, 3);
	assert_memory_equal(b.ptr, "abc", 3);
	assert_null(fffa_buf_room(&b, 998));
	fffa_buf_fini(&b);
}

static void test_without_memory(void **state)
{
	struct fffa_buf b = {.max = SIZE_MAX};

	(void)state;
	fffa_buf_text(&b, "abc");
	failing_alloc_arm(1);
	assert_null(fffa_buf_room(&b, 1 << 20));
	failing_alloc_arm(0);
	assert_int_equal(b.error, -ENOMEM);
	assert_memory_equal(b.ptr, "abc", 3);
	fffa_buf_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_holds_what_was_added),
		cmocka_unit_test(test_grows_to_its_bound),
		cmocka_unit_test(test_bound_is_exact),
		cmocka_unit_test(test_failure_sticks),
		cmocka_unit_test(test_format_is_bounded),
		cmocka_unit_test(test_lends_room),
		cmocka_unit_test(test_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
