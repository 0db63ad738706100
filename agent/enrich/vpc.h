/* SPDX-License-Identifier: MIT */
/* What the prefixes of an interface's VPC tell of an address. Pure. */
#ifndef FFFA_AGENT_ENRICH_VPC_H
#define FFFA_AGENT_ENRICH_VPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/enrich/imds/imds_data.h"

/*
 * True when addr can be another resource of the VPC of i: inside one of its prefixes, and none of
 * the addresses that AWS keeps for itself (the first four and the last one of the interface's own
 * subnet: router, resolver; the resolver at a VPC prefix plus two). Source: AWS VPC User Guide,
 * "Subnet sizing".
 */
bool fffa_vpc_holds(const struct fffa_imds_iface *i, const uint8_t addr[16]);

/*
 * Adds the addresses at which Amazon's resolver may answer in this VPC (each IPv4 prefix plus two)
 * to out[0..n), those it has not. Returns the new n, at most cap. Source: AWS VPC User Guide,
 * "Amazon DNS server".
 */
size_t fffa_vpc_add_resolvers(const struct fffa_imds_iface *i, uint8_t (*out)[16], size_t n,
			      size_t cap);

#endif
