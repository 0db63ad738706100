/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Parses a frame into the key and the facts of one packet. Compiles for the kernel (inlined
 * into each program) and for the host (replay, unit tests, fuzzing): it uses no helper, no map,
 * no global.
 */
#ifndef FFFA_BPF_PARSE_H
#define FFFA_BPF_PARSE_H

#include "bpf/abi.h"
#include "bpf/link.h"
#include "bpf/load.h"

#define FFFA_IPPROTO_ICMP    1
#define FFFA_IPPROTO_TCP     6
#define FFFA_IPPROTO_UDP     17
#define FFFA_IPPROTO_DCCP    33
#define FFFA_IPPROTO_ICMPV6  58
#define FFFA_IPPROTO_SCTP    132
#define FFFA_IPPROTO_UDPLITE 136

#define FFFA_IPV6_EXT_MAX                                                                          \
	8 /* headers walked; a longer chain is recorded under its next header with ports 0 */
#define FFFA_L3_OFFSET_MAX   1024
#define FFFA_ETH_HEADER	     14
#define FFFA_ETH_PAYLOAD_MIN 46 /* shorter frames are padded (IEEE 802.3) */

enum fffa_parse {
	FFFA_PARSE_OK,
	FFFA_PARSE_NOT_IP,
	FFFA_PARSE_MALFORMED,
	FFFA_PARSE_TRUNCATED,
};

/* What the hook knows of the frame beside its bytes. */
struct fffa_frame {
	__u32 wire_bytes; /* whole frame with its link header, linear or not */
	__u32 gso_bytes;  /* payload of each segment of a GSO or GRO packet; 0: not one */
	__u32 gso_segs;	  /* its segments; 0: not known */
};

#define FFFA_FRAGMENT_NONE  0
#define FFFA_FRAGMENT_FIRST 1 /* has the ports */
#define FFFA_FRAGMENT_LATER 2

struct fffa_packet {
	/* Tunnel, ifindex and view are the caller's, but for FFFA_VIEW_IPV6. */
	struct fffa_key key;
	__u32 l3_bytes;	    /* IP header and payload, as the IP header says */
	__u64 bytes;	    /* the same for all segments together */
	__u32 packets;	    /* segments on the wire, >= 1 */
	__u16 flags;	    /* FFFA_F_* */
	__u16 header_bytes; /* IP and transport header: what each segment repeats */
	__u16 l4_offset;    /* of the transport header in the frame; 0: none to read */
	__u8 fragment;	    /* FFFA_FRAGMENT_* */
	__u8 pad0;
	__u32 cookie;
	__u32 fragment_id; /* as on the wire; when fragment is not NONE */
	__u32 l3_end;	   /* frame offset behind the IP packet */
	__u16 ether_type;  /* of what is not IP (FFFA_PARSE_NOT_IP), host order */
	__u16 pad1[3];
} __attribute__((aligned(8)));

/*
 * TCP flags, where the frame has the 14 bytes up to them. A first fragment may hold less than the
 * header; a whole packet whose header is longer than itself is malformed.
 */
static __always_inline int fffa_parse_tcp(const void *l4, const void *end, __u32 l4_bytes,
					  struct fffa_packet *p)
{
	const __u8 *b = l4;
	__u32 header;
	__u8 fl;

	if (l4 + 14 > end)
		return FFFA_PARSE_TRUNCATED;
	header = (__u32)(b[12] >> 4) * 4;
	if (header < 20 || (header > l4_bytes && p->fragment == FFFA_FRAGMENT_NONE))
		return FFFA_PARSE_MALFORMED;
	fl = b[13];
	p->key.sport = FFFA_LD16(b);
	p->key.dport = FFFA_LD16(b + 2);
	p->header_bytes += header;
	p->flags = fl;
	if ((fl & (FFFA_F_SYN | FFFA_F_ACK)) == (FFFA_F_SYN | FFFA_F_ACK))
		p->flags |= FFFA_F_SYNACK;
	return FFFA_PARSE_OK;
}

/*
 * Fills the transport part of p: ports, flags, header_bytes. l4_bytes: what IP says is left for it.
 * Takes what is there: ports need 4 bytes, ICMP's type and code 2, TCP's flags 14.
 */
