// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The hooks: TC (clsact or TCX) both ways, XDP for ingress. Each counts the packet and passes it
 * on. */
#include <stdbool.h>
#include <stddef.h>

#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_helpers.h>

#include "bpf/abi.h"
#include "bpf/maps.h"
#include "bpf/parse.h"
#include "bpf/table.h"
#include "bpf/tunnel.h"

#define FFFA_PULL_BYTES                                                                            \
	512 /* headers are looked for in so many bytes when the linear part is short */

char LICENSE[] SEC("license") = "Dual MIT/GPL";

/* The id of a tunnel, a new one when it is not known yet; 0 when all ids are given out. */
static __always_inline __u16 intern_slow(const struct fffa_tunnel *t)
{
	__u16 *known = bpf_map_lookup_elem(&fffa_tun_ids, t), id = 0;
	struct fffa_tunnel *facts;
	__u32 i;

	if (known)
		return *known;
	if (bpf_map_pop_elem(&fffa_tun_free, &id))
		return 0;
	i = id;
	facts = bpf_map_lookup_elem(&fffa_tun, &i);
	if (facts) {
		__builtin_memcpy(facts, t,
				 sizeof(*facts)); /* before the id can be seen in any entry */
		if (!bpf_map_update_elem(&fffa_tun_ids, t, &id, BPF_NOEXIST))
			return id;
	}
	/* Another CPU was first, or there is no memory. */
	(void)bpf_map_push_elem(&fffa_tun_free, &id, 0);
	known = bpf_map_lookup_elem(&fffa_tun_ids, t);
	return known ? *known : 0;
}

static __always_inline __u16 intern(const struct fffa_tunnel *t, __u32 cpu)
{
	struct fffa_tunnel_cache *cache = bpf_map_lookup_elem(&fffa_tun_cache, &cpu);
	const __u64 *w = (const __u64 *)t, *k;
	struct fffa_tunnel_line *l;
	__u64 h;
	__u16 id;

	if (!cache)
		return 0;
	h = (w[1] ^ w[3] ^ w[4] ^ w[5] ^ w[6]) * fffa_conf.hash_key[0];
	l = &cache->line[(h >> 32) & (FFFA_TUNNEL_CACHE_WAYS - 1)];
	k = (const __u64 *)&l->tunnel;
	if (l->epoch == fffa_ctl.tunnel_epoch && k[1] == w[1] && k[3] == w[3] && k[4] == w[4] &&
	    k[5] == w[5] && k[6] == w[6] && k[0] == w[0] && k[2] == w[2])
		return l->id;
	id = intern_slow(t);
	if (id) {
		l->epoch = 0;
		__builtin_memcpy(&l->tunnel, t, sizeof(l->tunnel));
		l->id = id;
		l->epoch = fffa_ctl.tunnel_epoch;
	}
	return id;
}

/*
 * Replaces p by the packet inside when the payload is a tunnel of type. FFFA_PARSE_TRUNCATED: the
 * bytes at hand do not suffice. Any other failure leaves p: the outer packet is what can be
 * recorded.
 */
static __noinline int decapsulate(const void *data, const void *end, const struct fffa_frame *f,
				  struct fffa_packet *p, __u32 type_cpu)
{
	struct fffa_tunnel t = {};
	struct fffa_packet inner = {};
	__u32 cpu = type_cpu >> 8;
	int r = fffa_parse_tunnel(data, end, f, type_cpu & 0xff, p, &inner, &t);

	if (r)
		return r;
	inner.key.view = p->key.view;
	inner.key.ifindex = p->key.ifindex;
	inner.key.tunnel = intern(&t, cpu);
	if (!inner.key.tunnel) {
		struct fffa_counts *c = bpf_map_lookup_elem(&fffa_counts, &cpu);

		if (c)
			c->no_tunnel_id += inner.packets;
	}
	__builtin_memcpy(p, &inner, sizeof(inner));
	return FFFA_PARSE_OK;
}

static __always_inline int parse(const void *data, const void *end, const struct fffa_frame *f,
				 struct fffa_packet *p, __u32 cpu)
{
	int r = fffa_parse_frame(data, end, f, p);
	__u8 type;

	if (r || p->key.proto != FFFA_IPPROTO_UDP || !p->l4_offset)
		return r;
	type = fffa_tunnel_of_port((const __u16 *)fffa_conf.geneve_ports,
				   (const __u16 *)fffa_conf.vxlan_ports, FFFA_BE16(p->key.dport));
	if (type == FFFA_TUNNEL_NONE)
		return r;
	return decapsulate(data, end, f, p, cpu << 8 | type) == FFFA_PARSE_TRUNCATED
		       ? FFFA_PARSE_TRUNCATED
		       : FFFA_PARSE_OK;
}

/* Parsed and counted, or counted as lost. outer_ok: p holds a whole outer packet though its inside
 * is cut. */
