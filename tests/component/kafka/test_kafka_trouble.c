// SPDX-License-Identifier: MIT
/* Brokers that are down, refuse, forget or never answer, and a producer with a fatal error. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sinks/kafka/kafka_internal.h"
#include "tests/component/kafka/kafka_fixture.h"

#define OPEN_MAX_BATCHES 64

static void deliver(struct kafka_fixture *k, struct fixture_delivery *d, struct fffa_batch *b)
{
	kafka_fixture_submit(k, d, b);
	sink_fixture_wait(&k->r, d);
	assert_int_equal(d->outcome.verdict, FFFA_V_DELIVERED);
	fixture_delivery_fini(d);
}

struct reported_detail {
	const struct fixture_delivery *d;
	char detail[300];
};

/* Copies the text that done lends: it is gone after the call. */
static void copy_detail(struct sink_fixture *r)
{
	struct reported_detail *t = r->arg;

	if (t->d->outcome.detail)
		(void)snprintf(t->detail, sizeof(t->detail), "%s", t->d->outcome.detail);
}

static void listen_to(struct kafka_fixture *k, struct reported_detail *t,
		      struct fixture_delivery *d)
{
	t->d = d;
	t->detail[0] = '\0';
	k->r.arg = t;
	k->r.on_done = copy_detail;
}

/*
 * When the brokers are up again each record arrives once and in order. Only librdkafka has retried.
 */
static void an_outage_loses_and_repeats_nothing(void **state)
{
	enum { N = 80 };
	struct fixture_delivery d[N] = {0};
	struct kafka_fixture k;
	size_t taken = 0;

	(void)state;
	kafka_fixture_open(&k);
	kafka_fixture_start(&k);
	deliver(&k, &d[0], make_batch(1, 10, 40));
	assert_int_equal(rd_kafka_mock_broker_set_down(k.cluster.mock, -1), 0);
	while (taken < N &&
	       !sink_fixture_submit(&k.r, &d[taken], make_batch(11 + taken * 10, 10, 40)))
		taken++;
	assert_int_equal(taken, OPEN_MAX_BATCHES);
	fixture_delivery_fini(&d[taken]);
	kafka_fixture_run(&k, &d[0], 200);
	for (size_t i = 0; i < taken; i++)
		assert_int_equal(d[i].outcome.verdict, FFFA_V_NONE);
	assert_int_equal(rd_kafka_mock_broker_set_up(k.cluster.mock, -1), 0);
	for (size_t i = taken; i < N; i++)
		kafka_fixture_submit(&k, &d[i], make_batch(11 + i * 10, 10, 40));
	for (size_t i = 0; i < N; i++) {
		sink_fixture_wait(&k.r, &d[i]);
		assert_int_equal(d[i].outcome.verdict, FFFA_V_DELIVERED);
		fixture_delivery_fini(&d[i]);
	}
	expect_sequence(&k, 1, 10 + 10 * N);
	kafka_fixture_close(&k);
}

static void the_first_broker_comes_late(void **state)
{
	struct fixture_delivery d = {0};
	struct kafka_fixture k;

	(void)state;
	kafka_fixture_open(&k);
	assert_int_equal(rd_kafka_mock_broker_set_down(k.cluster.mock, -1), 0);
	kafka_fixture_start(&k);
	assert_int_equal(sink_fixture_submit(&k.r, &d, make_batch(1, 100, 40)), 0);
	kafka_fixture_run(&k, &d, 200);
	assert_int_equal(d.outcome.verdict, FFFA_V_NONE);
	assert_int_equal(rd_kafka_mock_broker_set_up(k.cluster.mock, -1), 0);
	sink_fixture_wait(&k.r, &d);
	assert_int_equal(d.outcome.verdict, FFFA_V_DELIVERED);
	fixture_delivery_fini(&d);
	assert_int_equal(k.r.readies, 0); /* nobody waited for room */
	expect_sequence(&k, 1, 100);
	kafka_fixture_close(&k);
}

/*
 * The pipeline does not see what librdkafka retries by itself. One request at a time, because the
 * mock cluster takes the next request after it has refused one, against the order of their numbers.
 */
