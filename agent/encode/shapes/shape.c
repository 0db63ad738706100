// SPDX-License-Identifier: MIT
#include <netinet/in.h>
#include <string.h>

#include "agent/encode/shapes/shape_internal.h"

uint8_t *fffa_shape_transport(FFFA_VALUE_ARGS)
{
	switch (r->key.proto) {
	case IPPROTO_ICMP:
		return fffa_text_lit(p, "icmp");
	case IPPROTO_IGMP:
		return fffa_text_lit(p, "igmp");
	case IPPROTO_TCP:
		return fffa_text_lit(p, "tcp");
	case IPPROTO_UDP:
		return fffa_text_lit(p, "udp");
	case IPPROTO_GRE:
		return fffa_text_lit(p, "gre");
	case IPPROTO_ESP:
		return fffa_text_lit(p, "esp");
	case IPPROTO_ICMPV6:
		return fffa_text_lit(p, "ipv6-icmp");
	case IPPROTO_SCTP:
		return fffa_text_lit(p, "sctp");
	default:
		return p;
	}
}

uint8_t *fffa_shape_uid(FFFA_VALUE_ARGS)
{
	p = fffa_value_agent_id(p, r, c);
	if (c->stream[0])
		p = fffa_value_stream(fffa_text_lit(p, "."), r, c);
	*p++ = '-';
	p = fffa_text_u64(p, r->epoch);
	*p++ = '-';
	return fffa_text_u64(p, r->seq);
}

uint8_t *fffa_shape_start_utc(FFFA_VALUE_ARGS)
{
	return fffa_text_utc_ms(p, r->start_ms);
}

uint8_t *fffa_shape_end_utc(FFFA_VALUE_ARGS)
{
	return fffa_text_utc_ms(p, r->end_ms);
}

uint64_t fffa_shape_duration_ms(const struct fffa_record *r, uint64_t most)
{
	uint64_t ms = (uint64_t)r->end_ms - (uint64_t)r->start_ms;

	if (r->end_ms <= r->start_ms)
		return 0;
	return ms < most ? ms : most;
}
