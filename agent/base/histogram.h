/* SPDX-License-Identifier: MIT */
/*
 * How long something took, counted in fixed buckets from 100 us to 60 s as Prometheus reads them.
 * All zero is an empty histogram; it never grows and owns nothing. One thread, the owner's.
 */
#ifndef FFFA_AGENT_BASE_HISTOGRAM_H
#define FFFA_AGENT_BASE_HISTOGRAM_H

#include <stdint.h>

#define FFFA_HISTOGRAM_BOUNDS 18 /* finite upper bounds; one bucket more for what is longer */

struct fffa_histogram {
	uint64_t buckets[FFFA_HISTOGRAM_BOUNDS + 1]; /* each on its own, not cumulative */
	uint64_t count;
	uint64_t sum_ns;
};

/* Counts one duration in the first bucket whose bound is not below it. */
void fffa_histogram_observe_ns(struct fffa_histogram *h, uint64_t ns);

/* The upper bound of bucket i < FFFA_HISTOGRAM_BOUNDS. */
uint64_t fffa_histogram_bound_ns(unsigned int i);

#endif