static __always_inline int fffa_parse_l4(const void *l4, const void *end, __u32 l4_bytes,
					 struct fffa_packet *p)
{
	__u32 header = 0;

	switch (p->key.proto) {
	case FFFA_IPPROTO_TCP:
		if (l4_bytes >= 14)
			return fffa_parse_tcp(l4, end, l4_bytes, p);
		break;
	case FFFA_IPPROTO_UDP:
	case FFFA_IPPROTO_UDPLITE:
		header = 8;
		break;
	case FFFA_IPPROTO_SCTP:
	case FFFA_IPPROTO_DCCP:
		break;
	case FFFA_IPPROTO_ICMP:
	case FFFA_IPPROTO_ICMPV6:
		if (l4_bytes < 2)
			return FFFA_PARSE_MALFORMED;
		if (l4 + 2 > end)
			return FFFA_PARSE_TRUNCATED;
		p->key.dport = FFFA_LD16(l4); /* type, code: already in network order */
		return FFFA_PARSE_OK;
	default:
		return FFFA_PARSE_OK;
	}
	if (l4_bytes < 4)
		return FFFA_PARSE_MALFORMED;
	if (l4 + 4 > end)
		return FFFA_PARSE_TRUNCATED;
	p->key.sport = FFFA_LD16(l4);
	p->key.dport = FFFA_LD16(l4 + 2);
	p->header_bytes += header;
	return FFFA_PARSE_OK;
}

static __always_inline void fffa_copy_addr(__u8 *to, const __u8 *from)
{
	((__u64 *)to)[0] = ((const __u64 *)from)[0];
	((__u64 *)to)[1] = ((const __u64 *)from)[1];
}

static __always_inline void fffa_put_v4(__u8 *dst, __u32 addr_be)
{
	__u64 *w = (__u64 *)dst;

	w[0] = 0;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	w[1] = (__u64)addr_be << 32 | 0xffff0000ULL;
#else
	w[1] = 0x0000ffff00000000ULL | addr_be;
#endif
}

/*
 * l3_left: bytes of the frame from the IP header on. A packet cannot be longer, and one with length
 * field 0 (BIG TCP) is as long.
 */
static __always_inline int fffa_parse_ipv4(const void *l3, const void *end, __u32 l3_left,
					   struct fffa_packet *p, __u32 *l4_offset)
{
	const __u8 *b = l3;
	__u32 ihl, total;

	if (l3 + 20 > end)
		return FFFA_PARSE_TRUNCATED;
	ihl = (__u32)(b[0] & 0x0f) * 4;
	if (b[0] >> 4 != 4 || ihl < 20)
		return FFFA_PARSE_MALFORMED;
	total = FFFA_BE16(FFFA_LD16(b + 2));
	if (!total)
		total = l3_left;
	if (total < ihl || total > l3_left)
		return FFFA_PARSE_MALFORMED;
	p->l3_bytes = total;
	p->header_bytes = ihl;
	p->key.proto = b[9];
	fffa_put_v4(p->key.src, FFFA_LD32(b + 12));
	fffa_put_v4(p->key.dst, FFFA_LD32(b + 16));
	*l4_offset = ihl;
	if (FFFA_LD16(b + 6) & FFFA_BE16(0x3fff)) { /* more fragments, or an offset */
		p->fragment_id = FFFA_LD16(b + 4);
		p->fragment = FFFA_FRAGMENT_FIRST;
		if (FFFA_LD16(b + 6) & FFFA_BE16(0x1fff)) {
			p->fragment = FFFA_FRAGMENT_LATER;
			*l4_offset = 0;
		}
	}
	return FFFA_PARSE_OK;
}

/*
 * How an IPv6 next-header value continues the chain (RFC 8200 section 4.1, RFC 4302): 0: it ends
 * it. The headers are those that Linux walks (ipv6_ext_hdr); any other is the packet's protocol.
 * Else the length is ((its length byte & mask) + add) * unit. A table instead of branches:
 * every header then leaves the verifier the same range for the offset, and the walk costs it one
 * path instead of 3^8.
 */
