/* SPDX-License-Identifier: MIT */
/* The sink itself, shared by the files of this folder. */
#ifndef FFFA_SINKS_KAFKA_KAFKA_INTERNAL_H
#define FFFA_SINKS_KAFKA_KAFKA_INTERNAL_H

#include <stdbool.h>
#include <uv.h>

#include "agent/loop/backoff.h"
#include "agent/loop/worker.h"
#include "sinks/kafka/client.h"
#include "sinks/kafka/kafka.h"
#include "sinks/kafka/slot.h"

#define FFFA_KAFKA_SLOTS 64 /* bits of a mask; a message's opaque has 8 bits for it */

enum fffa_kafka_phase {
	FFFA_KAFKA_NEW,
	FFFA_KAFKA_UP,	    /* there is a producer; the loop thread uses it */
	FFFA_KAFKA_ENDING,  /* the worker has the producer and the slots */
	FFFA_KAFKA_DOWN,    /* no producer; the timer starts the next */
	FFFA_KAFKA_MAKING,  /* the worker creates a producer */
	FFFA_KAFKA_CLOSING, /* the handles are being closed */
};

struct fffa_sink {
	const struct fffa_sink_env *env;
	const struct fffa_sink_kafka_conf *conf;
	uv_poll_t wake; /* of wake_fd: librdkafka's queue has events, or produce_wake was called */
	uv_timer_t timer; /* UP: conf->timeout_ns has passed; DOWN: the next producer is due */
	struct fffa_worker *worker; /* makes and ends producers */
	struct fffa_worker_job making, ending;
	int wake_fd;
	unsigned int handles; /* handles that are not closed yet */
	enum fffa_kafka_phase phase;
	bool refused; /* submit returned -EAGAIN, so ready is due */
	bool closing;
	void (*closed)(void *arg);
	void *closed_arg;

	struct fffa_kafka_client client;
	size_t wire_bytes; /* a bound learned from what brokers refused; 0: none */
	bool strip;	   /* records are lines: a message of one record has no newline */
	struct fffa_backoff backoff;
	uint64_t made_ns; /* when the producer was created */
	struct fffa_err make_err;

	struct fffa_kafka_slot slots[FFFA_KAFKA_SLOTS];
	uint64_t open;	      /* bit set: slots that hold a delivery */
	int filling;	      /* slot with records that have no message yet; -1: none */
	unsigned int budget;  /* messages that this turn of the loop may still make */
	uint64_t reported_ms; /* loop time of the last delivery report, or of the first submit */

	bool fatal;   /* the producer cannot be used any more */
	bool too_big; /* brokers refuse a batch that librdkafka made of several messages */
	uint64_t untimed_until_ms; /* of the loop: until then messages have no time of their own */
	rd_kafka_resp_err_t connection_err; /* what was reported last; 0: the connection is good */
	char last_error[256];
	int end_cause; /* why the producer ends, for its open deliveries */
	char end_why[320];
	uint64_t remade; /* producers after the first */

	uv_timer_t look; /* the next look at the files that properties name */
	struct fffa_worker_job looking;
	uint64_t files_made, files_seen,
		files_now; /* of the producer, of the last look, of this one */
	bool renew;	   /* the files are others: takes nothing more until nothing is open */
};

/* Handles a bounded number of the producer's events. True: there may be more. Loop thread. */
bool fffa_kafka__events_drain(struct fffa_sink *s);
/*
 * Handles one delivery report. On the loop, or on the worker that ends the producer. arg: the sink.
 */
void fffa_kafka__events_on_report(void *arg, const rd_kafka_message_t *m);

/* Tells the pipeline that the brokers cannot be reached, or that there is no producer. */
void fffa_kafka__events_trouble(const struct fffa_sink *s, rd_kafka_resp_err_t err,
				const char *detail);

/* Makes messages of the slot `filling` while there is room and budget. */
void fffa_kafka__produce_more(struct fffa_sink *s);
/* Makes the loop run the sink's turn again. */
void fffa_kafka__produce_wake(const struct fffa_sink *s);

#endif
