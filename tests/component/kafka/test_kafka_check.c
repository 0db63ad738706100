// SPDX-License-Identifier: MIT
/* The errors that `check` finds in a configuration. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/component/kafka/kafka_fixture.h"

static char *broker_of(const char *text)
{
	return (char *)(uintptr_t)text;
}

static void expect_error(const struct fffa_sink_kafka_conf *c, const char *want)
{
	struct fffa_err err = {.text = ""};

	assert_int_equal(fffa_sink_kafka_ops.check(c, &err), -EINVAL);
	if (!strstr(err.text, want))
		fail_msg("\"%s\" does not hold \"%s\"", err.text, want);
}

static struct fffa_sink_kafka_conf good(char **broker)
{
	static char topic[] = "flows";

	*broker = broker_of("b1:9092");
	return (struct fffa_sink_kafka_conf){
		.brokers = {broker, 1}, .topic = topic, .records_per_message = 1};
}

static void brokers_and_topic(void **state)
{
	static const char *const bad_topics[] = {"", ".", "..", "a b", "a/b", "\xc3\xa4"};
	static const char *const bad_brokers[] = {"", "a,b", "a b", "a\n"};
	char *broker, name[251];
	struct fffa_sink_kafka_conf c = good(&broker);
	struct fffa_err err;

	(void)state;
	assert_int_equal(fffa_sink_kafka_ops.check(&c, &err), 0);
	for (size_t i = 0; i < sizeof(bad_topics) / sizeof(bad_topics[0]); i++) {
		c.topic = broker_of(bad_topics[i]);
		expect_error(&c, "topic: ");
	}
	memset(name, 'x', sizeof(name));
	name[250] = '\0';
	c.topic = name;
	expect_error(&c, "topic: ");
	name[249] = '\0';
	assert_int_equal(fffa_sink_kafka_ops.check(&c, &err), 0);
	c.topic = NULL;
	expect_error(&c, "topic: is required");
	c = good(&broker);
	for (size_t i = 0; i < sizeof(bad_brokers) / sizeof(bad_brokers[0]); i++) {
		broker = broker_of(bad_brokers[i]);
		expect_error(&c, "brokers: ");
	}
	c.brokers.n = 0;
	expect_error(&c, "brokers: is required");
}

static void forms_of_a_broker(void **state)
{
	static const char *const fine[] = {"b1",
					   "b1:1",
					   "b1:65535",
					   "b1:00080",
					   "10.0.0.1:9092",
					   "[::1]:9092",
					   "[::1]",
					   "::1",
					   "SSL://b1:9093",
					   "ssl://b1",
					   "plaintext://b1:9092",
					   "sasl_plaintext://[::1]:9",
					   "sasl_ssl://b1",
					   "Sasl_Ssl://b"};
	static const char *const no_port[] = {":9092",	     "b1:",	 "b1:0",   "b1:65536",
					      "b1:000080",   "b1:9x",	 "b1:x",   "b1:-1",
					      "ssl://",	     "ssl://:1", "[::1]:", "[::1]:0",
					      "[::1]:65536", "[::1]x",	 "[::1",   "[::1]x:80"};
	static const char *const schemes[] = {"http://b1:9092", "sasl://b1", "://b1"};
	char *broker, want[128];
	struct fffa_sink_kafka_conf c = good(&broker);
	struct fffa_err err = {""};

	(void)state;
	for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++) {
		broker = broker_of(fine[i]);
		if (fffa_sink_kafka_ops.check(&c, &err))
			fail_msg("%s: %s", broker, err.text);
	}
	for (size_t i = 0; i < sizeof(no_port) / sizeof(no_port[0]); i++) {
		broker = broker_of(no_port[i]);
		(void)snprintf(want, sizeof(want),
			       "brokers: %s is not HOST:PORT with a port of 1 to 65535", broker);
		expect_error(&c, want);
	}
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		broker = broker_of(schemes[i]);
		(void)snprintf(want, sizeof(want), "brokers: %s has a scheme that", broker);
		expect_error(&c, want);
	}
	for (const char *blank = ", \t\r\n"; *blank; blank++) {
		char text[] = {'b', *blank, '1', '\0'};

		broker = text;
		expect_error(&c, "brokers: each must be HOST or HOST:PORT, without blanks");
	}
}

static void a_key_for_many_records(void **state)
{
	char *broker;
	struct fffa_sink_kafka_conf c = good(&broker);
	struct fffa_err err;

	(void)state;
	c.records_per_message = 2;
	c.key = FFFA_KAFKA_KEY_FLOW;
	expect_error(&c, "records_per_message: above 1 needs key: instance or none, because all "
			 "records of a message share one key");
	c.key = FFFA_KAFKA_KEY_INSTANCE;
	assert_int_equal(fffa_sink_kafka_ops.check(&c, &err), 0);
	c.key = FFFA_KAFKA_KEY_NONE;
	assert_int_equal(fffa_sink_kafka_ops.check(&c, &err), 0);
}

/* The error has librdkafka's text, which never shows the value of a secret. */
static void wrong_properties_are_named(void **state)
{
	static const struct {
		const char *key, *value, *want;
	} bad[] = {
		{"no.such.property", "1", "properties: no.such.property: "},
		{"compression.type", "rar", "properties: compression.type: Invalid value"},
		{"linger.ms", "-5", "properties: linger.ms: "},
		{"bootstrap.servers", "x:1", "properties: bootstrap.servers: is given by brokers"},
		{"metadata.broker.list", "x:1", "is given by brokers"},
		{"message.timeout.ms", "5", "is given by retry.give_up"},
		{"delivery.timeout.ms", "5", "is given by retry.give_up"},
		{"delivery.report.only.error", "true", "must stay false"},
		{"transactional.id", "x", "transactions are not used"},
		{"log.queue", "false", "must stay true"},
		{"enabled_events", "1", "belongs to the sink"},
		{"dr_msg_cb", "x", "properties: dr_msg_cb: "},
	};
	static const struct {
		const char *key, *value;
	} fine[] = {
		{"compression.type", "zstd"},
		{"linger.ms", "20"},
		{"acks", "1"},
		{"enable.idempotence", "false"},
		{"sasl.mechanism", "PLAIN"},
		{"sasl.password", "hunter2"},
		{"security.protocol", "ssl"},
		{"queue.buffering.max.messages", "7"},
	};
	struct fffa_pair p;
	char *broker;
	struct fffa_sink_kafka_conf c = good(&broker);
	struct fffa_err err;

	(void)state;
	c.properties = (struct fffa_pairs){&p, 1};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		p = (struct fffa_pair){broker_of(bad[i].key), broker_of(bad[i].value)};
		expect_error(&c, bad[i].want);
	}
	for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++) {
		p = (struct fffa_pair){broker_of(fine[i].key), broker_of(fine[i].value)};
		assert_int_equal(fffa_sink_kafka_ops.check(&c, &err), 0);
	}
}