static void transient_errors_are_not_reported(void **state)
{
	static const rd_kafka_resp_err_t errs[] = {
		RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
		RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
		RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
		RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE,
	};
	struct fixture_delivery d = {0};
	struct kafka_fixture k;

	(void)state;
	kafka_fixture_open(&k);
	kafka_fixture_property(&k, "retry.backoff.ms", "10");
	kafka_fixture_per_request(&k, "100");
	kafka_fixture_start(&k);
	for (uint64_t i = 0; i < sizeof(errs) / sizeof(errs[0]); i++) {
		kafka_cluster_fail(&k.cluster, KAFKA_API_PRODUCE, errs[i], 2);
		deliver(&k, &d, make_batch(1 + i * 100, 100, 40));
	}
	expect_sequence(&k, 1, 400);
	kafka_fixture_close(&k);
}

/* A compacted topic that gets no keys: a person changes key or topic, and the records wait. */
static void records_that_the_topic_refuses_are_kept(void **state)
{
	struct fixture_delivery d = {0};
	struct kafka_fixture k;
	struct reported_detail t;

	(void)state;
	kafka_fixture_open(&k);
	kafka_fixture_start(&k);
	listen_to(&k, &t, &d);
	kafka_cluster_fail(&k.cluster, KAFKA_API_PRODUCE, RD_KAFKA_RESP_ERR_INVALID_RECORD, 100);
	assert_int_equal(sink_fixture_send(&k.r, &d, make_batch(1, 10, 40)).verdict, FFFA_V_RETRY);
	assert_int_equal(d.outcome.cause, -EBADMSG);
	assert_true(d.outcome.repair);
	assert_int_equal(d.outcome.reason, RD_KAFKA_RESP_ERR_INVALID_RECORD);
	assert_string_equal(
		t.detail, "topic flows: the broker's rules for this topic refuse the record: check "
			  "key and topic (a compacted topic needs a key) (Broker: Broker failed to "
			  "validate record)");
	fixture_delivery_fini(&d);
	kafka_fixture_close(&k);
}

static void corrupt_messages_are_refused(void **state)
{
	struct fixture_delivery d = {0};
	struct kafka_fixture k;

	(void)state;
	kafka_fixture_open(&k);
	kafka_fixture_start(&k);
	kafka_cluster_fail(&k.cluster, KAFKA_API_PRODUCE, RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE, 100);
	assert_int_equal(sink_fixture_send(&k.r, &d, make_batch(1, 10, 40)).verdict,
			 FFFA_V_REFUSED);
	fixture_delivery_fini(&d);
	kafka_fixture_close(&k);
}

static void note_times(void *arg, const rd_kafka_message_t *m)
{
	rd_kafka_timestamp_type_t type;
	int64_t *seen = arg;

	seen[rd_kafka_message_timestamp(m, &type) > 0]++;
}

/* Log lines with this text since log_to, which is ended. */
static unsigned int count_lines(int saved_stderr, const char *what)
{
	static char text[65536];
	ssize_t n = pread(STDERR_FILENO, text, sizeof(text) - 1, 0);
	unsigned int lines = 0;

	assert_true(n >= 0);
	text[n] = '\0';
	for (const char *at = text; (at = strstr(at, what)); at++)
		lines++;
	assert_int_equal(dup2(saved_stderr, STDERR_FILENO), STDERR_FILENO);
	(void)close(saved_stderr);
	return lines;
}

/* From now on the log goes to a file without a name. */
static void log_to_file(int *saved_stderr)
{
	int fd = open("/tmp", O_TMPFILE | O_RDWR | O_APPEND, 0600);

	*saved_stderr = dup(STDERR_FILENO);
	assert_true(fd >= 0 && *saved_stderr >= 0);
	assert_int_equal(dup2(fd, STDERR_FILENO), STDERR_FILENO);
	(void)close(fd);
}

/*
 * The host's clock is ahead: the same records go out without a time, those after them, too. One
 * line says so, however many requests are refused for it.
 */
