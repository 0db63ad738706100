// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The hooks: TC (clsact or TCX) for both directions, XDP for ingress. Each counts the packet and
 * passes it on; none drops or changes a packet.
 */
#include <stdbool.h>
#include <stddef.h>

#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_helpers.h>

#include "bpf/count.h"
#include "bpf/fragment_ports.h"
#include "bpf/maps.h"
#include "bpf/open.h"
#include "bpf/parse.h"

/* When the linear part is too short for the headers, this much is pulled into it. */
#define FFFA_PULL_BYTES 512

char LICENSE[] SEC("license") = "Dual MIT/GPL";

#define DATA(ctx) ((const void *)(long)(ctx)->data)
#define END(ctx)  ((const void *)(long)(ctx)->data_end)

static __always_inline void tc_frame(const struct __sk_buff *skb, struct fffa_frame *f)
{
	f->wire_bytes = skb->len;
	f->gso_bytes = skb->gso_size;
	f->gso_segs = skb->gso_segs;
}

/* The verifier walks a global function once, not once for every way to reach it. */
__noinline int fffa_tc_tunnel(struct __sk_buff *skb, __u32 type, __u32 l4_offset, __u32 cpu)
{
	struct fffa_frame f;

	tc_frame(skb, &f);
	return fffa_open_inside(DATA(skb), END(skb), &f, type, l4_offset, cpu);
}

__noinline int fffa_xdp_tunnel(struct xdp_md *ctx, __u32 type, __u32 l4_offset, __u32 cpu)
{
	struct fffa_frame f = {.wire_bytes = END(ctx) - DATA(ctx)};

	return fffa_open_inside(DATA(ctx), END(ctx), &f, type, l4_offset, cpu);
}

static __always_inline void init_key(struct fffa_packet *p, __u8 view, __u32 ifindex)
{
	p->key.view = view;
	p->key.ifindex = ifindex;
}

/*
 * Opens the tunnel in p. True when p is now the packet inside and may hold a tunnel itself. No loop
 * goes over the depth: some compilers would unroll it and others not.
 */
static __always_inline bool tc_tunnel(struct __sk_buff *skb, const struct fffa_frame *f,
				      struct fffa_packet *p, __u32 nested, bool *count_outer,
				      __u32 cpu, struct fffa_counts *c, int *rc)
{
	__u32 type = fffa_open_type(p);
	struct fffa_scratch *s;

	if (type == FFFA_TUNNEL_NONE)
		return false;
	s = fffa_open_outer(p, cpu);
	if (!s)
		return false;
	*rc = fffa_tc_tunnel(skb, type | nested, p->l4_offset, cpu);
	if (*rc)
		return false;
	fffa_open_enter(p, s, f, *count_outer, cpu, c);
	*count_outer = false;
	return fffa_open_more(p, c);
}

/*
 * Opens the tunnels in p, one in the other. p becomes the innermost packet that is whole.
 * FFFA_PARSE_TRUNCATED: the bytes at hand do not suffice for one more.
 */
_Static_assert(FFFA_TUNNEL_DEPTH == 2, "a tunnel is opened twice below");
static __always_inline int tc_tunnels(struct __sk_buff *skb, const struct fffa_frame *f,
				      struct fffa_packet *p, bool *count_outer, __u32 cpu,
				      struct fffa_counts *c)
{
	int rc = FFFA_PARSE_OK;

	if (tc_tunnel(skb, f, p, 0, count_outer, cpu, c, &rc))
		(void)tc_tunnel(skb, f, p, FFFA_OPEN_NESTED, count_outer, cpu, c, &rc);
	return rc == FFFA_PARSE_TRUNCATED ? rc : FFFA_PARSE_OK;
}

static __always_inline bool xdp_tunnel(struct xdp_md *ctx, const struct fffa_frame *f,
				       struct fffa_packet *p, __u32 nested, __u32 cpu,
				       struct fffa_counts *c)
{
	__u32 type = fffa_open_type(p);
	struct fffa_scratch *s;

	if (type == FFFA_TUNNEL_NONE)
		return false;
	s = fffa_open_outer(p, cpu);
	if (!s || fffa_xdp_tunnel(ctx, type | nested, p->l4_offset, cpu))
		return false; /* a truncated frame stays so: the outer packet is recorded */
	fffa_open_enter(p, s, f, !nested, cpu, c);
	return fffa_open_more(p, c);
}

