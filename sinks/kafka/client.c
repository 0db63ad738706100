// SPDX-License-Identifier: MIT
#include "sinks/kafka/client.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/clock.h"
#include "agent/base/io.h"

#define DRAIN_POLL_MS 50

/* Set before the user's properties, so that those win; the last ones after them. */
static const struct property {
	const char *name, *value;
} own_properties[] = {
	{"client.id", "fffa"},
	{"enable.idempotence", "true"},
	/* The pipeline bounds the bytes; these bound what librdkafka adds to each message. */
	{"queue.buffering.max.messages", "20000"},
	{"queue.buffering.max.kbytes", "65536"},
	/* Report a missing topic soon, and find it soon after it is created. */
	{"topic.metadata.propagation.max.ms", "5000"},
	{"topic.metadata.refresh.interval.ms", "10000"},
	{"socket.keepalive.enable", "true"},
	/* Set after the user's properties: nobody may change these. */
	{"message.timeout.ms", "0"},
	{"delivery.report.only.error", "false"},
	{"log.queue", "true"},
};
#define OWN_PROPERTIES	 (sizeof(own_properties) / sizeof(own_properties[0]))
#define FIXED_PROPERTIES 3 /* the last rows */

static const struct property reserved_properties[] = {
	{"bootstrap.servers", "is given by brokers"},
	{"metadata.broker.list", "is given by brokers"},
	{"message.timeout.ms", "is given by retry.give_up"},
	{"delivery.timeout.ms", "is given by retry.give_up"},
	{"delivery.report.only.error", "must stay false: reports release the records"},
	{"log.queue", "must stay true"},
	{"enabled_events", "belongs to the sink"},
	{"transactional.id", "transactions are not used"},
};

static int set_property(rd_kafka_conf_t *k, const char *name, const char *value,
			struct fffa_err *err)
{
	char why[512];

	if (rd_kafka_conf_set(k, name, value, why, sizeof(why)) == RD_KAFKA_CONF_OK)
		return 0;
	return fffa_fail(err, EINVAL, "properties: %.128s: %s", name, why);
}

static int set_user_property(rd_kafka_conf_t *k, const struct fffa_pair *p, struct fffa_err *err)
{
	for (size_t i = 0; i < sizeof(reserved_properties) / sizeof(reserved_properties[0]); i++) {
		if (!strcmp(p->key, reserved_properties[i].name))
			return fffa_fail(err, EINVAL, "properties: %s: %s", p->key,
					 reserved_properties[i].value);
	}
	return set_property(k, p->key, p->value, err);
}

static int set_brokers(rd_kafka_conf_t *k, const struct fffa_strings *brokers, struct fffa_err *err)
{
	size_t n = 1;
	char *joined, why[512];
	int rc = 0;

	for (size_t i = 0; i < brokers->n; i++)
		n += strlen(brokers->v[i]) + 1;
	joined = malloc(n);
	if (!joined)
		return fffa_fail(err, ENOMEM, "no memory for the sink");
	n = 0;
	for (size_t i = 0; i < brokers->n; i++) {
		size_t len = strlen(brokers->v[i]);

		memcpy(joined + n, brokers->v[i], len);
		n += len;
		joined[n++] = ',';
	}
	joined[n ? n - 1 : 0] = '\0';
	if (rd_kafka_conf_set(k, "bootstrap.servers", joined, why, sizeof(why)) != RD_KAFKA_CONF_OK)
		rc = fffa_fail(err, EINVAL, "brokers: %s", why);
	free(joined);
	return rc;
}

/* 0 and a configuration in *out, for rd_kafka_conf_destroy; or -errno with err. */
static int make_conf(const struct fffa_sink_kafka_conf *c, rd_kafka_conf_t **out,
		     struct fffa_err *err)
{
	rd_kafka_conf_t *k = rd_kafka_conf_new();
	int rc = 0, wrong = 0;

	if (err)
		err->text[0] = '\0';

	if (!k)
		return fffa_fail(err, ENOMEM, "no memory for the sink");
	for (size_t i = 0; !rc && i < OWN_PROPERTIES - FIXED_PROPERTIES; i++)
		rc = set_property(k, own_properties[i].name, own_properties[i].value, err);
	for (size_t i = 0; !rc && i < c->properties.n; i++) {
		struct fffa_err one = {""};

		/* Each wrong one is named. */
		if (set_user_property(k, &c->properties.v[i], &one))
			wrong = fffa_err_also(err, EINVAL, "%.250s", one.text);
	}
	if (!rc)
		rc = wrong;
	for (size_t i = OWN_PROPERTIES - FIXED_PROPERTIES; !rc && i < OWN_PROPERTIES; i++)
		rc = set_property(k, own_properties[i].name, own_properties[i].value, err);
	if (!rc)
		rc = set_brokers(k, &c->brokers, err);
	if (rc) {
		rd_kafka_conf_destroy(k);
		return rc;
	}
	rd_kafka_conf_set_events(k, RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_LOG);
	*out = k;
	return 0;
}

