/* SPDX-License-Identifier: MIT */
/*
 * The Kafka sink: one message per record, or one per run of records, through librdkafka. "Delivered"
 * means that the brokers confirmed it to the producer's `acks` (all, by default). Batches are
 * borrowed by librdkafka without a copy until the delivery report of their last message.
 */
#ifndef FFFA_SINKS_KAFKA_KAFKA_H
#define FFFA_SINKS_KAFKA_KAFKA_H

#include "sinks/sink.h"

enum fffa_kafka_key { FFFA_KAFKA_KEY_FLOW, FFFA_KAFKA_KEY_INSTANCE, FFFA_KAFKA_KEY_NONE };

struct fffa_sink_kafka_conf {
	struct fffa_strings brokers; /* HOST or HOST:PORT */
	char *topic;
	int key; /* enum fffa_kafka_key */
	int64_t records_per_message;
	int64_t timeout_ns; /* 0: never */
	struct fffa_pairs properties;
};

extern const struct fffa_sink_ops fffa_sink_kafka_ops;

#endif
