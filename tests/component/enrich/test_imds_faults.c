// SPDX-License-Identifier: MIT
/* The reader against a service that misbehaves. */
#include "tests/stubs/cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "agent/base/clock.h"
#include "tests/component/enrich/metadata_fixture.h"

#define DOC    "/latest/dynamic/instance-identity/document"
#define REGION "/latest/meta-data/placement/region"
#define MACS   "/latest/meta-data/network/interfaces/macs/"
#define TOKEN  "/latest/api/token"

/* A fault that ends: it is counted n times under its reason, then everything is learned. */
struct passing {
	const char *faults;
	const char *reason;
	uint64_t n;
};

static void check_passing(struct metadata_fixture *r, const struct passing *p)
{
	imds_child_faults(&r->mock, p->faults);
	metadata_fixture_open(r);
	metadata_fixture_await(r, metadata_fixture_is_learned, 0);
	metadata_fixture_assert_all_known(r);
	assert_int_equal(metadata_fixture_error(r, p->reason), p->n);
	assert_false(metadata_fixture_has_failures(r, p->n + 1)); /* and nothing else was */
}

#define PASSING(name, ...)                                                                         \
	static void name(void **state)                                                             \
	{                                                                                          \
		static const struct passing p = {__VA_ARGS__};                                     \
                                                                                                   \
		check_passing(*state, &p);                                                         \
	}

PASSING(test_401_once, "[{\"kind\":\"status\",\"status\":401,\"path\":\"" DOC "\",\"count\":1}]",
	"unauthorized", 1)
PASSING(test_tokens_forgotten, "[{\"kind\":\"forget-tokens\",\"path\":\"" MACS "\",\"count\":1}]",
	"unauthorized", 1)
PASSING(test_401_four_times,
	"[{\"kind\":\"status\",\"status\":401,\"path\":\"" REGION "\",\"count\":4}]",
	"unauthorized", 4)
PASSING(test_429, "[{\"kind\":\"status\",\"status\":429,\"path\":\"" MACS "\",\"count\":3}]",
	"throttled", 3)
PASSING(test_429_on_token, "[{\"kind\":\"status\",\"status\":429,\"method\":\"PUT\",\"count\":2}]",
	"throttled", 2)
PASSING(test_503, "[{\"kind\":\"status\",\"status\":503,\"count\":4}]", "server", 4)
PASSING(test_500_in_the_middle,
	"[{\"kind\":\"status\",\"status\":500,\"path\":\"" MACS
	"02:00:00:00:00:02/vpc-id\",\"count\":2}]",
	"server", 2)
PASSING(test_oversize_announced, "[{\"kind\":\"oversize\",\"path\":\"" DOC "\",\"count\":2}]",
	"too_big", 2)
PASSING(test_oversize_unannounced,
	"[{\"kind\":\"oversize\",\"length\":false,\"path\":\"" REGION "\",\"count\":2}]", "too_big",
	2)
PASSING(test_oversize_token, "[{\"kind\":\"oversize\",\"method\":\"PUT\",\"count\":1}]", "too_big",
	1)
PASSING(test_largest_body_is_read,
	"[{\"kind\":\"oversize\",\"bytes\":65536,\"path\":\"" DOC "\",\"count\":1}]", "bad_body", 1)
/* 65 536 bytes are allowed; the answer has 200 of its own. */
PASSING(test_many_headers_are_read,
	"[{\"kind\":\"headers\",\"lines\":65,\"path\":\"" DOC "\",\"count\":2}]", "too_big", 0)
PASSING(test_too_many_headers,
	"[{\"kind\":\"headers\",\"lines\":66,\"path\":\"" DOC "\",\"count\":2}]", "too_big", 2)
PASSING(test_too_many_headers_with_a_token,
	"[{\"kind\":\"headers\",\"lines\":66,\"method\":\"PUT\",\"count\":1}]", "too_big", 1)
PASSING(test_truncated, "[{\"kind\":\"truncate\",\"path\":\"" DOC "\",\"count\":2}]", "transfer", 2)
PASSING(test_not_http, "[{\"kind\":\"nonsense\",\"path\":\"" MACS "\",\"count\":1}]", "transfer", 1)
PASSING(test_garbage_document, "[{\"kind\":\"garbage\",\"path\":\"" DOC "\",\"count\":2}]",
	"bad_body", 2)
PASSING(test_cut_document,
	"[{\"kind\":\"body\",\"body\":\"{\\\"region\\\":\",\"path\":\"" DOC "\",\"count\":1}]",
	"bad_body", 1)
PASSING(test_garbage_token, "[{\"kind\":\"garbage\",\"path\":\"" TOKEN "\",\"count\":2}]",
	"bad_body", 2)
PASSING(test_token_with_a_line_break,
	"[{\"kind\":\"body\",\"body\":\"a\\r\\nX-Evil: 1\",\"path\":\"" TOKEN "\",\"count\":1}]",
	"bad_body", 1)
