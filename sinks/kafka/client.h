/* SPDX-License-Identifier: MIT */
/* A librdkafka producer: created from the sink's options, destroyed with nothing left behind. */
#ifndef FFFA_SINKS_KAFKA_CLIENT_H
#define FFFA_SINKS_KAFKA_CLIENT_H

#include <librdkafka/rdkafka.h>

#include "agent/base/err.h"
#include "sinks/kafka/kafka.h"

struct fffa_kafka_client {
	rd_kafka_t *rk; /* NULL: no producer */
	rd_kafka_topic_t *topic;
	rd_kafka_queue_t *queue;
	size_t message_bytes; /* largest message, with its key and headers */
	size_t wire_bytes;    /* most bytes that librdkafka sends to a partition in one request */
};

/* Checks brokers and properties with librdkafka. 0, or -EINVAL or -ENOMEM with err. */
int fffa_kafka__client_check(const struct fffa_sink_kafka_conf *c, struct fffa_err *err);
/* The same, and what librdkafka needs of this host; as fffa_sink_ops.probe. Connects to nobody. */
int fffa_kafka__client_probe(const struct fffa_sink_kafka_conf *c, struct fffa_err *err);

/*
 * Another number when one of the files that properties name (ssl.ca.location, ...) is another one or
 * has other contents; 0: there are none. Asks the disk: not for the loop.
 */
uint64_t fffa_kafka__client_files(const struct fffa_sink_kafka_conf *c);

/*
 * Creates a producer and its threads. It does not connect yet. Reads the files that properties
 * name. wire_bytes: 0, or a bound below the configured ones. librdkafka writes 8 bytes to wake_fd
 * (a non-blocking eventfd) when its empty queue gets an event. May be called on any thread. 0 and
 * the producer in *out, which fffa_kafka__client_close ends; or -errno with err and out->rk NULL.
 */
int fffa_kafka__client_open(const struct fffa_sink_kafka_conf *c, size_t wire_bytes, int wake_fd,
			    struct fffa_kafka_client *out, struct fffa_err *err);

/*
 * Takes back every message, passes each delivery report to on_report, and ends librdkafka's
 * threads. What is on its way to a broker is taken back after wait_ms: it may arrive all the same,
 * and sending it again repeats it. Blocks, so it runs on a worker thread. Afterwards librdkafka
 * uses neither the bytes of a message nor wake_fd. c->rk may be NULL.
 */
void fffa_kafka__client_close(struct fffa_kafka_client *c, uint32_t wait_ms,
			      void (*on_report)(void *arg, const rd_kafka_message_t *m), void *arg);

#endif