static void messages_lose_a_time_that_is_refused(void **state)
{
	struct fixture_delivery d = {0};
	struct kafka_fixture k;
	int64_t seen[2] = {0, 0}; /* without and with a time */
	int saved_stderr;

	(void)state;
	kafka_fixture_open(&k);
	kafka_fixture_per_request(&k, "10");
	kafka_fixture_start(&k);
	deliver(&k, &d, make_batch(1, 10, 40));
	log_to_file(&saved_stderr);
	for (int i = 0; i < 2; i++) {
		kafka_cluster_fail(&k.cluster, KAFKA_API_PRODUCE,
				   RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP, 1);
		if (i)
			assert_int_equal(sink_fixture_again(&k.r, &d), 0);
		else
			assert_int_equal(sink_fixture_submit(&k.r, &d, make_batch(11, 10, 40)), 0);
		sink_fixture_wait(&k.r, &d);
		assert_int_equal(d.outcome.verdict, FFFA_V_RETRY);
		assert_true(d.outcome.transient);
	}
	assert_int_equal(count_lines(saved_stderr, "the broker refuses the time of messages"), 1);
	assert_int_equal(sink_fixture_again(&k.r, &d), 0);
	sink_fixture_wait(&k.r, &d);
	assert_int_equal(d.outcome.verdict, FFFA_V_DELIVERED);
	fixture_delivery_fini(&d);
	deliver(&k, &d, make_batch(21, 10, 40));
	kafka_cluster_read(&k.cluster, TOPIC, note_times, seen);
	assert_int_equal(seen[1], 10);
	assert_int_equal(seen[0], 20);
	kafka_fixture_close(&k);
}

/* No delivery ends, because librdkafka waits for a broker; the pipeline learns of it all the same. */
static void a_broker_that_was_never_there_is_reported(void **state)
{
	struct fixture_delivery d = {0};
	struct kafka_fixture k;

	(void)state;
	kafka_fixture_open(&k);
	assert_int_equal(rd_kafka_mock_broker_set_down(k.cluster.mock, -1), 0);
	kafka_fixture_start(&k);
	assert_int_equal(sink_fixture_submit(&k.r, &d, make_batch(1, 5, 40)), 0);
	while (!k.r.troubles)
		assert_true(uv_run(&k.r.loop, UV_RUN_ONCE));
	assert_int_equal(d.outcome.verdict, FFFA_V_NONE);
	assert_non_null(strstr(k.r.trouble, "no broker can be reached: "));
	kafka_fixture_close(&k);
	fixture_delivery_fini(&d);
}

static void a_missing_permission_is_retried(void **state)
{
	struct fixture_delivery d = {0};
	struct kafka_fixture k;
	struct reported_detail t;

	(void)state;
	kafka_fixture_open(&k);
	kafka_fixture_property(&k, "topic.metadata.refresh.interval.ms", "100");
	kafka_fixture_start(&k);
	listen_to(&k, &t, &d);
	kafka_cluster_fail(&k.cluster, KAFKA_API_PRODUCE,
			   RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, 1);
	assert_int_equal(sink_fixture_send(&k.r, &d, make_batch(1, 1, 40)).verdict, FFFA_V_RETRY);
	assert_int_equal(d.outcome.cause, -EACCES);
	assert_string_equal(t.detail,
			    "topic flows: no permission to write (topic authorization failed) "
			    "(Broker: Topic authorization failed)");
	/* It arrives once librdkafka asks for the metadata again. */
	while (d.outcome.verdict != FFFA_V_DELIVERED) {
		kafka_fixture_run(&k, NULL, 20);
		assert_int_equal(sink_fixture_again(&k.r, &d), 0);
		sink_fixture_wait(&k.r, &d);
	}
	fixture_delivery_fini(&d);
	expect_sequence(&k, 1, 1);
	kafka_fixture_close(&k);
}

