// SPDX-License-Identifier: MIT
/* The client of IMDS between requests: which one follows which answer, and after which wait. */
#include "agent/enrich/imds/imds.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/enrich/imds/imds_http.h"
#include "tests/stubs/cmocka_all.h"
#include "tests/unit/enrich/imds_fake.h"
#include "tests/unit/enrich/fake_loop.h"

#define REFRESH_MS 60000
#define REFUSED_MS 300000
#define MIN_MS	   10000 /* between two rounds */
#define BACKOFF_MS 1000
#define DOCUMENT   "{\"instanceId\":\"i-1\"}"

/* What the user has heard. */
struct events {
	unsigned int learned, failed, closed;
	struct fffa_imds_failure failure;
	char instance_id[32];
};

static void on_learned(void *arg, const struct fffa_imds_data *data)
{
	struct events *t = arg;

	t->learned++;
	(void)snprintf(t->instance_id, sizeof(t->instance_id), "%s", data->host.instance_id);
}

static void on_failed(void *arg, const struct fffa_imds_failure *f)
{
	struct events *t = arg;

	t->failed++;
	t->failure = *f;
}

static void on_closed(void *arg)
{
	struct events *t = arg;

	t->closed++;
}

static const struct fffa_imds_timing timing = {
	.token_ttl_s = 1000,
	.backoff_min_ns = BACKOFF_MS * FFFA_NS_PER_MS,
	.backoff_max_ns = 4 * BACKOFF_MS * FFFA_NS_PER_MS,
	.refused_ns = REFUSED_MS * FFFA_NS_PER_MS,
	.min_interval_ns = MIN_MS * FFFA_NS_PER_MS,
};

static int open_client(struct events *t, struct fffa_imds **out)
{
	struct fffa_imds_options o = {
		.endpoint = "http://127.0.0.1:1",
		.timeout_ns = 1500 * FFFA_NS_PER_MS + 1,
		.refresh_ns = REFRESH_MS * FFFA_NS_PER_MS,
		.tag_keys = {"Name", "team"},
		.timing = &timing,
		.events = {.learned = on_learned, .failed = on_failed, .arg = t},
	};

	return fffa_imds_open(&fake_loop.loop, &o, out);
}

static struct fffa_imds *start(struct events *t)
{
	struct fffa_imds *i = NULL;

	memset(&imds_fake, 0, sizeof(imds_fake));
	memset(t, 0, sizeof(*t));
	fake_loop_reset();
	assert_int_equal(open_client(t, &i), 0);
	assert_string_equal(imds_fake.http->endpoint, "http://127.0.0.1:1");
	assert_int_equal(imds_fake.timeout_ms, 1501); /* never less than was asked for */
	assert_int_equal(imds_fake.requests, 0);      /* not from inside open */
	assert_int_equal(fake_loop_due_in_ms(), 0);
	fake_loop_fire();
	return i;
}

/* The timer and the bridge end in either order. */
static void stop(struct fffa_imds *i, struct events *t, bool timer_first)
{
	fffa_imds_close(i, on_closed, t);
	assert_int_equal(imds_fake.fini, 1);
	assert_int_equal(t->closed, 0);
	if (timer_first)
		fake_loop_close();
	else
		imds_fake.bridge_closed(imds_fake.bridge_arg);
	assert_int_equal(t->closed, 0);
	if (timer_first)
		imds_fake.bridge_closed(imds_fake.bridge_arg);
	else
		fake_loop_close();
	assert_int_equal(t->closed, 1);
}

static void reply(CURLcode result, long status, const char *body, uint32_t ttl_s)
{
	struct fffa_imds_reply r = {
		.result = result,
		.status = status,
		.body = body,
		.len = strlen(body),
		.token_ttl_s = ttl_s,
	};

	assert_int_equal(imds_fake.requests, imds_fake.answered + 1);
	imds_fake.answered++;
	imds_fake.http->done(imds_fake.http->arg, &r);
}

static bool asks_token(void)
{
	return imds_fake.requests == imds_fake.answered + 1 && !imds_fake.path[0];
}

static bool asks(const char *path_end)
{
	size_t a = strlen(imds_fake.path), b = strlen(path_end);

	return imds_fake.requests == imds_fake.answered + 1 && a >= b &&
	       strcmp(imds_fake.path + a - b, path_end) == 0;
}

