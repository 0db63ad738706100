/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Reads tunnel identity and inner packet from a UDP payload: GENEVE (RFC 8926) with the options
 * of AWS Gateway Load Balancer, VXLAN (RFC 7348). Compiles for the kernel and for the host,
 * like parse.h.
 */
#ifndef FFFA_BPF_TUNNEL_H
#define FFFA_BPF_TUNNEL_H

#include "bpf/parse.h"

#define FFFA_GENEVE_OPTIONS_MAX 8 /* GWLB sends three; what follows is skipped unread */
#define FFFA_GENEVE_CLASS_AWS	0x0108
#define FFFA_TUNNEL_DEPTH	2 /* VPC Traffic Mirroring through GWLB: VXLAN in GENEVE */

/*
 * Which tunnel a UDP destination port (host order) stands for: FFFA_TUNNEL_*. volatile: in the
 * kernel build the agent writes the ports while packets pass.
 */
static __always_inline __u8 fffa_tunnel_of_port(const volatile __u16 *geneve_ports,
						const volatile __u16 *vxlan_ports, __u16 port)
{
	for (int i = 0; i < FFFA_MAX_TUNNEL_PORTS; i++) {
		if (geneve_ports[i] && geneve_ports[i] == port)
			return FFFA_TUNNEL_GENEVE;
		if (vxlan_ports[i] && vxlan_ports[i] == port)
			return FFFA_TUNNEL_VXLAN;
	}
	return FFFA_TUNNEL_NONE;
}

/* One AWS option. An option of another length than the defined one counts as absent. */
static __always_inline int fffa_geneve_aws(const __u8 *o, const void *end, __u32 value_bytes,
					   struct fffa_tunnel *t, __u32 *cookie)
{
	__u8 type = o[2];

	if (value_bytes == 8 && (type == 1 || type == 2)) {
		__u64 v;

		if ((const void *)(o + 12) > end)
			return FFFA_PARSE_TRUNCATED;
		v = FFFA_BE64(FFFA_LD64(o + 4));
		if (type == 1) {
			t->gwlbe_id = v;
			t->has |= FFFA_TUNNEL_HAS_GWLBE;
		} else {
			t->attachment_id = v;
			t->has |= FFFA_TUNNEL_HAS_ATTACHMENT;
		}
	} else if (value_bytes == 4 && type == 3) {
		if ((const void *)(o + 8) > end)
			return FFFA_PARSE_TRUNCATED;
		*cookie = FFFA_BE32(FFFA_LD32(o + 4));
		t->has |= FFFA_TUNNEL_HAS_COOKIE;
	}
	return FFFA_PARSE_OK;
}

/*
 * The three options as Gateway Load Balancer writes them, one after the other and nothing else:
 * nearly every packet. False: read them one by one.
 */
static __always_inline int fffa_geneve_gwlb(const __u8 *o, const void *end, __u32 options_bytes,
					    struct fffa_tunnel *t, __u32 *cookie)
{
	if (options_bytes != 32 || (const void *)(o + 32) > end)
		return 0;
	if (FFFA_LD32(o) != FFFA_BE32(0x01080102) || FFFA_LD32(o + 12) != FFFA_BE32(0x01080202) ||
	    FFFA_LD32(o + 24) != FFFA_BE32(0x01080301))
		return 0;
	t->gwlbe_id = FFFA_BE64(FFFA_LD64(o + 4));
	t->attachment_id = FFFA_BE64(FFFA_LD64(o + 16));
	*cookie = FFFA_BE32(FFFA_LD32(o + 28));
	t->has = FFFA_TUNNEL_HAS_GWLBE | FFFA_TUNNEL_HAS_ATTACHMENT | FFFA_TUNNEL_HAS_COOKIE;
	return 1;
}

/* Reads the options between off and stop (frame offsets). An option that passes stop is malformed.
 */
static __always_inline int fffa_geneve_options(const void *data, const void *end, __u32 off,
					       __u32 stop, struct fffa_tunnel *t, __u32 *cookie)
{
	for (int i = 0; i < FFFA_GENEVE_OPTIONS_MAX; i++) {
		const __u8 *o;
		__u32 value_bytes;

		if (off >= stop)
			return FFFA_PARSE_OK;
		if (off > FFFA_L3_OFFSET_MAX)
			return FFFA_PARSE_MALFORMED;
		o = data + off;
		if ((const void *)(o + 4) > end)
			return FFFA_PARSE_TRUNCATED;
		value_bytes = (__u32)(o[3] & 0x1f) * 4;
		off += 4 + value_bytes; /* before the branches below, which would split its range */
		if (off > stop)
			return FFFA_PARSE_MALFORMED;
		if (FFFA_BE16(FFFA_LD16(o)) == FFFA_GENEVE_CLASS_AWS) {
			int rc = fffa_geneve_aws(o, end, value_bytes, t, cookie);

			if (rc)
				return rc;
		}
	}
	return FFFA_PARSE_OK;
}

/*
 * Reads the GENEVE header at *offset. Moves *offset to the inner packet and sets *proto to
 * its type.
 */
