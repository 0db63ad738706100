/* SPDX-License-Identifier: MIT */
/*
 * Emits SKIPDATA records for the loss since the last report, so that the stream itself tells
 * it. Pure.
 */
#ifndef FFFA_AGENT_FLOW_SKIPDATA_H
#define FFFA_AGENT_FLOW_SKIPDATA_H

#include "agent/base/ledger.h"
#include "agent/flow/record.h"

/* Zero it, then set since_ms to the start. */
struct fffa_skipdata {
	struct fffa_amount reported[FFFA_PL_MAX];
	uint64_t reported_no_tunnel_id;
	int64_t since_ms; /* Unix; loss up to here has been reported */
};

#define FFFA_SKIPDATA_NO_TUNNEL_ID "no_tunnel_id"

/*
 * Emits one record for each reason whose loss has grown, over [since_ms, now_ms], for device
 * ifindex (0: not one device's loss). One more, FFFA_SKIPDATA_NO_TUNNEL_ID, says that tunnels were
 * recorded as the packets around them; no packet is lost with it, so it has no counts. Counts the
 * records in l->skipdata_records.
 */
void fffa_skipdata_emit(struct fffa_skipdata *s, struct fffa_ledger *l, int64_t now_ms,
			uint32_t ifindex, fffa_record_fn fn, void *arg);

#endif