/* Answers the token and the document, and lets the rest of the round be absent. */
static void answer_round(void)
{
	while (imds_fake.requests > imds_fake.answered) {
		if (!imds_fake.path[0])
			reply(CURLE_OK, 200, "token-1", 0);
		else if (asks("/document"))
			reply(CURLE_OK, 200, DOCUMENT, 0);
		else
			reply(CURLE_OK, 404, "", 0);
	}
}

static void a_round_and_the_next_one(void **state)
{
	struct events t;
	struct fffa_imds *i = start(&t);

	(void)state;
	assert_true(asks_token());
	assert_int_equal(imds_fake.ttl_s, 1000);
	reply(CURLE_OK, 200, "token-1", 0);
	assert_true(asks("/latest/dynamic/instance-identity/document"));
	assert_string_equal(imds_fake.token, "token-1");
	reply(CURLE_OK, 200, DOCUMENT, 0);
	assert_true(asks("/placement/availability-zone"));
	assert_int_equal(t.learned, 0);
	answer_round();
	assert_int_equal(t.learned, 1);
	assert_string_equal(t.instance_id, "i-1");
	assert_int_equal(t.failed, 0);
	/* The token, the document, three places, the outpost, the tags and the interfaces. */
	assert_int_equal(imds_fake.requests, 8);
	assert_int_equal(fake_loop_due_in_ms(), REFRESH_MS);
	/* What is absent in the next round stays as it was. */
	fake_loop_fire();
	assert_true(asks("/document"));
	while (imds_fake.requests > imds_fake.answered)
		reply(CURLE_OK, 404, "", 0);
	assert_int_equal(t.learned, 2);
	assert_string_equal(t.instance_id, "i-1");
	assert_int_equal(imds_fake.requests, 8 + 7); /* with the same token */
	for (int e = 0; e < FFFA_IE_MAX; e++)
		assert_int_equal(fffa_imds_errors(i)[e], 0);
	stop(i, &t, true);
}

static void both_tags_are_asked_for(void **state)
{
	struct events t;
	struct fffa_imds *i = start(&t);
	unsigned int tags = 0;

	(void)state;
	while (imds_fake.requests > imds_fake.answered) {
		tags += asks("/tags/instance/Name") || asks("/tags/instance/team");
		if (!imds_fake.path[0])
			reply(CURLE_OK, 200, "token-1", 0);
		else
			reply(CURLE_OK, asks("/tags/instance/") ? 200 : 404, "team\nName", 0);
	}
	assert_int_equal(tags, 2);
	stop(i, &t, false);
}

static void a_token_is_renewed_before_its_end(void **state)
{
	struct events t;
	struct fffa_imds *i = start(&t);

	(void)state;
	reply(CURLE_OK, 200, "token-1", 100); /* it lives shorter than was asked for */
	fake_loop.now_ms += 79999;
	reply(CURLE_OK, 200, DOCUMENT, 0);
	assert_true(asks("/availability-zone"));
	fake_loop.now_ms += 1;
	reply(CURLE_OK, 404, "", 0);
	assert_true(asks_token());
	reply(CURLE_OK, 200, "token-2", 0); /* as was asked for: 1000 s */
	assert_true(asks("/availability-zone-id"));
	assert_string_equal(imds_fake.token, "token-2");
	fake_loop.now_ms += 799999;
	reply(CURLE_OK, 404, "", 0);
	assert_true(asks("/region"));
	fake_loop.now_ms += 1;
	reply(CURLE_OK, 404, "", 0);
	assert_true(asks_token());
	stop(i, &t, true);
}

static void check_failure(const struct events *t, enum fffa_imds_error e, bool token_request,
			  unsigned int n)
{
	uint64_t step = BACKOFF_MS * (n == 1 ? 1u : n == 2 ? 2u : 4u);

	assert_int_equal(t->failed, n);
	assert_int_equal(t->failure.error, e);
	assert_int_equal(t->failure.in_a_row, n);
	assert_int_equal(t->failure.token_request, token_request);
	assert_false(t->failure.refused);
	assert_true(t->failure.wait_ns >= step / 2 * FFFA_NS_PER_MS &&
		    t->failure.wait_ns <= step * FFFA_NS_PER_MS);
	assert_int_equal(fake_loop_due_in_ms(),
			 (t->failure.wait_ns + FFFA_NS_PER_MS - 1) / FFFA_NS_PER_MS);
	assert_int_equal(imds_fake.requests, imds_fake.answered);
}

