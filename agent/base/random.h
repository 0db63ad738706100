/* SPDX-License-Identifier: MIT */
/*
 * Cheap random numbers to spread load with; no secret depends on them. The caller owns the state,
 * which is never 0. Source of the generator: Marsaglia, "Xorshift RNGs" (2003).
 */
#ifndef FFFA_AGENT_BASE_RANDOM_H
#define FFFA_AGENT_BASE_RANDOM_H

#include <stdint.h>
#include <sys/random.h>

#include "agent/base/clock.h"

/* A first state: from the kernel, or from the clock where that would block early in a boot. */
static inline uint64_t fffa_random_seed(void)
{
	uint64_t seed = 0;

	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != (ssize_t)sizeof(seed))
		seed = fffa_clock_mono_ns(&fffa_clock_system);
	return seed ? seed : 1;
}

/* The next number, 1 to 2^64 - 1; it is the new state, too. */
static inline uint64_t fffa_random_next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

#endif
