/* SPDX-License-Identifier: MIT */
/* Nested prefixes -> ranges side by side, each with the service of the longest prefix. Only for ip_table.c. */
#ifndef FFFA_AGENT_ENRICH_SERVICES_IP_FLATTEN_H
#define FFFA_AGENT_ENRICH_SERVICES_IP_FLATTEN_H

#include "agent/enrich/services/ip_table.h"

typedef unsigned __int128 fffa_ip_number; /* an address, IPv4 in its mapped form */

struct fffa_ip_range {
	fffa_ip_number start; /* it ends where the next one starts */
	uint8_t service;
};

/*
 * Ascending, neighbours of different services; IPv4 always has a range that begins with it; before the first, and in ranges of FFFA_AWS_NONE, lies nobody.
 * Addresses that are nobody's by their kind are cut out, and so is all of IPv4 out of prefixes of IPv6. *out is the
 * caller's to free. 0 or -ENOMEM.
 */
int fffa_ip_flatten(const struct fffa_ip_prefix *v, size_t n, struct fffa_ip_range **out,
		    size_t *count);

#endif
