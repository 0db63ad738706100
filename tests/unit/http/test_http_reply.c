// SPDX-License-Identifier: MIT
/* How much of an answer is read, and what a body says of its request. */
#include <string.h>

#include "tests/stubs/cmocka_all.h"

#include "sinks/http/shape/http_reply.h"
#include "sinks/http/shape/http_shape.h"
#include "sinks/http/shape/http_verdict.h"

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

static enum fffa_verdict sized(long status, const char *body)
{
	struct fffa_http_reply r = {.body = (char *)(uintptr_t)body, .len = strlen(body)};
	struct fffa_http_verdict v = fffa_http_verdict_of_status(status);

	fffa_http_shape__refine_size(&r, &v);
	return v.verdict;
}

/* What servers say instead of 413; each is the text of a real one. */
static void a_body_that_says_too_large(void **state)
{
	static const struct {
		long status;
		const char *body;
	} cases[] = {
		{400, "{\"code\":3, \"message\":\"http: request body too large\"}"},
		{500, "http: request body too large\n"},
		{400, "Request Entity Too Large"},
		{500, "rpc error: code = ResourceExhausted desc = grpc: received message larger "
		      "than max (5000000 vs. 4194304)"},
		{400, "cannot read Loki json data: too big data size exceeding "
		      "-loki.maxRequestSize=100000 bytes"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(sized(cases[i].status, cases[i].body), FFFA_V_TOO_BIG);
	assert_int_equal(sized(200, cases[0].body), FFFA_V_DELIVERED);
	assert_int_equal(sized(404, cases[0].body), FFFA_V_RETRY); /* the path is wrong */
	assert_int_equal(sized(400, "request body too larg"), FFFA_V_REFUSED);
	assert_int_equal(sized(400, "index name too large"), FFFA_V_REFUSED);
	assert_int_equal(sized(503, ""), FFFA_V_RETRY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(an_endless_answer_is_ended),
					   cmocka_unit_test(a_body_that_says_too_large)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
