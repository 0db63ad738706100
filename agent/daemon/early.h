/* SPDX-License-Identifier: MIT */
/*
 * Records that are due before the host's identity is known: a window that is full, or a flow table
 * that is. They are kept aside, so that they leave with the identity. Loop thread only.
 */
#ifndef FFFA_AGENT_DAEMON_EARLY_H
#define FFFA_AGENT_DAEMON_EARLY_H

#include <stdbool.h>
#include <stddef.h>

#include "agent/flow/record.h"

#define FFFA_EARLY_MAX 16384 /* some 4 MB, for the seconds of the wait only */

struct fffa_early {
	struct fffa_record *v; /* zeroed: nothing is kept */
	size_t n, room;
};

/* Copies r, before enrichment. False: no room or no memory, r is the caller's to pass on as it is. */
bool fffa_early_keep(struct fffa_early *e, const struct fffa_record *r);

/* Hands all over to fn, in the order in which they came, and frees what was held. */
void fffa_early_release(struct fffa_early *e, fffa_record_fn fn, void *arg);

#endif
