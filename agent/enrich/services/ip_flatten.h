/* SPDX-License-Identifier: MIT */
/* Turns nested prefixes into ranges side by side, each with the service of its longest prefix. */
#ifndef FFFA_AGENT_ENRICH_SERVICES_IP_FLATTEN_H
#define FFFA_AGENT_ENRICH_SERVICES_IP_FLATTEN_H

#include "agent/enrich/services/ip_table.h"

typedef unsigned __int128 fffa_ip_number; /* an address, IPv4 in its mapped form */

struct fffa_ip_range {
	fffa_ip_number start; /* it ends where the next one starts */
	uint8_t service;
};

/*
 * The ranges ascend, and neighbours have different services. One range begins where IPv4 begins.
 * What lies before the first range, or in one of FFFA_AWS_NONE, has no service. Private and other
 * special addresses are cut out, and IPv4 is cut out of prefixes of IPv6. Free *out with free().
 * 0 or -ENOMEM.
 */
int fffa_ip_flatten(const struct fffa_ip_prefix *v, size_t n, struct fffa_ip_range **out,
		    size_t *count);

#endif
