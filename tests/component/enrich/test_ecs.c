// SPDX-License-Identifier: MIT
/* The ECS task metadata client against an endpoint on loopback, up to the record's identity. */
#include "tests/stubs/cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/enrich/ecs/ecs.h"
#include "tests/component/enrich/metadata_fixture.h"

#define SEEDS FFFA_SOURCE_DIR "/tests/data/fuzz/ecs/"
#define PATH  "/v4/5b4c3d2e1f0-0123456789"
#define FOR   "\"path\":\"" PATH "/task\""

#define FOR_AGENT    "\"path\":\"/v1/metadata\""
#define INSTANCE_ARN "arn:aws:ecs:eu-west-1:111122223333:container-instance/edge/4d3c"

static char *read_seed(const char *name)
{
	char path[256], *text = calloc(1, 8192);
	FILE *f;

	(void)snprintf(path, sizeof(path), SEEDS "%s", name);
	f = fopen(path, "r");
	if (!text || !f || !fread(text, 1, 8191, f))
		abort();
	(void)fclose(f);
	return text;
}

/* Serves the faults in before, each followed by a comma, and then the document. */
static void serve(struct metadata_fixture *r, const char *before, const char *name)
{
	char *text = read_seed(name), *quoted, *rules;
	json_t *s = json_string(text);

	quoted = json_dumps(s, JSON_ENCODE_ANY);
	if (!quoted ||
	    asprintf(&rules, "[%s{\"kind\":\"body\"," FOR ",\"body\":%s}]", before, quoted) < 0)
		abort();
	imds_child_faults(&r->mock, rules);
	free(rules);
	free(quoted);
	json_decref(s);
	free(text);
}

static int setup(void **state)
{
	char uri[128];
	struct metadata_fixture *r;

	if (metadata_fixture_setup(state) != 0)
		return -1;
	r = *state;
	r->ecs_only = true;
	r->conf.imds.enabled = FFFA_SW_OFF;
	r->conf.ecs = FFFA_ECS_AUTO;
	(void)snprintf(uri, sizeof(uri), "%s" PATH, r->endpoint);
	return setenv(FFFA_ECS_VARIABLE, uri, 1);
}

static const struct fffa_ident_host *host_of(struct metadata_fixture *r)
{
	return metadata_fixture_ident(r, 2)->host;
}

static bool has_task(struct metadata_fixture *r, uint64_t arg)
{
	(void)arg;
	return host_of(r)->ecs.task_arn[0] != '\0';
}

static bool has_service(struct metadata_fixture *r, uint64_t arg)
{
	return (host_of(r)->ecs.service_name[0] != '\0') == (arg != 0);
}

static void assert_fargate(struct metadata_fixture *r)
{
	const struct fffa_ident_host *h = host_of(r);

	assert_string_equal(h->ecs.cluster_name, "prod");
	assert_string_equal(h->ecs.task_id, "e9028f8d5d8e4f258373e7b93ce9a3c3");
	assert_string_equal(h->ecs.container_id, "cd189a933e5849daa93386466019ab50-2495160603");
	assert_string_equal(h->account_id, "111122223333");
	assert_string_equal(h->region, "us-gov-west-1");
	assert_string_equal(h->az, "us-gov-west-1a");
	assert_string_equal(h->instance_id, "");
}

static void test_a_task_on_fargate(void **state)
{
	struct metadata_fixture *r = *state;

	serve(r, "", "fargate");
	metadata_fixture_open(r);
	assert_false(fffa_meta_settled(r->meta));
	metadata_fixture_await(r, metadata_fixture_is_settled, 0);
	assert_fargate(r);
	assert_false(metadata_fixture_has_failures(r, 1));
}

static void test_a_task_on_ec2_beside_static_values(void **state)
{
	char account_key[] = "account_id", account[] = "999900001111";
	struct fffa_pair pairs[] = {{account_key, account}};
	struct metadata_fixture *r = *state;

	r->conf.fixed.v = pairs;
	r->conf.fixed.n = 1;
	serve(r, "", "ec2");
	metadata_fixture_open(r);
	metadata_fixture_await(r, has_task, 0);
	assert_string_equal(host_of(r)->account_id, "999900001111");
	assert_string_equal(host_of(r)->region, "eu-west-1");
	assert_string_equal(host_of(r)->ecs.cluster_arn,
			    "arn:aws:ecs:eu-west-1:111122223333:cluster/edge");
	assert_string_equal(host_of(r)->ecs.service_name, "web");
	assert_string_equal(metadata_fixture_ident(r, 2)->vpc_id, "vpc-0a1b2c3d4e5f60718");
	assert_string_equal(metadata_fixture_ident(r, 77)->vpc_id, "vpc-0a1b2c3d4e5f60718");
}

