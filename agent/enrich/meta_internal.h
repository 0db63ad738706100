/* SPDX-License-Identifier: MIT */
/* Inside the metadata reader; for meta*.c alone. */
#ifndef FFFA_AGENT_ENRICH_META_INTERNAL_H
#define FFFA_AGENT_ENRICH_META_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "agent/enrich/dmi.h"
#include "agent/enrich/imds/imds.h"
#include "agent/enrich/imds/imds_endpoint.h"
#include "agent/enrich/meta.h"
#include "agent/enrich/meta_sources.h"
#include "agent/enrich/snapshot.h"
#include "agent/enrich/static_ident.h"

#define FFFA_META_TAG "metadata"

enum fffa_meta_state { FFFA_META_FIRST, FFFA_META_KNOWN, FFFA_META_FAILING };

struct fffa_meta {
	struct fffa_imds *imds; /* NULL: not asked */
	struct fffa_meta_sources sources;
	enum fffa_meta_state state;
	enum fffa_imds_error last_error; /* since the last whole round */
	struct fffa_static_ident fixed;
	struct fffa_fixed_ifaces fixed_ifaces;
	uint32_t fixed_ifindex; /* the device that has the interface_id of fixed; 0: each */
	bool fixed_logged;	/* that there are others */
	bool of_capture;
	struct fffa_dmi dmi;
	char machine_id[64];
	char container_id[16];
	uint64_t timeout_ns;   /* of one request */
	bool hop_limit_logged; /* the log has named the command */
	char endpoint[FFFA_IMDS_ENDPOINT_MAX_BYTES];
	bool in_container;
	char *tag_keys[FFFA_IMDS_TAG_KEYS_MAX]; /* NULL: none */
	const struct fffa_imds_data *learned;	/* the client's or inherited; NULL: nothing yet */
	struct fffa_imds_data *inherited;	/* see fffa_meta_change */
	uint64_t errors_before[FFFA_IE_MAX + FFFA_META_FILES]; /* of those that were replaced */
	struct fffa_meta *successor;			       /* NULL: none is asking */
	struct fffa_meta **place;			       /* of a successor: where it goes */
	uint64_t learned_ns;				       /* uv_hrtime() */
	struct fffa_device *devices;
	size_t device_count;

	struct fffa_snapshot *snapshot; /* never NULL */
	struct fffa_snapshot *retired;	/* borrowed until the loop has turned */
	unsigned int prepares;
	uv_prepare_t prepare;

	uv_timer_t wait_timer;
	void (*settled)(void *arg);
	void *settled_arg;

	unsigned int open_children;
	void (*closed)(void *arg);
	void *closed_arg;
};

/* Makes the snapshot anew from what is known. Without memory the snapshot before stays. */
void fffa_meta__renew_snapshot(struct fffa_meta *m);
/* Calls settled once in ms; replaces fffa_meta_wait. */
void fffa_meta__wait_ms(struct fffa_meta *m, uint64_t ms, void (*settled)(void *arg), void *arg);
/* True when a failure looks like a hop limit that is too low, until the log has said so. */
bool fffa_meta__is_hop_limit(const struct fffa_meta *m, const struct fffa_imds_failure *f);

/* Logs that IMDS fails, and what helps. */
void fffa_meta__log_failing(struct fffa_meta *m, const struct fffa_imds_failure *f);

#endif
