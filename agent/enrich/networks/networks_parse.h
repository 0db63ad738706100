/* SPDX-License-Identifier: MIT */
/*
 * Reader of metadata.networks: CSV (RFC 4180) with the columns cidr, name, account_id, vpc_id,
 * subnet_id, az_id and kind. Pure. A first line that begins with "cidr" gives the columns in another
 * order. Empty lines and lines that begin with # are passed over; columns at the end may be absent.
 */
#ifndef FFFA_AGENT_ENRICH_NETWORKS_NETWORKS_PARSE_H
#define FFFA_AGENT_ENRICH_NETWORKS_NETWORKS_PARSE_H

#include <stddef.h>

#include "agent/base/err.h"
#include "agent/flow/network.h"

#define FFFA_NETWORKS_BYTES_MAX	     (16 * 1024 * 1024)
#define FFFA_NETWORKS_LINE_BYTES_MAX 1024
#define FFFA_NETWORKS_MAX	     65535

struct fffa_ip_table;

struct fffa_networks {
	struct fffa_ip_table *table; /* the value is the index in v and one more */
	struct fffa_network *v;
	size_t n;
};

/*
 * 0 with *out, to be freed with fffa_networks_parse_free; -EINVAL, -EFBIG, -E2BIG or -ENOMEM with
 * err, which names the line.
 */
int fffa_networks_parse(const char *text, size_t len, struct fffa_networks **out,
			struct fffa_err *err);

/* NULL is allowed. */
void fffa_networks_parse_free(struct fffa_networks *n);

#endif
