// SPDX-License-Identifier: MIT
#include "sinks/kafka/slot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sinks/kafka/judge.h"

#define BITS 28
_Static_assert(sizeof(void *) == 8, "a pointer holds the opaque");
_Static_assert(FFFA_KAFKA_RECORDS_MAX >> BITS == 1,
	       "BITS is the binary logarithm of FFFA_KAFKA_RECORDS_MAX");

void *fffa_kafka__slot_pack(struct fffa_kafka_opaque m)
{
	return (void *)((uintptr_t)m.slot << 2 * BITS | (uintptr_t)m.first << BITS | m.n);
}

struct fffa_kafka_opaque fffa_kafka__slot_unpack(const void *opaque)
{
	uintptr_t p = (uintptr_t)opaque;
	uintptr_t mask = FFFA_KAFKA_RECORDS_MAX - 1;

	return (struct fffa_kafka_opaque){
		.slot = (uint32_t)(p >> 2 * BITS),
		.first = (uint32_t)(p >> BITS & mask),
		.n = (uint32_t)(p & mask),
	};
}

int fffa_kafka__slot_begin(struct fffa_kafka_slot *s, struct fffa_delivery *d)
{
	uint32_t n = fffa_batch_count(fffa_delivery_batch(d));

	if (n >= FFFA_KAFKA_RECORDS_MAX)
		return -E2BIG;
	if (n > s->room) {
		uint8_t *p = realloc(s->verdicts, n);

		if (!p)
			return -ENOMEM;
		s->verdicts = p;
		s->room = n;
	}
	if (n)
		memset(s->verdicts, FFFA_V_NONE, n);
	memset(s->tally, 0, sizeof(s->tally));
	s->d = d;
	s->count = n;
	s->next = 0;
	s->reported = 0;
	s->err = RD_KAFKA_RESP_ERR_NO_ERROR;
	return 0;
}

void fffa_kafka__slot_settle(struct fffa_kafka_slot *s, uint32_t first, uint32_t n,
			     enum fffa_verdict v, rd_kafka_resp_err_t err)
{
	memset(s->verdicts + first, (int)v, n);
	s->tally[v] += n;
	s->reported += n;
	if (v != FFFA_V_DELIVERED && !s->err)
		s->err = err;
}

void fffa_kafka__slot_settle_rest(struct fffa_kafka_slot *s, enum fffa_verdict v,
				  rd_kafka_resp_err_t err)
{
	for (uint32_t i = 0; i < s->count && s->reported < s->count; i++) {
		if (s->verdicts[i] == FFFA_V_NONE)
			fffa_kafka__slot_settle(s, i, 1, v, err);
	}
}

void fffa_kafka__slot_outcome(const struct fffa_kafka_slot *s, struct fffa_outcome *o)
{
	*o = (struct fffa_outcome){.verdict = FFFA_V_RETRY};
	if (s->tally[FFFA_V_DELIVERED] == s->count) {
		o->verdict = FFFA_V_DELIVERED;
		return;
	}
	o->cause = fffa_kafka__judge(s->err).cause;
	o->records = s->verdicts;
	for (int v = FFFA_V_RETRY; v <= FFFA_V_LAST; v++) {
		if (s->tally[v] != s->count)
			continue;
		o->verdict = (enum fffa_verdict)v;
		o->records = NULL;
	}
}
