// SPDX-License-Identifier: MIT
#include "agent/loop/backoff.h"

#include "agent/base/random.h"

uint64_t fffa_backoff_step_ns(uint64_t min_ns, uint64_t max_ns, unsigned int doublings)
{
	if (doublings > 63 || min_ns > max_ns >> doublings)
		return max_ns;
	return min_ns << doublings;
}

uint64_t fffa_backoff_between_ns(uint64_t low_ns, uint64_t high_ns, uint32_t random)
{
	unsigned __int128 span = high_ns - low_ns;

	return low_ns + (uint64_t)(span * random / UINT32_MAX);
}

void fffa_backoff_init(struct fffa_backoff *b, uint64_t min_ns, uint64_t max_ns, uint64_t seed)
{
	*b = (struct fffa_backoff){
		.min_ns = min_ns,
		.max_ns = max_ns,
		.random = seed ? seed : fffa_random_seed(),
	};
}

uint64_t fffa_backoff_next_ns(struct fffa_backoff *b)
{
	uint64_t step = fffa_backoff_step_ns(b->min_ns, b->max_ns, b->fails);

	if (b->fails < UINT32_MAX)
		b->fails++;
	return fffa_backoff_between_ns(step / 2, step,
				       (uint32_t)(fffa_random_next(&b->random) >> 32));
}

void fffa_backoff_reset(struct fffa_backoff *b)
{
	b->fails = 0;
}
