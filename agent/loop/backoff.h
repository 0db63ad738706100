/* SPDX-License-Identifier: MIT */
/* How long to wait before the next try: doubles from min to max, with jitter, so that a fleet
 * spreads out. */
#ifndef FFFA_AGENT_LOOP_BACKOFF_H
#define FFFA_AGENT_LOOP_BACKOFF_H

#include <stdint.h>

struct fffa_backoff {
	uint64_t min_ns;
	uint64_t max_ns;
	uint64_t step_ns; /* upper bound of the next wait */
	uint64_t random;  /* state of the generator, never 0 */
};

/* 0 < min_ns <= max_ns. seed: any value; 0 takes one from the kernel. */
void fffa_backoff_init(struct fffa_backoff *b, uint64_t min_ns, uint64_t max_ns, uint64_t seed);

/* The next wait: between half of the step and the whole step, never below min_ns / 2 nor above
 * max_ns. */
uint64_t fffa_backoff_next_ns(struct fffa_backoff *b);

/* After a success: begin at min_ns again. */
void fffa_backoff_reset(struct fffa_backoff *b);

#endif
