/* SPDX-License-Identifier: MIT */
/* The identity of the host and its captured devices at one moment. Immutable once made. */
#ifndef FFFA_AGENT_ENRICH_SNAPSHOT_H
#define FFFA_AGENT_ENRICH_SNAPSHOT_H

#include <stddef.h>
#include <stdint.h>

#include "agent/enrich/imds_data.h"
#include "agent/enrich/meta.h"
#include "agent/enrich/static_ident.h"
#include "agent/flow/ident.h"

struct fffa_snapshot {
	struct fffa_snapshot *next; /* for the owner's list */
	struct fffa_ident_host host;
	struct fffa_ident other; /* for a device that is not known */
	size_t n;
	struct fffa_ident idents[]; /* by ifindex, ascending */
};

struct fffa_snapshot_parts {
	const struct fffa_static_ident *fixed;
	const struct fffa_imds_data *imds; /* NULL: nothing learned */
	const char *machine_id;
	const char *dmi_instance_id; /* used until IMDS names one; may be empty */
	const struct fffa_device *devices;
	size_t n;
};

/* NULL: no memory. Borrows the parts for the call; free with free(). */
struct fffa_snapshot *fffa_snapshot_new(const struct fffa_snapshot_parts *parts);

/* Never NULL. */
const struct fffa_ident *fffa_snapshot_find(const struct fffa_snapshot *s, uint32_t ifindex);

#endif