PASSING(test_token_too_long,
	"[{\"kind\":\"oversize\",\"bytes\":1025,\"path\":\"" TOKEN "\",\"count\":1}]", "bad_body",
	1)
/* The document has named the region already. */
PASSING(test_garbage_value, "[{\"kind\":\"garbage\",\"path\":\"" REGION "\",\"count\":1}]",
	"bad_value", 1)
PASSING(test_page_instead_of_a_value,
	"[{\"kind\":\"body\",\"body\":\"<html>hello</html> x\",\"path\":\"" REGION
	"\",\"count\":1}]",
	"bad_value", 1)

static void test_hostile_values_stay_out(void **state)
{
	struct metadata_fixture *r = *state;

	imds_child_faults(
		&r->mock,
		"[{\"kind\":\"body\",\"body\":\"eni\\\",\\\"x\\\":\\\"y\",\"path\":\"" MACS
		"02:00:00:00:00:01/interface-id\"},"
		"{\"kind\":\"body\",\"body\":\"vpc-1 2 3\",\"path\":\"" MACS
		"02:00:00:00:00:01/vpc-id\"},"
		"{\"kind\":\"body\",\"body\":\"0123456789012345678901234567890123456789\",\"path\":"
		"\"" MACS "02:00:00:00:00:01/subnet-id\"},"
		"{\"kind\":\"body\",\"body\":\"{\\\"accountId\\\":\\\"1\\\\n2\\\","
		"\\\"instanceId\\\":7}\","
		"\"path\":\"" DOC "\"}]");
	metadata_fixture_open(r);
	metadata_fixture_await(r, metadata_fixture_is_learned, 0);
	assert_string_equal(metadata_fixture_ident(r, 2)->interface_id, "");
	assert_string_equal(metadata_fixture_ident(r, 2)->vpc_id, "");
	assert_string_equal(metadata_fixture_ident(r, 2)->subnet_id, "");
	assert_string_equal(metadata_fixture_ident(r, 2)->owner_id, "123456789012");
	assert_string_equal(metadata_fixture_ident(r, 2)->host->account_id, "");
	assert_string_equal(metadata_fixture_ident(r, 2)->host->instance_id, "");
	assert_string_equal(metadata_fixture_ident(r, 3)->interface_id, "eni-00000020000000002");
	assert_int_equal(metadata_fixture_error(r, "bad_value"), 5);
}

static void test_hostile_list(void **state)
{
	struct metadata_fixture *r = *state;

	imds_child_faults(&r->mock,
			  "[{\"kind\":\"body\",\"count\":1,\"path\":\"" MACS
			  "\",\"body\":\"../../x\\n"
			  "02:00:00:00:00:02/\\n02:00:00:00:00:02/\\n02:00:00:00:00:0z/\\n\"}]");
	metadata_fixture_open(r);
	metadata_fixture_await(r, metadata_fixture_is_learned, 0);
	assert_string_equal(metadata_fixture_ident(r, 2)->interface_id, "");
	assert_string_equal(metadata_fixture_ident(r, 3)->interface_id, "eni-00000020000000002");
	assert_int_equal(metadata_fixture_error(r, "bad_value"), 3);
	assert_int_equal(imds_child_count(&r->mock, "GET", NULL),
			 METADATA_HOST_GETS + METADATA_IFACE_GETS);
}

static void test_401_gets_one_new_token_each(void **state)
{
	struct metadata_fixture *r = *state;

	imds_child_faults(&r->mock, "[{\"kind\":\"status\",\"status\":401,\"path\":\"" DOC "\"}]");
	metadata_fixture_open(r);
	metadata_fixture_await(r, metadata_fixture_has_failures, 6);
	/* Each question is asked twice, each time with a new token, and no more often. */
	assert_uint_in_range(imds_child_count(&r->mock, "PUT", NULL), 6, 7);
	assert_uint_in_range(imds_child_count(&r->mock, "GET", NULL), 6, 7);
	assert_true(fffa_meta_settled(r->meta));
	assert_false(metadata_fixture_is_learned(r, 0));
}

static void check_refused(struct metadata_fixture *r, const char *faults, const char *reason)
{
	imds_child_faults(&r->mock, faults);
	metadata_fixture_open(r);
	metadata_fixture_await(r, metadata_fixture_is_settled, 0);
	metadata_fixture_run_ms(r, 200); /* ten times the shortest wait after other failures */
	assert_int_equal(metadata_fixture_error(r, reason), 1);
	assert_int_equal(imds_child_count(&r->mock, NULL, NULL), 1);
	assert_string_equal(metadata_fixture_ident(r, 2)->host->instance_id, "");
}

static void test_403_waits_long(void **state)
{
	check_refused(*state, "[{\"kind\":\"status\",\"status\":403}]", "forbidden");
}

