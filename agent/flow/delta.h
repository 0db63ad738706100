/* SPDX-License-Identifier: MIT */
/*
 * The counters of one flow since the last hand-over, from the kernel or a replayed capture. The
 * only type that crosses from capture to flow.
 */
#ifndef FFFA_AGENT_FLOW_DELTA_H
#define FFFA_AGENT_FLOW_DELTA_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/abi.h"

struct fffa_delta {
	struct fffa_key key;
	uint32_t packets;  /* > 0 */
	uint64_t bytes;	   /* IP bytes as on the wire */
	uint64_t first_ns; /* monotonic, see fffa_clock */
	uint64_t last_ns;
	uint32_t cookie; /* AWS flow cookie of a GENEVE flow; valid when the tunnel says so */
	uint16_t flags;	 /* FFFA_F_* */
	/* A packet of a capture, which is seen now whatever its time says. */
	bool seen_now;
	bool untimed; /* its time is not known: first_ns and last_ns are those of its neighbours */
};

/* Called once per delta, on the loop. Borrows d for the call. */
typedef void (*fffa_delta_fn)(void *arg, const struct fffa_delta *d);

#endif
