/* SPDX-License-Identifier: MIT */
/*
 * The traffic that AWS leaves out of its own flow logs (VPC User Guide, flow log
 * limitations). Pure.
 */
#ifndef FFFA_AGENT_FLOW_PARITY_H
#define FFFA_AGENT_FLOW_PARITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/abi.h"

/*
 * True for traffic with the link-local services (metadata, Amazon's resolver at its link-local
 * address, time, Windows activation; IPv4 and fd00:ec2::), for DHCP, and for traffic with one of
 * the n resolvers of the VPC (IPv4 in its mapped form).
 */
bool fffa_parity_leaves_out(const struct fffa_key *k, const uint8_t (*resolvers)[16], size_t n);

#endif
