// SPDX-License-Identifier: MIT
#include "sinks/file/aws/aws_slots.h"

#include <errno.h>
#include <stdlib.h>

int64_t fffa_aws_slots_at(int64_t time_ms)
{
	return time_ms < 0 ? 0 : time_ms / (FFFA_AWS_SLOT_S * INT64_C(1000));
}

static int compare_rows(const void *pa, const void *pb)
{
	const struct fffa_aws_slots_row *a = pa, *b = pb;

	if (a->slot != b->slot)
		return a->slot < b->slot ? -1 : 1;
	return a->record < b->record ? -1 : 1; /* in the order of the batch */
}

int fffa_aws_slots_init(struct fffa_aws_slots *s, const struct fffa_batch *b)
{
	uint32_t n = fffa_batch_count(b), same = 0;

	s->rows = NULL;
	s->slot = n ? fffa_aws_slots_at(fffa_batch_record_info(b, 0).time_ms) : 0;
	while (same < n && fffa_aws_slots_at(fffa_batch_record_info(b, same).time_ms) == s->slot)
		same++;
	if (same == n)
		return 0;
	s->rows = malloc(n * sizeof(*s->rows));
	if (!s->rows)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++)
		s->rows[i] = (struct fffa_aws_slots_row){
			.slot = fffa_aws_slots_at(fffa_batch_record_info(b, i).time_ms),
			.record = i};
	qsort(s->rows, n, sizeof(*s->rows), compare_rows);
	return 0;
}

void fffa_aws_slots_fini(struct fffa_aws_slots *s)
{
	free(s->rows);
	s->rows = NULL;
}
