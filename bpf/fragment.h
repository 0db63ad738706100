/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The key of a fragmented datagram (RFC 791, RFC 8200 section 4.5). Compiles for the kernel and for
 * the host.
 */
#ifndef FFFA_BPF_FRAGMENT_H
#define FFFA_BPF_FRAGMENT_H

#include "bpf/parse.h"

#define FFFA_FRAGMENTS_MAX   8192 /* datagrams remembered */
#define FFFA_FRAGMENT_LIFE_S 30	  /* as long as the kernel waits for the rest (ipfrag_time) */

struct fffa_fragment_key {
	__u8 src[16];
	__u8 dst[16];
	__u32 id;     /* as on the wire */
	__u8 proto;   /* IPv4: each protocol has its own identifications; IPv6: 0 */
	__u8 ipv6;    /* FFFA_VIEW_IPV6 or 0 */
	__u16 tunnel; /* whose packets have addresses of their own; id as in fffa_key */
};
FFFA_ASSERT_SIZE(struct fffa_fragment_key, 40);

struct fffa_fragment_ports {
	__be16 sport;
	__be16 dport;
	__u32 seen; /* kernel: clock ticks of the first fragment */
	__u8 proto; /* IPv6: behind extension headers that later fragments do not show */
	__u8 pad0[3];
};
FFFA_ASSERT_SIZE(struct fffa_fragment_ports, 12);

static __always_inline void fffa_fragment_key_of(const struct fffa_packet *p,
						 struct fffa_fragment_key *k)
{
	((__u64 *)k->src)[0] = ((const __u64 *)p->key.src)[0];
	((__u64 *)k->src)[1] = ((const __u64 *)p->key.src)[1];
	((__u64 *)k->dst)[0] = ((const __u64 *)p->key.dst)[0];
	((__u64 *)k->dst)[1] = ((const __u64 *)p->key.dst)[1];
	k->id = p->fragment_id;
	k->ipv6 = p->key.view & FFFA_VIEW_IPV6;
	k->proto = k->ipv6 ? 0 : p->key.proto;
	k->tunnel = p->key.tunnel;
}

#endif
