/* SPDX-License-Identifier: MIT */
/* What must hold for every frame that the parser accepts. */
#ifndef FFFA_TESTS_FUZZ_CAPTURE_FRAME_CHECKS_H
#define FFFA_TESTS_FUZZ_CAPTURE_FRAME_CHECKS_H

#include <stdlib.h>
#include <string.h>

#include "agent/capture/replay/frame.h"
#include "bpf/segments.h"

static inline void require(bool holds)
{
	if (!holds)
		abort();
}

static inline bool has_ports(uint8_t proto)
{
	return proto == FFFA_IPPROTO_TCP || proto == FFFA_IPPROTO_UDP ||
	       proto == FFFA_IPPROTO_UDPLITE || proto == FFFA_IPPROTO_SCTP ||
	       proto == FFFA_IPPROTO_DCCP;
}

static inline void check_packet(const struct fffa_packet *p, size_t captured, size_t wire)
{
	require(p->packets == 1); /* a capture knows no segments */
	require(p->bytes == p->l3_bytes && p->bytes >= 20 && p->bytes <= wire);
	if (has_ports(p->key.proto)) /* others may begin behind what was captured */
		require(!p->l4_offset || p->l4_offset + UINT32_C(4) <= captured);
	require(p->key.tunnel == 0 && p->key.ifindex == 0);
	require(!(p->key.view & ~(FFFA_VIEW_EGRESS | FFFA_VIEW_IPV6)));
	if (!has_ports(p->key.proto) || !p->l4_offset)
		require(p->key.sport == 0);
	if (p->key.proto != FFFA_IPPROTO_TCP)
		require(p->flags == 0);
	require(!(p->flags & ~(0xff | FFFA_F_SYNACK)));
	require(!!(p->flags & FFFA_F_SYNACK) == ((p->flags & 0x12) == 0x12));
	require(p->l4_offset <= wire);
}

static inline void check_tunnel(const struct fffa_packet *p, const struct fffa_tunnel *t,
				bool tunnelled)
{
	if (!tunnelled) {
		require(p->cookie == 0);
		return;
	}
	require(t->type == FFFA_TUNNEL_GENEVE || t->type == FFFA_TUNNEL_VXLAN);
	require(t->vni <= 0xffffff);
	require(t->pad0 == 0 && !(t->view & ~FFFA_VIEW_IPV6)); /* compared whole */
	require((t->has & FFFA_TUNNEL_HAS_GWLBE) || t->gwlbe_id == 0);
	require((t->has & FFFA_TUNNEL_HAS_ATTACHMENT) || t->attachment_id == 0);
	require((t->has & FFFA_TUNNEL_HAS_COOKIE) || p->cookie == 0);
}

/* The same frame as the kernel would hand it over, in segments: nothing behind the packet is read. */
static inline void check_segments(const uint8_t *bytes, size_t size, const struct fffa_packet *p)
{
	struct fffa_frame f = {.gso_bytes = 100};

	if (p->l3_end > size)
		return;
	for (f.gso_segs = 0; f.gso_segs < 4; f.gso_segs++) {
		struct fffa_packet super = *p;

		fffa_count_segments(&f, &super);
		fffa_segments_count(bytes, &f, &super);
		require(super.packets >= 1 && super.bytes >= p->bytes);
		require(super.header_bytes >= p->header_bytes);
		if (super.header_bytes > p->header_bytes)
			require(super.header_bytes < p->l3_bytes);
		require(super.bytes - p->bytes ==
			(uint64_t)(super.packets - 1) * super.header_bytes);
	}
}

/* Parses a copy that ends where the frame ends, so that the sanitizer sees a read behind it. */
static inline void check_frame(const struct fffa_frame_conf *c, const uint8_t *bytes, size_t size,
			       size_t wire)
{
	uint8_t *copy = malloc(size ? size : 1);
	struct fffa_packet p = {0};
	struct fffa_tunnel t;
	bool tunnelled = true;
	enum fffa_parse r;

	require(copy != NULL);
	memcpy(copy, bytes, size);
	memset(&t, 0xa5, sizeof(t));
	r = fffa_frame_parse(c, copy, size, wire, &p, &t, &tunnelled);
	require(r <= FFFA_PARSE_TRUNCATED);
	if (r == FFFA_PARSE_OK) {
		check_packet(&p, size, wire);
		check_tunnel(&p, &t, tunnelled);
		check_segments(copy, size, &p);
	} else {
		require(!tunnelled);
	}
	free(copy);
}

#endif
