/* SPDX-License-Identifier: MIT */
/* When to try again: arithmetic only, time and chance are arguments. */
#ifndef FFFA_AGENT_PIPELINE_QUEUE_RETRY_H
#define FFFA_AGENT_PIPELINE_QUEUE_RETRY_H

#include <stdbool.h>
#include <stdint.h>

/* A sink that asks for a longer wait than this is not believed. */
#define FFFA_RETRY_HINT_MAX_NS (UINT64_C(3600) * 1000000000)

struct fffa_retry {
	uint64_t min_ns;
	uint64_t max_ns;     /* >= min_ns */
	uint64_t give_up_ns; /* since a delivery's first failure; 0: never */
};

/*
 * The wait after the fails-th failure in a row (from 1): drawn by random from [min, 2 min], then
 * [2 min, 4 min] and so on, never above max. A hint (0: none) is the least wait, also above max.
 */
uint64_t fffa_retry_delay_ns(const struct fffa_retry *r, unsigned int fails, uint64_t hint_ns,
			     uint32_t random);

/* True when a delivery that failed first at first_ns and again at now_ns is not to be tried again.
 */
bool fffa_retry_gives_up(const struct fffa_retry *r, uint64_t first_ns, uint64_t now_ns);

/* Shortens delay_ns so that the last try is made when the delivery would be given up, not after. */
uint64_t fffa_retry_clip_ns(const struct fffa_retry *r, uint64_t first_ns, uint64_t now_ns,
			    uint64_t delay_ns);

#endif
