/* SPDX-License-Identifier: MIT */
/* Turns nested prefixes into ranges side by side, each with the value of its longest prefix. */
#ifndef FFFA_AGENT_ENRICH_SERVICES_IP_FLATTEN_H
#define FFFA_AGENT_ENRICH_SERVICES_IP_FLATTEN_H

#include <stdbool.h>

#include "agent/enrich/services/ip_table.h"

typedef unsigned __int128 fffa_ip_number; /* an address, IPv4 in its mapped form */

struct fffa_ip_range {
	fffa_ip_number start; /* it ends where the next one starts */
	uint16_t value;
};

/*
 * The ranges ascend, and neighbours have different values. One range begins where IPv4 begins.
 * What lies before the first range, or in one of value 0, has none. IPv4 is cut out of prefixes of
 * IPv6. With services, private and other special addresses are cut out, too, and of equal prefixes
 * the more specific service counts; else the greater value. Free *out with free(). 0 or -ENOMEM.
 */
int fffa_ip_flatten(const struct fffa_ip_prefix *v, size_t n, bool services,
		    struct fffa_ip_range **out, size_t *count);

#endif
