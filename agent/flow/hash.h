/* SPDX-License-Identifier: MIT */
/* One number that both directions of a connection share. Pure. */
#ifndef FFFA_AGENT_FLOW_HASH_H
#define FFFA_AGENT_FLOW_HASH_H

#include <stdint.h>

#include "bpf/abi.h"

/*
 * Swapping source and destination does not change it. It is the same on every host and in every
 * run, so that both ends of a connection agree. Made of protocol, addresses and ports; not of ICMP
 * type and code (question and answer belong together), device, hook or tunnel. Spreads well, but an
 * attacker can make keys collide.
 */
uint64_t fffa_flow_hash(const struct fffa_key *k);

#endif
