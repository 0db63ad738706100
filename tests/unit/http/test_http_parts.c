// SPDX-License-Identifier: MIT
/*
 * Decisions of the HTTP sink without a network: the verdict of a status or failure, Retry-After,
 * answers, options.
 */
#include "tests/stubs/cmocka_all.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/format.h"
#include "sinks/http/options.h"
#include "sinks/http/shape/http_reply.h"
#include "sinks/http/shape/http_shape.h"
#include "sinks/http/shape/http_verdict.h"

#define NOW_S INT64_C(784111777) /* Sun, 06 Nov 1994 08:49:37 GMT, RFC 9110's own example */

static bool one_of(long status, const long *list)
{
	for (; *list; list++) {
		if (*list == status)
			return true;
	}
	return false;
}

/* What only a person can repair. */
static const long repaired[] = {401, 402, 403, 404, 405, 406, 407, 410, 411, 412,
				414, 415, 417, 421, 426, 428, 431, 451, 0};

static enum fffa_verdict wanted(long status)
{
	static const long retried[] = {408, 423, 424, 425, 429, 0};

	if (status >= 200 && status <= 299)
		return FFFA_V_DELIVERED;
	if (status == 413)
		return FFFA_V_TOO_BIG;
	if (status >= 400 && status <= 439 && !one_of(status, retried) && !one_of(status, repaired))
		return FFFA_V_REFUSED;
	return FFFA_V_RETRY; /* an unknown answer loses nothing */
}

static void every_status_has_its_verdict(void **state)
{
	(void)state;
	for (long status = 0; status < 1000; status++) {
		struct fffa_http_verdict v = fffa_http_verdict_of_status(status);

		assert_int_equal(v.verdict, wanted(status));
		assert_int_equal(v.cause == 0, v.verdict == FFFA_V_DELIVERED);
		assert_true(v.cause <= 0);
		assert_int_equal(v.configured,
				 one_of(status, repaired) || (status >= 300 && status <= 399));
		assert_true(!v.configured || v.text);
		assert_false(v.transient);
	}
}

static void a_failed_transfer_is_retried(void **state)
{
	(void)state;
	for (int code = 1; code < CURL_LAST; code++) {
		struct fffa_http_verdict v = fffa_http_verdict_of_failure((CURLcode)code, 0, false);

		assert_int_equal(v.verdict, FFFA_V_RETRY);
		assert_true(v.cause < 0);
		/* 200 without a complete answer confirms nothing. */
		v = fffa_http_verdict_of_failure((CURLcode)code, 200, false);
		assert_int_equal(v.verdict, FFFA_V_RETRY);
	}
	assert_int_equal(fffa_http_verdict_of_failure(CURLE_OPERATION_TIMEDOUT, 0, false).cause,
			 -ETIMEDOUT);
	assert_int_equal(fffa_http_verdict_of_failure(CURLE_ABORTED_BY_CALLBACK, 0, false).cause,
			 -ECANCELED);
	assert_true(fffa_http_verdict_of_failure(CURLE_RECV_ERROR, 0, true).transient);
	assert_false(fffa_http_verdict_of_failure(CURLE_RECV_ERROR, 0, false).transient);
	assert_false(fffa_http_verdict_of_failure(CURLE_OPERATION_TIMEDOUT, 0, true).transient);
	assert_true(
		fffa_http_verdict_of_failure(CURLE_PEER_FAILED_VERIFICATION, 0, false).configured);
	/* The server refuses early, then resets while the body is still being sent. */
	assert_int_equal(fffa_http_verdict_of_failure(CURLE_SEND_ERROR, 413, false).verdict,
			 FFFA_V_TOO_BIG);
	assert_int_equal(fffa_http_verdict_of_failure(CURLE_RECV_ERROR, 429, false).cause, -EBUSY);
	assert_int_equal(
		fffa_http_verdict_of_failure(CURLE_ABORTED_BY_CALLBACK, 400, false).verdict,
		FFFA_V_RETRY);
}

