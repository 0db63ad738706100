/* SPDX-License-Identifier: MIT */
/* The records of a batch in the order of their slots. A slot is five minutes, as in AWS. */
#ifndef FFFA_SINKS_FILE_AWS_AWS_SLOTS_H
#define FFFA_SINKS_FILE_AWS_AWS_SLOTS_H

#include "sinks/batch.h"

#define FFFA_AWS_SLOT_S 300

struct fffa_aws_slots {
	int64_t slot; /* of all records, if rows is NULL */
	struct fffa_aws_slots_row {
		int64_t slot;
		uint32_t record;
	} * rows;
};

/* The number of the slot that time_ms (Unix) lies in: whole FFFA_AWS_SLOT_S since 1970. */
int64_t fffa_aws_slots_at(int64_t time_ms);

/* Allocates only if b has records of several slots. 0 or -ENOMEM; fini is allowed either way. */
int fffa_aws_slots_init(struct fffa_aws_slots *s, const struct fffa_batch *b);
void fffa_aws_slots_fini(struct fffa_aws_slots *s);

/* Which record of the batch is the i-th in the order of slots, and its slot. */
static inline uint32_t fffa_aws_slots_record(const struct fffa_aws_slots *s, uint32_t i)
{
	return s->rows ? s->rows[i].record : i;
}

static inline int64_t fffa_aws_slots_slot(const struct fffa_aws_slots *s, uint32_t i)
{
	return s->rows ? s->rows[i].slot : s->slot;
}

#endif
