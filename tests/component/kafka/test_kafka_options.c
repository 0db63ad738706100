// SPDX-License-Identifier: MIT
/*
 * The producer's properties and files, the table of librdkafka's errors, and the modules below the sink.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sinks/kafka/client.h"
#include "sinks/kafka/judge.h"
#include "sinks/kafka/slot.h"
#include "tests/component/kafka/kafka_fixture.h"

static char *broker_of(const char *text)
{
	return (char *)(uintptr_t)text;
}

static void expect_property(const struct fffa_sink_kafka_conf *c, const char *name,
			    const char *want)
{
	struct fffa_kafka_client k;
	struct fffa_err err;
	char value[64] = "";
	size_t n = sizeof(value);

	assert_int_equal(fffa_kafka__client_open(c, 0, -1, &k, &err), 0);
	assert_int_equal(rd_kafka_conf_get(rd_kafka_conf(k.rk), name, value, &n), RD_KAFKA_CONF_OK);
	assert_string_equal(value, want);
	fffa_kafka__client_close(&k, 0, NULL, NULL);
}

/* Without idempotence librdkafka's own retries write records twice and in another order. */
static void properties_that_deliveries_rely_on(void **state)
{
	char *broker = broker_of("127.0.0.1:1");
	struct fffa_pair p = {broker_of("client.id"), broker_of("mine")};
	struct fffa_sink_kafka_conf c = {
		.brokers = {&broker, 1}, .topic = broker_of("flows"), .properties = {&p, 1}};

	(void)state;
	expect_property(&c, "enable.idempotence", "true");
	expect_property(&c, "message.timeout.ms", "0");
	expect_property(&c, "delivery.report.only.error", "false");
	expect_property(&c, "log.queue", "true");
	expect_property(&c, "topic.metadata.propagation.max.ms", "5000");
	expect_property(&c, "topic.metadata.refresh.interval.ms", "10000");
	expect_property(&c, "queue.buffering.max.messages", "20000");
	expect_property(&c, "queue.buffering.max.kbytes", "65536");
	expect_property(&c, "bootstrap.servers", "127.0.0.1:1");
	expect_property(&c, "socket.keepalive.enable", "true");
	expect_property(&c, "client.id", "mine"); /* the user's own win */
	p = (struct fffa_pair){broker_of("enable.idempotence"), broker_of("false")};
	expect_property(&c, "enable.idempotence", "false");
	c.properties.n = 0;
	expect_property(&c, "client.id", "fffa");
}

static void every_broker_is_given_on(void **state)
{
	char *brokers[] = {broker_of("127.0.0.1:1"), broker_of("127.0.0.1:2"),
			   broker_of("127.0.0.1:3")};
	struct fffa_sink_kafka_conf c = {.brokers = {brokers, 3}, .topic = broker_of("flows")};

	(void)state;
	expect_property(&c, "bootstrap.servers", "127.0.0.1:1,127.0.0.1:2,127.0.0.1:3");
}

static void expect_bounds(const struct fffa_sink_kafka_conf *c, size_t wire_bytes,
			  size_t message_bytes, size_t wire, const char *batch_size)
{
	struct fffa_kafka_client k;
	struct fffa_err err;
	char value[32] = "";
	size_t n = sizeof(value);

	assert_int_equal(fffa_kafka__client_open(c, wire_bytes, -1, &k, &err), 0);
	assert_int_equal(k.message_bytes, message_bytes);
	assert_int_equal(k.wire_bytes, wire);
	assert_int_equal(rd_kafka_conf_get(rd_kafka_conf(k.rk), "batch.size", value, &n),
			 RD_KAFKA_CONF_OK);
	assert_string_equal(value, batch_size);
	fffa_kafka__client_close(&k, 0, NULL, NULL);
	assert_null(k.rk);
	fffa_kafka__client_close(&k, 0, NULL, NULL); /* nothing is left to close */
}