static void retry_after(void **state)
{
	static const struct {
		const char *text;
		uint32_t ms;
	} cases[] = {
		{"", 0},
		{"0", 0},
		{"1", 1000},
		{"120", 120000},
		{"3600", 3600000},
		{"3601", FFFA_HTTP_RETRY_AFTER_MAX_MS},
		{"99999999999999999999999999", FFFA_HTTP_RETRY_AFTER_MAX_MS},
		{"-5", 0},
		{"5s", 0},
		{"1.5", 0},
		{"soon", 0},
		{"Sun, 06 Nov 1994 08:49:38 GMT", 1000},
		{"Sun, 06 Nov 1994 08:50:37 GMT", 60000},
		{"Sun, 06 Nov 1994 08:49:37 GMT", 0},
		{"Sun, 06 Nov 1994 08:00:00 GMT", 0},
		{"Tue, 07 Nov 1995 00:00:00 GMT", FFFA_HTTP_RETRY_AFTER_MAX_MS},
		{"Sunday, 06-Nov-94 08:49:40 GMT", 3000}, /* RFC 850, obsolete and still valid */
		{"Sun Nov  6 08:49:41 1994", 4000},	  /* asctime */
		{"Sun, 99 Foo 1994 08:49:38 GMT", 0},
		{"tomorrow and the day after that", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (fffa_http_retry_after_ms(cases[i].text, NOW_S) != cases[i].ms)
			fail_msg("%s: %u", cases[i].text,
				 fffa_http_retry_after_ms(cases[i].text, NOW_S));
	}
}

static void header(struct fffa_http_reply *r, const char *line)
{
	assert_int_equal(fffa_http__reply_on_header((char *)(uintptr_t)line, 1, strlen(line), r),
			 strlen(line));
}

static void receive_body(struct fffa_http_reply *r, const char *text, size_t n)
{
	assert_int_equal(fffa_http__reply_on_body((char *)(uintptr_t)text, 1, n, r), n);
}

static void an_answer_is_kept_up_to_its_bound(void **state)
{
	struct fffa_http_reply r = {.most = 10000};
	char *much = calloc(1, 9000);

	(void)state;
	memset(much, 'a', 9000);
	receive_body(&r, much, 9000);
	assert_false(r.cut);
	assert_int_equal(r.len, 9000);
	/* The second fits in part. What is stored has no holes, so nothing follows. */
	receive_body(&r, much, 9000);
	assert_true(r.cut);
	assert_int_equal(r.len, 10000);
	receive_body(&r, "b", 1);
	assert_int_equal(r.len, 10000);
	assert_true(r.held <= 10000);
	fffa_http__reply_reset(&r);
	receive_body(&r, "fine", 4);
	assert_false(r.cut);
	assert_int_equal(r.len, 4);
	assert_memory_equal(r.body, "fine", 4);
	fffa_http__reply_fini(&r);
	free(much);
}

static void count_call(void *arg)
{
	++*(int *)arg;
}

static void headers_of_an_answer(void **state)
{
	struct fffa_http_reply r = {.most = 100};

	(void)state;
	header(&r, "HTTP/1.1 100 Continue\r\n");
	header(&r, "Retry-After: 7\r\n");
	header(&r, "HTTP/1.1 429 Slow down\r\n"); /* the headers before were another answer's */
	assert_string_equal(r.retry_after, "");
	header(&r, "retry-AFTER: \t 12 \r\n");
	assert_string_equal(r.retry_after, "12");
	header(&r, "Retry-Afterwards: 13\r\n");
	assert_string_equal(r.retry_after, "12");
	header(&r, "Retry-After:\r\n");
	assert_string_equal(r.retry_after, "");
	header(&r, "Retry-After: 0000000000000000000000000000000000000000000000000000000000000000"
		   "1\r\n");
	assert_string_equal(r.retry_after, "");
	header(&r, "\r\n");
	header(&r, "");
}

static void headers_tell_of_a_confirmation(void **state)
{
	struct fffa_http_reply r = {.most = 100, .confirmed = count_call};
	int calls = 0;

	(void)state;
	r.arg = &calls;
	header(&r, "HTTP/1.1 100 Continue\r\n");
	header(&r, "\r\n");
	header(&r, "HTTP/1.1 404 No\r\n");
	header(&r, "\r\n");
	assert_int_equal(calls, 0);
	header(&r, "HTTP/2 204 \r\n");
	assert_int_equal(r.status, 204);
	assert_int_equal(calls, 0);
	header(&r, "Server: x\r\n");
	header(&r, "\r\n");
	assert_int_equal(calls, 1);
	header(&r, "HTTP/nonsense\r\n");
	assert_int_equal(r.status, 0);
	header(&r, "HTTP/1.1 99999999999999999999999 \r\n");
	assert_true(r.status >= 1000);
}

static void expect_excerpt(const char *body, size_t n, const char *want)
{
	struct fffa_http_reply r = {.body = (char *)(uintptr_t)body, .len = n};
	char out[FFFA_HTTP_EXCERPT_BYTES * 4 + 1];

	fffa_http_reply_excerpt(&r, out, sizeof(out));
	assert_string_equal(out, want);
}

static void an_excerpt_is_one_line_of_text(void **state)
{
	char much[300], want[FFFA_HTTP_EXCERPT_BYTES * 4 + 1];

	(void)state;
	expect_excerpt("", 0, "");
	expect_excerpt("no\r\n\x1b[31mred\0", 13, "no\\x0d\\x0a\\x1b[31mred\\x00");
	expect_excerpt("K\xc3\xb6ln \xff \xc2\x9b", 10, "K\xc3\xb6ln \\xff \\xc2\\x9b");
	memset(much, 1, sizeof(much));
	for (size_t i = 0; i < FFFA_HTTP_EXCERPT_BYTES; i++)
		memcpy(want + 4 * i, "\\x01", 5);
	expect_excerpt(much, sizeof(much), want);
}

/* One letter per record: d delivered, r retry, x rejected, b too big, f refused. */
struct answer {
	const char *text;
	const char *records; /* NULL: the answer cannot be read */
	enum fffa_verdict verdict;
};

static void expect_answer(fffa_http_judge_fn judge, const struct answer *a, uint32_t count,
			  bool cut)
{
	static const char letters[] = " drxbf";
	struct fffa_http_reply r = {
		.body = (char *)(uintptr_t)a->text, .len = strlen(a->text), .cut = cut};
	uint8_t *records = malloc(count);
	struct fffa_http_judged j = {.status = 0};

	memset(records, FFFA_V_DELIVERED, count);
	if (judge(&r, count, records, &j) != a->verdict || j.unreadable != !a->records)
		fail_msg("%s", a->text);
	for (uint32_t i = 0; a->records && i < count; i++) {
		if (letters[records[i]] != a->records[i])
			fail_msg("%s: record %u", a->text, i);
	}
	free(records);
}

#define I(status) "{\"create\":{\"status\":" #status "}}"

static void answers_of_bulk(void **state)
{
	static const struct answer cases[] = {
		{"{\"errors\":false,\"items\":[" I(201) "," I(201) "," I(201) "]}", "ddd",
		 FFFA_V_DELIVERED},
		{"{\"errors\":false}", "ddd", FFFA_V_DELIVERED},
		{"{\"errors\":true,\"items\":[" I(201) "," I(429) "," I(400) "]}", "drf",
		 FFFA_V_RETRY},
		{"{\"errors\":true,\"items\":[" I(409) "," I(409) "," I(201) "]}", "ddd",
		 FFFA_V_DELIVERED},
		{"{\"errors\":true,\"items\":[" I(400) "," I(400) "," I(400) "]}", "fff",
		 FFFA_V_REFUSED},
		{"{\"errors\":true,\"items\":[" I(404) "," I(404) "," I(404) "]}", "rrr",
		 FFFA_V_RETRY},
		{"{\"errors\":true,\"items\":[" I(503) "," I(409) "," I(413) "]}", "rdb",
		 FFFA_V_RETRY},
		{"{\"errors\":true,\"items\":[{},7," I(99999999999) "]}", "rrr", FFFA_V_RETRY},
		{"{\"errors\":true,\"items\":[" I(201) "]}", NULL, FFFA_V_RETRY},
		{"{\"errors\":true,\"items\":[" I(201) "," I(201) "," I(201) "," I(201) "]}", NULL,
		 FFFA_V_RETRY},
		{"{\"errors\":true}", NULL, FFFA_V_RETRY},
		{"", NULL, FFFA_V_RETRY},
		{"<html>", NULL, FFFA_V_RETRY},
		{"[]", NULL, FFFA_V_RETRY},
	};
	const struct answer cut = {"{\"errors\":false", NULL, FFFA_V_TOO_BIG};
	const struct answer alone = {"{\"errors\":false", NULL, FFFA_V_RETRY};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect_answer(fffa_http_shape__judge_bulk, &cases[i], 3, false);
	expect_answer(fffa_http_shape__judge_bulk, &cut, 3, true);
	expect_answer(fffa_http_shape__judge_bulk, &alone, 1, true);
}

static void answers_of_otlp(void **state)
{
	static const struct answer cases[] = {
		{"", "ddd", FFFA_V_DELIVERED},
		{"{}", "ddd", FFFA_V_DELIVERED},
		{"{\"partialSuccess\":{}}", "ddd", FFFA_V_DELIVERED},
		{"{\"partialSuccess\":{\"errorMessage\":\"slow\"}}", "ddd", FFFA_V_DELIVERED},
		{"{\"partialSuccess\":{\"rejectedLogRecords\":\"1\"}}", "ddx", FFFA_V_RETRY},
		{"{\"partialSuccess\":{\"rejectedLogRecords\":2}}", "dxx", FFFA_V_RETRY},
		{"{\"partialSuccess\":{\"rejectedLogRecords\":\"3\"}}", "xxx", FFFA_V_REJECTED},
		{"{\"partialSuccess\":{\"rejectedLogRecords\":\"99999999999999999999\"}}", "xxx",
		 FFFA_V_REJECTED},
		{"{\"partialSuccess\":{\"rejectedLogRecords\":-1}}", "ddd", FFFA_V_DELIVERED},
		{"nonsense", "ddd", FFFA_V_DELIVERED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect_answer(fffa_http_shape__judge_otlp, &cases[i], 3, false);
}

static void bulk_names_the_first_error(void **state)
{
	static const char text[] = "{\"errors\":true,\"items\":[" I(
		201) ",{\"create\":{\"status\":404,"
		     "\"error\":{\"type\":\"index_not_found_exception\"}}}," I(429) "]}";
	struct fffa_http_reply r = {.body = (char *)(uintptr_t)text, .len = sizeof(text) - 1};
	struct fffa_http_judged j = {.status = 0};
	uint8_t records[3] = {1, 1, 1};

	(void)state;
	assert_int_equal(fffa_http_shape__judge_bulk(&r, 3, records, &j), FFFA_V_RETRY);
	assert_int_equal(j.status, 404);
	assert_string_equal(j.type, "index_not_found_exception");
	assert_true(j.repair);
}

static enum fffa_verdict refined(fffa_http_refine_fn refine, long status, const char *body)
{
	struct fffa_http_reply r = {.body = (char *)(uintptr_t)body, .len = strlen(body)};
	struct fffa_http_verdict v = fffa_http_verdict_of_status(status);

	refine(&r, &v);
	assert_true(v.verdict != FFFA_V_RETRY || v.configured);
	return v.verdict;
}

/* A body that names a setting as the reason: the records are kept. */
static void refusals_that_a_person_can_repair(void **state)
{
	static const int repairs[] = {7, 10, 11, 14, 16}, others[] = {5, 6, 12, 13, 15, 99};
	char text[64];

	(void)state;
	for (size_t i = 0; i < sizeof(repairs) / sizeof(repairs[0]); i++) {
		(void)snprintf(text, sizeof(text), "{\"text\":\"x\",\"code\":%d}", repairs[i]);
		assert_int_equal(refined(fffa_http_shape__refine_splunk, 400, text), FFFA_V_RETRY);
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		(void)snprintf(text, sizeof(text), "{\"text\":\"x\",\"code\":%d}", others[i]);
		assert_int_equal(refined(fffa_http_shape__refine_splunk, 400, text),
				 FFFA_V_REFUSED);
	}
	assert_int_equal(refined(fffa_http_shape__refine_splunk, 400, "nonsense"), FFFA_V_REFUSED);
	assert_int_equal(refined(fffa_http_shape__refine_splunk, 400, ""), FFFA_V_REFUSED);
	assert_int_equal(refined(fffa_http_shape__refine_elasticsearch, 400,
				 "{\"reason\":\"Validation Failed: 1: index is missing;\"}"),
			 FFFA_V_RETRY);
	assert_int_equal(refined(fffa_http_shape__refine_elasticsearch, 400,
				 "{\"error\":{\"type\":\"illegal_argument_exception\"}}"),
			 FFFA_V_REFUSED);
	assert_int_equal(refined(fffa_http_shape__refine_elasticsearch, 400, ""), FFFA_V_REFUSED);
}

/* A configuration that passes; a test breaks one thing. */
static struct fffa_sink_http_conf sound(void)
{
	return (struct fffa_sink_http_conf){.url = "https://h.example:8/x",
					    .compress = FFFA_HTTP_GZIP,
					    .tls = {.verify = true},
					    .timeout_ns = 1000000000,
					    .requests = 4};
}

static void refuses(const struct fffa_sink_http_conf *c, const char *begin)
{
	struct fffa_err err = {""};

	assert_int_equal(fffa_http__options_check(c, &err), -EINVAL);
	if (strncmp(err.text, begin, strlen(begin)) != 0)
		fail_msg("%s", err.text);
}

static void wrong_urls_are_named(void **state)
{
	static char *const bad[] = {NULL,
				    "",
				    "ftp://h/",
				    "h:80/x",
				    "http://",
				    "http:///x",
				    "http://u:p@h/",
				    "http://u@h/",
				    "http://h/#x",
				    "http://h/a b",
				    "http://h/\r\nX: y",
				    "http://h:99999/"};
	static char *const good[] = {"http://h", "HTTPS://h/", "http://[::1]:80/x?y=z",
				     "http://10.0.0.1/"};
	struct fffa_sink_http_conf c = sound();

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		c = sound();
		c.url = bad[i];
		refuses(&c, "url: ");
		c = sound();
		c.proxy.url = bad[i];
		if (bad[i] && *bad[i])
			refuses(&c, "proxy: ");
		else
			assert_int_equal(fffa_http__options_check(&c, NULL), 0);
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		c = sound();
		c.url = good[i];
		assert_int_equal(fffa_http__options_check(&c, NULL), 0);
	}
}

static void refuses_header(const char *key, const char *value)
{
	struct fffa_sink_http_conf c = sound();
	struct fffa_pair pair = {(char *)(uintptr_t)key, (char *)(uintptr_t)value};

	c.headers = (struct fffa_pairs){&pair, 1};
	refuses(&c, "headers: ");
}

static void rules_across_options(void **state)
{
	struct fffa_sink_http_conf c = sound();
	struct fffa_pair pair = {"X-Own", "a b"};
	struct fffa_err err = {""};

	(void)state;
	c.headers = c.labels = (struct fffa_pairs){&pair, 1};
	c.auth.bearer = "t";
	c.tls.cert_file = "both.pem";
	assert_int_equal(fffa_http__options_check(&c, NULL), 0);
	c.auth.user = "u";
	refuses(&c, "auth.bearer: ");
	c = sound();
	c.auth.password = "p";
	refuses(&c, "auth.user: ");
	c.auth.user = "a:b";
	refuses(&c, "auth.user: ");
	c = sound();
	c.auth.bearer = "a\nb";
	refuses(&c, "auth.bearer: ");
	c = sound();
	c.tls.key_file = "k";
	refuses(&c, "tls.cert_file: ");
	c = sound();
	c.shape = FFFA_HTTP_LOKI;
	c.compress = FFFA_HTTP_ZSTD;
	refuses(&c, "compress: ");
	c.compress = FFFA_HTTP_GZIP;
	c.labels = (struct fffa_pairs){&pair, 1};
	refuses(&c, "labels: ");
	refuses_header("", "x");
	refuses_header("a b", "x");
	refuses_header("a:", "x");
	refuses_header("a", "x\r\nb: y");
	refuses_header("Content-Length", "3");
	refuses_header("fffa-batch", "3");
	c = sound();
	for (c.shape = 0; c.shape <= FFFA_HTTP_DATADOG; c.shape++) {
		assert_int_equal(fffa_http__options_check_format(&c, FFFA_FORMAT_JSON, NULL), 0);
		assert_int_equal(fffa_http__options_check_format(&c, FFFA_FORMAT_VPC, NULL), 0);
	}
	c.shape = FFFA_HTTP_LOKI;
	assert_int_equal(fffa_http__options_check_format(&c, FFFA_FORMAT_MSGPACK, &err), -EINVAL);
	assert_memory_equal(err.text, "format: ", 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_status_has_its_verdict),
		cmocka_unit_test(a_failed_transfer_is_retried),
		cmocka_unit_test(retry_after),
		cmocka_unit_test(an_answer_is_kept_up_to_its_bound),
		cmocka_unit_test(headers_of_an_answer),
		cmocka_unit_test(answers_of_bulk),
		cmocka_unit_test(headers_tell_of_a_confirmation),
		cmocka_unit_test(an_excerpt_is_one_line_of_text),
		cmocka_unit_test(answers_of_otlp),
		cmocka_unit_test(bulk_names_the_first_error),
		cmocka_unit_test(refusals_that_a_person_can_repair),
		cmocka_unit_test(wrong_urls_are_named),
		cmocka_unit_test(rules_across_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
