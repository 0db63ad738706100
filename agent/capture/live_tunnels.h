/* SPDX-License-Identifier: MIT */
/* Takes back the ids of tunnels whose last flow is over. */
#ifndef FFFA_AGENT_CAPTURE_LIVE_TUNNELS_H
#define FFFA_AGENT_CAPTURE_LIVE_TUNNELS_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/capture/kernel/kernel.h"

/* Zero it before the first use. */
struct fffa_live_tunnels {
	uint8_t stage[FFFA_TUNNELS_MAX + 1];
	uint32_t end; /* ids from here on were never given out */
};

/*
 * Call it after each drain, when all of it and the ring have been handed over. used: whether a flow
 * or a record has this id. Retires the ids without a flow and releases them some drains later; a
 * bounded number each time.
 */
void fffa_live_tunnels_turn(struct fffa_live_tunnels *t, struct fffa_kernel *k,
			    bool (*used)(void *arg, uint16_t id), void *arg);

#endif
