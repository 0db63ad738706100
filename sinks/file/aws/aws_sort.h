/* SPDX-License-Identifier: MIT */
/* The records of a batch in the order of their slots; nothing is allocated when there is only one. */
#ifndef FFFA_SINKS_FILE_AWS_AWS_SORT_H
#define FFFA_SINKS_FILE_AWS_AWS_SORT_H

#include "sinks/batch.h"

struct fffa_slots {
	int64_t slot; /* of all, without rows */
	struct fffa_slots_row {
		int64_t slot;
		uint32_t record;
	} * rows;
};

/* 0 or -ENOMEM; fini is allowed either way. */
int fffa_file__slots_init(struct fffa_slots *s, const struct fffa_batch *b);
void fffa_file__slots_fini(struct fffa_slots *s);

static inline uint32_t fffa_file__slots_record(const struct fffa_slots *s, uint32_t i)
{
	return s->rows ? s->rows[i].record : i;
}

static inline int64_t fffa_file__slots_slot(const struct fffa_slots *s, uint32_t i)
{
	return s->rows ? s->rows[i].slot : s->slot;
}

#endif
