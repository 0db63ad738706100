/* SPDX-License-Identifier: MIT */
/* What one round of questions to IMDS gave. Empty string, empty list: absent. Sizes are those of
 * agent/flow/ident.h. */
#ifndef FFFA_AGENT_ENRICH_IMDS_IMDS_DATA_H
#define FFFA_AGENT_ENRICH_IMDS_IMDS_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/cidr.h"
#include "agent/flow/ident.h"

#define FFFA_IMDS_IFACES_MAX 64 /* more than any instance type has */
#define FFFA_IMDS_LIST_MAX                                                                         \
	64 /* addresses of an interface: at most 50 of a family; CIDRs of a VPC: 50 */

struct fffa_imds_host {
	char account_id[16];
	char instance_id[32];
	char region[32];
	char az[40];
	char az_id[24];
	char outpost_id[64];
	struct fffa_ident_tags instance_tags;
};

/* Addresses (bits is 128) or prefixes, in the order in which IMDS names them. */
struct fffa_imds_list {
	uint8_t n;
	bool unusable; /* there was an answer, but nothing in it was of use */
	struct fffa_cidr v[FFFA_IMDS_LIST_MAX];
};

/* Lines of network/interfaces/macs/MAC/. */
struct fffa_imds_iface {
	uint8_t mac[6];
	char interface_id[32];
	char subnet_id[32];
	char vpc_id[32];
	char owner_id[16];
	struct fffa_imds_list ipv4s; /* local-ipv4s: the first one is the primary address */
	struct fffa_imds_list ipv6s;
	struct fffa_imds_list ipv4_prefixes; /* delegated to the interface */
	struct fffa_imds_list ipv6_prefixes;
	struct fffa_imds_list subnet_ipv4;
	struct fffa_imds_list subnet_ipv6;
	struct fffa_imds_list vpc_ipv4;
	struct fffa_imds_list vpc_ipv6;
};

/* Large: not for the stack of a worker. */
struct fffa_imds_data {
	struct fffa_imds_host host;
	size_t n;
	struct fffa_imds_iface ifaces[FFFA_IMDS_IFACES_MAX]; /* those behind n are not to be read */
};

/* NULL when no interface has this MAC. */
const struct fffa_imds_iface *fffa_imds_data_find(const struct fffa_imds_data *d,
						  const uint8_t mac[6]);

/*
 * Fills what d lacks from old: the facts of an instance and of an interface do not change while it
 * lives, so a value that went missing was not read, not revoked. Lists do change: one is kept only
 * when nothing of its answer was of use; tags are as they are in d. Interfaces that only old has
 * stay gone.
 */
void fffa_imds_data_fill(struct fffa_imds_data *d, const struct fffa_imds_data *old);

/* Copies what is in use. */
void fffa_imds_data_copy(struct fffa_imds_data *to, const struct fffa_imds_data *from);

#endif
