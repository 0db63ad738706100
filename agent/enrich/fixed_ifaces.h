/* SPDX-License-Identifier: MIT */
/* The entries of metadata.interfaces: what IMDS would say of a device. They win over IMDS. */
#ifndef FFFA_AGENT_ENRICH_FIXED_IFACES_H
#define FFFA_AGENT_ENRICH_FIXED_IFACES_H

#include <stddef.h>
#include <stdint.h>

#include "agent/base/err.h"
#include "agent/enrich/imds/imds_data.h"
#include "config/option.h"

struct fffa_fixed_iface {
	char device[65]; /* name or glob */
	struct fffa_imds_iface facts;
};

struct fffa_fixed_ifaces {
	struct fffa_fixed_iface *v;
	size_t n;
};

/*
 * Reads the pairs of the configuration into *out. 0; -EINVAL with err for a value that cannot be
 * read; -ENOMEM. Free with fffa_fixed_ifaces_fini, also after a failure.
 */
int fffa_fixed_ifaces_read(const struct fffa_pairs *pairs, struct fffa_fixed_ifaces *out,
			   struct fffa_err *err);
void fffa_fixed_ifaces_fini(struct fffa_fixed_ifaces *f);

/* The entry of a device, by its name before by a glob (fnmatch); NULL: there is none. */
const struct fffa_fixed_iface *fffa_fixed_ifaces_find(const struct fffa_fixed_ifaces *f,
						      const char *device);

/*
 * The index of the entry that a packet of a capture belongs to, by its address at the interface's
 * end: the one that lists it, else the one with it in a subnet, else the only one, else "*". -1: none.
 */
int fffa_fixed_ifaces_of_address(const struct fffa_fixed_ifaces *f, const uint8_t addr[16]);

/* Replaces in *to what the entry says. */
void fffa_fixed_ifaces_overlay(const struct fffa_fixed_iface *f, struct fffa_imds_iface *to);

#endif
