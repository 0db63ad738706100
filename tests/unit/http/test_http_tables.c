// SPDX-License-Identifier: MIT
/* What the tables of the HTTP sink say: to a person who must repair something, and of each product. */
#include "tests/stubs/cmocka_all.h"

#include "agent/base/format.h"
#include "sinks/http/shape/http_shape.h"
#include "sinks/http/shape/http_verdict.h"

/* What a person reads who must repair something. */
static void every_status_that_needs_a_person_says_what_to_do(void **state)
{
	static const struct {
		long status;
		const char *text;
	} rows[] = {
		{302, "redirects are not followed: set url to the new address"},
		{401, "the server does not accept the credentials: check auth and headers"},
		{402, "the server asks for a payment: check the account"},
		{403, "the credentials do not allow this: check auth and headers"},
		{404, "the server has no such path: check url"},
		{405, "the server takes no POST at this path: check url"},
		{406, "the server cannot answer as headers ask: check headers"},
		{407, "the proxy requires credentials: check proxy"},
		{410, "the path is gone for good: check url"},
		{411, "a proxy or server takes the length from the request: check url"},
		{414, "the server finds the path too long: check url"},
		{415, "the server does not take this body: check format, compress and shape"},
		{421, "the server is not the one for this name: check url"},
		{426, "the server asks for another protocol: check url"},
		{431, "the server finds the headers too large: check headers"},
		{451, "the server may not take the records for legal reasons: check url"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fffa_http_verdict v = fffa_http_verdict_of_status(rows[i].status);

		assert_string_equal(v.text, rows[i].text);
		assert_true(v.configured);
		assert_int_equal(v.verdict, FFFA_V_RETRY);
		assert_true(v.cause < 0);
	}
	assert_string_equal(fffa_http_verdict_of_status(413).text, "the batch is too large");
	assert_string_equal(fffa_http_verdict_of_status(429).text,
			    "the server asks for fewer requests");
	assert_string_equal(fffa_http_verdict_of_status(422).text,
			    "the server refuses the request");
	assert_string_equal(fffa_http_verdict_of_status(600).text, "not an HTTP answer");
	assert_null(fffa_http_verdict_of_status(503).text);
}

/* Each product's path, content type, header of the token, and bounds, as its documents say. */
static void shapes_are_what_the_products_ask_for(void **state)
{
	static const struct {
		const char *name, *path, *content_type, *token;
		uint32_t records_max;
		size_t bytes_max, reply_max;
		bool takes_zstd, needs_body;
	} rows[] = {
		{"plain", NULL, NULL, "Authorization: Bearer ", 0, 0, 0, true, false},
		{"splunk_hec", "/services/collector/event", "application/json",
		 "Authorization: Splunk ", 0, 0, 4096, false, false},
		{"elasticsearch", "/_bulk", "application/x-ndjson", "Authorization: Bearer ", 5000,
		 0, 524288, false, true},
		{"otlp", "/v1/logs", "application/json", "Authorization: Bearer ", 0, 0, 65536,
		 true, false},
		{"loki", "/loki/api/v1/push", "application/json", "Authorization: Bearer ", 0, 0, 0,
		 false, false},
		{"datadog", "/api/v2/logs", "application/json", "DD-API-KEY: ", 1000, 5000000, 0,
		 false, false},
	};

	(void)state;
	for (int i = 0; i < (int)(sizeof(rows) / sizeof(rows[0])); i++) {
		const struct fffa_http_shape *s = fffa_http_shape_find(i);

		assert_string_equal(s->name, rows[i].name);
		assert_string_equal(s->path ? s->path : "", rows[i].path ? rows[i].path : "");
		assert_string_equal(s->content_type ? s->content_type : "",
				    rows[i].content_type ? rows[i].content_type : "");
		assert_string_equal(s->token, rows[i].token);
		assert_int_equal(s->records_max, rows[i].records_max);
		assert_int_equal(s->bytes_max, rows[i].bytes_max);
		assert_int_equal(s->reply_max, rows[i].reply_max);
		assert_int_equal(s->takes_zstd, rows[i].takes_zstd);
		assert_int_equal(s->needs_body, rows[i].needs_body);
		assert_int_equal(!!(s->formats & 1u << FFFA_FORMAT_MSGPACK), i == FFFA_HTTP_PLAIN);
		assert_true(s->formats & 1u << FFFA_FORMAT_VPC);
		assert_true(s->formats & 1u << FFFA_FORMAT_JSON);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_status_that_needs_a_person_says_what_to_do),
		cmocka_unit_test(shapes_are_what_the_products_ask_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