static bool property_is(const rd_kafka_conf_t *k, const char *name, const char *value)
{
	char text[64];
	size_t n = sizeof(text);

	return rd_kafka_conf_get(k, name, text, &n) == RD_KAFKA_CONF_OK && !strcasecmp(text, value);
}

static bool uses_oauth(const rd_kafka_conf_t *k)
{
	return property_is(k, "sasl.mechanisms", "OAUTHBEARER");
}

/* Nobody would set a token: the producer would wait for one and never log in. */
static bool lacks_token_source(const rd_kafka_conf_t *k)
{
	return uses_oauth(k) &&
	       (property_is(k, "security.protocol", "sasl_plaintext") ||
		property_is(k, "security.protocol", "sasl_ssl")) &&
	       !property_is(k, "sasl.oauthbearer.method", "oidc") &&
	       !property_is(k, "enable.sasl.oauthbearer.unsecure.jwt", "true");
}

int fffa_kafka__client_check(const struct fffa_sink_kafka_conf *c, struct fffa_err *err)
{
	rd_kafka_conf_t *k = NULL;
	int rc = make_conf(c, &k, err);

	if (rc)
		return rc;
	if (lacks_token_source(k))
		rc = fffa_fail(err, EINVAL,
			       "properties: sasl.mechanisms: OAUTHBEARER has no token without "
			       "sasl.oauthbearer.method: oidc");
	rd_kafka_conf_destroy(k);
	return rc;
}

static bool names_file(const struct fffa_pair *p)
{
	return strstr(p->key, ".location") && *p->value && strcmp(p->value, "probe") != 0;
}

uint64_t fffa_kafka__client_files(const struct fffa_sink_kafka_conf *c)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < c->properties.n; i++) {
		const struct fffa_pair *p = &c->properties.v[i];
		struct stat st;
		uint64_t facts[5];

		if (!names_file(p) || stat(p->value, &st))
			continue;
		facts[0] = (uint64_t)st.st_dev;
		facts[1] = (uint64_t)st.st_ino;
		facts[2] = (uint64_t)st.st_size;
		facts[3] = (uint64_t)st.st_mtim.tv_sec;
		facts[4] = (uint64_t)st.st_mtim.tv_nsec;
		for (size_t k = 0; k < sizeof(facts) / sizeof(facts[0]); k++)
			sum = (sum ^ facts[k]) * UINT64_C(0x100000001b3) + i + 1; /* FNV-1a */
	}
	return sum;
}

/* librdkafka reads these at once, and a FIFO would keep it waiting. */
static int probe_files(const struct fffa_sink_kafka_conf *c, struct fffa_err *err)
{
	int rc = 0;

	for (size_t i = 0; i < c->properties.n; i++) {
		const struct fffa_pair *p = &c->properties.v[i];
		struct stat st;
		int fd;

		if (!names_file(p) || (!stat(p->value, &st) && S_ISDIR(st.st_mode)))
			continue;
		fd = fffa_io_open_regular(AT_FDCWD, p->value, O_RDONLY);
		if (fd < 0)
			rc = fffa_err_also(err, EINVAL, "properties: %.64s: cannot read %.200s: %s",
					   p->key, p->value, fffa_io_strerror(fd));
		else
			(void)close(fd); /* nothing was written to it */
	}
	return rc;
}

/* Without a thread or the like nothing is wrong with the configuration. */
static int fail_new(const char *why, struct fffa_err *err)
{
	if (rd_kafka_last_error() == RD_KAFKA_RESP_ERR__CRIT_SYS_RESOURCE)
		return fffa_fail(err, EAGAIN, "%s", why);
	return fffa_fail(err, EINVAL, "properties: %s", why);
}

/* Makes a producer that has no broker, so it connects to nobody. */
static int probe_producer(const struct fffa_sink_kafka_conf *c, struct fffa_err *err)
{
	rd_kafka_conf_t *k = NULL;
	char why[512];
	rd_kafka_t *rk;
	int rc = make_conf(c, &k, err);

	if (rc)
		return rc;
	(void)rd_kafka_conf_set(k, "bootstrap.servers", "", NULL, 0);
	rk = rd_kafka_new(RD_KAFKA_PRODUCER, k, why, sizeof(why)); /* owns k on success */
	if (!rk) {
		rc = fail_new(why, err);
		rd_kafka_conf_destroy(k);
		return rc == -EAGAIN ? 0 : rc; /* the start will say so */
	}
	rd_kafka_destroy(rk);
	return 0;
}

static bool asks_no_acks(const struct fffa_sink_kafka_conf *c)
{
	for (size_t i = 0; i < c->properties.n; i++)
		if ((!strcmp(c->properties.v[i].key, "acks") ||
		     !strcmp(c->properties.v[i].key, "request.required.acks")) &&
		    !strcmp(c->properties.v[i].value, "0"))
			return true;
	return false;
}

int fffa_kafka__client_probe(const struct fffa_sink_kafka_conf *c, struct fffa_err *err)
{
	int rc = probe_files(c, err);

	if (!rc)
		rc = probe_producer(c, err);
	if (!rc && asks_no_acks(c))
		rc = fffa_fail(err, EINVAL,
			       "warning: properties: acks 0: the broker confirms nothing, so "
			       "records count as delivered that may never arrive");
	return rc;
}