static void an_unknown_topic_is_named_and_may_be_made(void **state)
{
	struct fixture_delivery d = {0};
	struct kafka_fixture k;
	struct reported_detail t;

	(void)state;
	kafka_fixture_open(&k);
	rd_kafka_mock_topic_set_error(k.cluster.mock, TOPIC,
				      RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
	kafka_fixture_property(&k, "topic.metadata.propagation.max.ms", "100");
	kafka_fixture_property(&k, "topic.metadata.refresh.interval.ms", "100");
	kafka_fixture_start(&k);
	listen_to(&k, &t, &d);
	assert_int_equal(sink_fixture_send(&k.r, &d, make_batch(1, 10, 40)).verdict, FFFA_V_RETRY);
	assert_int_equal(d.outcome.cause, -ENOENT);
	assert_non_null(strstr(t.detail, "topic flows: unknown to the brokers ("));
	rd_kafka_mock_topic_set_error(k.cluster.mock, TOPIC, RD_KAFKA_RESP_ERR_NO_ERROR);
	while (d.outcome.verdict != FFFA_V_DELIVERED) {
		kafka_fixture_run(&k, NULL, 20);
		assert_int_equal(sink_fixture_again(&k.r, &d), 0);
		sink_fixture_wait(&k.r, &d);
	}
	fixture_delivery_fini(&d);
	expect_sequence(&k, 1, 10);
	kafka_fixture_close(&k);
}

/*
 * librdkafka puts many messages into one request, and the request is too large. All ten are in one:
 * of two requests, the records of one would arrive at each step.
 */
static void a_refused_size_makes_smaller_requests(void **state)
{
	struct fixture_delivery d = {0};
	struct kafka_fixture k;
	size_t before;

	(void)state;
	kafka_fixture_open(&k);
	kafka_fixture_per_request(&k, "10");
	kafka_fixture_start(&k);
	before = k.r.sink->client.wire_bytes;
	for (int step = 0; step < 4; step++) {
		kafka_cluster_fail(&k.cluster, KAFKA_API_PRODUCE,
				   RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, 1);
		if (!step)
			kafka_fixture_submit(&k, &d, make_batch(1, 10, 40));
		sink_fixture_wait(&k.r, &d);
		assert_int_equal(d.outcome.verdict, FFFA_V_RETRY);
		assert_int_equal(d.outcome.cause, -EMSGSIZE);
		rd_kafka_mock_clear_request_errors(k.cluster.mock, KAFKA_API_PRODUCE);
		if (step == 3)
			break;
		kafka_cluster_fail(&k.cluster, KAFKA_API_PRODUCE,
				   RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, 1);
		assert_int_equal(sink_fixture_again(&k.r, &d), -EAGAIN);
		kafka_fixture_submit(&k, &d, d.d.batch);
		assert_true(k.r.sink->client.wire_bytes < before);
		before = k.r.sink->client.wire_bytes;
	}
	kafka_fixture_submit(&k, &d, d.d.batch);
	sink_fixture_wait(&k.r, &d);
	assert_int_equal(d.outcome.verdict, FFFA_V_DELIVERED);
	assert_int_equal(k.r.sink->client.wire_bytes, 1);
	fixture_delivery_fini(&d);
	/* One message per request is still too large, so the record itself is. */
	kafka_cluster_fail(&k.cluster, KAFKA_API_PRODUCE, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, 1);
	assert_int_equal(sink_fixture_send(&k.r, &d, make_batch(11, 1, 40)).verdict,
			 FFFA_V_TOO_BIG);
	fixture_delivery_fini(&d);
	expect_sequence(&k, 1, 10);
	kafka_fixture_close(&k);
}

/* Certificates are renewed while records are on their way: each arrives once, in order. */
static void changed_files_make_a_new_producer(void **state)
{
	char path[] = "/tmp/fffa-kafka-files.XXXXXX";
	struct fixture_delivery d[200];
	struct kafka_fixture k;
	int fd = mkstemp(path);
	size_t n = 0;

	(void)state;
	assert_true(fd >= 0);
	kafka_fixture_open(&k);
	kafka_fixture_property(&k, "ssl.certificate.location", path);
	kafka_fixture_start(&k);
	while (!k.r.sink->remade) {
		assert_true(n < 200);
		memset(&d[n], 0, sizeof(d[n]));
		deliver(&k, &d[n], make_batch(1 + n * 10, 10, 40));
		if (++n == 3)
			assert_int_equal(write(fd, "new", 3), 3);
		if (n > 3)
			kafka_fixture_run(&k, NULL, 50);
	}
	memset(&d[n], 0, sizeof(d[n]));
	deliver(&k, &d[n], make_batch(1 + n * 10, 10, 40));
	assert_false(k.r.sink->renew);
	assert_int_equal(k.r.sink->remade, 1);
	expect_sequence(&k, 1, (n + 1) * 10);
	kafka_fixture_close(&k);
	assert_int_equal(unlink(path), 0);
	(void)close(fd);
}

static void a_fatal_error_makes_a_new_producer(void **state)
{
	struct fixture_delivery d = {0};
	struct kafka_fixture k;
	struct reported_detail t;

	(void)state;
	kafka_fixture_open(&k);
	kafka_fixture_start(&k);
	deliver(&k, &d, make_batch(1, 10, 40));
	assert_int_equal(rd_kafka_mock_broker_set_down(k.cluster.mock, -1), 0);
	listen_to(&k, &t, &d);
	assert_int_equal(sink_fixture_submit(&k.r, &d, make_batch(11, 10, 40)), 0);
	assert_int_equal(rd_kafka_test_fatal_error(k.r.sink->client.rk,
						   RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER,
						   "a sequence"),
			 0);
	sink_fixture_wait(&k.r, &d);
	assert_int_equal(d.outcome.verdict, FFFA_V_RETRY);
	assert_int_equal(d.outcome.cause, -EPROTO);
	assert_non_null(strstr(t.detail, "a sequence"));
	assert_int_equal(rd_kafka_mock_broker_set_up(k.cluster.mock, -1), 0);
	assert_int_equal(sink_fixture_again(&k.r, &d), -EAGAIN);
	kafka_fixture_submit(&k, &d, d.d.batch);
	sink_fixture_wait(&k.r, &d);
	assert_int_equal(d.outcome.verdict, FFFA_V_DELIVERED);
	assert_int_equal(k.r.sink->remade, 1);
	fixture_delivery_fini(&d);
	expect_sequence(&k, 1, 20);
	kafka_fixture_close(&k);
}

static int deaf_socket(char *name, size_t cap)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, len), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	(void)snprintf(name, cap, "127.0.0.1:%u", ntohs(a.sin_port));
	return fd;
}

