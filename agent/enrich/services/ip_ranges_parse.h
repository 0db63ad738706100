/* SPDX-License-Identifier: MIT */
/* Reader of AWS's ip-ranges.json. Pure. Source: AWS General Reference, "AWS IP address ranges". */
#ifndef FFFA_AGENT_ENRICH_SERVICES_IP_RANGES_PARSE_H
#define FFFA_AGENT_ENRICH_SERVICES_IP_RANGES_PARSE_H

#include "agent/base/err.h"
#include "agent/enrich/services/ip_table.h"

#define FFFA_IP_RANGES_BYTES_MAX (16 * 1024 * 1024) /* the file has about 2.5 MB */

struct fffa_ip_ranges_facts {
	size_t prefixes;  /* IPv4 and IPv6 together */
	size_t rejected;  /* entries that are no prefix of a service */
	char created[32]; /* createDate; empty: absent */
};

/*
 * 0 with a table in *out, to be freed with fffa_ip_table_free, and facts. -EFBIG, -E2BIG,
 * -ENOMEM, or -EINVAL (no JSON, another kind of file, no prefix at all), each with err. Entries
 * that are no prefix of a service are passed over and counted.
 */
int fffa_ip_ranges_parse(const char *text, size_t len, struct fffa_ip_table **out,
			 struct fffa_ip_ranges_facts *facts, struct fffa_err *err);

#endif
