// SPDX-License-Identifier: MIT
#include "agent/loop/backoff.h"

#include <stddef.h>
#include <uv.h>

/* A small xorshift generator: this needs spread, not secrecy. */
static uint64_t draw(struct fffa_backoff *b)
{
	uint64_t x = b->random;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	b->random = x;
	return x;
}

void fffa_backoff_init(struct fffa_backoff *b, uint64_t min_ns, uint64_t max_ns, uint64_t seed)
{
	*b = (struct fffa_backoff){.min_ns = min_ns, .max_ns = max_ns, .step_ns = min_ns};
	b->random = seed;
	if (!seed && uv_random(NULL, NULL, &b->random, sizeof(b->random), 0, NULL) != 0)
		b->random = uv_hrtime();
	if (!b->random)
		b->random = 1; /* the generator has one fixed point */
}

uint64_t fffa_backoff_next_ns(struct fffa_backoff *b)
{
	uint64_t half = b->step_ns / 2;
	uint64_t wait = half + draw(b) % (b->step_ns - half + 1);

	b->step_ns = b->step_ns > b->max_ns / 2 ? b->max_ns : b->step_ns * 2;
	return wait;
}

void fffa_backoff_reset(struct fffa_backoff *b)
{
	b->step_ns = b->min_ns;
}
