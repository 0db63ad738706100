/* SPDX-License-Identifier: MIT */
/*
 * How long to wait before the next try. The wait doubles from min to max with each failure in
 * a row, and a random share of it is left out, so that a fleet of agents spreads out.
 * Arithmetic only.
 */
#ifndef FFFA_AGENT_LOOP_BACKOFF_H
#define FFFA_AGENT_LOOP_BACKOFF_H

#include <stdint.h>

/* min_ns doubled so many times, at most max_ns. Does not overflow. */
uint64_t fffa_backoff_step_ns(uint64_t min_ns, uint64_t max_ns, unsigned int doublings);

/* A wait from low_ns (random is 0) to high_ns (UINT32_MAX). low_ns <= high_ns. */
uint64_t fffa_backoff_between_ns(uint64_t low_ns, uint64_t high_ns, uint32_t random);

struct fffa_backoff {
	uint64_t min_ns;
	uint64_t max_ns;
	unsigned int fails; /* in a row */
	uint64_t random;    /* state of the generator, never 0 */
};

/* 0 < min_ns <= max_ns. seed: any value; 0 takes one from the kernel. */
void fffa_backoff_init(struct fffa_backoff *b, uint64_t min_ns, uint64_t max_ns, uint64_t seed);

/*
 * The wait after one more failure: from half of the step to the whole step, which is min_ns at
 * first and never above max_ns.
 */
uint64_t fffa_backoff_next_ns(struct fffa_backoff *b);

/* After a success: begin at min_ns again. */
void fffa_backoff_reset(struct fffa_backoff *b);

#endif
