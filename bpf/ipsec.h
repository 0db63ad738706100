/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Packets that IPsec decrypts on this host come to the ingress hook twice: encrypted, as they were on
 * the wire, and decrypted. ESP (RFC 4303), also in UDP (RFC 3948). The first half compiles for the
 * host, too.
 */
#ifndef FFFA_BPF_IPSEC_H
#define FFFA_BPF_IPSEC_H

#include "bpf/parse.h"

#define FFFA_IPPROTO_ESP  50
#define FFFA_IPSEC_PORT	  4500
#define FFFA_IPSEC_LIFE_S 5 /* a decrypted packet follows its encrypted one within this */

/*
 * The frame offset of the security parameters index when p may be encrypted; 0: it is not. In UDP an
 * index of 0 marks a packet of IKE.
 */
static __always_inline __u32 fffa_ipsec_spi_offset(const struct fffa_packet *p)
{
	if (!p->l4_offset || p->key.view & FFFA_VIEW_EGRESS)
		return 0;
	if (p->key.proto == FFFA_IPPROTO_ESP)
		return p->l4_offset;
	if (p->key.proto == FFFA_IPPROTO_UDP && p->key.dport == FFFA_BE16(FFFA_IPSEC_PORT))
		return p->l4_offset + 8;
	return 0;
}

/* True when `then` is a time at most `life` ticks before `now`. 0: never. */
static __always_inline int fffa_ipsec_is_recent(__u32 then, __u32 now, __u32 life)
{
	return then && now - then < life;
}

#ifdef __bpf__

#include "bpf/clock.h"

/*
 * Notes an encrypted packet, whose index is at frame offset `at`. fffa_ctl.ipsec_ticks shares a cache
 * line with what every packet reads, so it is written seldom.
 */
__noinline int fffa_tc_encrypted(struct __sk_buff *skb, __u32 at)
{
	struct fffa_ipsec_spi k = {.ifindex = skb->ifindex};
	__u32 now = fffa_now_ticks(), *last;

	if (!fffa_conf.ipsec_life_ticks || bpf_skb_load_bytes(skb, at, &k.spi, sizeof(k.spi)) ||
	    !k.spi)
		return 0;
	last = bpf_map_lookup_elem(&fffa_ipsec, &k);
	if (last)
		*last = now;
	else
		(void)bpf_map_update_elem(&fffa_ipsec, &k, &now, BPF_ANY);
	if (!fffa_ipsec_is_recent(fffa_ctl.ipsec_ticks, now, fffa_conf.ipsec_life_ticks / 4))
		fffa_ctl.ipsec_ticks = now;
	return 0;
}

/*
 * 1: IPsec made the packet on this host of one that came through this device. Where that one passed no
 * hook (GRO decrypted it, or it came through the device below an xfrm interface), the answer is 0.
 */
__noinline int fffa_tc_decrypted(struct __sk_buff *skb, __u32 now)
{
	struct fffa_ipsec_spi k = {.ifindex = skb->ifindex};
	struct bpf_xfrm_state x = {};
	__u32 *last;

	/* Where the life is 0, the kernel may not know the call: then it is not even verified. */
	if (!fffa_conf.ipsec_life_ticks)
		return 0;
	if (bpf_skb_get_xfrm_state(skb, 0, &x, sizeof(x), 0))
		return 0;
	k.spi = x.spi;
	last = bpf_map_lookup_elem(&fffa_ipsec, &k);
	return last && fffa_ipsec_is_recent(*last, now, fffa_conf.ipsec_life_ticks);
}

/* True when the packet of a new flow is to be left out. skb: NULL in XDP, which is before IPsec. */
static __always_inline int fffa_ipsec_leaves_out(struct __sk_buff *skb, const struct fffa_packet *p,
						 __u32 now)
{
	if (!skb || !fffa_ipsec_is_recent(fffa_ctl.ipsec_ticks, now, fffa_conf.ipsec_life_ticks))
		return 0;
	return !(p->key.view & FFFA_VIEW_EGRESS) && fffa_tc_decrypted(skb, now);
}

#endif

#endif