/* A request is as large as batch.size and message.max.bytes let it be, or as a broker took. */
static void requests_are_bounded(void **state)
{
	char *broker = broker_of("127.0.0.1:1");
	struct fffa_pair p[2] = {{broker_of("batch.size"), broker_of("700000")},
				 {broker_of("message.max.bytes"), broker_of("500000")}};
	struct fffa_sink_kafka_conf c = {
		.brokers = {&broker, 1}, .topic = broker_of("flows"), .properties = {p, 1}};

	(void)state;
	expect_bounds(&c, 0, 1000000, 700000, "700000");
	expect_bounds(&c, 700000, 1000000, 700000, "700000");
	expect_bounds(&c, 699999, 699999, 699999, "699999");
	c.properties.n = 2;
	expect_bounds(&c, 0, 500000, 500000, "700000");
	expect_bounds(&c, 600000, 500000, 500000, "700000");
	expect_bounds(&c, 1000, 1000, 1000, "1000");
}

static void expect_probe(const struct fffa_sink_kafka_conf *c, int want, const char *text)
{
	struct fffa_err err = {""};

	assert_int_equal(fffa_kafka__client_probe(c, &err), want);
	if (!strstr(err.text, text))
		fail_msg("\"%s\" does not hold \"%s\"", err.text, text);
}

static void files_that_properties_name_are_probed(void **state)
{
	char *broker = broker_of("127.0.0.1:1");
	struct fffa_pair p[2] = {{broker_of("ssl.ca.location"), broker_of("/nonexistent/ca.pem")},
				 {broker_of("ssl.key.location"), broker_of("/dev/null")}};
	struct fffa_sink_kafka_conf c = {
		.brokers = {&broker, 1}, .topic = broker_of("flows"), .properties = {p, 2}};

	(void)state;
	expect_probe(&c, -EINVAL,
		     "properties: ssl.ca.location: cannot read /nonexistent/ca.pem: "
		     "No such file or directory");
	expect_probe(&c, -EINVAL,
		     "properties: ssl.key.location: cannot read /dev/null: "
		     "not a regular file");
	c.properties.n = 1;
	p[0].value = broker_of("/etc"); /* a folder of certificates */
	expect_probe(&c, 0, "");
	p[0].value = broker_of("probe");
	expect_probe(&c, 0, "");
	p[0].value = broker_of("");
	expect_probe(&c, 0, "");
	p[0] = (struct fffa_pair){broker_of("client.id"), broker_of("/nonexistent")};
	expect_probe(&c, 0, "");
}

/* A file of this size and time. Each call makes another inode. */
static void put_file(const char *path, off_t bytes, time_t s, long ns)
{
	const struct timespec t[2] = {{s, ns}, {s, ns}};
	char next[128];
	int fd;

	(void)snprintf(next, sizeof(next), "%s.new", path);
	fd = open(next, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, bytes), 0);
	assert_int_equal(futimens(fd, t), 0);
	assert_int_equal(close(fd), 0);
	assert_int_equal(rename(next, path), 0);
}

static void set_time(const char *path, time_t s, long ns)
{
	const struct timespec t[2] = {{s, ns}, {s, ns}};

	assert_int_equal(utimensat(AT_FDCWD, path, t, 0), 0);
}

/* A change of a file in any way gives another number, and the same files the same. */
static void a_file_that_changes_has_another_number(void **state)
{
	char dir[] = "/tmp/fffa-kafka.XXXXXX", ca[64], key[64];
	struct fffa_pair p[2] = {{broker_of("ssl.ca.location"), ca},
				 {broker_of("ssl.key.location"), key}};
	struct fffa_sink_kafka_conf c = {.properties = {p, 2}};
	uint64_t first, second;

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(ca, sizeof(ca), "%s/ca", dir);
	(void)snprintf(key, sizeof(key), "%s/key", dir);
	assert_int_equal(fffa_kafka__client_files(&c), 0); /* none is there */
	put_file(ca, 10, 1000, 5);
	first = fffa_kafka__client_files(&c);
	assert_int_not_equal(first, 0);
	assert_int_equal(fffa_kafka__client_files(&c), first);
	set_time(ca, 1000, 6);
	assert_int_not_equal(fffa_kafka__client_files(&c), first);
	set_time(ca, 1001, 5);
	assert_int_not_equal(fffa_kafka__client_files(&c), first);
	set_time(ca, 1000, 5);
	assert_int_equal(fffa_kafka__client_files(&c), first);
	assert_int_equal(truncate(ca, 11), 0);
	set_time(ca, 1000, 5);
	assert_int_not_equal(fffa_kafka__client_files(&c), first);
	put_file(key, 10, 1000, 5);
	put_file(ca, 10, 1000, 5); /* as at first, in another inode */
	second = fffa_kafka__client_files(&c);
	p[0].value = key; /* the same two files, exchanged */
	p[1].value = ca;
	assert_int_not_equal(fffa_kafka__client_files(&c), second);
	p[1].key = broker_of("client.id"); /* names no file */
	first = fffa_kafka__client_files(&c);
	c.properties.n = 1;
	assert_int_equal(fffa_kafka__client_files(&c), first);
	put_file(key, 10, 1000, 5);
	assert_int_not_equal(fffa_kafka__client_files(&c), first);
	assert_int_equal(unlink(key), 0);
	assert_int_equal(unlink(ca), 0);
	assert_int_equal(rmdir(dir), 0);
}

