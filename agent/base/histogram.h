/* SPDX-License-Identifier: MIT */
/*
 * Counts how long something took, in fixed buckets from 100 us to 60 s, as Prometheus reads them.
 * A zeroed struct is an empty histogram. It owns nothing. Only its owner's thread uses it.
 */
#ifndef FFFA_AGENT_BASE_HISTOGRAM_H
#define FFFA_AGENT_BASE_HISTOGRAM_H

#include <stdint.h>

#define FFFA_HISTOGRAM_BOUNDS 18 /* finite upper bounds; the last bucket has none */

struct fffa_histogram {
	uint64_t buckets[FFFA_HISTOGRAM_BOUNDS + 1]; /* not cumulative */
	uint64_t count;
	uint64_t sum_ns;
};

/* Counts one duration in the first bucket whose bound is not below it. */
void fffa_histogram_observe_ns(struct fffa_histogram *h, uint64_t ns);

/* The upper bound of bucket i < FFFA_HISTOGRAM_BOUNDS. */
uint64_t fffa_histogram_bound_ns(unsigned int i);

#endif
