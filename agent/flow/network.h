/* SPDX-License-Identifier: MIT */
/* A network that the configuration names (metadata.networks), and what was sent between two. */
#ifndef FFFA_AGENT_FLOW_NETWORK_H
#define FFFA_AGENT_FLOW_NETWORK_H

#include <stdbool.h>
#include <stdint.h>

#define FFFA_NETWORK_NAME_BYTES 64

/* An empty text is not known. All but name have the characters of an identity (ident.h). */
struct fffa_network {
	char name[FFFA_NETWORK_NAME_BYTES]; /* UTF-8 without control characters */
	char az_id[24];
	char subnet_id[32];
	char vpc_id[32];
	char account_id[16];
	/* What its kind says of the way to it; AWS numbers the paths 1 to 8, 0: nothing. */
	uint8_t traffic_path;
	bool local;		   /* of the same VPC, so its own interfaces are the next hop */
	const char *next_hop_type; /* static; NULL: nothing */
};

/* The bytes of the records of one pair of networks in one direction. */
struct fffa_network_series {
	char src_network[FFFA_NETWORK_NAME_BYTES];
	char dst_network[FFFA_NETWORK_NAME_BYTES];
	char src_az_id[24];
	char dst_az_id[24];
	bool egress;
	uint64_t bytes;
};

#endif
