/* SPDX-License-Identifier: MIT */
/* The identity of the host and its captured devices at one time. Immutable. */
#ifndef FFFA_AGENT_ENRICH_SNAPSHOT_H
#define FFFA_AGENT_ENRICH_SNAPSHOT_H

#include <stddef.h>
#include <stdint.h>

#include "agent/enrich/device.h"
#include "agent/enrich/ecs/ecs_parse.h"
#include "agent/enrich/fixed_ifaces.h"
#include "agent/enrich/imds/imds_data.h"
#include "agent/enrich/static_ident.h"
#include "agent/flow/ident.h"
#include "agent/flow/record.h"

#define FFFA_SNAPSHOT_RESOLVERS_MAX 64

struct fffa_snapshot_device {
	struct fffa_ident ident;
	const struct fffa_imds_iface *iface; /* of the snapshot; NULL: nobody knows it */
};

struct fffa_snapshot {
	struct fffa_snapshot *next; /* for the owner's list */
	struct fffa_ident_host host;
	struct fffa_ident other;	/* of every device that is not known */
	struct fffa_imds_iface *ifaces; /* in the same allocation, behind devices */
	size_t iface_count;		/* of IMDS; then those with an entry in the configuration */
	const struct fffa_fixed_ifaces *of_capture; /* a replay: devices has an element for each */
	uint8_t resolvers[FFFA_SNAPSHOT_RESOLVERS_MAX][16];
	size_t resolver_count;
	size_t n;
	struct fffa_snapshot_device devices[]; /* by ifindex, ascending */
};

struct fffa_snapshot_inputs {
	const struct fffa_static_ident *fixed;
	/* The only device that may have the interface_id of fixed; 0: each. */
	uint32_t fixed_ifindex;
	const struct fffa_fixed_ifaces
		*fixed_ifaces;		   /* NULL: none. Borrowed by the snapshot, too */
	bool of_capture;		   /* packets have no device; devices is empty */
	const struct fffa_imds_data *imds; /* NULL: nothing learned */
	const struct fffa_ecs_data *task;  /* NULL: none, or nothing learned */
	const char *machine_id;
	const char *host_name;	     /* NULL or empty: not known */
	const char *container_id;    /* NULL or empty: none */
	const char *dmi_instance_id; /* used until IMDS names one; may be empty */
	const struct fffa_device *devices;
	size_t n;
};

/* Borrows the other inputs for the call. NULL without memory. Free with free(). */
struct fffa_snapshot *fffa_snapshot_new(const struct fffa_snapshot_inputs *p);

/*
 * Sets r->ident by r->key.ifindex, borrowed from s, and r->traffic_path: 1 (another resource of the
 * same VPC) for egress outside tunnels of an interface whose VPC is known, else 0.
 */
void fffa_snapshot_enrich(const struct fffa_snapshot *s, struct fffa_record *r);

/* The identity of a device; never NULL. */
const struct fffa_ident *fffa_snapshot_find(const struct fffa_snapshot *s, uint32_t ifindex);

#endif