static void the_same_question_after_a_wait_that_grows(void **state)
{
	struct events t;
	struct fffa_imds *i = start(&t);

	(void)state;
	reply(CURLE_OPERATION_TIMEDOUT, 0, "", 0);
	check_failure(&t, FFFA_IE_TIMEOUT, true, 1);
	fake_loop_fire();
	reply(CURLE_OK, 200, "not a token", 0);
	check_failure(&t, FFFA_IE_BAD_BODY, true, 2);
	fake_loop_fire();
	assert_true(asks_token());
	reply(CURLE_OK, 200, "token-1", 0); /* not yet an answer of use */
	reply(CURLE_OK, 503, "", 0);
	check_failure(&t, FFFA_IE_SERVER, false, 3);
	fake_loop_fire();
	assert_true(asks("/document"));
	reply(CURLE_OK, 200, "[]", 0);
	check_failure(&t, FFFA_IE_BAD_BODY, false, 4);
	fake_loop_fire();
	assert_true(asks("/document"));
	reply(CURLE_OK, 200, DOCUMENT, 0);
	reply(CURLE_OK, 429, "", 0); /* the first one since an answer of use */
	t.failed -= 4;
	check_failure(&t, FFFA_IE_THROTTLED, false, 1);
	fake_loop_fire();
	answer_round();
	assert_string_equal(t.instance_id, "i-1");
	assert_int_equal(fffa_imds_errors(i)[FFFA_IE_BAD_BODY], 2);
	assert_int_equal(fffa_imds_errors(i)[FFFA_IE_TIMEOUT], 1);
	assert_int_equal(fffa_imds_errors(i)[FFFA_IE_SERVER], 1);
	assert_int_equal(fffa_imds_errors(i)[FFFA_IE_THROTTLED], 1);
	stop(i, &t, false);
}

static void a_refusal_waits_long(void **state)
{
	struct events t;
	struct fffa_imds *i = start(&t);

	(void)state;
	reply(CURLE_OK, 200, "token-1", 0);
	reply(CURLE_OK, 403, "", 0);
	assert_true(t.failure.refused);
	assert_int_equal(t.failure.error, FFFA_IE_FORBIDDEN);
	assert_int_equal(t.failure.wait_ns, REFUSED_MS * FFFA_NS_PER_MS);
	assert_int_equal(fake_loop_due_in_ms(), REFUSED_MS);
	/* Nothing that changes makes it ask earlier: the answer would be the same. */
	fffa_imds_trigger(i);
	assert_int_equal(fake_loop_due_in_ms(), REFUSED_MS);
	fake_loop_fire();
	assert_true(asks("/document"));
	answer_round();
	assert_int_equal(fake_loop_due_in_ms(), MIN_MS); /* what was triggered follows */
	stop(i, &t, true);
}

static void one_new_token_after_a_401(void **state)
{
	struct events t;
	struct fffa_imds *i = start(&t);

	(void)state;
	reply(CURLE_OK, 200, "token-1", 0);
	reply(CURLE_OK, 401, "", 0);
	assert_true(asks_token());
	assert_int_equal(t.failed, 0);
	reply(CURLE_OK, 200, "token-2", 0);
	assert_true(asks("/document"));
	assert_string_equal(imds_fake.token, "token-2");
	reply(CURLE_OK, 401, "", 0);
	check_failure(&t, FFFA_IE_UNAUTHORIZED, false, 1);
	assert_int_equal(fffa_imds_errors(i)[FFFA_IE_UNAUTHORIZED], 2);
	/* After the wait it begins with a token, and may get a second one again. */
	fake_loop_fire();
	assert_true(asks_token());
	reply(CURLE_OK, 200, "token-3", 0);
	reply(CURLE_OK, 401, "", 0);
	assert_true(asks_token());
	reply(CURLE_OK, 200, "token-4", 0);
	reply(CURLE_OK, 200, DOCUMENT, 0);
	/* So may the next question. */
	reply(CURLE_OK, 401, "", 0);
	assert_true(asks_token());
	assert_int_equal(t.failed, 1);
	assert_int_equal(fffa_imds_errors(i)[FFFA_IE_UNAUTHORIZED], 4);
	/* A token that is refused itself is another matter. */
	reply(CURLE_OK, 401, "", 0);
	assert_int_equal(t.failed, 2);
	assert_true(t.failure.refused);
	stop(i, &t, true);
}

