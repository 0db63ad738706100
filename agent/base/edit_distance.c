// SPDX-License-Identifier: MIT
#include "agent/base/edit_distance.h"

#include "agent/base/minmax.h"

size_t fffa_edit_distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t rows[3][FFFA_EDIT_DISTANCE_BYTES_MAX + 1];
	size_t *before = rows[0], *previous = rows[1], *current = rows[2], *freed;

	a_len = fffa_min_size(a_len, FFFA_EDIT_DISTANCE_BYTES_MAX);
	b_len = fffa_min_size(b_len, FFFA_EDIT_DISTANCE_BYTES_MAX);
	for (size_t j = 0; j <= b_len; j++)
		before[j] = previous[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		current[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			current[j] = fffa_min_size(fffa_min_size(current[j - 1], previous[j]) + 1,
						   previous[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				current[j] = fffa_min_size(current[j], before[j - 2] + 1);
		}
		freed = before;
		before = previous;
		previous = current;
		current = freed;
	}
	return previous[b_len];
}
