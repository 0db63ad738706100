// SPDX-License-Identifier: MIT
#include "sinks/file/aws/aws_sort.h"

#include <errno.h>
#include <stdlib.h>

#include "sinks/file/aws/aws_names.h"

static int order(const void *pa, const void *pb)
{
	const struct fffa_slots_row *a = pa, *b = pb;

	if (a->slot != b->slot)
		return a->slot < b->slot ? -1 : 1;
	return a->record < b->record ? -1 : 1; /* as they came */
}

int fffa_file__slots_init(struct fffa_slots *s, const struct fffa_batch *b)
{
	uint32_t n = fffa_batch_count(b), same = 0;

	s->rows = NULL;
	s->slot = n ? fffa_file__aws_slot(fffa_batch_mark(b, 0).time_ms) : 0;
	while (same < n && fffa_file__aws_slot(fffa_batch_mark(b, same).time_ms) == s->slot)
		same++;
	if (same == n)
		return 0;
	s->rows = malloc(n * sizeof(*s->rows));
	if (!s->rows)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++)
		s->rows[i] = (struct fffa_slots_row){
			.slot = fffa_file__aws_slot(fffa_batch_mark(b, i).time_ms), .record = i};
	qsort(s->rows, n, sizeof(*s->rows), order);
	return 0;
}

void fffa_file__slots_fini(struct fffa_slots *s)
{
	free(s->rows);
	s->rows = NULL;
}