/*
 * The pipeline gets its batches back after `timeout` without a delivery report, so it may give
 * them up.
 */
static void silence_ends_after_the_timeout(void **state)
{
	struct fixture_delivery d[2] = {0};
	struct kafka_fixture k;
	char deaf[32];
	int fd;

	(void)state;
	kafka_fixture_open(&k);
	fd = deaf_socket(deaf, sizeof(deaf));
	k.broker = deaf;
	k.conf.timeout_ns = INT64_C(300000000);
	kafka_fixture_start(&k);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(sink_fixture_submit(&k.r, &d[i], make_batch(1 + i, 1, 40)), 0);
	for (size_t i = 0; i < 2; i++) {
		sink_fixture_wait(&k.r, &d[i]);
		assert_int_equal(d[i].outcome.verdict, FFFA_V_RETRY);
		assert_int_equal(d[i].outcome.cause, -ETIMEDOUT);
	}
	/* The same again with the next producer. */
	assert_int_equal(sink_fixture_again(&k.r, &d[0]), -EAGAIN);
	kafka_fixture_submit(&k, &d[0], d[0].d.batch);
	sink_fixture_wait(&k.r, &d[0]);
	assert_int_equal(d[0].outcome.cause, -ETIMEDOUT);
	for (size_t i = 0; i < 2; i++)
		fixture_delivery_fini(&d[i]);
	kafka_fixture_close(&k);
	(void)close(fd);
}

