// SPDX-License-Identifier: MIT
/* How much of an answer is read. */
#include "tests/stubs/cmocka_all.h"

#include "sinks/http/shape/http_reply.h"

/* An answer that does not end, in its body or in its headers, is ended. */
static void an_endless_answer_is_ended(void **state)
{
	struct fffa_http_reply r = {.most = 100};
	char chunk[4096] = "HTTP/1.1 100 Continue";
	size_t n = 0;

	(void)state;
	while (fffa_http__reply_on_body(chunk, 1, sizeof(chunk), &r))
		n += sizeof(chunk);
	assert_true(n <= 100 + FFFA_HTTP_DROPPED_BYTES_MAX);
	assert_true(n + sizeof(chunk) > 100 + FFFA_HTTP_DROPPED_BYTES_MAX);
	assert_true(r.ended && r.cut);
	assert_int_equal(r.len, 100);
	fffa_http__reply_reset(&r);
	for (n = 0; fffa_http__reply_on_header(chunk, 1, 21, &r); n += 21)
		assert_int_equal(r.status, 100);
	assert_true(n <= 100 + FFFA_HTTP_DROPPED_BYTES_MAX);
	assert_true(r.ended);
	fffa_http__reply_reset(&r);
	assert_int_equal(fffa_http__reply_on_body(chunk, 1, 4, &r), 4);
	fffa_http__reply_fini(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(an_endless_answer_is_ended)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
