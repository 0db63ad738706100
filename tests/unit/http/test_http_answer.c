// SPDX-License-Identifier: MIT
/* The headers of a request, and what an answer means for the records of its batch, in words. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/stubs/cmocka_all.h"

#include "sinks/http/answer.h"
#include "sinks/http/options.h"

static bool no_handles;

CURL *__real_curl_easy_init(void);
CURL *__wrap_curl_easy_init(void);

CURL *__wrap_curl_easy_init(void)
{
	return no_handles ? NULL : __real_curl_easy_init();
}

struct place {
	struct fffa_sink_http_conf conf;
	struct fffa_http_target target;
	struct fffa_http_exchange exchange;
	struct fffa_http_answer answer;
};

static void begin(struct place *p, int shape, char *url)
{
	memset(p, 0, sizeof(*p));
	p->conf.url = url;
	p->conf.shape = shape;
	p->conf.timeout_ns = 1000000000;
	assert_int_equal(fffa_http__exchange_target_init(&p->target, &p->conf, "text/csv"), 0);
}

static void end(struct place *p)
{
	fffa_http__answer_fini(&p->answer);
	fffa_http__exchange_target_fini(&p->target);
}

static struct fffa_outcome judge(struct place *p, long status, char *body, uint32_t count)
{
	struct fffa_outcome o = {.verdict = FFFA_V_NONE};

	p->exchange.reply.body = body;
	p->exchange.reply.len = strlen(body);
	fffa_http__answer_judge(&p->answer, &p->target, &p->exchange, count, CURLE_OK, status, &o);
	return o;
}

/* All headers, each in brackets. */
static void expect_headers(const struct place *p, const char *want)
{
	char all[1024] = "";
	size_t n = 0;

	for (const struct curl_slist *h = p->target.headers; h; h = h->next) {
		n += (size_t)snprintf(all + n, sizeof(all) - n, "[%s]", h->data);
		assert_true(n < sizeof(all));
	}
	assert_string_equal(all, want);
}

/* "Expect:" keeps libcurl from waiting for 100 Continue in front of a large body. */
static void a_request_has_these_headers(void **state)
{
	struct fffa_pair pairs[] = {{(char *)"X-A", (char *)"1"}, {(char *)"X-B", (char *)""}};
	struct place p;

	(void)state;
	begin(&p, FFFA_HTTP_PLAIN, (char *)"http://h/");
	expect_headers(&p, "[Content-Type: text/csv][Expect:][Content-Encoding: zstd]");
	end(&p);

	p.conf.compress = FFFA_HTTP_NONE;
	p.conf.auth.bearer = (char *)"secret";
	p.conf.headers.v = pairs;
	p.conf.headers.n = 2;
	assert_int_equal(fffa_http__exchange_target_init(&p.target, &p.conf, NULL), 0);
	expect_headers(&p, "[Content-Type: text/plain][Expect:][Authorization: Bearer secret]"
			   "[X-A: 1][X-B;]");
	end(&p);
}

static void a_request_without_a_handle(void **state)
{
	struct place p;

	(void)state;
	begin(&p, FFFA_HTTP_PLAIN, (char *)"http://h/");
	no_handles = true;
	assert_int_equal(fffa_http__exchange_init(&p.exchange, &p.target), -ENOMEM);
	no_handles = false;
	assert_int_equal(fffa_http__exchange_init(&p.exchange, &p.target), 0);
	assert_int_equal(p.exchange.request.timeout_ms, 1000);
	fffa_http__exchange_fini(&p.exchange);
	end(&p);
}

/* A refusal in words: the status, where, what it means, and what the server said; no token. */
static void a_refusal_says_who_and_what(void **state)
{
	struct fffa_outcome o;
	struct place p;

	(void)state;
	begin(&p, FFFA_HTTP_PLAIN, (char *)"http://h/in?token=secret");
	o = judge(&p, 418, (char *)"short\nand stout", 2);
	assert_int_equal(o.reason, 418);
	assert_string_equal(strstr(o.detail, "; it said"), "; it said: short\\x0aand stout");
	assert_memory_equal(o.detail, "HTTP 418 from http://h/in?***", 29);
	o = judge(&p, 204, (char *)"", 2);
	assert_int_equal(o.verdict, FFFA_V_DELIVERED);
	assert_null(o.detail);

	(void)snprintf(p.exchange.reply.retry_after, sizeof(p.exchange.reply.retry_after), "7");
	o = judge(&p, 503, (char *)"", 2);
	assert_int_equal(o.verdict, FFFA_V_RETRY);
	assert_int_equal(o.retry_after_ms, 7000);
	end(&p);
}

