// SPDX-License-Identifier: MIT
/* How many bytes of headers and body a metadata service may send. */
#include "agent/enrich/input/http_bounds.h"
#include "tests/stubs/cmocka_all.h"

#define MOST FFFA_HTTP_HEADER_BYTES_MAX

static void headers_up_to_the_bound(void **state)
{
	struct fffa_http_body b = {.v = NULL};

	(void)state;
	assert_true(fffa_http_body_count_header(&b, MOST));
	assert_int_equal(fffa_http_body_result(&b, CURLE_OK), CURLE_OK);
	assert_true(fffa_http_body_count_header(&b, 0));
	assert_false(fffa_http_body_count_header(&b, 1));
	assert_int_equal(fffa_http_body_result(&b, CURLE_WRITE_ERROR), CURLE_FILESIZE_EXCEEDED);
}

/* Many small ones are as bad as a large one, and nothing makes it good again but a new request. */
static void headers_add_up(void **state)
{
	struct fffa_http_body b = {.v = NULL};

	(void)state;
	for (size_t i = 0; i < MOST / 1024; i++)
		assert_true(fffa_http_body_count_header(&b, 1024));
	assert_false(fffa_http_body_count_header(&b, 2));
	assert_false(fffa_http_body_count_header(&b, 0));
	fffa_http_body_reset(&b);
	assert_int_equal(fffa_http_body_result(&b, CURLE_OK), CURLE_OK);
	assert_true(fffa_http_body_count_header(&b, MOST));
	fffa_http_body_reset(&b);
	assert_false(fffa_http_body_count_header(&b, MOST + 1));
	fffa_http_body_reset(&b);
	assert_false(fffa_http_body_count_header(&b, SIZE_MAX));
}

static void a_new_request_begins_with_nothing(void **state)
{
	struct fffa_http_body b = {.v = NULL, .len = 7, .too_big = true, .header_bytes = MOST};

	(void)state;
	assert_int_equal(fffa_http_body_result(&b, CURLE_OK), CURLE_FILESIZE_EXCEEDED);
	fffa_http_body_reset(&b);
	assert_int_equal(b.len, 0);
	assert_false(b.too_big);
	assert_int_equal(b.header_bytes, 0);
}

static void other_results_stay(void **state)
{
	struct fffa_http_body b = {.v = NULL};

	(void)state;
	assert_int_equal(fffa_http_body_result(&b, CURLE_COULDNT_CONNECT), CURLE_COULDNT_CONNECT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers_up_to_the_bound),
		cmocka_unit_test(headers_add_up),
		cmocka_unit_test(a_new_request_begins_with_nothing),
		cmocka_unit_test(other_results_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
