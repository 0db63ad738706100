/* SPDX-License-Identifier: MIT */
/*
 * A slot holds one delivery from submit until all its records have a verdict. The loop thread uses
 * it, or the worker that ends the producer, never both at once.
 */
#ifndef FFFA_SINKS_KAFKA_SLOT_H
#define FFFA_SINKS_KAFKA_SLOT_H

#include <librdkafka/rdkafka.h>

#include "sinks/sink.h"

struct fffa_kafka_slot {
	struct fffa_delivery *d;
	uint32_t count;	   /* records */
	uint32_t next;	   /* first record that is in no message yet */
	uint32_t reported; /* records that have a verdict; the delivery is over when it is count */
	uint32_t tally[FFFA_V_LAST + 1];
	rd_kafka_resp_err_t err; /* of the first record that was not delivered */
	uint8_t *verdicts;	 /* one per record; the next delivery reuses the memory */
	uint32_t room;		 /* number of verdicts that fit */
};

/* Takes d. 0, or -errno with nothing taken. */
int fffa_kafka__slot_begin(struct fffa_kafka_slot *s, struct fffa_delivery *d);

/* Gives records first..first+n-1 their verdict; err says why unless it is DELIVERED. */
void fffa_kafka__slot_settle(struct fffa_kafka_slot *s, uint32_t first, uint32_t n,
			     enum fffa_verdict v, rd_kafka_resp_err_t err);

/* Gives the verdict to all records that have none. */
void fffa_kafka__slot_settle_rest(struct fffa_kafka_slot *s, enum fffa_verdict v,
				  rd_kafka_resp_err_t err);

/*
 * Writes the outcome of a slot in which every record has a verdict. o->records points into
 * the slot.
 */
void fffa_kafka__slot_outcome(const struct fffa_kafka_slot *s, struct fffa_outcome *o);

/* What a message carries through librdkafka as its opaque pointer: its slot and its records. */
struct fffa_kafka_opaque {
	uint32_t slot; /* < 256 */
	uint32_t first, n;
};
#define FFFA_KAFKA_RECORDS_MAX (1u << 28) /* records of a batch that the pointer can count */

void *fffa_kafka__slot_pack(struct fffa_kafka_opaque m);
struct fffa_kafka_opaque fffa_kafka__slot_unpack(const void *opaque);

#endif
