/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The headers that each segment of a GSO or GRO packet repeats, where the packet is a tunnel that is
 * not opened: all down to the innermost. Reads VXLAN, VXLAN-GPE, GENEVE, GUE and bare IP in UDP on any
 * port, GRE (RFC 2890), IP in IP, MPLS, and one inside another. Compiles for the kernel and for the
 * host, like parse.h.
 */
#ifndef FFFA_BPF_SEGMENTS_H
#define FFFA_BPF_SEGMENTS_H

#include "bpf/parse.h"

#define FFFA_SEGMENTS_DEPTH  12 /* headers walked */
#define FFFA_SEGMENTS_HEADER 16 /* bytes of each header that are read */

#define FFFA_IPPROTO_IPIP 4
#define FFFA_IPPROTO_IPV6 41
#define FFFA_IPPROTO_GRE  47
#define FFFA_IPPROTO_MPLS 137

/*
 * A step of the walk is one of link.h: frame offset and type of a header. The types here are ether
 * types, and IP protocols, which are below 256.
 */
static __always_inline __u32 fffa_segments_ether(__u32 off, __u16 type)
{
	/* A length, not a type: LLC, of which nothing is in segments. */
	return type < FFFA_ETH_P_MIN ? FFFA_LINK_END : FFFA_LINK(off, type);
}

static __always_inline __u32 fffa_segments_of_proto(__u32 off, __u8 proto)
{
	if (proto == FFFA_IPPROTO_IPIP)
		return FFFA_LINK(off, FFFA_ETH_P_IP);
	if (proto == FFFA_IPPROTO_IPV6)
		return FFFA_LINK(off, FFFA_ETH_P_IPV6);
	if (proto == FFFA_IPPROTO_MPLS)
		return FFFA_LINK(off, FFFA_ETH_P_MPLS_UC);
	return FFFA_LINK(off, proto);
}

/*
 * The packet inside must end where the packet around it ends: so a payload that only looks like a
 * packet is not taken for one. Length 0: BIG TCP.
 */
static __always_inline __u32 fffa_segments_ip(const __u8 *b, __u32 off, __u16 type, __u32 l3_end)
{
	__u32 ihl = (__u32)(b[0] & 0x0f) * 4, length;

	if (type == FFFA_ETH_P_IPV6) {
		length = FFFA_BE16(FFFA_LD16(b + 4));
		if (b[0] >> 4 != 6 || (length && off + 40 + length != l3_end))
			return FFFA_LINK_END;
		return fffa_segments_of_proto(off + 40, b[6]);
	}
	length = FFFA_BE16(FFFA_LD16(b + 2));
	if (b[0] >> 4 != 4 || ihl < 20 || (length && off + length != l3_end))
		return FFFA_LINK_END;
	if (FFFA_LD16(b + 6) & FFFA_BE16(0x3fff)) /* a fragment */
		return FFFA_LINK_END;
	return fffa_segments_of_proto(off + ihl, b[9]);
}

static __always_inline __u32 fffa_segments_gre(const __u8 *b, __u32 off)
{
	if (b[0] & 0x4f || b[1] & 0x07) /* routing, or another version */
		return FFFA_LINK_END;
	off += 4 + (b[0] >> 7 & 1) * 4 + (b[0] >> 5 & 1) * 4 + (b[0] >> 4 & 1) * 4;
	return fffa_segments_ether(off, FFFA_BE16(FFFA_LD16(b + 2)));
}

static __always_inline int fffa_segments_is_inside(__u16 type)
{
	return fffa_link_is_ip(type) || type == FFFA_ETH_P_TEB;
}

/* What the UDP header at off may hold, by the first bytes of its payload alone. */
static __always_inline __u32 fffa_segments_udp(const __u8 *b, __u32 off)
{
	const __u8 *t = b + 8;
	__u16 type = FFFA_BE16(FFFA_LD16(t + 2));

	off += 8;
	if (t[0] >> 4 == 4)
		return FFFA_LINK(off, FFFA_ETH_P_IP);
	if (t[0] >> 4 == 6)
		return FFFA_LINK(off, FFFA_ETH_P_IPV6);
	if (t[0] >> 6 == 0 && fffa_segments_is_inside(type)) /* GENEVE */
		return FFFA_LINK(off + 8 + (__u32)(t[0] & 0x3f) * 4, type);
	if (t[0] == 0x0c) { /* VXLAN-GPE */
		type = t[3] == 1 ? FFFA_ETH_P_IP : t[3] == 2 ? FFFA_ETH_P_IPV6 : FFFA_ETH_P_TEB;
		return FFFA_LINK(off + 8, type);
	}
	if (t[0] & 0x08) /* VXLAN */
		return FFFA_LINK(off + 8, FFFA_ETH_P_TEB);
	if (t[0] >> 5 == 0) /* GUE */
		return fffa_segments_of_proto(off + 4 + (__u32)(t[0] & 0x1f) * 4, t[1]);
	return FFFA_LINK_END;
}