static __always_inline void count(int r, const struct fffa_frame *f, const struct fffa_packet *p,
				  __u32 cpu, struct fffa_counts *c)
{
	__u32 dir = p->key.view & FFFA_VIEW_EGRESS ? 1 : 0;
	enum fffa_kernel_loss why;
	__u64 bytes;

	if (r == FFFA_PARSE_OK) {
		c->seen_packets[dir] += p->packets;
		c->seen_bytes[dir] += p->bytes;
		fffa_account(p, cpu, c);
		return;
	}
	if (r == FFFA_PARSE_NOT_IP) {
		c->not_ip_frames++;
		return;
	}
	why = r == FFFA_PARSE_TRUNCATED ? FFFA_KL_TRUNCATED : FFFA_KL_MALFORMED;
	bytes = f->wire_bytes > 14 ? f->wire_bytes - 14 : 0;
	c->seen_packets[dir]++;
	c->seen_bytes[dir] += bytes;
	fffa_count_lost(c, why, 1, bytes);
}

/* A CPU without a slice counts in the extra last element of fffa_counts; several may share it:
 * atomically. */
static __noinline int count_no_slice(__u32 view, __u32 wire_bytes, __u32 packets)
{
	__u32 i = fffa_conf.slices, dir = view & FFFA_VIEW_EGRESS ? 1 : 0;
	struct fffa_counts *c = bpf_map_lookup_elem(&fffa_counts, &i);
	__u64 bytes = wire_bytes > 14 ? wire_bytes - 14 : 0;

	if (!c)
		return 0;
	__sync_fetch_and_add(&c->seen_packets[dir], packets);
	__sync_fetch_and_add(&c->seen_bytes[dir], bytes);
	__sync_fetch_and_add(&c->lost_packets[FFFA_KL_NO_SLICE], packets);
	__sync_fetch_and_add(&c->lost_bytes[FFFA_KL_NO_SLICE], bytes);
	return 0;
}

static __always_inline void tc_frame(const struct __sk_buff *skb, struct fffa_frame *f)
{
	f->wire_bytes = skb->len;
	f->gso_bytes = skb->gso_size;
	f->gso_segs = skb->gso_segs;
}

static __always_inline void init_key(struct fffa_packet *p, __u8 view, __u32 ifindex)
{
	p->key.view = view;
	p->key.ifindex = ifindex;
}

/* The headers are not all in the linear part: bring them there and read again. */
static __noinline int tc_parse_pulled(struct __sk_buff *skb, struct fffa_packet *p, __u32 cpu)
{
	struct fffa_frame f;
	__u32 len = skb->len;
	int r;

	(void)bpf_skb_pull_data(skb, len < FFFA_PULL_BYTES ? len : FFFA_PULL_BYTES);
	tc_frame(skb, &f);
	r = parse((const void *)(long)skb->data, (const void *)(long)skb->data_end, &f, p, cpu);
	if (r == FFFA_PARSE_TRUNCATED &&
	    p->l4_offset) /* the tunnel's inside is cut, the outer packet is whole */
		return FFFA_PARSE_OK;
	return r;
}

static __always_inline int tc(struct __sk_buff *skb, __u8 view)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct fffa_packet p = {};
	struct fffa_counts *c;
	struct fffa_frame f;
	int r;

	tc_frame(skb, &f);
	if (cpu >= fffa_conf.slices) {
		count_no_slice(view, f.wire_bytes, f.gso_segs ? f.gso_segs : 1);
		return TC_ACT_UNSPEC;
	}
	c = bpf_map_lookup_elem(&fffa_counts, &cpu);
	if (!c)
		return TC_ACT_UNSPEC;
	init_key(&p, view, skb->ifindex);
	r = parse((const void *)(long)skb->data, (const void *)(long)skb->data_end, &f, &p, cpu);
	if (r == FFFA_PARSE_TRUNCATED)
		r = tc_parse_pulled(skb, &p, cpu);
	count(r, &f, &p, cpu, c);
	return TC_ACT_UNSPEC; /* the next program decides; TCX_NEXT has the same value */
}

SEC("tc")
int fffa_tc_in(struct __sk_buff *skb)
{
	return tc(skb, 0);
}

SEC("tc")
int fffa_tc_out(struct __sk_buff *skb)
{
	return tc(skb, FFFA_VIEW_EGRESS);
}

SEC("xdp")
int fffa_xdp_in(struct xdp_md *ctx)
{
	const void *data = (const void *)(long)ctx->data, *end = (const void *)(long)ctx->data_end;
	struct fffa_frame f = {.wire_bytes = end - data};
	__u32 cpu = bpf_get_smp_processor_id();
	struct fffa_packet p = {};
	struct fffa_counts *c;
	int r;

	if (cpu >= fffa_conf.slices) {
		count_no_slice(0, f.wire_bytes, 1);
		return XDP_PASS;
	}
	c = bpf_map_lookup_elem(&fffa_counts, &cpu);
	if (!c)
		return XDP_PASS;
	init_key(&p, FFFA_VIEW_HOOK_XDP, ctx->ingress_ifindex);
	r = parse(data, end, &f, &p, cpu);
	if (r == FFFA_PARSE_TRUNCATED && p.l4_offset)
		r = FFFA_PARSE_OK;
	count(r, &f, &p, cpu, c);
	return XDP_PASS;
}
