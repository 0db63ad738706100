// SPDX-License-Identifier: MIT
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sinks/kafka/kafka.h"
#include "tests/contract/peer.h"
#include "tests/stubs/kafka_cluster.h"

#define TOPIC "flows"

struct peer {
	struct kafka_cluster cluster;
	struct fffa_sink_kafka_conf conf;
	char stalled[32];
	int deaf; /* a socket that listens and never accepts; -1: none */
	char *broker;
	struct fffa_pair properties[2];
};

static struct peer *open_peer(void)
{
	struct peer *f = calloc(1, sizeof(*f));

	if (!f)
		abort();
	f->deaf = -1;
	kafka_cluster_open(&f->cluster, 1);
	if (rd_kafka_mock_topic_create(f->cluster.mock, TOPIC, 1, 1))
		abort();
	return f;
}

static void close_peer(struct peer *f)
{
	kafka_cluster_close(&f->cluster);
	if (f->deaf >= 0)
		(void)close(f->deaf);
	free(f);
}

static const struct fffa_sink_kafka_conf *conf_to(struct peer *f, char *broker)
{
	static char topic[] = TOPIC;

	f->broker = broker;
	f->conf.brokers = (struct fffa_strings){&f->broker, 1};
	f->conf.topic = topic;
	f->conf.key = FFFA_KAFKA_KEY_FLOW;
	f->conf.records_per_message = 1;
	f->conf.timeout_ns = INT64_C(60000000000);
	return &f->conf;
}

static const void *conf(struct peer *f)
{
	return conf_to(f, f->cluster.bootstraps);
}

static const void *many_conf(struct peer *f)
{
	(void)conf(f);
	f->conf.key = FFFA_KAFKA_KEY_NONE;
	f->conf.records_per_message = 1000;
	return &f->conf;
}

static const void *bad_conf(struct peer *f)
{
	static char protocol[] = "security.protocol", ssl[] = "ssl";
	static char ca[] = "ssl.ca.location", missing[] = "missing/ca.pem";

	(void)conf(f);
	f->properties[0] = (struct fffa_pair){protocol, ssl};
	f->properties[1] = (struct fffa_pair){ca, missing};
	f->conf.properties = (struct fffa_pairs){f->properties, 2};
	return &f->conf;
}

static const void *stalled_conf(struct peer *f)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);

	f->deaf = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (f->deaf < 0 || bind(f->deaf, (struct sockaddr *)&a, len) || listen(f->deaf, 8) ||
	    getsockname(f->deaf, (struct sockaddr *)&a, &len))
		abort();
	(void)snprintf(f->stalled, sizeof(f->stalled), "127.0.0.1:%u", ntohs(a.sin_port));
	return conf_to(f, f->stalled);
}

struct sum {
	uint8_t *ptr;
	size_t len, cap;
	bool lines; /* add the newline that a message does not have */
};

static void append_message(void *arg, const rd_kafka_message_t *m)
{
	struct sum *s = arg;

	if (s->len + m->len + 1 > s->cap) { /* doubled: thread sanitizer's realloc always copies */
		s->cap = 2 * (s->len + m->len + 1);
		s->ptr = realloc(s->ptr, s->cap);
		if (!s->ptr)
			abort();
	}
	memcpy(s->ptr + s->len, m->payload, m->len);
	s->len += m->len;
	if (s->lines)
		s->ptr[s->len++] = '\n';
}

static struct fffa_span bytes(struct peer *f)
{
	struct sum s = {.lines = f->conf.records_per_message == 1};

	kafka_cluster_read(&f->cluster, TOPIC, append_message, &s);
	return (struct fffa_span){s.ptr, s.len};
}

/* librdkafka does not retry after this answer. */
static void break_it(struct peer *f)
{
	kafka_cluster_fail(&f->cluster, KAFKA_API_PRODUCE, RD_KAFKA_RESP_ERR_POLICY_VIOLATION, 100);
}

static void repair(struct peer *f)
{
	rd_kafka_mock_clear_request_errors(f->cluster.mock, KAFKA_API_PRODUCE);
}

static void refuse(struct peer *f)
{
	kafka_cluster_fail(&f->cluster, KAFKA_API_PRODUCE, RD_KAFKA_RESP_ERR_INVALID_RECORD, 100);
}

static void refuse_without_reason(struct peer *f)
{
	kafka_cluster_fail(&f->cluster, KAFKA_API_PRODUCE, RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE, 100);
}

static void go_away(struct peer *f)
{
	if (rd_kafka_mock_broker_set_down(f->cluster.mock, -1))
		abort();
}

/* The next answer comes after a minute, and those behind it on the same connection wait for it. */
static void mute(struct peer *f)
{
	if (rd_kafka_mock_broker_push_request_error_rtts(f->cluster.mock, 1, KAFKA_API_PRODUCE, 1,
							 RD_KAFKA_RESP_ERR_NO_ERROR, 60000))
		abort();
}

const struct peer_ops peer_kafka_ops = {
	.sink = &fffa_sink_kafka_ops,
	.no_preamble = true,
	.open = open_peer,
	.close = close_peer,
	.conf = conf,
	.bad_conf = bad_conf,
	.bytes = bytes,
	.break_it = break_it,
	.repair = repair,
	.mute = mute,
	.refuse = refuse,
	.said = "failed to validate record",
	.refuse_without_reason = refuse_without_reason,
	.go_away = go_away,
	.stalled_conf = stalled_conf,
	.stall_bytes = 1,
};

const struct peer_ops peer_kafka_many_ops = {
	.sink = &fffa_sink_kafka_ops,
	.no_preamble = true,
	.open = open_peer,
	.close = close_peer,
	.conf = many_conf,
	.bad_conf = bad_conf,
	.bytes = bytes,
	.break_it = break_it,
	.repair = repair,
	.mute = mute,
	.refuse = refuse,
	.said = "failed to validate record",
	.refuse_without_reason = refuse_without_reason,
	.go_away = go_away,
	.stalled_conf = stalled_conf,
	.stall_bytes = 1,
};
