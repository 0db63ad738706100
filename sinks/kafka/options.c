// SPDX-License-Identifier: MIT
#include "sinks/kafka/options.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sinks/kafka/client.h"
#include "sinks/kafka/kafka.h"

#define TOPIC_MAX 249 /* a broker has a directory "NAME-PARTITION" */

static const char *const key_words[] = {"flow", "instance", "none", NULL};
static const char *const never[] = {"never", NULL};

const struct fffa_option fffa_kafka__options[] = {
	FFFA_OPT_STRINGS("brokers", struct fffa_sink_kafka_conf, brokers, NULL, 0, 0, NULL, 0,
			 "Brokers to connect to first, HOST or HOST:PORT. Required."),
	FFFA_OPT_STRING("topic", struct fffa_sink_kafka_conf, topic, NULL, 0,
			"Topic to write to. Required."),
	FFFA_OPT_ENUM("key", struct fffa_sink_kafka_conf, key, "flow", key_words, 0,
		      "Key of each message. flow: 16 hex digits, the same for both directions of a "
		      "connection. instance: agent_id."),
	FFFA_OPT_INT(
		"records_per_message", struct fffa_sink_kafka_conf, records_per_message, "1", 1,
		100000, 0,
		"Most records in one message; message.max.bytes bounds them, too. Above 1 needs "
		"key: instance or none."),
	FFFA_OPT_BOOL(
		"message_headers", struct fffa_sink_kafka_conf, message_headers, "false", 0,
		"true adds the headers content-type and fffa-schema to each message. They cost "
		"four times the rest of a small message."),
	FFFA_OPT_DURATION_OR(
		"timeout", struct fffa_sink_kafka_conf, timeout_ns, "5m", INT64_C(1000000000),
		INT64_C(86400000000000), never, 0,
		"The producer is created again after this long without a delivery report, and open "
		"batches are sent again. Records may then arrive twice."),
	FFFA_OPT_MAP("properties", struct fffa_sink_kafka_conf, properties, "{}", NULL,
		     FFFA_OPTION_SECRETS,
		     "Any property of librdkafka's producer: TLS, SASL, compression.type, "
		     "linger.ms, ..."),
	FFFA_OPT_END,
};

static int check_topic(const char *t, struct fffa_err *err)
{
	if (!t || !*t)
		return fffa_fail(err, EINVAL, "topic: is required");
	for (const char *p = t; *p; p++) {
		if (!isalnum((unsigned char)*p) && !strchr("._-", *p))
			return fffa_fail(err, EINVAL,
					 "topic: may hold letters, digits, dots, underscores and "
					 "hyphens only");
	}
	if (strlen(t) > TOPIC_MAX || !strcmp(t, ".") || !strcmp(t, ".."))
		return fffa_fail(err, EINVAL, "topic: a name of at most %d characters, not . or ..",
				 TOPIC_MAX);
	return 0;
}

/* Behind the scheme that librdkafka knows. NULL: it knows another, and would leave the broker out. */
static const char *skip_scheme(const char *broker)
{
	static const char *const known[] = {"plaintext://", "ssl://", "sasl_plaintext://",
					    "sasl_ssl://"};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (!strncasecmp(broker, known[i], strlen(known[i])))
			return broker + strlen(known[i]);
	}
	return strstr(broker, "://") ? NULL : broker;
}

/* librdkafka takes any number, modulo 65536. */
static bool is_port(const char *text)
{
	size_t digits = strspn(text, "0123456789");
	long port = digits && digits <= 5 && !text[digits] ? strtol(text, NULL, 10) : 0;

	return port >= 1 && port <= 65535;
}

/* HOST, HOST:PORT, [IPV6], [IPV6]:PORT, or an IPv6 address alone. */
static bool is_host_and_port(const char *host)
{
	const char *end = *host == '[' ? strchr(host, ']') : NULL, *colon = strrchr(host, ':');

	if (end)
		return !end[1] || (end[1] == ':' && is_port(end + 2));
	if (!*host || *host == '[' || host == colon)
		return false;
	return !colon || strchr(host, ':') != colon || is_port(colon + 1);
}

static int check_broker(const char *broker, struct fffa_err *err)
{
	const char *host = skip_scheme(broker);

	if (!*broker || broker[strcspn(broker, ", \t\r\n")])
		return fffa_fail(
			err, EINVAL,
			"brokers: each must be HOST or HOST:PORT, without blanks and commas");
	if (!host)
		return fffa_fail(
			err, EINVAL,
			"brokers: %.200s has a scheme that Kafka does not have; write HOST:PORT",
			broker);
	if (!is_host_and_port(host))
		return fffa_fail(err, EINVAL,
				 "brokers: %.200s is not HOST:PORT with a port of 1 to 65535",
				 broker);
	return 0;
}

int fffa_kafka__options_check(const void *conf, struct fffa_err *err)
{
	const struct fffa_sink_kafka_conf *c = conf;
	int rc;

	if (!c->brokers.n)
		return fffa_fail(err, EINVAL, "brokers: is required, such as [\"b1:9092\"]");
	for (size_t i = 0; i < c->brokers.n; i++) {
		rc = check_broker(c->brokers.v[i], err);
		if (rc)
			return rc;
	}
	rc = check_topic(c->topic, err);
	if (rc)
		return rc;
	if (c->records_per_message > 1 && c->key == FFFA_KAFKA_KEY_FLOW)
		return fffa_fail(err, EINVAL,
				 "records_per_message: above 1 needs key: instance or none, "
				 "because all records of a message share one key");
	return fffa_kafka__client_check(c, err);
}

int fffa_kafka__options_probe(const void *conf, struct fffa_err *err)
{
	return fffa_kafka__client_probe(conf, err);
}
