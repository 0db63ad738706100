// SPDX-License-Identifier: MIT
/* The client of the ECS task metadata between requests: waits, what is kept, what the user hears. */
#include "agent/enrich/ecs/ecs.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/enrich/input/http_bounds.h"
#include "agent/loop/curl_loop.h"
#include "tests/stubs/cmocka_all.h"
#include "tests/stubs/failing_alloc.h"
#include "tests/unit/enrich/ecs_fake.h"
#include "tests/unit/enrich/fake_loop.h"

#define REFRESH_MS 60000
#define BACKOFF_MS 1000
#define ARN	   "arn:aws:ecs:us-east-1:111122223333:"
#define TASK(more) "{\"Cluster\":\"c\",\"TaskARN\":\"" ARN "task/c/0123\"" more "}"
#define INSTANCE(id)                                                                               \
	"{\"ContainerInstanceArn\":\"" ARN "container-instance/c/" id "\",\"Version\":\"1\"}"

struct events {
	unsigned int changed, closed;
};

static void on_changed(void *arg)
{
	struct events *t = arg;

	t->changed++;
}

static void on_closed(void *arg)
{
	struct events *t = arg;

	t->closed++;
}

static int open_client(const char *agent_url, struct events *t, struct fffa_ecs **out)
{
	struct fffa_ecs_options o = {
		.uri = "http://127.0.0.1:1/v4/abc/",
		.agent_url = agent_url,
		.timeout_ns = 1500 * FFFA_NS_PER_MS + 1,
		.refresh_ns = REFRESH_MS * FFFA_NS_PER_MS,
		.backoff_min_ns = BACKOFF_MS * FFFA_NS_PER_MS,
		.backoff_max_ns = 4 * BACKOFF_MS * FFFA_NS_PER_MS,
		.changed = on_changed,
		.arg = t,
	};

	return fffa_ecs_open(&fake_loop.loop, &o, out);
}

static struct fffa_ecs *start(const char *agent_url, struct events *t)
{
	struct fffa_ecs *e = NULL;

	memset(&ecs_fake, 0, sizeof(ecs_fake));
	memset(t, 0, sizeof(*t));
	fake_loop_reset();
	assert_int_equal(open_client(agent_url, t, &e), 0);
	assert_string_equal(ecs_fake.v[0].url, "http://127.0.0.1:1/v4/abc/task");
	assert_int_equal(ecs_fake.timeout_ms, 1501); /* never less than was asked for */
	assert_int_equal(ecs_fake.n, agent_url ? 2 : 1);
	if (agent_url)
		assert_string_equal(ecs_fake.v[1].url, agent_url);
	assert_false(ecs_fake.v[0].active); /* not from inside open */
	assert_int_equal(fake_loop_due_in_ms(), 0);
	fake_loop_fire();
	assert_true(ecs_fake.v[0].active);
	return e;
}

static void stop(struct fffa_ecs *e, struct events *t, bool timer_first)
{
	fffa_ecs_close(e, on_closed, t);
	for (size_t i = 0; i < ecs_fake.n; i++)
		assert_true(ecs_fake.v[i].cancelled);
	assert_int_equal(ecs_fake.easies, 0);
	assert_int_equal(ecs_fake.globals, 0);
	if (timer_first)
		fake_loop_close();
	else
		ecs_fake.bridge_closed(ecs_fake.bridge_arg);
	assert_int_equal(t->closed, 0);
	if (timer_first)
		ecs_fake.bridge_closed(ecs_fake.bridge_arg);
	else
		fake_loop_close();
	assert_int_equal(t->closed, 1);
}

static void answer(size_t i, CURLcode result, long status, const char *body)
{
	struct fake_request *f = &ecs_fake.v[i];

	assert_true(f->active);
	f->active = false;
	ecs_fake.status = status;
	f->body->len = strlen(body);
	assert_true(f->body->len <= f->body->cap);
	memcpy(f->body->v, body, f->body->len);
	f->r->done(f->r, result);
}

static const char *service(const struct fffa_ecs *e)
{
	const struct fffa_ecs_data *d = fffa_ecs_data(e);

	return d ? d->ids.service_name : "(nothing)";
}

static const char *instance(const struct fffa_ecs *e)
{
	return fffa_ecs_data(e)->ids.container_instance_id;
}

