/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Walks the headers between the Ethernet header and IP: VLAN tags (802.1Q, 802.1ad), PPPoE sessions
 * (RFC 2516), MPLS labels (RFC 3032), LLC and SNAP (RFC 1042). Compiles for the kernel and for the
 * host, like parse.h.
 */
#ifndef FFFA_BPF_LINK_H
#define FFFA_BPF_LINK_H

#include "bpf/load.h"

#define FFFA_ETH_P_IP	   0x0800
#define FFFA_ETH_P_IPV6	   0x86dd
#define FFFA_ETH_P_8021Q   0x8100
#define FFFA_ETH_P_8021AD  0x88a8
#define FFFA_ETH_P_QINQ1   0x9100 /* before 802.1ad had a number of its own */
#define FFFA_ETH_P_QINQ2   0x9200
#define FFFA_ETH_P_PPP_SES 0x8864
#define FFFA_ETH_P_MPLS_UC 0x8847
#define FFFA_ETH_P_MPLS_MC 0x8848
#define FFFA_ETH_P_TEB	   0x6558
#define FFFA_ETH_P_LLC	   0x0000 /* ours: LLC without SNAP has no ether type */
#define FFFA_ETH_P_MIN	   0x0600 /* below is the length of an 802.3 frame */

#define FFFA_LINK_DEPTH 16   /* headers walked; what is deeper is not IP */
#define FFFA_LINK_MAX	1024 /* frame offset up to which a link header may begin */

/* What one step found: the ether type in the low 16 bits, the frame offset above, and: */
#define FFFA_LINK_END	     0x80000000U /* it is not IP, and no header to walk */
#define FFFA_LINK_TRUNCATED  0x40000000U
#define FFFA_LINK(off, type) ((__u32)(off) << 16 | (__u16)(type))
#define FFFA_LINK_OFFSET(s)  ((s) >> 16 & 0x3fff)
#define FFFA_LINK_TYPE(s)    ((__u16)(s))

static __always_inline int fffa_link_is_ip(__u16 type)
{
	return type == FFFA_ETH_P_IP || type == FFFA_ETH_P_IPV6;
}

static __always_inline __u32 fffa_link_vlan(const __u8 *b, const void *end, __u32 off)
{
	if ((const void *)(b + 4) > end)
		return FFFA_LINK_TRUNCATED;
	return FFFA_LINK(off + 4, FFFA_BE16(FFFA_LD16(b + 2)));
}

/* A PPP protocol number is odd in its last byte. It may come without its first, when that is 0. */
static __always_inline __u32 fffa_link_ppp(const __u8 *b, const void *end, __u32 off)
{
	__u8 proto;

	if ((const void *)(b + 2) > end)
		return FFFA_LINK_TRUNCATED;
	proto = b[0];
	off++;
	if (proto == 0) {
		proto = b[1];
		off++;
	}
	if (proto == 0x21)
		return FFFA_LINK(off, FFFA_ETH_P_IP);
	if (proto == 0x57)
		return FFFA_LINK(off, FFFA_ETH_P_IPV6);
	return FFFA_LINK_END | FFFA_ETH_P_PPP_SES;
}

/* Below the last label nothing says what follows but its first four bits. */
static __always_inline __u32 fffa_link_mpls(const __u8 *b, const void *end, __u32 off, __u16 type)
{
	if ((const void *)(b + 5) > end)
		return FFFA_LINK_TRUNCATED;
	if (!(b[2] & 1))
		return FFFA_LINK(off + 4, type);
	if (b[4] >> 4 == 4)
		return FFFA_LINK(off + 4, FFFA_ETH_P_IP);
	if (b[4] >> 4 == 6)
		return FFFA_LINK(off + 4, FFFA_ETH_P_IPV6);
	return FFFA_LINK_END | type;
}

static __always_inline __u32 fffa_link_llc(const __u8 *b, const void *end, __u32 off)
{
	__u32 sap;

	if ((const void *)(b + 3) > end)
		return FFFA_LINK_TRUNCATED;
	sap = (__u32)b[0] << 16 | (__u32)b[1] << 8 | b[2];
	if (sap == 0x060603) /* the SAP of IP */
		return FFFA_LINK(off + 3, FFFA_ETH_P_IP);
	if (sap != 0xaaaa03)
		return FFFA_LINK_END | FFFA_ETH_P_LLC;
	if ((const void *)(b + 8) > end)
		return FFFA_LINK_TRUNCATED;
	if (b[3] || b[4] || (b[5] && b[5] != 0xf8)) /* of a vendor; F8: bridged (802.1H) */
		return FFFA_LINK_END | FFFA_ETH_P_LLC;
	return FFFA_LINK(off + 8, FFFA_BE16(FFFA_LD16(b + 6)));
}

/* Reads the header of ether type `type` (host order) at frame offset off: what comes behind it. */
static __always_inline __u32 fffa_link_step(const void *data, const void *end, __u32 off,
					    __u16 type)
{
	const __u8 *b;

	if (off > FFFA_LINK_MAX)
		return FFFA_LINK_END | type;
	b = (const __u8 *)data + off;
	switch (type) {
	case FFFA_ETH_P_8021Q:
	case FFFA_ETH_P_8021AD:
	case FFFA_ETH_P_QINQ1:
	case FFFA_ETH_P_QINQ2:
		return fffa_link_vlan(b, end, off);
	case FFFA_ETH_P_PPP_SES:
		return fffa_link_ppp(b + 6, end, off + 6);
	case FFFA_ETH_P_MPLS_UC:
	case FFFA_ETH_P_MPLS_MC:
		return fffa_link_mpls(b, end, off, type);
	default:
		break;
	}
	return type < FFFA_ETH_P_MIN ? fffa_link_llc(b, end, off) : FFFA_LINK_END | type;
}

/* True when the walk is over: at IP, at an unknown header, or at the end of the frame. */
static __always_inline int fffa_link_is_over(__u32 step)
{
	return step & (FFFA_LINK_END | FFFA_LINK_TRUNCATED) || fffa_link_is_ip((__u16)step);
}

#ifndef __bpf__
/* The whole walk. The kernel programs do it step by step, see fffa.bpf.c. */
static inline __u32 fffa_link_walk(const void *data, const void *end, __u32 off, __u16 type)
{
	__u32 s = FFFA_LINK(off, type);

	for (int i = 0; i < FFFA_LINK_DEPTH && !fffa_link_is_over(s); i++)
		s = fffa_link_step(data, end, FFFA_LINK_OFFSET(s), FFFA_LINK_TYPE(s));
	return fffa_link_is_over(s) ? s : s | FFFA_LINK_END;
}
#endif

#endif
