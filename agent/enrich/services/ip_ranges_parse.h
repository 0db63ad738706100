/* SPDX-License-Identifier: MIT */
/* Pure reader of AWS's ip-ranges.json. Source: AWS General Reference, "AWS IP address ranges". */
#ifndef FFFA_AGENT_ENRICH_SERVICES_IP_RANGES_PARSE_H
#define FFFA_AGENT_ENRICH_SERVICES_IP_RANGES_PARSE_H

#include "agent/base/err.h"
#include "agent/enrich/services/ip_table.h"

#define FFFA_IP_RANGES_BYTES_MAX (16 * 1024 * 1024) /* the file has about 2.5 MB */

struct fffa_ip_ranges_facts {
	size_t prefixes;  /* IPv4 and IPv6 together */
	size_t rejected;  /* entries that are none */
	char created[32]; /* createDate; empty: not there */
};

/*
 * 0 and *out, the caller's; facts are set. -EFBIG, -E2BIG, -ENOMEM; -EINVAL with err: no JSON, not this kind of file, or no
 * prefix in it that is one. Entries that are no prefix of a service are passed over and counted.
 */
int fffa_ip_ranges_parse(const char *text, size_t len, struct fffa_ip_table **out,
			 struct fffa_ip_ranges_facts *facts, struct fffa_err *err);

#endif