static void a_producer_that_nobody_confirms_is_a_warning(void **state)
{
	static const char *const names[] = {"acks", "request.required.acks"};
	char *broker = broker_of("127.0.0.1:1");
	struct fffa_pair p[2] = {{broker_of("enable.idempotence"), broker_of("false")}};
	struct fffa_sink_kafka_conf c = {
		.brokers = {&broker, 1}, .topic = broker_of("flows"), .properties = {p, 2}};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		p[1] = (struct fffa_pair){broker_of(names[i]), broker_of("0")};
		expect_probe(&c, -EINVAL, "warning: properties: acks 0: ");
		p[1].value = broker_of("1");
		expect_probe(&c, 0, "");
	}
	p[1] = (struct fffa_pair){broker_of("linger.ms"), broker_of("0")};
	expect_probe(&c, 0, "");
	p[0].value = broker_of("true"); /* idempotence needs acks of all */
	p[1] = (struct fffa_pair){broker_of("acks"), broker_of("1")};
	expect_probe(&c, -EINVAL, "properties: ");
}

#define E(name) RD_KAFKA_RESP_ERR_##name

/* As in the table of sinks/README.md. */
static const struct {
	rd_kafka_resp_err_t err;
	enum fffa_verdict verdict;
	int cause;
	bool repair;
	const char *text; /* the begin; NULL: librdkafka's own */
} verdicts[] = {
	{E(NO_ERROR), FFFA_V_DELIVERED, 0, false, NULL},
	{E(MSG_SIZE_TOO_LARGE), FFFA_V_TOO_BIG, -EMSGSIZE, false, "the message is larger than"},
	{E(RECORD_LIST_TOO_LARGE), FFFA_V_TOO_BIG, -EMSGSIZE, false, "the message is larger than"},
	{E(INVALID_MSG), FFFA_V_REFUSED, -EBADMSG, false, "the broker reports a corrupt"},
	{E(INVALID_MSG_SIZE), FFFA_V_REFUSED, -EBADMSG, false, "the broker reports an invalid"},
	{E(INVALID_TIMESTAMP), FFFA_V_RETRY, -EBADMSG, false, "the broker refuses the message's"},
	{E(INVALID_RECORD), FFFA_V_RETRY, -EBADMSG, true, "the broker's rules for this topic"},
	{E(UNSUPPORTED_FOR_MESSAGE_FORMAT), FFFA_V_RETRY, -EOPNOTSUPP, true, "the topic's message"},
	{E(UNSUPPORTED_COMPRESSION_TYPE), FFFA_V_RETRY, -EOPNOTSUPP, true, "the broker does not"},
	{E(POLICY_VIOLATION), FFFA_V_RETRY, -EACCES, true, "a policy of the broker"},
	{E(INVALID_REQUIRED_ACKS), FFFA_V_RETRY, -EINVAL, true, "the broker does not take this"},
	{E(UNKNOWN_TOPIC_OR_PART), FFFA_V_RETRY, -ENOENT, true, "unknown to the brokers"},
	{E(_UNKNOWN_TOPIC), FFFA_V_RETRY, -ENOENT, true, "unknown to the brokers"},
	{E(_UNKNOWN_PARTITION), FFFA_V_RETRY, -ENOENT, true, "the partition does not exist"},
	{E(TOPIC_EXCEPTION), FFFA_V_RETRY, -ENOENT, true, "the brokers refuse the topic name"},
	{E(TOPIC_AUTHORIZATION_FAILED), FFFA_V_RETRY, -EACCES, true, "no permission to write"},
	{E(CLUSTER_AUTHORIZATION_FAILED), FFFA_V_RETRY, -EACCES, true, "no permission for an"},
	{E(_AUTHENTICATION), FFFA_V_RETRY, -EACCES, true, "authentication failed"},
	{E(SASL_AUTHENTICATION_FAILED), FFFA_V_RETRY, -EACCES, true, "authentication failed"},
	{E(_SSL), FFFA_V_RETRY, -EPROTO, true, "TLS failed"},
	{E(_RESOLVE), FFFA_V_RETRY, -EHOSTUNREACH, false, "the name of a broker"},
	{E(_TRANSPORT), FFFA_V_RETRY, -ECONNRESET, false, "the connection to the broker"},
	{E(_ALL_BROKERS_DOWN), FFFA_V_RETRY, -EHOSTUNREACH, false, "no broker can be reached"},
	{E(_MSG_TIMED_OUT), FFFA_V_RETRY, -ETIMEDOUT, false, NULL},
	{E(_TIMED_OUT), FFFA_V_RETRY, -ETIMEDOUT, false, "no answer in time"},
	{E(REQUEST_TIMED_OUT), FFFA_V_RETRY, -ETIMEDOUT, false, NULL},
	{E(_PURGE_QUEUE), FFFA_V_RETRY, -ECANCELED, false, "not sent"},
	{E(_PURGE_INFLIGHT), FFFA_V_RETRY, -ECANCELED, false, "sent, but not confirmed"},
	{E(_DESTROY), FFFA_V_RETRY, -ECANCELED, false, "not sent"},
	{E(_FATAL), FFFA_V_RETRY, -EPROTO, false, "the producer had a fatal error"},
	{E(_QUEUE_FULL), FFFA_V_RETRY, -ENOBUFS, false, NULL},
	{E(NOT_ENOUGH_REPLICAS), FFFA_V_RETRY, -EAGAIN, false, NULL},
	{E(NOT_ENOUGH_REPLICAS_AFTER_APPEND), FFFA_V_RETRY, -EAGAIN, false, NULL},
	{E(KAFKA_STORAGE_ERROR), FFFA_V_RETRY, -EIO, false, NULL},
};
#define VERDICTS (sizeof(verdicts) / sizeof(verdicts[0]))