static void values_of_no_use_are_counted(void **state)
{
	struct events t;
	struct fffa_imds *i = start(&t);

	(void)state;
	reply(CURLE_OK, 200, "token-1", 0);
	reply(CURLE_OK, 200, "{\"accountId\":1,\"region\":\"a b\"}", 0);
	assert_int_equal(fffa_imds_errors(i)[FFFA_IE_BAD_VALUE], 2);
	reply(CURLE_OK, 200, "a b", 0);
	assert_int_equal(fffa_imds_errors(i)[FFFA_IE_BAD_VALUE], 3);
	assert_int_equal(t.failed, 0);
	assert_true(asks("/availability-zone-id"));
	stop(i, &t, true);
}

static void a_request_that_cannot_be_sent(void **state)
{
	struct events t;
	struct fffa_imds *i = start(&t);

	(void)state;
	imds_fake.send_error = -EIO;
	reply(CURLE_OK, 200, "token-1", 0);
	check_failure(&t, FFFA_IE_TRANSFER, false, 1);
	fake_loop_fire();
	check_failure(&t, FFFA_IE_TRANSFER, false, 2);
	imds_fake.send_error = 0;
	fake_loop_fire();
	assert_true(asks("/document"));
	stop(i, &t, true);
}

static void a_trigger_between_two_rounds(void **state)
{
	struct events t;
	struct fffa_imds *i = start(&t);

	(void)state;
	answer_round();
	fake_loop.now_ms += 4000;
	fffa_imds_trigger(i);
	assert_int_equal(fake_loop_due_in_ms(), MIN_MS - 4000);
	fffa_imds_trigger(i); /* the second one adds nothing */
	assert_int_equal(fake_loop_due_in_ms(), MIN_MS - 4000);
	fake_loop_fire();
	answer_round();
	assert_int_equal(fake_loop_due_in_ms(), REFRESH_MS); /* it was one round, not two */
	fake_loop.now_ms += MIN_MS + 1;
	fffa_imds_trigger(i);
	assert_int_equal(fake_loop_due_in_ms(), 0);
	fake_loop_fire();
	answer_round();
	fake_loop.now_ms += REFRESH_MS - 1;
	fffa_imds_trigger(i);
	assert_int_equal(fake_loop_due_in_ms(), 0);
	fake_loop_fire();
	answer_round();
	assert_int_equal(t.learned, 4);
	stop(i, &t, true);
}

static void a_trigger_during_a_round(void **state)
{
	struct events t;
	struct fffa_imds *i = start(&t);

	(void)state;
	fffa_imds_trigger(i);
	assert_int_equal(fake_loop_due_in_ms(), FAKE_LOOP_NEVER);
	answer_round();
	assert_int_equal(fake_loop_due_in_ms(), MIN_MS);
	fake_loop_fire();
	answer_round();
	assert_int_equal(fake_loop_due_in_ms(), REFRESH_MS);
	stop(i, &t, true);
}

static void a_start_that_fails_leaves_nothing(void **state)
{
	struct fffa_imds *i = NULL;
	struct events t;

	(void)state;
	memset(&imds_fake, 0, sizeof(imds_fake));
	fake_loop_reset();
	imds_fake.init_error = -ENOMEM;
	assert_int_equal(open_client(&t, &i), -ENOMEM);
	assert_int_equal(fake_loop.n, 0);
	imds_fake.init_error = 0;
	imds_fake.bridge_error = -EINVAL;
	imds_fake.fini = 0;
	assert_int_equal(open_client(&t, &i), -EINVAL);
	assert_int_equal(imds_fake.fini, 1);
	assert_int_equal(fake_loop.n, 0);
	assert_null(i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_round_and_the_next_one),
		cmocka_unit_test(both_tags_are_asked_for),
		cmocka_unit_test(a_token_is_renewed_before_its_end),
		cmocka_unit_test(the_same_question_after_a_wait_that_grows),
		cmocka_unit_test(a_refusal_waits_long),
		cmocka_unit_test(one_new_token_after_a_401),
		cmocka_unit_test(values_of_no_use_are_counted),
		cmocka_unit_test(a_request_that_cannot_be_sent),
		cmocka_unit_test(a_trigger_between_two_rounds),
		cmocka_unit_test(a_trigger_during_a_round),
		cmocka_unit_test(a_start_that_fails_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