static void it_is_asked_again_at_every_refresh(void **state)
{
	struct events t;
	struct fffa_ecs *e = start(NULL, &t);

	(void)state;
	assert_false(fffa_ecs_settled(e));
	assert_null(fffa_ecs_data(e));
	answer(0, CURLE_OK, 200, TASK(",\"ServiceName\":\"web\""));
	assert_true(fffa_ecs_settled(e));
	assert_string_equal(service(e), "web");
	assert_int_equal(t.changed, 1);
	assert_int_equal(fake_loop_due_in_ms(), REFRESH_MS);
	assert_int_equal(fake_loop_logged("I ECS task learned: cluster=c task=0123 service=web"),
			 1);
	assert_int_equal(fake_loop_logged("not of this task"), 0);
	fake_loop_fire();
	answer(0, CURLE_OK, 200, TASK(",\"ServiceName\":\"api\""));
	assert_string_equal(service(e), "api");
	assert_int_equal(t.changed, 2);
	assert_int_equal(fake_loop_logged("learned"), 1); /* once while it works */
	for (int i = 0; i < FFFA_IE_MAX; i++)
		assert_int_equal(fffa_ecs_errors(e)[i], 0);
	stop(e, &t, true);
}

static void the_network_of_the_host(void **state)
{
	struct events t;
	struct fffa_ecs *e = start(NULL, &t);

	(void)state;
	answer(0, CURLE_OK, 200,
	       TASK(",\"ServiceName\":\"a b\",\"Containers\":[{\"Networks\":[{\"NetworkMode\":"
		    "\"host\"}]}]"));
	assert_int_equal(
		fake_loop_logged("service=; flows are of the host's network, not of this task"), 1);
	assert_int_equal(fffa_ecs_errors(e)[FFFA_IE_BAD_VALUE], 1);
	stop(e, &t, false);
}

static void check_wait(unsigned int failures)
{
	uint64_t step = BACKOFF_MS * (failures == 1 ? 1u : failures == 2 ? 2u : 4u);

	assert_true(fake_loop_due_in_ms() >= step / 2 && fake_loop_due_in_ms() <= step);
}

static void failures_before_the_first_answer(void **state)
{
	struct events t;
	struct fffa_ecs *e = start(NULL, &t);

	(void)state;
	answer(0, CURLE_COULDNT_CONNECT, 200, ""); /* the status is of another request */
	assert_true(fffa_ecs_settled(e));
	assert_int_equal(t.changed, 1); /* nobody shall wait any longer */
	check_wait(1);
	fake_loop_fire();
	answer(0, CURLE_OK, 404, "");
	check_wait(2);
	fake_loop_fire();
	answer(0, CURLE_OK, 200, "[]");
	check_wait(3);
	fake_loop_fire();
	ecs_fake.v[0].body->too_big = true;
	answer(0, CURLE_WRITE_ERROR, 200, "");
	check_wait(4);
	assert_int_equal(t.changed, 1);
	assert_null(fffa_ecs_data(e));
	assert_int_equal(fffa_ecs_errors(e)[FFFA_IE_CONNECT], 1);
	assert_int_equal(fffa_ecs_errors(e)[FFFA_IE_UNEXPECTED], 1);
	assert_int_equal(fffa_ecs_errors(e)[FFFA_IE_BAD_BODY], 1);
	assert_int_equal(fffa_ecs_errors(e)[FFFA_IE_TOO_BIG], 1);
	assert_int_equal(fake_loop_logged("W ECS task metadata failed: reason=connect; ecs fields "
					  "stay unknown until it answers"),
			 1);
	assert_int_equal(fake_loop_logged("W "), 1);
	fake_loop_fire();
	answer(0, CURLE_OK, 200, TASK(""));
	assert_int_equal(t.changed, 2);
	assert_int_equal(fake_loop_logged("I ECS task learned"), 1);
	stop(e, &t, true);
}

static void the_last_good_answer_stays(void **state)
{
	struct events t;
	struct fffa_ecs *e = start(NULL, &t);

	(void)state;
	answer(0, CURLE_OK, 200, TASK(",\"ServiceName\":\"web\""));
	fake_loop_fire();
	answer(0, CURLE_OK, 503, "");
	check_wait(1);
	assert_string_equal(service(e), "web");
	assert_int_equal(fake_loop_logged("W ECS task metadata failed: reason=server; the last "
					  "good answer stays in use"),
			 1);
	fake_loop_fire();
	answer(0, CURLE_OK, 503, "");
	check_wait(2);
	assert_int_equal(fake_loop_logged("W "), 1);
	assert_int_equal(t.changed, 1);
	fake_loop_fire();
	answer(0, CURLE_OK, 200, TASK(""));
	assert_int_equal(fake_loop_logged("I ECS task learned"), 2);
	fake_loop_fire();
	answer(0, CURLE_OK, 503, ""); /* after an answer the waits begin anew */
	check_wait(1);
	assert_int_equal(fake_loop_logged("W "), 2);
	stop(e, &t, true);
}

