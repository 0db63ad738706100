/* SPDX-License-Identifier: MIT */
/* What the files of this folder share: the sink itself. */
#ifndef FFFA_SINKS_KAFKA_KAFKA_INTERNAL_H
#define FFFA_SINKS_KAFKA_KAFKA_INTERNAL_H

#include <stdbool.h>
#include <uv.h>

#include "agent/loop/backoff.h"
#include "sinks/kafka/client.h"
#include "sinks/kafka/kafka.h"
#include "sinks/kafka/slot.h"

#define FFFA_KAFKA_SLOTS 64 /* bits of a mask; 8 bits of a message's mark */

enum fffa_kafka_phase {
	FFFA_KAFKA_NEW,
	FFFA_KAFKA_UP,	   /* there is a producer; the loop has it */
	FFFA_KAFKA_ENDING, /* a worker has the producer and the slots */
	FFFA_KAFKA_DOWN,   /* there is none; the timer makes the next */
	FFFA_KAFKA_MAKING, /* a worker makes one */
	FFFA_KAFKA_OVER,   /* handles are being closed */
};

struct fffa_sink {
	const struct fffa_sink_env *env;
	const struct fffa_sink_kafka_conf *conf;
	uv_poll_t wake;	  /* of wake_fd: librdkafka's queue has something, or kick was called */
	uv_timer_t timer; /* UP: no confirmation for long; DOWN: the next producer is due */
	uv_work_t work;
	int wake_fd;
	unsigned int handles; /* that must close before the end */
	enum fffa_kafka_phase phase;
	bool refused; /* submit said -EAGAIN: ready is due */
	bool closing;
	void (*closed)(void *arg);
	void *closed_arg;

	struct fffa_kafka_client client;
	size_t wire_bytes; /* learned from what brokers refused; 0: nothing */
	bool strip;	   /* records are lines: a message of one goes without its newline */
	struct fffa_backoff backoff;
	uint64_t made_ns; /* when the producer was made */
	struct fffa_err make_err;

	struct fffa_kafka_slot slots[FFFA_KAFKA_SLOTS];
	uint64_t open;	     /* bit set of slots that hold a delivery */
	int filling;	     /* slot that has records without a message; -1: none */
	unsigned int budget; /* messages that may still be made in this turn */
	uint64_t heard_ms;   /* loop time of the last confirmation, or of the first delivery */

	bool fatal;		     /* the producer is of no use any more */
	bool too_big;		     /* brokers refuse what librdkafka makes of several messages */
	rd_kafka_resp_err_t trouble; /* what was said last of the connection; 0: nothing is wrong */
	char last_error[256];
	int end_cause; /* why the producer is ended, for the deliveries that it leaves */
	char end_why[320];
	uint64_t remade; /* producers after the first */
};

/* events.c: handles what the producer's queue holds, a bounded part of it. True: there may be more. */
bool fffa_kafka__events_drain(struct fffa_sink *s);
/* One delivery report; the loop, or the worker that ends the producer (arg: the sink). */
void fffa_kafka__events_on_report(void *arg, const rd_kafka_message_t *m);

/* produce.c: goes on making messages of the slot in filling as far as there is room and budget. */
void fffa_kafka__produce_more(struct fffa_sink *s);
/* Runs the sink's turn on the loop again, soon. */
void fffa_kafka__produce_wake(const struct fffa_sink *s);

#endif
