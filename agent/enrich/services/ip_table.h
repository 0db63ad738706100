/* SPDX-License-Identifier: MIT */
/*
 * Which AWS service an address belongs to: the longest prefix that holds it. Flat and immutable: prefixes become
 * ranges that do not overlap, sorted; IPv4 is found through an index by the upper bits of the address.
 */
#ifndef FFFA_AGENT_ENRICH_SERVICES_IP_TABLE_H
#define FFFA_AGENT_ENRICH_SERVICES_IP_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "agent/base/cidr.h"

struct fffa_ip_prefix {
	struct fffa_cidr cidr; /* without bits behind the prefix */
	uint8_t service;
};

struct fffa_ip_table;

#define FFFA_IP_PREFIXES_MAX (1024 * 1024) /* the file has about 10 000 */

/*
 * Of equal prefixes the more specific service counts (fffa_aws_service_better). Private, link-local, loopback and
 * shared (100.64.0.0/10) addresses belong to none, whatever the prefixes say. Borrows v for the call. 0; -E2BIG; -ENOMEM.
 * Free with fffa_ip_table_free.
 */
int fffa_ip_table_new(const struct fffa_ip_prefix *v, size_t n, struct fffa_ip_table **out);

/* NULL is allowed. */
void fffa_ip_table_free(struct fffa_ip_table *t);

/* Number of the service that addr (v4-mapped when IPv4) belongs to; FFFA_AWS_NONE. */
uint8_t fffa_ip_table_find(const struct fffa_ip_table *t, const uint8_t addr[16]);

#endif
