/* SPDX-License-Identifier: MIT */
/*
 * What IMDS answered in one round. An empty string or list is absent. The sizes are those
 * of agent/flow/ident.h.
 */
#ifndef FFFA_AGENT_ENRICH_IMDS_IMDS_DATA_H
#define FFFA_AGENT_ENRICH_IMDS_IMDS_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/cidr.h"
#include "agent/flow/ident.h"

#define FFFA_IMDS_IFACES_MAX 64 /* more than any instance type has */
#define FFFA_IMDS_LIST_MAX   64 /* AWS allows 50 addresses of a family, and 50 CIDRs of a VPC */

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
	bool unusable; /* there was an answer, but nothing in it could be read */
	struct fffa_cidr v[FFFA_IMDS_LIST_MAX];
};

/* The answers below network/interfaces/macs/MAC/. */
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

/* Large: not for the stack of a thread. */
struct fffa_imds_data {
	struct fffa_imds_host host;
	size_t n;
	struct fffa_imds_iface ifaces[FFFA_IMDS_IFACES_MAX]; /* only n are set */
};

/* The interface with this MAC; NULL: there is none. */
const struct fffa_imds_iface *fffa_imds_data_find(const struct fffa_imds_data *d,
						  const uint8_t mac[6]);

/*
 * Fills what d lacks from old. The facts of an instance or an interface do not change while
 * it lives, so a missing value was not read. Lists do change: one is taken from old only when
 * its answer could not be read. Tags stay as they are in d, and interfaces that only old has
 * stay away.
 */
void fffa_imds_data_fill(struct fffa_imds_data *d, const struct fffa_imds_data *old);

/* Copies what is set. */
void fffa_imds_data_copy(struct fffa_imds_data *to, const struct fffa_imds_data *from);

#endif
