/* SPDX-License-Identifier: MIT */
/*
 * The value of an address: that of the longest prefix that contains it, such as an AWS service. The
 * table is immutable: sorted ranges that do not overlap, and for IPv4 an index by the upper bits
 * of an address.
 */
#ifndef FFFA_AGENT_ENRICH_SERVICES_IP_TABLE_H
#define FFFA_AGENT_ENRICH_SERVICES_IP_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "agent/base/cidr.h"

struct fffa_ip_prefix {
	struct fffa_cidr cidr; /* the bits beyond the prefix are 0 */
	uint16_t value;
};

struct fffa_ip_table;

#define FFFA_IP_PREFIXES_MAX (1024 * 1024) /* the file has about 10 000 */

/*
 * A table of n prefixes of AWS services, borrowed for the call, in *out. The more specific service of equal
 * prefixes counts (fffa_aws_service_better). Private, link-local, loopback and shared
 * (100.64.0.0/10) addresses have no service, whatever the prefixes say. 0, -E2BIG or -ENOMEM.
 * Free with fffa_ip_table_free.
 */
int fffa_ip_table_new(const struct fffa_ip_prefix *v, size_t n, struct fffa_ip_table **out);

/*
 * The same for prefixes of any addresses with any values: all count, and of equal prefixes the
 * greater value.
 */
int fffa_ip_table_new_plain(const struct fffa_ip_prefix *v, size_t n, struct fffa_ip_table **out);

/* NULL is allowed. */
void fffa_ip_table_free(struct fffa_ip_table *t);

/* The value of addr, IPv4 in its mapped form; 0 (FFFA_AWS_NONE): it has none. */
uint16_t fffa_ip_table_find(const struct fffa_ip_table *t, const uint8_t addr[16]);

#endif
