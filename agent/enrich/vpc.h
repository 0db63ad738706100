/* SPDX-License-Identifier: MIT */
/* What an address is in the VPC of an interface, by the prefixes of that VPC. Pure. */
#ifndef FFFA_AGENT_ENRICH_VPC_H
#define FFFA_AGENT_ENRICH_VPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/enrich/imds/imds_data.h"

/*
 * True when addr can be another resource of the VPC of i: it lies in one of the prefixes of the VPC
 * and AWS does not reserve it. AWS reserves the first four addresses and the last one of the
 * interface's own subnet, and the resolver at each VPC prefix plus two. Source: AWS VPC User Guide,
 * "Subnet sizing".
 */
bool fffa_vpc_holds(const struct fffa_imds_iface *i, const uint8_t addr[16]);

/*
 * Adds to out[0..n) the addresses at which Amazon's resolver may answer in this VPC, each IPv4
 * prefix plus two, unless out has them. Returns the new n, at most cap. Source: AWS VPC User
 * Guide, "Amazon DNS server".
 */
size_t fffa_vpc_add_resolvers(const struct fffa_imds_iface *i, uint8_t (*out)[16], size_t n,
			      size_t cap);

/*
 * The same for the router of the interface's subnet, at each IPv4 prefix plus one. Source: AWS VPC
 * User Guide, "Subnet sizing".
 */
size_t fffa_vpc_add_routers(const struct fffa_imds_iface *i, uint8_t (*out)[16], size_t n,
			    size_t cap);

#endif
