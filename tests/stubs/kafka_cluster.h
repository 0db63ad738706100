/* SPDX-License-Identifier: MIT */
/*
 * librdkafka's mock cluster in this process, on loopback, and a consumer that reads all of a
 * partition. Each call aborts on failure.
 */
#ifndef FFFA_TESTS_STUBS_KAFKA_CLUSTER_H
#define FFFA_TESTS_STUBS_KAFKA_CLUSTER_H

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stddef.h>
#include <stdint.h>

#define KAFKA_API_PRODUCE 0 /* of the protocol, for rd_kafka_mock_push_request_errors */

struct kafka_cluster {
	rd_kafka_t *rk; /* the brokers run in its threads */
	rd_kafka_mock_cluster_t *mock;
	char bootstraps[256];
};

void kafka_cluster_open(struct kafka_cluster *c, int brokers);
void kafka_cluster_close(struct kafka_cluster *c);
/* The next n requests of one kind end with err. */
void kafka_cluster_fail(struct kafka_cluster *c, int16_t api, rd_kafka_resp_err_t err, size_t n);

/* Calls each(arg, message) for every message that is in partition 0 now, in order. */
void kafka_cluster_read(struct kafka_cluster *c, const char *topic,
			void (*each)(void *arg, const rd_kafka_message_t *m), void *arg);

#endif