static __always_inline int fffa_parse_geneve(const void *data, const void *end, __u32 *offset,
					     __u16 *proto, struct fffa_tunnel *t, __u32 *cookie)
{
	const __u8 *b = data + *offset;
	__u32 stop;

	if ((const void *)(b + 8) > end)
		return FFFA_PARSE_TRUNCATED;
	if (b[0] >> 6 != 0 ||
	    b[1] & 0x80) /* another version; a control packet has no payload to hand on */
		return FFFA_PARSE_NOT_IP;
	stop = *offset + 8 + (__u32)(b[0] & 0x3f) * 4;
	*proto = FFFA_BE16(FFFA_LD16(b + 2));
	t->type = FFFA_TUNNEL_GENEVE;
	t->vni = FFFA_BE32(FFFA_LD32(b + 4)) >> 8;
	*offset += 8;
	if (*offset < stop && !fffa_geneve_gwlb(b + 8, end, stop - *offset, t, cookie)) {
		int rc = fffa_geneve_options(data, end, *offset, stop, t, cookie);

		if (rc)
			return rc;
	}
	*offset = stop;
	return FFFA_PARSE_OK;
}

static __always_inline int fffa_parse_vxlan(const void *data, const void *end, __u32 *offset,
					    __u16 *proto, struct fffa_tunnel *t)
{
	const __u8 *b = data + *offset;

	if ((const void *)(b + 8) > end)
		return FFFA_PARSE_TRUNCATED;
	if (!(b[0] & 0x08)) /* no VNI: not VXLAN */
		return FFFA_PARSE_NOT_IP;
	t->type = FFFA_TUNNEL_VXLAN;
	t->vni = FFFA_BE32(FFFA_LD32(b + 4)) >> 8;
	*offset += 8;
	*proto = FFFA_ETH_P_TEB;
	return FFFA_PARSE_OK;
}

/* What the tunnel's header says of the packet inside. */
struct fffa_inside {
	__u32 offset; /* in the frame */
	__u16 proto;  /* ether type, host order; FFFA_ETH_P_TEB: an Ethernet frame */
	__u16 pad0;
	__u32 cookie;
	__u32 step; /* of fffa_link_walk: where the packet inside begins */
};

/* The last word of a tunnel's identity, out of its parts but the view. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define FFFA_TUNNEL_FACTS(t) ((__u64)(t)->vni | (__u64)(t)->type << 32 | (__u64)(t)->has << 40)
#else
#define FFFA_TUNNEL_FACTS(t)                                                                       \
	((__u64)(t)->vni << 32 | (__u64)(t)->type << 24 | (__u64)(t)->has << 16)
#endif

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define FFFA_TUNNEL_HAS_MASK 0x0000ff0000000000ULL
#define FFFA_TUNNEL_VIEW(v)  ((__u64)((v)&FFFA_VIEW_IPV6) << 48) /* the view in it */
#else
#define FFFA_TUNNEL_HAS_MASK 0x0000000000ff0000ULL
#define FFFA_TUNNEL_VIEW(v)  ((__u64)((v)&FFFA_VIEW_IPV6) << 8)
#endif

/*
 * Reads the tunnel header in the UDP packet whose header is at l4_offset. On FFFA_PARSE_OK *t holds
 * the identity but for the addresses, which are the caller's, and *in where to go on; any other
 * result: record the outer packet as it is. *t must be zero on entry.
 */
static __always_inline int fffa_parse_tunnel_header(const void *data, const void *end, __u8 type,
						    __u32 l4_offset, struct fffa_tunnel *t,
						    struct fffa_inside *in)
{
	__u32 off = l4_offset + 8, cookie = 0;
	__u16 proto = 0;
	int rc;

	if (off > FFFA_L3_OFFSET_MAX)
		return FFFA_PARSE_MALFORMED;
	if (type == FFFA_TUNNEL_GENEVE)
		rc = fffa_parse_geneve(data, end, &off, &proto, t, &cookie);
	else
		rc = fffa_parse_vxlan(data, end, &off, &proto, t);
	in->offset = off;
	in->proto = proto;
	in->pad0 = 0;
	in->cookie = cookie;
	return rc;
}

/*
 * Reads the inner Ethernet header, if there is one. in->step is where to walk on. Any result but
 * FFFA_PARSE_OK: record the outer packet as it is.
 */
static __always_inline int fffa_parse_tunnel_link(const void *data, const void *end,
						  struct fffa_inside *in)
{
	__u32 off = in->offset;
	__u16 type = in->proto;
	int rc = FFFA_PARSE_OK;

	if (off > FFFA_L3_OFFSET_MAX)
		return FFFA_PARSE_MALFORMED;
	if (type == FFFA_ETH_P_TEB)
		rc = fffa_parse_eth(data, end, &off, &type);
	in->step = FFFA_LINK(off, type);
	return rc;
}

/*
 * Reads the IP packet inside, at the end of the walk. f->wire_bytes: where the outer packet
 * ends. Any result but FFFA_PARSE_OK: record the outer packet as it is.
 */
static __always_inline int fffa_parse_tunnel_inside(const void *data, const void *end,
						    const struct fffa_frame *f,
						    struct fffa_inside *in,
						    struct fffa_packet *inner)
{
	__u32 step = in->step;
	int rc = fffa_parse_linked(data, end, step, f, inner);

	inner->cookie = in->cookie;
	return rc;
}

#endif
