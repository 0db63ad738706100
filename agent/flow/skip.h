/* SPDX-License-Identifier: MIT */
/* ledger -> SKIPDATA records: what was lost since it was last told goes into the stream itself. Pure. */
#ifndef FFFA_AGENT_FLOW_SKIP_H
#define FFFA_AGENT_FLOW_SKIP_H

#include "agent/base/ledger.h"
#include "agent/flow/record.h"

/* Zero it, then set since_ms to the start. */
struct fffa_skip {
	struct fffa_amount told[FFFA_PL_MAX];
	int64_t since_ms; /* Unix; loss up to here has been told */
};

/*
 * Emits one record for each reason whose loss has grown, over [since_ms, now_ms], for device ifindex (0: the
 * loss is not that of one device). Counts them in l->skipdata_records.
 */
void fffa_skip_emit(struct fffa_skip *s, struct fffa_ledger *l, int64_t now_ms, uint32_t ifindex,
		    fffa_record_fn fn, void *arg);

#endif
