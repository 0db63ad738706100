// SPDX-License-Identifier: MIT
#include "agent/flow/skipdata.h"

void fffa_skipdata_emit(struct fffa_skipdata *s, struct fffa_ledger *l, int64_t now_ms,
			uint32_t ifindex, fffa_record_fn fn, void *arg)
{
	for (int why = 0; why < FFFA_PL_MAX; why++) {
		struct fffa_amount lost = l->lost[why];
		struct fffa_record rc = {
			.key.ifindex = ifindex,
			.start_ms = s->since_ms,
			.end_ms = now_ms,
			.status = FFFA_STATUS_SKIPDATA,
			.lost_packets = lost.packets - s->reported[why].packets,
			.lost_bytes = lost.bytes - s->reported[why].bytes,
			.lost_reason = fffa_ledger_packet_loss_name((enum fffa_packet_loss)why),
		};

		if (!rc.lost_packets)
			continue;
		s->reported[why] = lost;
		l->skipdata_records++;
		fn(arg, &rc);
	}
	if (l->no_tunnel_id != s->reported_no_tunnel_id) {
		struct fffa_record rc = {
			.key.ifindex = ifindex,
			.start_ms = s->since_ms,
			.end_ms = now_ms,
			.status = FFFA_STATUS_SKIPDATA,
			.lost_reason = FFFA_SKIPDATA_NO_TUNNEL_ID,
		};

		s->reported_no_tunnel_id = l->no_tunnel_id;
		l->skipdata_records++;
		fn(arg, &rc);
	}
	s->since_ms = now_ms;
}
