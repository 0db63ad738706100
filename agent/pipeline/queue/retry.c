// SPDX-License-Identifier: MIT
#include "agent/pipeline/queue/retry.h"

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* min * 2^times, at most max; without overflow. */
static uint64_t doubled(uint64_t min, uint64_t max, unsigned int times)
{
	if (times > 63 || min > max >> times)
		return max;
	return min << times;
}

uint64_t fffa_retry_delay_ns(const struct fffa_retry *r, unsigned int fails, uint64_t hint_ns,
			     uint32_t random)
{
	uint64_t high = doubled(r->min_ns, r->max_ns, fails);
	uint64_t low = high / 2 > r->min_ns ? high / 2 : least(r->min_ns, high);
	uint64_t delay = low + (uint64_t)((double)(high - low) * ((double)random / UINT32_MAX));
	uint64_t hint = least(hint_ns, FFFA_RETRY_HINT_MAX_NS);

	return delay > hint ? delay : hint;
}

bool fffa_retry_gives_up(const struct fffa_retry *r, uint64_t first_ns, uint64_t now_ns)
{
	return r->give_up_ns && now_ns - first_ns >= r->give_up_ns;
}

uint64_t fffa_retry_clip_ns(const struct fffa_retry *r, uint64_t first_ns, uint64_t now_ns,
			    uint64_t delay_ns)
{
	uint64_t gone = now_ns - first_ns;

	if (!r->give_up_ns)
		return delay_ns;
	return gone >= r->give_up_ns ? 0 : least(delay_ns, r->give_up_ns - gone);
}
