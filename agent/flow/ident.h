/* SPDX-License-Identifier: MIT */
/*
 * Who the host and its interfaces are, as AWS names them. Empty string: not known (written as "-"
 * or left out). Values come from outside: the reader of the metadata admits only printable ASCII
 * without spaces, quotes and backslashes, so encoders copy them as they are.
 */
#ifndef FFFA_AGENT_FLOW_IDENT_H
#define FFFA_AGENT_FLOW_IDENT_H

#include <stdint.h>

struct fffa_ident_host {
	char agent_id[64]; /* instance id, else machine id */
	char account_id[16];
	char instance_id[32];
	char region[32];
	char az[40];	/* zone name: us-east-1a */
	char az_id[24]; /* zone id: use1-az4 */
};

struct fffa_ident {
	const struct fffa_ident_host *host; /* never NULL */
	uint32_t ifindex;
	char ifname[16];
	uint8_t mac[6];
	char interface_id[32]; /* eni-... */
	char subnet_id[32];
	char vpc_id[32];
	char owner_id[16]; /* account that owns the interface; empty: the host's account */
};

#endif
