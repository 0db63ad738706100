/* SPDX-License-Identifier: MIT */
/*
 * The Kafka sink sends one message per record, or one per group of records, through librdkafka. A
 * record is delivered when the brokers have confirmed it as the producer's `acks` demands (all by
 * default). librdkafka borrows the bytes of a batch, without a copy, until the delivery report of
 * its last message.
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
	bool message_headers;
	int64_t timeout_ns; /* 0: never */
	struct fffa_pairs properties;
};

extern const struct fffa_sink_ops fffa_sink_kafka_ops;

#endif