#define FFFA_EXT(unit, add, mask) ((unit) | (add) << 4 | (mask) << 6)
static const __u8 fffa_ext[256] = {
	[0] = FFFA_EXT(8, 1, 1),  /* hop-by-hop */
	[43] = FFFA_EXT(8, 1, 1), /* routing */
	[44] = FFFA_EXT(8, 1, 0), /* fragment: always 8 bytes */
	[51] = FFFA_EXT(4, 2, 1), /* authentication */
	[60] = FFFA_EXT(8, 1, 1), /* destination options */
};

/*
 * Walks the extension headers before the transport header. *next becomes its protocol and *offset
 * where it begins; 0: later fragment or a chain too long, no ports to be read.
 */
static __always_inline int fffa_walk_ipv6(const void *l3, const void *end, __u32 total,
					  struct fffa_packet *p, __u8 *next, __u32 *offset)
{
	__u32 off = 40;
	__u8 header = *next;

	*offset = 0;
	for (int i = 0; i < FFFA_IPV6_EXT_MAX; i++) {
		const __u8 *b = l3 + off;
		__u8 how = fffa_ext[header];
		__u32 len;

		if (!how) {
			*next = header;
			*offset = off;
			return FFFA_PARSE_OK;
		}
		if (off + 8 > total)
			return FFFA_PARSE_MALFORMED;
		if ((const void *)(b + 8) > end)
			return FFFA_PARSE_TRUNCATED;
		len = (b[1] * (how >> 6) + (how >> 4 & 3)) * (how & 15);
		off += len;
		if (header == 44) {
			p->fragment_id = FFFA_LD32(b + 4);
			p->fragment =
				b[3] & 1; /* more: FFFA_FRAGMENT_FIRST; else the whole (RFC 6946) */
			if (FFFA_LD16(b + 2) & FFFA_BE16(0xfff8)) {
				p->fragment = FFFA_FRAGMENT_LATER;
				*next = b[0];
				return FFFA_PARSE_OK;
			}
		}
		header = b[0];
		if (off > FFFA_L3_OFFSET_MAX)
			break;
	}
	*next = header;
	return FFFA_PARSE_OK;
}

/*
 * The whole length of a packet whose payload length is 0, and in *unsent how much of it never
 * reaches the wire. Linux writes 0 into packets above 64 KiB (BIG TCP). Before 7.0 it adds a
 * hop-by-hop header of 8 bytes with the length (RFC 2675), which segmentation takes off again. 0:
 * the lengths contradict each other.
 */
static __always_inline __u32 fffa_ipv6_length(const __u8 *b, const void *end, __u32 l3_left,
					      __u32 *unsent)
{
	__u32 length;

	if (b[6] == 59 || l3_left <= FFFA_ETH_PAYLOAD_MIN) /* it is 0; padding may follow */
		return 40;
	if (b[6] != 0 || (const void *)(b + 48) > end || b[41] != 0 ||
	    FFFA_LD16(b + 42) != FFFA_BE16(0xc204)) /* no jumbo payload option */
		return l3_left;
	length = FFFA_BE32(FFFA_LD32(b + 44));
	*unsent = 8;
	return length >= *unsent && length <= l3_left - 40 ? 40 + length : 0;
}

static __always_inline int fffa_parse_ipv6(const void *l3, const void *end, __u32 l3_left,
					   struct fffa_packet *p, __u32 *l4_offset, __u32 *unsent)
{
	const __u8 *b = l3;
	__u32 total, off = 0;
	__u8 next;
	int rc;

	if (l3 + 40 > end)
		return FFFA_PARSE_TRUNCATED;
	if (b[0] >> 4 != 6)
		return FFFA_PARSE_MALFORMED;
	total = FFFA_BE16(FFFA_LD16(b + 4));
	next = b[6];
	total = total ? total + 40 : fffa_ipv6_length(b, end, l3_left, unsent);
	if (!total || total > l3_left)
		return FFFA_PARSE_MALFORMED;
	p->key.view |= FFFA_VIEW_IPV6;
	((__u64 *)p->key.src)[0] = FFFA_LD64(b + 8);
	((__u64 *)p->key.src)[1] = FFFA_LD64(b + 16);
	((__u64 *)p->key.dst)[0] = FFFA_LD64(b + 24);
	((__u64 *)p->key.dst)[1] = FFFA_LD64(b + 32);
	rc = fffa_walk_ipv6(l3, end, total, p, &next, &off);
	if (rc)
		return rc;
	p->key.proto = next;
	p->l3_bytes = total;
	p->header_bytes = off ? off : 40;
	*l4_offset = off;
	return FFFA_PARSE_OK;
}