/* An extension header of IPv6, or the end. */
static __always_inline __u32 fffa_segments_ext(const __u8 *b, __u32 off, __u8 header)
{
	__u8 how = fffa_ext[header];

	if (!how || (header == 44 && FFFA_LD16(b + 2) & FFFA_BE16(0xfff9)))
		return FFFA_LINK_END;
	off += (b[1] * (how >> 6) + (how >> 4 & 3)) * (how & 15);
	return fffa_segments_of_proto(off, b[0]);
}

static __always_inline __u32 fffa_segments_link(const __u8 *b, __u32 off, __u16 type)
{
	__u32 s = fffa_link_step(b, b + FFFA_SEGMENTS_HEADER, 0, type);

	if (s & (FFFA_LINK_END | FFFA_LINK_TRUNCATED))
		return FFFA_LINK_END;
	return fffa_segments_ether(off + FFFA_LINK_OFFSET(s), FFFA_LINK_TYPE(s));
}

/*
 * b: the first FFFA_SEGMENTS_HEADER bytes of the header in step, zeros where the packet ends before,
 * at l3_end. Returns the step behind the header; with FFFA_LINK_END: behind it is no header. After
 * TCP it is the payload; any other end is no header that can be read, and has offset 0.
 */
static __always_inline __u32 fffa_segments_step(const __u8 *b, __u32 step, __u32 l3_end)
{
	__u32 off = FFFA_LINK_OFFSET(step);
	__u16 type = FFFA_LINK_TYPE(step);

	switch (type) {
	case FFFA_ETH_P_IP:
	case FFFA_ETH_P_IPV6:
		return fffa_segments_ip(b, off, type, l3_end);
	case FFFA_ETH_P_TEB:
		return fffa_segments_ether(off + 14, FFFA_BE16(FFFA_LD16(b + 12)));
	case FFFA_IPPROTO_TCP:
		return FFFA_LINK_END | FFFA_LINK(off + (__u32)(b[12] >> 4) * 4, 0);
	case FFFA_IPPROTO_UDP:
		return fffa_segments_udp(b, off);
	case FFFA_IPPROTO_GRE:
		return fffa_segments_gre(b, off);
	default:
		break;
	}
	if (type < 256)
		return fffa_segments_ext(b, off, type);
	return fffa_segments_link(b, off, type);
}

/* Where the payload begins when `step` is a transport header and `next` came of it; 0: it is none. */
static __always_inline __u32 fffa_segments_payload(__u32 step, __u32 next)
{
	if (FFFA_LINK_TYPE(step) == FFFA_IPPROTO_UDP)
		return FFFA_LINK_OFFSET(step) + 8;
	return FFFA_LINK_TYPE(step) == FFFA_IPPROTO_TCP ? FFFA_LINK_OFFSET(next) : 0;
}

/* True when the bytes from `payload` to l3_end make as many segments as the kernel says, if it does. */
static __always_inline int fffa_segments_fit(__u32 payload, __u32 l3_end, __u32 gso_bytes,
					     __u32 gso_segs)
{
	if (payload >= l3_end || !gso_bytes || gso_bytes >= 0xffff)
		return 0;
	return !gso_segs || (l3_end - payload + gso_bytes - 1) / gso_bytes == gso_segs;
}

/* True when the packet has segments and may be a tunnel. */
static __always_inline int fffa_segments_wanted(const struct fffa_frame *f,
						const struct fffa_packet *p)
{
	return f->gso_bytes && f->gso_segs != 1 && p->key.proto != FFFA_IPPROTO_TCP &&
	       p->l4_offset && p->fragment == FFFA_FRAGMENT_NONE;
}

/* Counts p anew: each segment repeats all that lies before frame offset payload; 0: as it was. */
static __always_inline void fffa_segments_recount(const struct fffa_frame *f, __u32 payload,
						  struct fffa_packet *p)
{
	__u32 own = p->l4_offset + (p->key.proto == FFFA_IPPROTO_UDP ? 8 : 0);

	if (payload <= own)
		return;
	p->header_bytes += payload - own;
	fffa_count_segments(f, p);
}

#ifndef __bpf__
/*
 * The whole walk over p, whose bytes up to l3_end are at data, as fffa_tc_segments in fffa.bpf.c does
 * it in the kernel.
 */
static inline void fffa_segments_count(const void *data, const struct fffa_frame *f,
				       struct fffa_packet *p)
{
	__u32 step = fffa_segments_of_proto(p->l4_offset, p->key.proto), best = 0;

	if (!fffa_segments_wanted(f, p))
		return;
	for (int i = 0; i < FFFA_SEGMENTS_DEPTH; i++) {
		__u32 off = FFFA_LINK_OFFSET(step), next, payload, left;
		__u8 b[FFFA_SEGMENTS_HEADER] = {0};

		if (off >= p->l3_end || off > FFFA_LINK_MAX)
			break;
		left = p->l3_end - off;
		__builtin_memcpy(b, (const __u8 *)data + off, left < sizeof(b) ? left : sizeof(b));
		next = fffa_segments_step(b, step, p->l3_end);
		payload = fffa_segments_payload(step, next);
		if (fffa_segments_fit(payload, p->l3_end, f->gso_bytes, f->gso_segs))
			best = payload;
		if (next & FFFA_LINK_END)
			break;
		step = next;
	}
	fffa_segments_recount(f, best, p);
}
#endif

#endif
