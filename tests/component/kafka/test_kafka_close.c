// SPDX-License-Identifier: MIT
/* What the brokers have confirmed before a close, or while the producer ends, counts as delivered. */
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "sinks/kafka/kafka_internal.h"
#include "tests/component/kafka/kafka_fixture.h"

#define WAIT_MS 20000

/* Opens a sink whose first 10 records have arrived, so that it is connected. */
static void open_connected(struct kafka_fixture *k)
{
	struct fixture_delivery d = {0};

	kafka_fixture_open(k);
	kafka_fixture_per_request(k, "10");
	kafka_fixture_start(k);
	kafka_fixture_submit(k, &d, make_batch(1, 10, 40));
	sink_fixture_wait(&k->r, &d);
	assert_int_equal(d.outcome.verdict, FFFA_V_DELIVERED);
	fixture_delivery_fini(&d);
}

/* Waits until librdkafka has a report that the sink has not read. */
static void wait_for_report(const struct kafka_fixture *k)
{
	struct pollfd p = {.fd = k->r.sink->wake_fd, .events = POLLIN};

	assert_int_equal(poll(&p, 1, WAIT_MS), 1);
}

/* One batch is confirmed, and the sink has not read it; the other has no broker. */
static void close_reads_what_is_confirmed(void **state)
{
	struct fixture_delivery d[2] = {0};
	struct kafka_fixture k;

	(void)state;
	open_connected(&k);
	kafka_fixture_run(&k, NULL, 1); /* reads the wakes until here */
	assert_int_equal(sink_fixture_submit(&k.r, &d[0], make_batch(11, 10, 40)), 0);
	wait_for_report(&k);
	assert_int_equal(rd_kafka_mock_broker_set_down(k.cluster.mock, -1), 0);
	assert_int_equal(sink_fixture_submit(&k.r, &d[1], make_batch(21, 10, 40)), 0);
	sink_fixture_close(&k.r);
	assert_int_equal(d[0].outcome.verdict, FFFA_V_DELIVERED);
	assert_int_equal(d[1].outcome.verdict, FFFA_V_RETRY);
	assert_int_equal(d[1].outcome.cause, -ECANCELED);
	for (size_t i = 0; i < 2; i++)
		fixture_delivery_fini(&d[i]);
	assert_int_equal(rd_kafka_mock_broker_set_up(k.cluster.mock, -1), 0);
	expect_sequence(&k, 1, 20);
	kafka_cluster_close(&k.cluster);
}

struct record_verdicts {
	const struct fixture_delivery *d;
	uint8_t v[15];
};

/* Copies the verdicts that done lends. */
static void copy_verdicts(struct sink_fixture *r)
{
	struct record_verdicts *t = r->arg;

	assert_non_null(t->d->outcome.records);
	memcpy(t->v, t->d->outcome.records, sizeof(t->v));
}

/* Ten records of a batch are confirmed, five wait for more: each has its own verdict. */
static void close_tells_the_records_of_one_batch_apart(void **state)
{
	struct fixture_delivery d = {0};
	struct record_verdicts t = {.d = &d};
	struct kafka_fixture k;

	(void)state;
	open_connected(&k);
	k.r.arg = &t;
	k.r.on_done = copy_verdicts;
	kafka_fixture_run(&k, NULL, 1);
	assert_int_equal(sink_fixture_submit(&k.r, &d, make_batch(11, 15, 40)), 0);
	wait_for_report(&k);
	sink_fixture_close(&k.r);
	assert_int_equal(d.outcome.verdict, FFFA_V_RETRY);
	for (size_t i = 0; i < sizeof(t.v); i++)
		assert_int_equal(t.v[i], i < 10 ? FFFA_V_DELIVERED : FFFA_V_RETRY);
	expect_sequence(&k, 1, 20);
	fixture_delivery_fini(&d);
	kafka_cluster_close(&k.cluster);
}

static bool poll_fails;

/* NOLINTNEXTLINE(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): the linker's names */
int __real_uv_poll_init(uv_loop_t *loop, uv_poll_t *handle, int fd);
/* NOLINTNEXTLINE(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */
int __wrap_uv_poll_init(uv_loop_t *loop, uv_poll_t *handle, int fd);
int __wrap_uv_poll_init(uv_loop_t *loop, uv_poll_t *handle, int fd)
{
	return poll_fails ? UV_ENOMEM : __real_uv_poll_init(loop, handle, fd);
}

/* A descriptor that cannot be watched: the sink is not there, and nor is its thread. */
static void create_that_fails_leaves_nothing(void **state)
{
	int before = dup(0), after;
	struct fffa_sink_kafka_conf conf = {.topic = NULL};
	struct fffa_sink *sink = NULL;
	struct fffa_err err = {""};
	struct fffa_sink_env env = {.tag = "test"};
	uv_loop_t loop;

	(void)state;
	(void)close(before);
	assert_int_equal(uv_loop_init(&loop), 0);
	env.loop = &loop;
	poll_fails = true;
	assert_int_equal(fffa_sink_kafka_ops.create(&env, &conf, &sink, &err), UV_ENOMEM);
	poll_fails = false;
	assert_null(sink);
	assert_string_equal(err.text, "cannot watch the eventfd: not enough memory");
	assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&loop), 0);
	after = dup(0);
	assert_int_equal(after, before);
	(void)close(after);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(close_reads_what_is_confirmed),
		cmocka_unit_test(close_tells_the_records_of_one_batch_apart),
		cmocka_unit_test(create_that_fails_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