/* Where the fixture's server stands for the ECS agent of the host. */
static void set_agent_url(struct metadata_fixture *r, char *url, size_t cap)
{
	(void)snprintf(url, cap, "%s/v1/metadata", r->endpoint);
	r->tuning.ecs_agent_url = url;
}

static bool has_instance(struct metadata_fixture *r, uint64_t arg)
{
	(void)arg;
	return host_of(r)->ecs.container_instance_id[0] != '\0';
}

static void test_the_container_instance(void **state)
{
	struct metadata_fixture *r = *state;
	char url[128];

	set_agent_url(r, url, sizeof(url));
	r->conf.imds.refresh_ns = 50 * (int64_t)FFFA_NS_PER_MS;
	serve(r,
	      "{\"kind\":\"body\"," FOR_AGENT
	      ",\"body\":\"{\\\"ContainerInstanceArn\\\":\\\"" INSTANCE_ARN "\\\"}\"},",
	      "ec2");
	metadata_fixture_open(r);
	metadata_fixture_await(r, has_instance, 0);
	assert_string_equal(host_of(r)->ecs.container_instance_arn, INSTANCE_ARN);
	assert_string_equal(host_of(r)->ecs.container_instance_id, "4d3c");
	assert_string_equal(host_of(r)->ecs.service_name, "web");
	/* It stays when the ECS agent has gone. */
	serve(r, "", "ec2");
	metadata_fixture_await(r, metadata_fixture_has_requests,
			       imds_child_count(&r->mock, NULL, NULL) + 4);
	assert_string_equal(host_of(r)->ecs.container_instance_arn, INSTANCE_ARN);
	assert_false(metadata_fixture_has_failures(r, 1));
}

static void test_nobody_waits_for_the_ecs_agent(void **state)
{
	struct metadata_fixture *r = *state;
	char url[128];

	set_agent_url(r, url, sizeof(url));
	serve(r, "{\"kind\":\"hang\"," FOR_AGENT "},", "ec2");
	metadata_fixture_open(r);
	metadata_fixture_await(r, metadata_fixture_is_settled, 0);
	metadata_fixture_await(r, metadata_fixture_has_requests, 2);
	assert_true(has_task(r, 0));
	assert_false(has_instance(r, 0));
	assert_false(metadata_fixture_has_failures(r, 1));
	metadata_fixture_close(r); /* while it hangs */
}

static void test_fargate_has_no_container_instance(void **state)
{
	struct metadata_fixture *r = *state;
	char url[128];

	set_agent_url(r, url, sizeof(url));
	r->conf.imds.refresh_ns = 50 * (int64_t)FFFA_NS_PER_MS;
	serve(r, "", "fargate");
	metadata_fixture_open(r);
	metadata_fixture_await(r, metadata_fixture_has_requests, 3);
	assert_int_equal(imds_child_count(&r->mock, NULL, "/v1/metadata"), 0);
}

static void test_what_imds_says_comes_first(void **state)
{
	struct metadata_fixture *r = *state;

	r->ecs_only = false;
	r->without_token = PATH;
	r->conf.imds.enabled = FFFA_SW_ON;
	serve(r, "", "ec2");
	metadata_fixture_open(r);
	metadata_fixture_await(r, metadata_fixture_is_settled, 0);
	metadata_fixture_await(r, metadata_fixture_is_learned, 0);
	metadata_fixture_await(r, has_task, 0);
	metadata_fixture_assert_all_known(r);
	assert_string_equal(host_of(r)->ecs.cluster_name, "edge");
}

static void test_the_answer_is_renewed(void **state)
{
	struct metadata_fixture *r = *state;

	r->conf.imds.refresh_ns = 50 * (int64_t)FFFA_NS_PER_MS;
	serve(r, "", "ec2");
	metadata_fixture_open(r);
	metadata_fixture_await(r, has_service, 1);
	serve(r, "", "fargate");
	metadata_fixture_await(r, has_service, 0);
	assert_fargate(r);
}

