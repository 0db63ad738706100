// SPDX-License-Identifier: MIT
#include "agent/base/histogram.h"

#define US UINT64_C(1000)
#define MS UINT64_C(1000000)
#define S  UINT64_C(1000000000)

static const uint64_t bounds_ns[FFFA_HISTOGRAM_BOUNDS] = {
	100 * US, 250 * US, 500 * US, 1 * MS, 5 * MS / 2, 5 * MS, 10 * MS, 25 * MS, 50 * MS,
	100 * MS, 250 * MS, 500 * MS, 1 * S,  5 * S / 2,  5 * S,  10 * S,  30 * S,  60 * S,
};

void fffa_histogram_observe_ns(struct fffa_histogram *h, uint64_t ns)
{
	unsigned int low = 0, high = FFFA_HISTOGRAM_BOUNDS;

	while (low < high) {
		unsigned int mid = (low + high) / 2;

		if (ns <= bounds_ns[mid])
			high = mid;
		else
			low = mid + 1;
	}
	h->buckets[low]++;
	h->count++;
	h->sum_ns += ns;
}

uint64_t fffa_histogram_bound_ns(unsigned int i)
{
	return bounds_ns[i];
}