static size_t get_size(const rd_kafka_conf_t *k, const char *name)
{
	char text[32];
	size_t n = sizeof(text);

	if (rd_kafka_conf_get(k, name, text, &n) != RD_KAFKA_CONF_OK)
		return SIZE_MAX;
	return strtoul(text, NULL, 10);
}

static int bound_wire(rd_kafka_conf_t *k, size_t wire_bytes, struct fffa_kafka_client *out,
		      struct fffa_err *err)
{
	size_t batch = get_size(k, "batch.size");
	char text[32];

	out->message_bytes = get_size(k, "message.max.bytes");
	out->wire_bytes = batch < out->message_bytes ? batch : out->message_bytes;
	if (!wire_bytes || wire_bytes >= out->wire_bytes)
		return 0;
	out->wire_bytes = wire_bytes;
	if (wire_bytes < out->message_bytes)
		out->message_bytes = wire_bytes;
	(void)snprintf(text, sizeof(text), "%zu", wire_bytes);
	return set_property(k, "batch.size", text, err);
}

/*
 * librdkafka fetches tokens (OIDC) or makes them in a callback; in its own thread, because nobody
 * polls for callbacks.
 */
static int serve_tokens(rd_kafka_t *rk, struct fffa_err *err)
{
	rd_kafka_error_t *e = rd_kafka_sasl_background_callbacks_enable(rk);

	if (!e)
		return 0;
	(void)fffa_fail(err, EINVAL, "properties: %s", rd_kafka_error_string(e));
	rd_kafka_error_destroy(e);
	return -EINVAL;
}

int fffa_kafka__client_open(const struct fffa_sink_kafka_conf *c, size_t wire_bytes, int wake_fd,
			    struct fffa_kafka_client *out, struct fffa_err *err)
{
	static const uint64_t one = 1;
	struct fffa_kafka_client k = {.rk = NULL};
	rd_kafka_conf_t *conf = NULL;
	char why[512];
	int rc = make_conf(c, &conf, err);
	bool oauth;

	out->rk = NULL;
	if (rc)
		return rc;
	oauth = uses_oauth(conf);
	rd_kafka_conf_enable_sasl_queue(conf, oauth);
	rc = bound_wire(conf, wire_bytes, &k, err);
	if (!rc) {
		k.rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why,
				    sizeof(why)); /* owns conf on success */
		if (!k.rk)
			rc = fail_new(why, err);
	}
	if (rc) {
		rd_kafka_conf_destroy(conf);
		return rc;
	}
	rc = oauth ? serve_tokens(k.rk, err) : 0;
	if (rc) {
		rd_kafka_destroy(k.rk);
		return rc;
	}
	(void)rd_kafka_set_log_queue(k.rk, NULL); /* NULL: the main queue */
	k.topic = rd_kafka_topic_new(k.rk, c->topic, NULL);
	if (!k.topic) {
		rc = fffa_fail(err, EINVAL, "topic: %s", rd_kafka_err2str(rd_kafka_last_error()));
		rd_kafka_destroy(k.rk);
		return rc;
	}
	k.queue = rd_kafka_queue_get_main(k.rk);
	rd_kafka_queue_io_event_enable(k.queue, wake_fd, &one, sizeof(one));
	*out = k;
	return 0;
}

/* Passes on the reports that are there or come within DRAIN_POLL_MS of the one before. */
static void pass_reports(struct fffa_kafka_client *c,
			 void (*on_report)(void *arg, const rd_kafka_message_t *m), void *arg)
{
	const rd_kafka_message_t *m;
	rd_kafka_event_t *ev;

	while (rd_kafka_outq_len(c->rk) && (ev = rd_kafka_queue_poll(c->queue, DRAIN_POLL_MS))) {
		if (rd_kafka_event_type(ev) == RD_KAFKA_EVENT_DR) {
			while ((m = rd_kafka_event_message_next(ev)))
				on_report(arg, m);
		}
		rd_kafka_event_destroy(ev);
	}
}

void fffa_kafka__client_close(struct fffa_kafka_client *c, uint32_t wait_ms,
			      void (*on_report)(void *arg, const rd_kafka_message_t *m), void *arg)
{
	uint64_t until = fffa_clock_mono_ns(&fffa_clock_system) + wait_ms * FFFA_NS_PER_MS;

	if (!c->rk)
		return;
	rd_kafka_queue_io_event_enable(c->queue, -1, NULL, 0);
	while (rd_kafka_outq_len(c->rk)) {
		int what = RD_KAFKA_PURGE_F_QUEUE;

		if (fffa_clock_mono_ns(&fffa_clock_system) >= until)
			what |= RD_KAFKA_PURGE_F_INFLIGHT;
		/* Purges each time: a message may have been between two of librdkafka's queues. */
		(void)rd_kafka_purge(c->rk, what);
		pass_reports(c, on_report, arg);
	}
	rd_kafka_queue_destroy(c->queue);
	rd_kafka_topic_destroy(c->topic);
	rd_kafka_destroy(c->rk);
	c->rk = NULL;
}