static void test_the_last_good_answer_is_kept(void **state)
{
	struct metadata_fixture *r = *state;

	r->conf.imds.refresh_ns = 50 * (int64_t)FFFA_NS_PER_MS;
	metadata_fixture_capture_log(r);
	serve(r, "", "fargate");
	metadata_fixture_open(r);
	metadata_fixture_await(r, has_task, 0);
	imds_child_faults(&r->mock, "[{\"kind\":\"status\"," FOR ",\"status\":500}]");
	metadata_fixture_await(r, metadata_fixture_has_failures, 3);
	assert_fargate(r);
	serve(r, "", "fargate");
	metadata_fixture_await(r, metadata_fixture_has_requests,
			       imds_child_count(&r->mock, NULL, NULL) + 3);
	assert_int_equal(metadata_fixture_logged(
				 r, "ECS task metadata failed: reason=server; the last good"),
			 1);
	assert_int_equal(metadata_fixture_logged(r, "ECS task learned: cluster=prod"), 2);
}

/*
 * What was known when the reader settled. A loaded machine may have the next answer a turn later.
 */
struct first {
	struct metadata_fixture *fixture;
	bool settled;
	char task_id[sizeof(((struct fffa_ident_ecs *)0)->task_id)];
};

static void on_settled(void *arg)
{
	struct first *f = arg;

	f->settled = true;
	(void)snprintf(f->task_id, sizeof(f->task_id), "%s", host_of(f->fixture)->ecs.task_id);
}

static bool is_settled_first(struct metadata_fixture *r, uint64_t arg)
{
	const struct first *f = (const void *)(uintptr_t)arg;

	(void)r;
	return f->settled;
}

/* The first failure settles, as nobody shall wait for a broken endpoint; then the fault is gone. */
static void passes(struct metadata_fixture *r, const char *faults, const char *reason, uint64_t n)
{
	struct first f = {.fixture = r};

	serve(r, faults, "fargate");
	metadata_fixture_open(r);
	fffa_meta_wait(r->meta, 20 * FFFA_NS_PER_S, on_settled, &f);
	metadata_fixture_await(r, is_settled_first, (uintptr_t)&f);
	assert_true(metadata_fixture_is_settled(r, 0));
	assert_string_equal(f.task_id, "");
	metadata_fixture_await(r, has_task, 0);
	assert_fargate(r);
	assert_int_equal(metadata_fixture_error(r, reason), n);
	assert_false(metadata_fixture_has_failures(r, n + 1));
}

#define PASSES(name, faults, reason, n)                                                            \
	static void name(void **state)                                                             \
	{                                                                                          \
		passes(*state, faults ",", reason, n);                                             \
	}

PASSES(test_404, "{\"kind\":\"status\"," FOR ",\"status\":404,\"count\":2}", "unexpected_status", 2)
PASSES(test_500, "{\"kind\":\"status\"," FOR ",\"status\":500,\"count\":3}", "server", 3)
PASSES(test_429, "{\"kind\":\"status\"," FOR ",\"status\":429,\"count\":2}", "throttled", 2)
PASSES(test_403, "{\"kind\":\"status\"," FOR ",\"status\":403,\"count\":1}", "forbidden", 1)
PASSES(test_redirect, "{\"kind\":\"redirect\"," FOR ",\"to\":\"http://127.0.0.1:1/\",\"count\":1}",
       "unexpected_status", 1)
PASSES(test_oversized, "{\"kind\":\"oversize\"," FOR ",\"bytes\":262145,\"count\":1}", "too_big", 1)
PASSES(test_oversized_unannounced,
       "{\"kind\":\"oversize\"," FOR ",\"bytes\":300000,\"length\":false,\"count\":1}", "too_big",
       1)
PASSES(test_largest_body_is_read, "{\"kind\":\"oversize\"," FOR ",\"bytes\":262144,\"count\":1}",
       "bad_body", 1)
PASSES(test_too_many_headers, "{\"kind\":\"headers\"," FOR ",\"lines\":66,\"count\":1}", "too_big",
       1)
PASSES(test_truncated, "{\"kind\":\"truncate\"," FOR ",\"count\":2}", "transfer", 2)
PASSES(test_garbage, "{\"kind\":\"garbage\"," FOR ",\"count\":1}", "bad_body", 1)
PASSES(test_not_http, "{\"kind\":\"nonsense\"," FOR ",\"count\":1}", "transfer", 1)