static void a_request_that_cannot_be_sent(void **state)
{
	struct events t;
	struct fffa_ecs *e = start(NULL, &t);

	(void)state;
	answer(0, CURLE_OK, 200, TASK(""));
	ecs_fake.start_error = -EIO;
	fake_loop_fire();
	check_wait(1);
	assert_int_equal(fffa_ecs_errors(e)[FFFA_IE_TRANSFER], 1);
	ecs_fake.start_error = 0;
	fake_loop_fire();
	assert_true(ecs_fake.v[0].active);
	stop(e, &t, true);
}

static void the_container_instance(void **state)
{
	struct events t;
	struct fffa_ecs *e = start(FFFA_ECS_AGENT_URL, &t);

	(void)state;
	assert_false(ecs_fake.v[1].active);
	answer(0, CURLE_OK, 200, TASK(""));
	assert_string_equal(instance(e), "");
	answer(1, CURLE_OK, 200, INSTANCE("4d3c"));
	assert_string_equal(instance(e), "4d3c");
	assert_string_equal(fffa_ecs_data(e)->ids.container_instance_arn,
			    ARN "container-instance/c/4d3c");
	assert_int_equal(t.changed, 2);
	assert_int_equal(fake_loop_logged("I ECS container instance learned: 4d3c"), 1);
	fake_loop_fire();
	answer(0, CURLE_OK, 200, TASK(""));
	assert_string_equal(instance(e), "4d3c"); /* until the ECS agent says otherwise */
	assert_int_equal(t.changed, 3);
	answer(1, CURLE_OK, 200, INSTANCE("4d3c"));
	assert_int_equal(t.changed, 3); /* it is no news */
	fake_loop_fire();
	answer(0, CURLE_OK, 200, TASK(""));
	answer(1, CURLE_OK, 200, INSTANCE("5e4d"));
	assert_string_equal(instance(e), "5e4d");
	assert_int_equal(t.changed, 5);
	stop(e, &t, false);
}

static void the_ecs_agent_says_nothing_of_use(void **state)
{
	static const struct {
		CURLcode result;
		long status;
		const char *body;
		bool too_big;
	} rows[] = {
		{CURLE_COULDNT_CONNECT, 200, INSTANCE("9999"), false},
		{CURLE_OK, 404, INSTANCE("9999"), false},
		{CURLE_OK, 200, "[]", false},
		{CURLE_OK, 200, INSTANCE(""), false},
		{CURLE_OK, 200, INSTANCE("9999"), true},
	};
	struct events t;
	struct fffa_ecs *e = start(FFFA_ECS_AGENT_URL, &t);

	(void)state;
	answer(0, CURLE_OK, 200, TASK(""));
	answer(1, CURLE_OK, 200, INSTANCE("4d3c"));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fake_loop_fire();
		answer(0, CURLE_OK, 200, TASK(""));
		ecs_fake.v[1].body->too_big = rows[i].too_big;
		answer(1, rows[i].result, rows[i].status, rows[i].body);
		assert_string_equal(instance(e), "4d3c");
		assert_int_equal(t.changed, 3 + i);
	}
	for (int i = 0; i < FFFA_IE_MAX; i++) /* it is no error */
		assert_int_equal(fffa_ecs_errors(e)[i], 0);
	assert_int_equal(fake_loop_logged("D the ECS agent of the host names no container "
					  "instance: no answer of use"),
			 3);
	assert_int_equal(fake_loop_logged("D the ECS agent"), 5);
	stop(e, &t, true);
}

