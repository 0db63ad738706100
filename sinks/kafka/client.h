/* SPDX-License-Identifier: MIT */
/* A librdkafka producer: made from the sink's options, and ended with nothing left behind. */
#ifndef FFFA_SINKS_KAFKA_CLIENT_H
#define FFFA_SINKS_KAFKA_CLIENT_H

#include <librdkafka/rdkafka.h>

#include "agent/base/err.h"
#include "sinks/kafka/kafka.h"

struct fffa_kafka_client {
	rd_kafka_t *rk; /* NULL: there is none */
	rd_kafka_topic_t *topic;
	rd_kafka_queue_t *queue;
	size_t message_bytes; /* the most in one message, its key and headers included */
	size_t wire_bytes;    /* the most that librdkafka sends to a partition in one go */
};

/* Tries brokers and properties on a configuration that nobody uses. 0 or -EINVAL with err. */
int fffa_kafka__client_check(const struct fffa_sink_kafka_conf *c, struct fffa_err *err);

/*
 * Makes a producer and its threads; connects to nobody yet. Reads the files that properties name.
 * wire_bytes: 0, or a bound below the configured ones. Writes 8 bytes to wake_fd (an eventfd,
 * non-blocking) when its queue has something after it was empty. Any thread. On failure -errno with
 * err, and *out has no rk.
 */
int fffa_kafka__client_open(const struct fffa_sink_kafka_conf *c, size_t wire_bytes, int wake_fd,
			    struct fffa_kafka_client *out, struct fffa_err *err);

/*
 * Takes back every message, hands each report to on_report, and ends all threads. Blocks: for the worker
 * pool. Afterwards nothing of librdkafka looks at a message's bytes or at wake_fd. c->rk may be
 * NULL.
 */
void fffa_kafka__client_close(struct fffa_kafka_client *c,
			      void (*on_report)(void *arg, const rd_kafka_message_t *m), void *arg);

#endif
