/* SPDX-License-Identifier: MIT */
/* Tunnel identity <-> small id, for sources that have no kernel table (replay). */
#ifndef FFFA_AGENT_CAPTURE_REPLAY_TUNNELS_H
#define FFFA_AGENT_CAPTURE_REPLAY_TUNNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/abi.h"

struct fffa_tunnels;

/* NULL without memory. Free with fffa_tunnels_free (NULL is allowed). */
struct fffa_tunnels *fffa_tunnels_new(void);
void fffa_tunnels_free(struct fffa_tunnels *t);
/* The id of facts, a new one when it was not seen before; 0 when FFFA_TUNNELS_MAX are given out. */
uint16_t fffa_tunnels_intern(struct fffa_tunnels *t, const struct fffa_tunnel *facts);
/* Takes back the ids that are not used any more. Returns how many. */
size_t fffa_tunnels_reclaim(struct fffa_tunnels *t, bool (*used)(void *arg, uint16_t id),
			    void *arg);
/* NULL for 0 and ids that are not given out. Valid until the id is taken back. */
const struct fffa_tunnel *fffa_tunnels_get(const struct fffa_tunnels *t, uint16_t id);

#endif
