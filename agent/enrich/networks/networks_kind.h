/* SPDX-License-Identifier: MIT */
/*
 * What the kind of a network says of the way to it. Source: AWS VPC User Guide, "Flow log records",
 * traffic-path and next-hop-interface-type.
 */
#ifndef FFFA_AGENT_ENRICH_NETWORKS_NETWORKS_KIND_H
#define FFFA_AGENT_ENRICH_NETWORKS_NETWORKS_KIND_H

#include "agent/flow/network.h"

/* Sets what the word says in n. False: there is no such kind. */
bool fffa_networks_kind_set(const char *word, struct fffa_network *n);

/* The words, for messages. */
#define FFFA_NETWORKS_KINDS                                                                        \
	"local, nat, tgw, endpoint, nlb, igw, vgw, peering, inter_region_peering, "                \
	"local_gateway, gateway_endpoint, or a traffic-path 1 to 8"

#endif
