// SPDX-License-Identifier: MIT
#include "agent/pipeline/queue/retry.h"

#include "agent/base/minmax.h"
#include "agent/loop/backoff.h"

uint64_t fffa_retry_delay_ns(const struct fffa_retry *r, unsigned int fails, uint64_t hint_ns,
			     uint32_t random)
{
	uint64_t high = fffa_backoff_step_ns(r->min_ns, r->max_ns, fails);
	uint64_t low = fffa_max_u64(high / 2, fffa_min_u64(r->min_ns, high));
	uint64_t hint = fffa_min_u64(hint_ns, FFFA_RETRY_HINT_MAX_NS);

	return fffa_max_u64(fffa_backoff_between_ns(low, high, random), hint);
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
	return gone >= r->give_up_ns ? 0 : fffa_min_u64(delay_ns, r->give_up_ns - gone);
}