static void test_no_answer(void **state)
{
	struct metadata_fixture *r = *state;

	r->conf.imds.timeout_ns = 100 * (int64_t)FFFA_NS_PER_MS;
	imds_child_faults(&r->mock, "[{\"kind\":\"hang\"," FOR "}]");
	metadata_fixture_open(r);
	metadata_fixture_await(r, metadata_fixture_has_failures, 2);
	assert_int_equal(metadata_fixture_error(r, "timeout"), 2);
	serve(r, "", "fargate");
	metadata_fixture_await(r, has_task, 0);
	assert_fargate(r);
}

static void test_nobody_listens(void **state)
{
	struct metadata_fixture *r = *state;

	(void)setenv(FFFA_ECS_VARIABLE, "http://127.0.0.1:1/v4/x", 1);
	metadata_fixture_open(r);
	metadata_fixture_await(r, metadata_fixture_has_failures, 2);
	assert_true(metadata_fixture_error(r, "connect") >=
		    2); /* a late loop tries twice in a turn */
}

static void test_closing_while_a_request_is_under_way(void **state)
{
	struct metadata_fixture *r = *state;

	imds_child_faults(&r->mock, "[{\"kind\":\"hang\"," FOR "}]");
	metadata_fixture_open(r);
	metadata_fixture_await(r, metadata_fixture_has_requests, 1);
	metadata_fixture_close(r); /* the teardown sees a clean loop */
}

static void test_nothing_is_asked_when_off_or_without_the_variable(void **state)
{
	struct metadata_fixture *r = *state;

	r->conf.ecs = FFFA_ECS_OFF;
	metadata_fixture_open(r);
	assert_true(fffa_meta_settled(r->meta));
	metadata_fixture_close(r);
	r->conf.ecs = FFFA_ECS_AUTO;
	(void)unsetenv(FFFA_ECS_VARIABLE);
	metadata_fixture_open(r);
	assert_true(fffa_meta_settled(r->meta));
	metadata_fixture_close(r);
	(void)setenv(FFFA_ECS_VARIABLE, "", 1);
	metadata_fixture_open(r);
	assert_true(fffa_meta_settled(r->meta));
	metadata_fixture_run_ms(r, 50);
	assert_int_equal(imds_child_count(&r->mock, NULL, NULL), 0);
}

static void test_a_uri_of_no_use_is_said_and_left(void **state)
{
	static const char *const uris[] = {"https://127.0.0.1/v4/x", "169.254.170.2/v4/x?y",
					   "http://user:secret@127.0.0.1/v4", "file:///etc/passwd"};
	struct metadata_fixture *r = *state;

	metadata_fixture_capture_log(r);
	for (size_t i = 0; i < sizeof(uris) / sizeof(uris[0]); i++) {
		(void)setenv(FFFA_ECS_VARIABLE, uris[i], 1);
		metadata_fixture_open(r);
		assert_true(fffa_meta_settled(r->meta));
		metadata_fixture_close(r);
	}
	assert_int_equal(metadata_fixture_logged(r, FFFA_ECS_VARIABLE " cannot be used"), 4);
	assert_int_equal(metadata_fixture_logged(r, "secret"), 0);
	assert_int_equal(imds_child_count(&r->mock, NULL, NULL), 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, metadata_fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_a_task_on_fargate),
		TEST(test_a_task_on_ec2_beside_static_values),
		TEST(test_the_container_instance),
		TEST(test_nobody_waits_for_the_ecs_agent),
		TEST(test_fargate_has_no_container_instance),
		TEST(test_what_imds_says_comes_first),
		TEST(test_the_answer_is_renewed),
		TEST(test_the_last_good_answer_is_kept),
		TEST(test_404),
		TEST(test_500),
		TEST(test_429),
		TEST(test_403),
		TEST(test_redirect),
		TEST(test_oversized),
		TEST(test_oversized_unannounced),
		TEST(test_largest_body_is_read),
		TEST(test_too_many_headers),
		TEST(test_truncated),
		TEST(test_garbage),
		TEST(test_not_http),
		TEST(test_no_answer),
		TEST(test_nobody_listens),
		TEST(test_closing_while_a_request_is_under_way),
		TEST(test_nothing_is_asked_when_off_or_without_the_variable),
		TEST(test_a_uri_of_no_use_is_said_and_left),
	};

	/* No request may use this proxy. */
	(void)setenv("http_proxy", "http://127.0.0.1:1", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
