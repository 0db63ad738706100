/* SPDX-License-Identifier: MIT */
/* When to try again. Pure: the caller passes the time and the random number. */
#ifndef FFFA_AGENT_PIPELINE_QUEUE_RETRY_H
#define FFFA_AGENT_PIPELINE_QUEUE_RETRY_H

#include <stdbool.h>
#include <stdint.h>

/* A hint for a longer wait than this is cut to it. */
#define FFFA_RETRY_HINT_MAX_NS (UINT64_C(3600) * 1000000000)

struct fffa_retry {
	uint64_t min_ns;
	uint64_t max_ns;     /* >= min_ns */
	uint64_t give_up_ns; /* gives up so long after a delivery's first failure; 0: never */
};

/*
 * The wait after the fails-th failure in a row (from 1). random picks it from [min, 2 min] after
 * the first, [2 min, 4 min] after the second and so on, never above max. The wait is at least
 * hint_ns (0: no hint), even where that is above max.
 */
uint64_t fffa_retry_delay_ns(const struct fffa_retry *r, unsigned int fails, uint64_t hint_ns,
			     uint32_t random);

/* True when a delivery that failed first at first_ns and again at now_ns must be given up. */
bool fffa_retry_gives_up(const struct fffa_retry *r, uint64_t first_ns, uint64_t now_ns);

/* Shortens delay_ns so that the last try is made when give_up_ns ends, not later. */
uint64_t fffa_retry_clip_ns(const struct fffa_retry *r, uint64_t first_ns, uint64_t now_ns,
			    uint64_t delay_ns);

#endif