/* close while the producer is being ended, while there is none, and while the next is created. */
static void close_at_every_moment_of_a_new_producer(void **state)
{
	(void)state;
	for (unsigned int turns = 0; turns < 12; turns++) {
		struct fixture_delivery d[2] = {0};
		struct kafka_fixture k;

		kafka_fixture_open(&k);
		assert_int_equal(rd_kafka_mock_broker_set_down(k.cluster.mock, -1), 0);
		kafka_fixture_start(&k);
		for (size_t i = 0; i < 2; i++)
			assert_int_equal(
				sink_fixture_submit(&k.r, &d[i], make_batch(1 + i * 10, 10, 40)),
				0);
		(void)rd_kafka_test_fatal_error(k.r.sink->client.rk,
						RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH, "x");
		for (unsigned int i = 0; i < turns; i++)
			kafka_fixture_run(&k, NULL, i < 6 ? 1 : 30);
		kafka_fixture_close(&k);
		for (size_t i = 0; i < 2; i++) {
			assert_int_equal(d[i].outcome.verdict, FFFA_V_RETRY);
			fixture_delivery_fini(&d[i]);
		}
	}
}

static void close_in_the_middle_of_a_batch(void **state)
{
	struct fixture_delivery d = {0};
	struct kafka_fixture k;

	(void)state;
	kafka_fixture_open(&k);
	kafka_fixture_property(&k, "queue.buffering.max.messages", "10");
	assert_int_equal(rd_kafka_mock_broker_set_down(k.cluster.mock, -1), 0);
	kafka_fixture_start(&k);
	assert_int_equal(sink_fixture_submit(&k.r, &d, make_batch(1, 1000, 40)), 0);
	kafka_fixture_run(&k, &d, 20);
	kafka_fixture_close(&k);
	assert_int_equal(d.outcome.verdict, FFFA_V_RETRY);
	assert_int_equal(d.outcome.cause, -ECANCELED);
	fixture_delivery_fini(&d);
}

static void append_report(void *arg, const char *key, const char *value)
{
	char *text = arg;
	size_t n = strlen(text);

	(void)snprintf(text + n, 1024 - n, "%s=%s\n", key, value);
}

static void report_shows_producer_and_brokers(void **state)
{
	struct fixture_delivery d = {0};
	struct kafka_fixture k;
	char text[1024] = "";

	(void)state;
	kafka_fixture_open(&k);
	kafka_fixture_start(&k);
	deliver(&k, &d, make_batch(1, 1, 40));
	fffa_sink_kafka_ops.report(k.r.sink, append_report, text);
	assert_non_null(strstr(text, "producer=up\n"));
	assert_non_null(strstr(text, "brokers=ok\n"));
	assert_non_null(strstr(text, "open_batches=0\n"));
	assert_int_equal(rd_kafka_mock_broker_set_down(k.cluster.mock, -1), 0);
	assert_int_equal(sink_fixture_submit(&k.r, &d, make_batch(2, 3, 40)), 0);
	while (!k.r.sink->connection_err)
		kafka_fixture_run(&k, &d, 20);
	text[0] = '\0';
	fffa_sink_kafka_ops.report(k.r.sink, append_report, text);
	assert_non_null(strstr(text, "brokers=not reachable\n"));
	assert_non_null(strstr(text, "queued_messages=3\n"));
	assert_non_null(strstr(text, "open_batches=1\n"));
	assert_non_null(strstr(text, "last_error="));
	kafka_fixture_close(&k);
	fixture_delivery_fini(&d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_outage_loses_and_repeats_nothing),
		cmocka_unit_test(the_first_broker_comes_late),
		cmocka_unit_test(transient_errors_are_not_reported),
		cmocka_unit_test(records_that_the_topic_refuses_are_kept),
		cmocka_unit_test(corrupt_messages_are_refused),
		cmocka_unit_test(messages_lose_a_time_that_is_refused),
		cmocka_unit_test(a_broker_that_was_never_there_is_reported),
		cmocka_unit_test(a_missing_permission_is_retried),
		cmocka_unit_test(an_unknown_topic_is_named_and_may_be_made),
		cmocka_unit_test(a_refused_size_makes_smaller_requests),
		cmocka_unit_test(changed_files_make_a_new_producer),
		cmocka_unit_test(a_fatal_error_makes_a_new_producer),
		cmocka_unit_test(silence_ends_after_the_timeout),
		cmocka_unit_test(close_at_every_moment_of_a_new_producer),
		cmocka_unit_test(close_in_the_middle_of_a_batch),
		cmocka_unit_test(report_shows_producer_and_brokers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