static bool has_row(int err)
{
	for (size_t i = 0; i < VERDICTS; i++) {
		if ((int)verdicts[i].err == err)
			return true;
	}
	return false;
}

static void errors_and_verdicts(void **state)
{
	(void)state;
	for (size_t i = 0; i < VERDICTS; i++) {
		struct fffa_kafka_judgement j = fffa_kafka__judge(verdicts[i].err);
		const char *text = verdicts[i].text;

		assert_int_equal(j.verdict, verdicts[i].verdict);
		assert_int_equal(j.cause, verdicts[i].cause);
		assert_int_equal(j.repair, verdicts[i].repair);
		assert_int_equal(!!j.text, !!text);
		if (text)
			assert_memory_equal(j.text, text, strlen(text));
	}
	/* Every other code is retried, so that no record is lost. */
	for (int err = -200; err < 200; err++) {
		struct fffa_kafka_judgement j = fffa_kafka__judge((rd_kafka_resp_err_t)err);

		if (has_row(err))
			continue;
		assert_int_equal(j.verdict, FFFA_V_RETRY);
		assert_int_equal(j.cause, -EIO);
		assert_false(j.repair);
		assert_null(j.text);
	}
}

/* The log has a line of each reason: the two codes of a missing topic are one. */
static void codes_and_reasons(void **state)
{
	(void)state;
	for (int err = -200; err < 200; err++) {
		int want = err == E(_UNKNOWN_TOPIC) ? E(UNKNOWN_TOPIC_OR_PART) : err;

		assert_int_equal(fffa_kafka__judge_reason((rd_kafka_resp_err_t)err), want);
	}
}

/* Of an error of one broker or one attempt nobody needs to hear at once. */
static void only_these_errors_are_reported_at_once(void **state)
{
	static const rd_kafka_resp_err_t lasting[] = {
		E(_SSL),
		E(_AUTHENTICATION),
		E(SASL_AUTHENTICATION_FAILED),
		E(_RESOLVE),
		E(_ALL_BROKERS_DOWN),
		E(TOPIC_AUTHORIZATION_FAILED),
		E(CLUSTER_AUTHORIZATION_FAILED),
		E(_CRIT_SYS_RESOURCE),
	};

	(void)state;
	for (int err = -200; err < 200; err++) {
		bool want = true;

		for (size_t i = 0; i < sizeof(lasting) / sizeof(lasting[0]); i++)
			want = want && (int)lasting[i] != err;
		assert_int_equal(fffa_kafka__judge_is_transient((rd_kafka_resp_err_t)err), want);
	}
}
#undef E

