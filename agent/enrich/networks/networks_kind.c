// SPDX-License-Identifier: MIT
#include "agent/enrich/networks/networks_kind.h"

#include <string.h>

/*
 * Path 1 is also the way through a resource with an interface in the VPC: a NAT gateway, a transit
 * gateway's attachment, an interface endpoint. An internet gateway is 8 on Nitro, else 2.
 */
static const struct {
	const char *word;
	uint8_t path;
	bool local;
	const char *type;
} kinds[] = {
	{"local", 1, true, NULL},
	{"nat", 1, false, "nat_gateway"},
	{"tgw", 1, false, "transit_gateway"},
	{"endpoint", 1, false, "vpc_endpoint"},
	{"nlb", 1, false, "network_load_balancer"},
	{"igw", 8, false, NULL},
	{"vgw", 3, false, NULL},
	{"peering", 4, false, NULL},
	{"inter_region_peering", 5, false, NULL},
	{"local_gateway", 6, false, NULL},
	{"lgw", 6, false, NULL},
	{"gateway_endpoint", 7, false, NULL},
};

bool fffa_networks_kind_set(const char *word, struct fffa_network *n)
{
	if (word[0] >= '1' && word[0] <= '8' && !word[1]) {
		n->traffic_path = (uint8_t)(word[0] - '0');
		return true;
	}
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(kinds[i].word, word) != 0)
			continue;
		n->traffic_path = kinds[i].path;
		n->local = kinds[i].local;
		n->next_hop_type = kinds[i].type;
		return true;
	}
	return false;
}