static void test_service_without_tokens_is_left_alone(void **state)
{
	check_refused(*state, "[{\"kind\":\"status\",\"status\":404,\"path\":\"" TOKEN "\"}]",
		      "unexpected_status");
}

static void test_redirect_is_not_followed(void **state)
{
	check_refused(*state,
		      "[{\"kind\":\"redirect\",\"to\":\"/latest/meta-data/\",\"method\":\"PUT\"}]",
		      "unexpected_status");
}

static void test_403_is_tried_again(void **state)
{
	static const struct passing p = {
		"[{\"kind\":\"status\",\"status\":403,\"method\":\"PUT\",\"count\":2}]",
		"forbidden", 2};
	struct metadata_fixture *r = *state;

	r->tuning.timing.refused_ns = 30 * FFFA_NS_PER_MS;
	check_passing(r, &p);
}

static void test_nobody_listens(void **state)
{
	struct metadata_fixture *r = *state;

	r->conf.imds.endpoint = "http://127.0.0.1:1";
	metadata_fixture_open(r);
	metadata_fixture_await(r, metadata_fixture_has_failures, 3);
	assert_true(metadata_fixture_error(r, "connect") >= 3);
	assert_true(fffa_meta_settled(r->meta));
}

static void test_waits_grow(void **state)
{
	/* The shortest waits for steps of 40, 80, 160 and 160 ms, half of each. */
	static const double least_s[] = {0.020, 0.040, 0.080, 0.080};
	struct metadata_fixture *r = *state;
	json_t *all, *e;
	double before = 0;
	size_t i;

	r->tuning.timing.backoff_min_ns = 40 * FFFA_NS_PER_MS;
	r->tuning.timing.backoff_max_ns = 160 * FFFA_NS_PER_MS;
	imds_child_faults(&r->mock,
			  "[{\"kind\":\"status\",\"status\":503,\"method\":\"PUT\",\"count\":4}]");
	metadata_fixture_open(r);
	metadata_fixture_await(r, metadata_fixture_is_learned, 0);
	all = imds_child_log(&r->mock);
	json_array_foreach (all, i, e) {
		double now = json_real_value(json_object_get(e, "time"));

		/* A timer counts from the loop's clock, which is some milliseconds late. */
		if (i >= 1 && i <= 4 && now - before < least_s[i - 1] - 0.005)
			fail_msg("try %zu came after %f s", i, now - before);
		before = now;
	}
	assert_int_equal(i, 1 + METADATA_GETS + 4);
	json_decref(all);
}

static void test_hang_does_not_block_the_loop(void **state)
{
	struct metadata_fixture *r = *state;
	uint64_t began_ns;

	r->conf.imds.timeout_ns = 1000 * (int64_t)FFFA_NS_PER_MS;
	imds_child_faults(&r->mock, "[{\"kind\":\"hang\"}]");
	metadata_fixture_open(r);
	metadata_fixture_await(r, metadata_fixture_has_requests, 1);
	r->last_tick_ns = r->longest_gap_ns = r->ticks = 0;
	began_ns = metadata_fixture_clock_ns();
	metadata_fixture_await(r, metadata_fixture_is_settled, 0);
	assert_int_equal(metadata_fixture_error(r, "timeout"), 1);
	/* The mock is silent for a second; the timer of 10 ms still fires. */
	assert_true(r->ticks + 1 >
		    (metadata_fixture_clock_ns() - began_ns) / (33 * FFFA_NS_PER_MS));
	assert_true(r->longest_gap_ns < 300 * FFFA_NS_PER_MS);
	imds_child_faults(&r->mock, "[]");
	metadata_fixture_await(r, metadata_fixture_is_learned, 0);
	metadata_fixture_assert_all_known(r);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, metadata_fixture_setup, metadata_fixture_teardown)
	const struct CMUnitTest tests[] = {
		T(test_401_once),
		T(test_tokens_forgotten),
		T(test_401_four_times),
		T(test_401_gets_one_new_token_each),
		T(test_429),
		T(test_429_on_token),
		T(test_503),
		T(test_500_in_the_middle),
		T(test_oversize_announced),
		T(test_oversize_unannounced),
		T(test_oversize_token),
		T(test_largest_body_is_read),
		T(test_many_headers_are_read),
		T(test_too_many_headers),
		T(test_too_many_headers_with_a_token),
		T(test_truncated),
		T(test_not_http),
		T(test_garbage_document),
		T(test_cut_document),
		T(test_garbage_token),
		T(test_token_with_a_line_break),
		T(test_token_too_long),
		T(test_garbage_value),
		T(test_page_instead_of_a_value),
		T(test_hostile_values_stay_out),
		T(test_hostile_list),
		T(test_403_waits_long),
		T(test_service_without_tokens_is_left_alone),
		T(test_redirect_is_not_followed),
		T(test_403_is_tried_again),
		T(test_nobody_listens),
		T(test_waits_grow),
		T(test_hang_does_not_block_the_loop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