/* Segments and bytes on the wire of what may be a GSO or GRO packet. */
static __always_inline void fffa_count_segments(const struct fffa_frame *f, struct fffa_packet *p)
{
	__u32 segs = f->gso_segs;

	p->packets = 1;
	p->bytes = p->l3_bytes;
	if (!f->gso_bytes)
		return;
	if (!segs && f->gso_bytes < 0xffff && p->l3_bytes > p->header_bytes)
		segs = (p->l3_bytes - p->header_bytes + f->gso_bytes - 1) / f->gso_bytes;
	if (segs > 1) {
		p->packets = segs;
		p->bytes += (__u64)(segs - 1) * p->header_bytes;
	}
}

/*
 * Parses an IP packet of ether type proto (host order) at frame offset l3_offset. On FFFA_PARSE_OK
 * all of p but the caller's part of the key is set.
 */
static __always_inline int fffa_parse_l3(const void *data, const void *end, __u32 l3_offset,
					 __u16 proto, const struct fffa_frame *f,
					 struct fffa_packet *p)
{
	const void *l3 = data + l3_offset;
	__u32 left = f->wire_bytes - l3_offset, off = 0, unsent = 0;
	int rc;

	p->key.sport = 0;
	p->key.dport = 0;
	p->key.tunnel = 0;
	p->flags = 0;
	p->cookie = 0;
	p->l4_offset = 0;
	p->fragment = FFFA_FRAGMENT_NONE;
	if (!fffa_link_is_ip(proto)) {
		p->ether_type = proto;
		return FFFA_PARSE_NOT_IP;
	}
	/*
	 * Compares the lengths instead of left with 0: the verifier of Linux 5.10 follows the
	 * impossible branch and refuses the program.
	 */
	if (f->wire_bytes <= l3_offset)
		return FFFA_PARSE_TRUNCATED;
	if (proto == FFFA_ETH_P_IP)
		rc = fffa_parse_ipv4(l3, end, left, p, &off);
	else
		rc = fffa_parse_ipv6(l3, end, left, p, &off, &unsent);
	if (rc)
		return rc;
	if (off) {
		if (off > p->l3_bytes)
			return FFFA_PARSE_MALFORMED;
		rc = fffa_parse_l4(l3 + off, end, p->l3_bytes - off, p);
		if (rc)
			return rc;
		p->l4_offset = l3_offset + off;
	}
	p->l3_end = l3_offset + p->l3_bytes;
	p->l3_bytes -= unsent;
	p->header_bytes -= unsent;
	fffa_count_segments(f, p);
	return FFFA_PARSE_OK;
}

/* Reads the Ethernet header at *offset. *proto: the ether type or length behind it, host order. */
static __always_inline int fffa_parse_eth(const void *data, const void *end, __u32 *offset,
					  __u16 *proto)
{
	const __u8 *b = data + *offset;

	if ((const void *)(b + 14) > end)
		return FFFA_PARSE_TRUNCATED;
	*proto = FFFA_BE16(FFFA_LD16(b + 12));
	*offset += 14;
	return FFFA_PARSE_OK;
}

/* Goes on where fffa_link_step or fffa_link_walk ended, with the IP packet. */
static __always_inline int fffa_parse_linked(const void *data, const void *end, __u32 step,
					     const struct fffa_frame *f, struct fffa_packet *p)
{
	__u16 type = FFFA_LINK_TYPE(step);

	if (step & FFFA_LINK_TRUNCATED)
		return FFFA_PARSE_TRUNCATED;
	if (step & FFFA_LINK_END) {
		p->ether_type = type;
		return FFFA_PARSE_NOT_IP;
	}
	return fffa_parse_l3(data, end, FFFA_LINK_OFFSET(step), type, f, p);
}

#endif
