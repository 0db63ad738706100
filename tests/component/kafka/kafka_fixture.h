/* SPDX-License-Identifier: MIT */
/* A Kafka sink on a mock cluster, configured as most cases need it. */
#ifndef FFFA_TESTS_COMPONENT_KAFKA_KAFKA_FIXTURE_H
#define FFFA_TESTS_COMPONENT_KAFKA_KAFKA_FIXTURE_H

#include "sinks/kafka/kafka.h"
#include "tests/stubs/cmocka_all.h"
#include "tests/stubs/kafka_cluster.h"
#include "tests/stubs/make_batch.h"
#include "tests/stubs/sink_fixture.h"

#define TOPIC "flows"

struct kafka_fixture {
	struct kafka_cluster cluster;
	struct sink_fixture r;
	struct fffa_sink_kafka_conf conf;
	char *broker;
	struct fffa_pair properties[8];
};

/* A message as a consumer saw it. */
struct seen {
	char *value; /* ends with a NUL that is not counted */
	size_t len;
	char key[64];
	char content_type[64], schema[8];
	size_t headers;
};

struct seen_list {
	struct seen *v;
	size_t n;
};

/*
 * Makes the cluster (one broker, TOPIC with one partition) and a configuration for it: key none,
 * one record per message.
 */
void kafka_fixture_open(struct kafka_fixture *k);
void kafka_fixture_property(struct kafka_fixture *k, const char *name, const char *value);
/*
 * Makes librdkafka put this many messages ("10") into one request, however long it waits for them.
 * For cases in which the mock cluster refuses a number of requests. To be called before start.
 */
void kafka_fixture_per_request(struct kafka_fixture *k, const char *messages);
/* Checks the configuration, creates and starts the sink. */
void kafka_fixture_start(struct kafka_fixture *k);
/* Closes sink and cluster. */
void kafka_fixture_close(struct kafka_fixture *k);
/* Returns the messages that are in the topic now; free with seen_free. */
struct seen_list kafka_fixture_seen(struct kafka_fixture *k);
void seen_free(struct seen_list *l);
/*
 * Asserts that the topic holds the records first..first+n-1 of make_batch, each once, in this
 * order, one per message.
 */
void expect_sequence(struct kafka_fixture *k, uint64_t first, uint64_t n);
/* Runs the loop for ms, or until *d is done. */
void kafka_fixture_run(struct kafka_fixture *k, const struct fixture_delivery *d, unsigned int ms);
/* Submits; while there is no room it waits for ready. */
void kafka_fixture_submit(struct kafka_fixture *k, struct fixture_delivery *d,
			  struct fffa_batch *b);

#endif