static void nobody_waits_for_the_ecs_agent(void **state)
{
	struct events t;
	struct fffa_ecs *e = start(FFFA_ECS_AGENT_URL, &t);

	(void)state;
	answer(0, CURLE_OK, 200, TASK(""));
	assert_true(ecs_fake.v[1].active);
	fake_loop_fire();
	answer(0, CURLE_OK, 200, TASK("")); /* it is not asked twice at a time */
	assert_true(ecs_fake.v[1].active);
	answer(1, CURLE_OPERATION_TIMEDOUT, 0, "");
	fake_loop_fire();
	ecs_fake.start_error = 0;
	answer(0, CURLE_OK, 200, TASK(""));
	assert_true(ecs_fake.v[1].active);
	answer(1, CURLE_OK, 200, INSTANCE("4d3c"));
	/* One that could not be sent is not under way. */
	fake_loop_fire();
	ecs_fake.start_error = -EIO;
	answer(0, CURLE_OK, 200, TASK(""));
	assert_false(ecs_fake.v[1].active);
	ecs_fake.start_error = 0;
	fake_loop_fire();
	answer(0, CURLE_OK, 200, TASK(""));
	assert_true(ecs_fake.v[1].active);
	stop(e, &t, true);
}

static void fargate_has_no_ecs_agent(void **state)
{
	struct events t;
	struct fffa_ecs *e = start(FFFA_ECS_AGENT_URL, &t);

	(void)state;
	answer(0, CURLE_OK, 200, TASK(",\"LaunchType\":\"FARGATE\""));
	assert_false(ecs_fake.v[1].active);
	fake_loop_fire();
	answer(0, CURLE_OK, 200, TASK(",\"LaunchType\":\"EC2\""));
	assert_true(ecs_fake.v[1].active);
	stop(e, &t, true);
}

static void what_it_takes_from_the_one_before(void **state)
{
	struct events t;
	struct fffa_ecs *from = start(NULL, &t), *to = NULL;
	struct events u = {.changed = 0};

	(void)state;
	assert_int_equal(open_client(NULL, &u, &to), 0);
	fffa_ecs_inherit(to, from); /* which knows nothing */
	assert_null(fffa_ecs_data(to));
	fake_loop_fire(); /* it asks, too, and hears nothing */
	assert_true(ecs_fake.v[1].active);
	answer(0, CURLE_OK, 200, TASK(",\"ServiceName\":\"web\""));
	fffa_ecs_inherit(to, from);
	assert_string_equal(service(to), "web");
	assert_false(fffa_ecs_settled(to));
	fake_loop_fire();
	answer(0, CURLE_OK, 200, TASK(",\"ServiceName\":\"api\""));
	fffa_ecs_inherit(to, from); /* it has something */
	assert_string_equal(service(to), "web");
	fffa_ecs_close(from, on_closed, &t);
	fake_loop_close();
	ecs_fake.bridge_closed(ecs_fake.bridge_arg);
	fffa_ecs_close(to, on_closed, &u);
	fake_loop_close();
	ecs_fake.bridge_closed(ecs_fake.bridge_arg);
	assert_int_equal(t.closed + u.closed, 2);
}

static void a_start_that_fails_leaves_nothing(void **state)
{
	struct fffa_ecs *e = NULL;
	struct events t;

	(void)state;
	for (unsigned int i = 0; i < 9; i++) {
		memset(&ecs_fake, 0, sizeof(ecs_fake));
		fake_loop_reset();
		ecs_fake.global_fails = i < 2 ? i + 1 : 0;
		ecs_fake.init_fails = i >= 2 && i < 4 ? i - 1 : 0;
		ecs_fake.url_fails = i >= 4 && i < 6 ? i - 3 : 0;
		ecs_fake.bound_error = i == 6 ? -ENOMEM : 0;
		ecs_fake.open_error = i == 7 ? -ENOMEM : 0;
		failing_alloc_arm(i == 8 ? 1 : 0);
		assert_int_equal(open_client(FFFA_ECS_AGENT_URL, &t, &e), -ENOMEM);
		failing_alloc_arm(0);
		assert_int_equal(ecs_fake.easies, 0);
		assert_int_equal(ecs_fake.globals, 0);
		assert_int_equal(fake_loop.n, 0);
		assert_null(e);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_asked_again_at_every_refresh),
		cmocka_unit_test(the_network_of_the_host),
		cmocka_unit_test(failures_before_the_first_answer),
		cmocka_unit_test(the_last_good_answer_stays),
		cmocka_unit_test(a_request_that_cannot_be_sent),
		cmocka_unit_test(the_container_instance),
		cmocka_unit_test(the_ecs_agent_says_nothing_of_use),
		cmocka_unit_test(nobody_waits_for_the_ecs_agent),
		cmocka_unit_test(fargate_has_no_ecs_agent),
		cmocka_unit_test(what_it_takes_from_the_one_before),
		cmocka_unit_test(a_start_that_fails_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