static __always_inline void xdp_tunnels(struct xdp_md *ctx, const struct fffa_frame *f,
					struct fffa_packet *p, __u32 cpu, struct fffa_counts *c)
{
	if (xdp_tunnel(ctx, f, p, 0, cpu, c))
		(void)xdp_tunnel(ctx, f, p, FFFA_OPEN_NESTED, cpu, c);
}

/* Pulls the headers into the linear part and parses again, into the scratch. */
__noinline int fffa_tc_parse_pulled(struct __sk_buff *skb, __u32 cpu)
{
	struct fffa_scratch *s = bpf_map_lookup_elem(&fffa_scratch, &cpu);
	struct fffa_frame f;
	__u32 len = skb->len;

	if (!s)
		return FFFA_PARSE_MALFORMED;
	(void)bpf_skb_pull_data(skb, len < FFFA_PULL_BYTES ? len : FFFA_PULL_BYTES);
	tc_frame(skb, &f);
	return fffa_parse_frame(DATA(skb), END(skb), &f, &s->packet);
}

static __always_inline int tc_parse_again(struct __sk_buff *skb, const struct fffa_frame *f,
					  struct fffa_packet *p, bool *count_outer, __u32 cpu,
					  struct fffa_counts *c)
{
	struct fffa_scratch *s = bpf_map_lookup_elem(&fffa_scratch, &cpu);
	int rc;

	if (!s)
		return FFFA_PARSE_MALFORMED;
	rc = fffa_tc_parse_pulled(skb, cpu);
	if (rc)
		return rc;
	fffa_open_copy(p, &s->packet);
	p->l3_bytes = s->packet.l3_bytes;
	p->header_bytes = s->packet.header_bytes;
	/* A truncated packet inside leaves the packet around it, which is whole. */
	(void)tc_tunnels(skb, f, p, count_outer, cpu, c);
	return FFFA_PARSE_OK;
}

static __always_inline int tc(struct __sk_buff *skb, __u8 view)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct fffa_packet p = {};
	struct fffa_counts *c;
	bool count_outer = true;
	struct fffa_frame f;
	int rc;

	tc_frame(skb, &f);
	if (cpu >= fffa_conf.slices) {
		fffa_count_no_slice(view, f.wire_bytes, f.gso_segs ? f.gso_segs : 1);
		return TC_ACT_UNSPEC;
	}
	c = bpf_map_lookup_elem(&fffa_counts, &cpu);
	if (!c)
		return TC_ACT_UNSPEC;
	if (fffa_count_not_sampled(c, f.gso_segs))
		return TC_ACT_UNSPEC;
	init_key(&p, view, skb->ifindex);
	rc = fffa_parse_frame(DATA(skb), END(skb), &f, &p);
	if (!rc)
		rc = tc_tunnels(skb, &f, &p, &count_outer, cpu, c);
	if (rc == FFFA_PARSE_TRUNCATED)
		rc = tc_parse_again(skb, &f, &p, &count_outer, cpu, c);
	if (p.fragment && !rc)
		fffa_fragment_apply(&p, c);
	fffa_count_packet(rc, &f, &p, cpu, c);
	return TC_ACT_UNSPEC; /* the next program decides; TCX_NEXT has the same value */
}

/* Never attached. The agent runs it to read the programs' clock. */
SEC("tc")
int fffa_ticks(struct __sk_buff *skb)
{
	(void)skb;
	return fffa_now_ticks();
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
	const void *data = DATA(ctx), *end = END(ctx);
	struct fffa_frame f = {.wire_bytes = end - data};
	__u32 cpu = bpf_get_smp_processor_id();
	struct fffa_packet p = {};
	struct fffa_counts *c;
	int rc;

	if (cpu >= fffa_conf.slices) {
		fffa_count_no_slice(0, f.wire_bytes, 1);
		return XDP_PASS;
	}
	c = bpf_map_lookup_elem(&fffa_counts, &cpu);
	if (!c)
		return XDP_PASS;
	if (fffa_count_not_sampled(c, 1))
		return XDP_PASS;
	init_key(&p, FFFA_VIEW_HOOK_XDP, ctx->ingress_ifindex);
	rc = fffa_parse_frame(data, end, &f, &p);
	if (!rc) {
		xdp_tunnels(ctx, &f, &p, cpu, c);
		if (p.fragment)
			fffa_fragment_apply(&p, c);
	}
	if (rc && fffa_conf.xdp_frags) /* a call: only where the length is counted */
		f.wire_bytes = bpf_xdp_get_buff_len(ctx);
	fffa_count_packet(rc, &f, &p, cpu, c);
	return XDP_PASS;
}