static void records_survive_the_pointer(void **state)
{
	static const struct fffa_kafka_opaque opaques[] = {
		{0, 0, 1},
		{63, FFFA_KAFKA_RECORDS_MAX - 1, 1},
		{255, 0, FFFA_KAFKA_RECORDS_MAX - 1},
		{17, 123456, 100000},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(opaques) / sizeof(opaques[0]); i++) {
		struct fffa_kafka_opaque m =
			fffa_kafka__slot_unpack(fffa_kafka__slot_pack(opaques[i]));

		assert_memory_equal(&m, &opaques[i], sizeof(m));
	}
}

static void outcome_of(const enum fffa_verdict v[3], struct fffa_outcome *o, uint8_t records[3])
{
	struct fffa_delivery d = {make_batch(1, 3, 40)};
	struct fffa_kafka_slot s = {0};

	assert_int_equal(fffa_kafka__slot_begin(&s, &d), 0);
	for (uint32_t i = 0; i < 3; i++) {
		if (v[i] != FFFA_V_NONE)
			fffa_kafka__slot_settle(&s, i, 1, v[i],
						v[i] == FFFA_V_DELIVERED
							? RD_KAFKA_RESP_ERR_NO_ERROR
							: RD_KAFKA_RESP_ERR_INVALID_RECORD);
	}
	fffa_kafka__slot_settle_rest(&s, FFFA_V_RETRY, RD_KAFKA_RESP_ERR__PURGE_QUEUE);
	assert_int_equal(s.reported, 3);
	fffa_kafka__slot_outcome(&s, o);
	if (o->records)
		memcpy(records, o->records, 3);
	free(s.verdicts);
	fffa_batch_unref(d.batch);
}

static void one_outcome_for_all_its_messages(void **state)
{
	static const enum fffa_verdict all[] = {FFFA_V_DELIVERED, FFFA_V_DELIVERED,
						FFFA_V_DELIVERED},
				       none[] = {FFFA_V_REJECTED, FFFA_V_REJECTED, FFFA_V_REJECTED},
				       mixed[] = {FFFA_V_DELIVERED, FFFA_V_REJECTED, FFFA_V_NONE},
				       silent[] = {FFFA_V_NONE, FFFA_V_NONE, FFFA_V_NONE};
	uint8_t records[3] = {0};
	struct fffa_outcome o;

	(void)state;
	outcome_of(all, &o, records);
	assert_int_equal(o.verdict, FFFA_V_DELIVERED);
	assert_int_equal(o.cause, 0);
	assert_null(o.records);
	outcome_of(none, &o, records);
	assert_int_equal(o.verdict, FFFA_V_REJECTED);
	assert_int_equal(o.cause, -EBADMSG);
	assert_null(o.records);
	outcome_of(silent, &o, records);
	assert_int_equal(o.verdict, FFFA_V_RETRY);
	assert_int_equal(o.cause, -ECANCELED);
	assert_null(o.records);
	outcome_of(mixed, &o, records);
	assert_int_equal(o.verdict, FFFA_V_RETRY);
	assert_non_null(o.records);
	assert_int_equal(records[0], FFFA_V_DELIVERED);
	assert_int_equal(records[1], FFFA_V_REJECTED);
	assert_int_equal(records[2], FFFA_V_RETRY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(properties_that_deliveries_rely_on),
		cmocka_unit_test(every_broker_is_given_on),
		cmocka_unit_test(requests_are_bounded),
		cmocka_unit_test(files_that_properties_name_are_probed),
		cmocka_unit_test(a_file_that_changes_has_another_number),
		cmocka_unit_test(a_producer_that_nobody_confirms_is_a_warning),
		cmocka_unit_test(errors_and_verdicts),
		cmocka_unit_test(codes_and_reasons),
		cmocka_unit_test(only_these_errors_are_reported_at_once),
		cmocka_unit_test(records_survive_the_pointer),
		cmocka_unit_test(one_outcome_for_all_its_messages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