/* Who fetches no token can never log in. */
static void oauth_without_a_token_is_refused(void **state)
{
	struct fffa_pair p[] = {
		{broker_of("security.protocol"), broker_of("SASL_SSL")},
		{broker_of("sasl.mechanism"), broker_of("OAUTHBEARER")},
		{broker_of("enable.sasl.oauthbearer.unsecure.jwt"), broker_of("true")}};
	char *broker;
	struct fffa_sink_kafka_conf c = good(&broker);
	struct fffa_err err;

	(void)state;
	c.properties = (struct fffa_pairs){p, 2};
	expect_error(&c, "properties: sasl.mechanisms: OAUTHBEARER has no token without "
			 "sasl.oauthbearer.method: oidc");
	p[0].value = broker_of("sasl_plaintext");
	expect_error(&c, "OAUTHBEARER has no token");
	c.properties.n = 3; /* librdkafka makes its own token, for tests */
	assert_int_equal(fffa_sink_kafka_ops.check(&c, &err), 0);
	c.properties.n = 2;
	p[0].value = broker_of("ssl"); /* nobody logs in */
	assert_int_equal(fffa_sink_kafka_ops.check(&c, &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(brokers_and_topic),
		cmocka_unit_test(forms_of_a_broker),
		cmocka_unit_test(a_key_for_many_records),
		cmocka_unit_test(wrong_properties_are_named),
		cmocka_unit_test(oauth_without_a_token_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
