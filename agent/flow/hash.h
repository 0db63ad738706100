/* SPDX-License-Identifier: MIT */
/* What both directions of a connection have in common, as one number. Pure. */
#ifndef FFFA_AGENT_FLOW_HASH_H
#define FFFA_AGENT_FLOW_HASH_H

#include <stdint.h>

#include "bpf/abi.h"

/*
 * The same when source and destination are swapped; the same on every host and in every run, so that
 * both ends of a connection agree. Of protocol, addresses and ports (not the type and code of ICMP:
 * question and answer belong together); not of device, hook or tunnel. Spreads well, does not
 * withstand an attacker.
 */
uint64_t fffa_flow_hash(const struct fffa_key *k);

#endif
