/* SPDX-License-Identifier: MIT */
/*
 * A slot holds one delivery while messages are made of it and reported. Touched by the loop thread,
 * or by the worker that ends the producer, never by both at once.
 */
#ifndef FFFA_SINKS_KAFKA_SLOT_H
#define FFFA_SINKS_KAFKA_SLOT_H

#include <librdkafka/rdkafka.h>

#include "sinks/sink.h"

struct fffa_kafka_slot {
	struct fffa_delivery *d;
	uint32_t count;	   /* records */
	uint32_t next;	   /* first record that is in no message yet */
	uint32_t reported; /* records that have a verdict; count: all, the delivery is over */
	uint32_t tally[FFFA_V_TOO_BIG + 1];
	rd_kafka_resp_err_t err; /* of the first that was not delivered */
	uint8_t *verdicts;	 /* one per record; kept from delivery to delivery */
	uint32_t room;		 /* of verdicts */
};

/* Takes d. 0, or -errno with nothing taken. */
int fffa_kafka__slot_begin(struct fffa_kafka_slot *s, struct fffa_delivery *d);

/* Records first..first+n-1 have their verdict; err says why when it is not DELIVERED. */
void fffa_kafka__slot_settle(struct fffa_kafka_slot *s, uint32_t first, uint32_t n,
			     enum fffa_verdict v, rd_kafka_resp_err_t err);

/* Gives the verdict to all records that have none. */
void fffa_kafka__slot_settle_rest(struct fffa_kafka_slot *s, enum fffa_verdict v,
				  rd_kafka_resp_err_t err);

/* The outcome of a slot in which all is reported; cause 0 unless delivered is left to the caller.
 * o->records points into the slot. */
void fffa_kafka__slot_outcome(const struct fffa_kafka_slot *s, struct fffa_outcome *o);

/* What a message carries through librdkafka: its slot and its records. */
struct fffa_kafka_opaque {
	uint32_t slot; /* < 256 */
	uint32_t first, n;
};
#define FFFA_KAFKA_RECORDS_MAX (1u << 28) /* of a batch: so many fit into the pointer */

void *fffa_kafka__slot_pack(struct fffa_kafka_opaque m);
struct fffa_kafka_opaque fffa_kafka__slot_unpack(const void *opaque);

#endif
