/* SPDX-License-Identifier: MIT */
/*
 * Records that are due before the host's identity is known, because a window or the flow table is
 * full. They wait here and leave with the identity. Loop thread only.
 */
#ifndef FFFA_AGENT_FLOW_PENDING_RECORDS_H
#define FFFA_AGENT_FLOW_PENDING_RECORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "agent/flow/record.h"

#define FFFA_PENDING_RECORDS_MAX 16384 /* about 4 MB, for the seconds of the wait only */

/* All zero is empty. */
struct fffa_pending_records {
	struct fffa_record *v;
	size_t n, room;
};

/*
 * Copies r, which is not enriched yet. False: no room or no memory; the caller still has to send r.
 */
bool fffa_pending_records_add(struct fffa_pending_records *p, const struct fffa_record *r);

/*
 * Empties p: calls fn for each record in the order in which they came, then frees them. fn may add
 * to p.
 */
void fffa_pending_records_release(struct fffa_pending_records *p, fffa_record_fn fn, void *arg);

#endif