/* Elasticsearch's own words turn a refusal into something that a person can repair. */
static void a_body_refines_the_status(void **state)
{
	struct fffa_outcome o;
	struct place p;

	(void)state;
	begin(&p, FFFA_HTTP_ELASTICSEARCH, (char *)"http://h/");
	o = judge(&p, 400, (char *)"{\"error\":\"something else\"}", 1);
	assert_int_equal(o.verdict, FFFA_V_REFUSED);
	assert_false(o.repair);
	o = judge(&p, 400, (char *)"{\"error\":\"index is missing\"}", 1);
	assert_int_equal(o.verdict, FFFA_V_RETRY);
	assert_true(o.repair);
	end(&p);
}

/* The log says each reason once: reasons of records differ from each other and from statuses. */
static void records_have_reasons_of_their_own(void **state)
{
	struct fffa_outcome o;
	struct place p;
	int first;

	(void)state;
	begin(&p, FFFA_HTTP_ELASTICSEARCH, (char *)"http://h/");
	o = judge(&p, 200,
		  (char *)"{\"errors\":true,\"items\":[{\"create\":{\"status\":201}},"
			  "{\"create\":{\"status\":429,\"error\":{\"type\":\"busy\"}}}]}",
		  2);
	assert_int_equal(o.verdict, FFFA_V_RETRY);
	assert_int_equal(o.cause, -EBADMSG);
	assert_int_equal(o.records[0], FFFA_V_DELIVERED);
	assert_int_equal(o.records[1], FFFA_V_RETRY);
	assert_non_null(strstr(o.detail, "did not take every record: 429 busy"));
	assert_true(o.reason > 600);
	first = o.reason;
	o = judge(&p, 200,
		  (char *)"{\"errors\":true,\"items\":[{\"create\":{\"status\":201}},"
			  "{\"create\":{\"status\":503,\"error\":{\"type\":\"busy\"}}}]}",
		  2);
	assert_int_equal(o.reason - first, 503 - 429);
	o = judge(&p, 200, (char *)"nonsense", 2);
	assert_int_equal(o.verdict, FFFA_V_RETRY);
	assert_null(o.records);
	assert_non_null(strstr(o.detail, "the answer cannot be read"));
	assert_true(o.reason > 600);
	end(&p);
}

static void a_failure_says_what_was_under_way(void **state)
{
	struct fffa_outcome o;
	struct place p;

	(void)state;
	begin(&p, FFFA_HTTP_PLAIN, (char *)"http://h/");
	fffa_http__answer_judge_failure(&p.answer, &p.target, &p.exchange, CURLE_OPERATION_TIMEDOUT,
					false, &o);
	assert_string_equal(o.detail, "timed out while waiting for a connection (http://h/)");
	assert_int_equal(o.reason, -CURLE_OPERATION_TIMEDOUT);
	p.exchange.request.begun = true;
	p.exchange.reply.status = 103;
	fffa_http__answer_judge_failure(&p.answer, &p.target, &p.exchange, CURLE_OPERATION_TIMEDOUT,
					false, &o);
	assert_null(strstr(o.detail, "waiting for a connection"));
	assert_non_null(strstr(o.detail, "; it sent HTTP 103 and no final answer"));
	p.exchange.reply.status = 200;
	(void)snprintf(p.exchange.error, sizeof(p.exchange.error), "the words of libcurl");
	fffa_http__answer_judge_failure(&p.answer, &p.target, &p.exchange, CURLE_RECV_ERROR, false,
					&o);
	assert_string_equal(o.detail, "the words of libcurl (http://h/)");
	p.exchange.reply.ended = true;
	fffa_http__answer_judge_failure(&p.answer, &p.target, &p.exchange, CURLE_RECV_ERROR, false,
					&o);
	assert_string_equal(o.detail, "the headers of the answer have no end (http://h/)");
	end(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_has_these_headers),
		cmocka_unit_test(a_request_without_a_handle),
		cmocka_unit_test(a_refusal_says_who_and_what),
		cmocka_unit_test(a_body_refines_the_status),
		cmocka_unit_test(records_have_reasons_of_their_own),
		cmocka_unit_test(a_failure_says_what_was_under_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
