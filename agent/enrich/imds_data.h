/* SPDX-License-Identifier: MIT */
/* What one round of questions to IMDS gave. Empty string: absent. Sizes are those of
 * agent/flow/ident.h. */
#ifndef FFFA_AGENT_ENRICH_IMDS_DATA_H
#define FFFA_AGENT_ENRICH_IMDS_DATA_H

#include <stddef.h>
#include <stdint.h>

#define FFFA_IMDS_IFACES_MAX 64 /* more than any instance type has */

struct fffa_imds_host {
	char account_id[16];
	char instance_id[32];
	char region[32];
	char az[40];
	char az_id[24];
};

struct fffa_imds_iface {
	uint8_t mac[6];
	char interface_id[32];
	char subnet_id[32];
	char vpc_id[32];
	char owner_id[16];
};

struct fffa_imds_data {
	struct fffa_imds_host host;
	size_t n;
	struct fffa_imds_iface ifaces[FFFA_IMDS_IFACES_MAX];
};

/* NULL when no interface has this MAC. */
const struct fffa_imds_iface *fffa_imds_data_find(const struct fffa_imds_data *d,
						  const uint8_t mac[6]);

/*
 * Fills what d lacks from old: the facts of an instance and of an interface do not change while it
 * lives, so a value that went missing was not read, not revoked. Interfaces that only old has stay
 * gone.
 */
void fffa_imds_data_keep(struct fffa_imds_data *d, const struct fffa_imds_data *old);

#endif
