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
#include "bpf/ipsec.h"
#include "bpf/maps.h"
#include "bpf/open.h"
#include "bpf/parse.h"
#include "bpf/segments.h"

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

/*
 * The verifier walks a global function once, not once for every way to reach it.
 *
 * The headers between Ethernet and IP, see fffa_link_walk: seldom there, so out of the way.
 */
__noinline int fffa_tc_link_step(struct __sk_buff *skb, __u32 step)
{
	return fffa_link_step(DATA(skb), END(skb), FFFA_LINK_OFFSET(step), FFFA_LINK_TYPE(step));
}

__noinline int fffa_tc_link(struct __sk_buff *skb, __u32 step)
{
	for (int i = 0; i < FFFA_LINK_DEPTH && !fffa_link_is_over(step); i++)
		step = fffa_tc_link_step(skb, step);
	return fffa_link_is_over(step) ? step : step | FFFA_LINK_END;
}

__noinline int fffa_xdp_link_step(struct xdp_md *ctx, __u32 step)
{
	return fffa_link_step(DATA(ctx), END(ctx), FFFA_LINK_OFFSET(step), FFFA_LINK_TYPE(step));
}

__noinline int fffa_xdp_link(struct xdp_md *ctx, __u32 step)
{
	for (int i = 0; i < FFFA_LINK_DEPTH && !fffa_link_is_over(step); i++)
		step = fffa_xdp_link_step(ctx, step);
	return fffa_link_is_over(step) ? step : step | FFFA_LINK_END;
}

/* From the Ethernet header on. The frame is in ctx; walk is fffa_tc_link or fffa_xdp_link. */
#define PARSE(ctx, walk, f, p)                                                                     \
	({                                                                                         \
		__u32 off_ = 0, step_ = 0;                                                         \
		__u16 type_ = 0;                                                                   \
		int rc_ = fffa_parse_eth(DATA(ctx), END(ctx), &off_, &type_);                      \
                                                                                                   \
		if (!rc_ && !fffa_link_is_ip(type_)) {                                             \
			step_ = walk(ctx, FFFA_LINK(off_, type_));                                 \
			off_ = FFFA_LINK_OFFSET(step_);                                            \
			type_ = FFFA_LINK_TYPE(step_);                                             \
			if (step_ & FFFA_LINK_TRUNCATED)                                           \
				rc_ = FFFA_PARSE_TRUNCATED;                                        \
		}                                                                                  \
		rc_ ? rc_ : fffa_parse_l3(DATA(ctx), END(ctx), off_, type_, f, p);                 \
	})

/*
 * Reads the tunnel whose UDP header is at l4_offset, up to the inner Ethernet header. Returns enum
 * fffa_parse. Functions one after the other need less stack than one, or one below the other: a call
 * takes at least 32 bytes, and Linux before 6.8 rounds up to 32.
 */
__noinline int fffa_tc_tunnel(struct __sk_buff *skb, __u32 type, __u32 l4_offset, __u32 cpu)
{
	struct fffa_scratch *s = bpf_map_lookup_elem(&fffa_scratch, &cpu);

	return s ? fffa_open_link(DATA(skb), END(skb), type, l4_offset, s) : FFFA_PARSE_MALFORMED;
}

/* Then the packet inside, into the scratch; it ends before frame offset inner_end. */
__noinline int fffa_tc_inside(struct __sk_buff *skb, __u32 inner_end, __u32 way, __u32 cpu)
{
	struct fffa_frame f;

	tc_frame(skb, &f);
	f.wire_bytes = inner_end;
	return fffa_open_inside(DATA(skb), END(skb), &f, way, cpu);
}

/*
 * Looks whether a socket or a tunnel device of this host receives the tunnel in the scratch, and
 * interns it. Returns 0 or FFFA_OPEN_*.
 */
#define ASK(ctx, ports, way, cpu)                                                                  \
	({                                                                                         \
		struct fffa_scratch *s_ = bpf_map_lookup_elem(&fffa_scratch, &(cpu));              \
		bool received_ = !fffa_open_asks(way);                                             \
		int rc_ = FFFA_OPEN_NO_ID;                                                         \
                                                                                                   \
		if (s_ && !received_) {                                                            \
			struct bpf_sock_tuple t_ = {};                                             \
			__u32 size_ = fffa_intern_tuple(&s_->tunnel, way, ports, &t_);             \
			struct bpf_sock *sk_ =                                                     \
				bpf_sk_lookup_udp(ctx, &t_, size_, BPF_F_CURRENT_NETNS, 0);        \
                                                                                                   \
			if (sk_) {                                                                 \
				received_ = true;                                                  \
				bpf_sk_release(sk_);                                               \
			}                                                                          \
		}                                                                                  \
		if (s_)                                                                            \
			rc_ = fffa_intern(&s_->tunnel, way, received_, cpu,                        \
					  &s_->packet.key.tunnel);                                 \
		rc_;                                                                               \
	})

__noinline int fffa_tc_ask(struct __sk_buff *skb, __u32 ports, __u32 way, __u32 cpu)
{
	return ASK(skb, ports, way, cpu);
}

__noinline int fffa_xdp_ask(struct xdp_md *ctx, __u32 ports, __u32 way, __u32 cpu)
{
	return ASK(ctx, ports, way, cpu);
}

__noinline int fffa_xdp_tunnel(struct xdp_md *ctx, __u32 type, __u32 l4_offset, __u32 cpu)
{
	struct fffa_scratch *s = bpf_map_lookup_elem(&fffa_scratch, &cpu);

	return s ? fffa_open_link(DATA(ctx), END(ctx), type, l4_offset, s) : FFFA_PARSE_MALFORMED;
}

__noinline int fffa_xdp_inside(struct xdp_md *ctx, __u32 inner_end, __u32 way, __u32 cpu)
{
	struct fffa_frame f = {.wire_bytes = inner_end};

	return fffa_open_inside(DATA(ctx), END(ctx), &f, way, cpu);
}

/* One header of a super-packet, see fffa_segments_step. */
__noinline int fffa_tc_segments_step(struct __sk_buff *skb, __u32 step, __u32 l3_end)
{
	__u32 off = FFFA_LINK_OFFSET(step), left = l3_end - off;
	__u8 b[FFFA_SEGMENTS_HEADER] __attribute__((aligned(8))) = {};

	if (off >= l3_end || off > FFFA_LINK_MAX)
		return FFFA_LINK_END;
	if (left > sizeof(b))
		left = sizeof(b);
	/* The verifier does not see that off is below l3_end, so the bounds are in the mask. */
	asm volatile("" : "+r"(left));
	left = ((left - 1) & (sizeof(b) - 1)) + 1;
	if (bpf_skb_load_bytes(skb, off, b, left))
		return FFFA_LINK_END;
	return fffa_segments_step(b, step, l3_end);
}

/*
 * Walks down to the innermost header of a super-packet that ends at frame offset l3_end. step: its
 * transport header. Returns where the payload begins that the segments share; 0: not known.
 */
__noinline int fffa_tc_segments(struct __sk_buff *skb, __u32 step, __u32 l3_end)
{
	__u32 size = skb->gso_size, segs = skb->gso_segs, best = 0;

	step = fffa_segments_of_proto(FFFA_LINK_OFFSET(step), FFFA_LINK_TYPE(step));
	for (int i = 0; i < FFFA_SEGMENTS_DEPTH; i++) {
		__u32 next = fffa_tc_segments_step(skb, step, l3_end);
		__u32 payload = fffa_segments_payload(step, next);

		if (fffa_segments_fit(payload, l3_end, size, segs))
			best = payload;
		if (next & FFFA_LINK_END)
			break;
		step = next;
	}
	return best;
}

/* Counts the segments of the packet in the scratch anew: of the one inside, or of the outermost. */
__noinline int fffa_tc_recount(struct __sk_buff *skb, __u32 cpu, __u32 inside)
{
	struct fffa_scratch *s = bpf_map_lookup_elem(&fffa_scratch, &cpu);
	struct fffa_packet *p;
	struct fffa_frame f;
	__u32 step;

	if (!s)
		return 0;
	p = inside ? &s->packet : &s->again;
	tc_frame(skb, &f);
	if (!fffa_segments_wanted(&f, p))
		return 0;
	step = FFFA_LINK(p->l4_offset, p->key.proto);
	fffa_segments_recount(&f, fffa_tc_segments(skb, step, p->l3_end), p);
	return 0;
}

static __always_inline void init_key(struct fffa_packet *p, __u8 view, __u32 ifindex)
{
	p->key.view = view;
	p->key.ifindex = ifindex;
}

#define TC_SUPER 0x200 /* beside FFFA_OPEN_NESTED: the packet has segments */

/*
 * Opens the tunnel in p. True when p is now the packet inside and may hold a tunnel itself. No loop
 * goes over the depth: some compilers would unroll it and others not. how: FFFA_OPEN_NESTED, TC_SUPER.
 */
static __always_inline bool tc_tunnel(struct __sk_buff *skb, const struct fffa_frame *f,
				      struct fffa_packet *p, __u32 how, bool *count_outer,
				      __u32 cpu, struct fffa_counts *c, int *rc)
{
	__u32 type = fffa_open_type(p), way = FFFA_OPEN_WAY(p->key.view, how & FFFA_OPEN_NESTED);
	struct fffa_scratch *s;

	if (type == FFFA_TUNNEL_NONE)
		return false;
	s = fffa_open_outer(p, cpu);
	if (!s)
		return false;
	*rc = fffa_tc_tunnel(skb, type | how, p->l4_offset, cpu);
	if (!*rc && !fffa_link_is_ip(FFFA_LINK_TYPE(s->inside.step)))
		s->inside.step = fffa_tc_link(skb, s->inside.step);
	if (!*rc)
		*rc = fffa_tc_inside(skb, p->l3_end, way, cpu);
	if (*rc == FFFA_OPEN_ASK)
		*rc = fffa_tc_ask(skb, fffa_open_ports(p), way, cpu);
	fffa_open_count(*rc, p, c);
	if (*rc)
		return false;
	if (how & TC_SUPER)
		(void)fffa_tc_recount(skb, cpu, 1);
	fffa_open_enter(p, s, f, !(how & FFFA_OPEN_NESTED) && *count_outer, cpu, c, skb);
	*count_outer = false;
	return fffa_open_more();
}

/*
 * Opens the tunnels in p, one in the other. p becomes the innermost packet that is whole.
 * FFFA_PARSE_TRUNCATED: the bytes at hand do not suffice for one more.
 */
_Static_assert(FFFA_TUNNEL_DEPTH == 2, "a tunnel is opened twice below");
static __always_inline int tc_tunnels(struct __sk_buff *skb, const struct fffa_frame *f,
				      struct fffa_packet *p, __u32 how, bool *count_outer,
				      __u32 cpu, struct fffa_counts *c)
{
	int rc = FFFA_PARSE_OK;

	if (tc_tunnel(skb, f, p, how, count_outer, cpu, c, &rc))
		(void)tc_tunnel(skb, f, p, how | FFFA_OPEN_NESTED, count_outer, cpu, c, &rc);
	return rc == FFFA_PARSE_TRUNCATED ? rc : FFFA_PARSE_OK;
}

static __always_inline bool xdp_tunnel(struct xdp_md *ctx, const struct fffa_frame *f,
				       struct fffa_packet *p, __u32 nested, __u32 cpu,
				       struct fffa_counts *c)
{
	__u32 type = fffa_open_type(p), way = FFFA_OPEN_WAY(p->key.view, nested);
	struct fffa_scratch *s;
	int rc;

	if (type == FFFA_TUNNEL_NONE)
		return false;
	s = fffa_open_outer(p, cpu);
	if (!s || fffa_xdp_tunnel(ctx, type | nested, p->l4_offset, cpu))
		return false; /* a truncated frame stays so: the outer packet is recorded */
	if (!fffa_link_is_ip(FFFA_LINK_TYPE(s->inside.step)))
		s->inside.step = fffa_xdp_link(ctx, s->inside.step);
	rc = fffa_xdp_inside(ctx, p->l3_end, way, cpu);
	if (rc == FFFA_OPEN_ASK)
		rc = fffa_xdp_ask(ctx, fffa_open_ports(p), way, cpu);
	fffa_open_count(rc, p, c);
	if (rc)
		return false;
	fffa_open_enter(p, s, f, !nested, cpu, c, NULL);
	return fffa_open_more();
}

static __always_inline void xdp_tunnels(struct xdp_md *ctx, const struct fffa_frame *f,
					struct fffa_packet *p, __u32 cpu, struct fffa_counts *c)
{
	if (xdp_tunnel(ctx, f, p, 0, cpu, c))
		(void)xdp_tunnel(ctx, f, p, FFFA_OPEN_NESTED, cpu, c);
}

#define IP_ONLY	      0x200 /* beside the view: the device has no link header */
#define IP_OFFSET_MAX 127

/* True when the linear part reaches to offset `at` of the IP header, to which the kernel itself points. */
static __always_inline bool tc_has_ip_byte(struct __sk_buff *skb, __u32 at)
{
	__u8 b;

	return !bpf_skb_load_bytes_relative(skb, at, &b, sizeof(b), BPF_HDR_START_NET);
}

/*
 * Where IP begins in a packet of a device without a link header. Some tunnels (SIT, GRE) leave the
 * headers around it in front. How many bytes that is, only the end of the linear part tells: from the
 * IP header on it is so much nearer than from the first byte on. Lengths in the headers would not do:
 * there may be bytes behind the packet.
 */
__noinline int fffa_tc_ip_offset(struct __sk_buff *skb)
{
	__u32 linear = END(skb) - DATA(skb), front = 0;

	if (!linear || tc_has_ip_byte(skb, linear - 1))
		return 0;
	for (__u32 step = (IP_OFFSET_MAX + 1) / 2; step; step /= 2) {
		if (front + step <= linear && !tc_has_ip_byte(skb, linear - front - step))
			front += step;
	}
	return front < IP_OFFSET_MAX ? (int)front : 0;
}

static __always_inline int tc_parse_ip(struct __sk_buff *skb, const struct fffa_frame *f,
				       struct fffa_packet *p)
{
	__u32 off = (__u32)fffa_tc_ip_offset(skb);

	/* clang 21 knows what the function returns and leaves out the mask, which the verifier needs. */
	asm volatile("" : "+r"(off));
	off &= IP_OFFSET_MAX;
	return fffa_parse_l3(DATA(skb), END(skb), off, FFFA_BE16((__u16)skb->protocol), f, p);
}

static __always_inline void tc_note_encrypted(struct __sk_buff *skb, const struct fffa_packet *p)
{
	__u32 at = fffa_ipsec_spi_offset(p);

	if (at)
		(void)fffa_tc_encrypted(skb, at);
}

#define REST_OUTER_COUNTED 0x100 /* beside the view */
#define REST_PULL	   0x400
#define REST_SUPER	   0x20 /* beside enum fffa_parse */

/* Parses into the scratch. REST_PULL: after pulling the headers into the linear part. */
__noinline int fffa_tc_parse_again(struct __sk_buff *skb, __u32 cpu, __u32 view)
{
	struct fffa_scratch *s = bpf_map_lookup_elem(&fffa_scratch, &cpu);
	struct fffa_frame f;
	__u32 len = skb->len;

	if (!s)
		return FFFA_PARSE_MALFORMED;
	if (view & REST_PULL)
		(void)bpf_skb_pull_data(skb, len < FFFA_PULL_BYTES ? len : FFFA_PULL_BYTES);
	tc_frame(skb, &f);
	if (view & IP_ONLY)
		return tc_parse_ip(skb, &f, &s->again);
	return PARSE(skb, fffa_tc_link, &f, &s->again);
}

/*
 * What is left to do with a packet that was not parsed at first (rc), or that has segments and may be
 * a tunnel (REST_SUPER), out of the way of all others. It is parsed again, into the scratch; a
 * truncated one after its headers are in the linear part. Returns 0. After REST_SUPER also
 * FFFA_PARSE_TRUNCATED, perhaps with REST_OUTER_COUNTED: the packet is still to be counted.
 */
__noinline int fffa_tc_rest(struct __sk_buff *skb, __u32 view, __u32 cpu, __u32 rc,
			    __u32 ether_type)
{
	struct fffa_counts *c = bpf_map_lookup_elem(&fffa_counts, &cpu);
	struct fffa_scratch *s = bpf_map_lookup_elem(&fffa_scratch, &cpu);
	bool count_outer = !(view & REST_OUTER_COUNTED);
	struct fffa_frame f;

	if (!c || !s)
		return 0;
	tc_frame(skb, &f);
	s->again.ether_type = ether_type;
	init_key(&s->again, view & 0xff, skb->ifindex);
	if (rc == FFFA_PARSE_TRUNCATED || rc == REST_SUPER) {
		if (rc == FFFA_PARSE_TRUNCATED)
			view |= REST_PULL;
		rc = fffa_tc_parse_again(skb, cpu, view);
		if (!rc && view & REST_PULL)
			tc_note_encrypted(skb, &s->again);
		if (!rc)
			(void)fffa_tc_recount(skb, cpu, 0);
		/* After pulling, a truncated packet inside leaves the packet around it, which is whole. */
		if (!rc && tc_tunnels(skb, &f, &s->again, TC_SUPER, &count_outer, cpu, c) &&
		    !(view & REST_PULL))
			return FFFA_PARSE_TRUNCATED | (count_outer ? 0 : REST_OUTER_COUNTED);
		if (!rc && s->again.fragment)
			fffa_fragment_apply(&s->again, cpu, c);
	}
	if (view & IP_ONLY)
		f.wire_bytes += FFFA_ETH_HEADER;
	fffa_count_packet(rc, &f, &s->again, cpu, c, skb);
	return 0;
}

static __always_inline void tc_super(struct __sk_buff *skb, __u32 view, __u32 cpu)
{
	__u32 rc = fffa_tc_rest(skb, view, cpu, REST_SUPER, 0);

	if (rc)
		(void)fffa_tc_rest(skb, view | (rc & REST_OUTER_COUNTED), cpu, FFFA_PARSE_TRUNCATED,
				   0);
}

static __always_inline int tc(struct __sk_buff *skb, __u32 view, __u32 second)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct fffa_packet p = {};
	struct fffa_counts *c;
	bool count_outer = true;
	struct fffa_frame f;
	int rc;

	if (fffa_ctl.muted == FFFA_MUTED(skb->ifindex, view & FFFA_VIEW_EGRESS ? 1 : 0, second))
		return TC_ACT_UNSPEC;
	tc_frame(skb, &f);
	if (cpu >= fffa_conf.slices) {
		if (view & IP_ONLY)
			f.wire_bytes += FFFA_ETH_HEADER;
		fffa_count_no_slice(view, f.wire_bytes, f.gso_segs ? f.gso_segs : 1);
		return TC_ACT_UNSPEC;
	}
	c = bpf_map_lookup_elem(&fffa_counts, &cpu);
	if (!c)
		return TC_ACT_UNSPEC;
	if (fffa_count_not_sampled(c, f.gso_segs))
		return TC_ACT_UNSPEC;
	init_key(&p, view & 0xff, skb->ifindex);
	if (view & IP_ONLY)
		rc = tc_parse_ip(skb, &f, &p);
	else
		rc = PARSE(skb, fffa_tc_link, &f, &p);
	if (rc) {
		(void)fffa_tc_rest(skb, view, cpu, rc, p.ether_type);
		return TC_ACT_UNSPEC;
	}
	if (p.key.proto != FFFA_IPPROTO_TCP) {
		tc_note_encrypted(skb, &p);
		if (fffa_segments_wanted(&f, &p)) {
			tc_super(skb, view, cpu);
			return TC_ACT_UNSPEC;
		}
	}
	if (tc_tunnels(skb, &f, &p, 0, &count_outer, cpu, c)) {
		(void)fffa_tc_rest(skb, count_outer ? view : view | REST_OUTER_COUNTED, cpu,
				   FFFA_PARSE_TRUNCATED, 0);
		return TC_ACT_UNSPEC;
	}
	if (p.fragment)
		fffa_fragment_apply(&p, cpu, c);
	fffa_count_packet(FFFA_PARSE_OK, &f, &p, cpu, c, skb);
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
	return tc(skb, 0, 0);
}

SEC("tc")
int fffa_tc_out(struct __sk_buff *skb)
{
	return tc(skb, FFFA_VIEW_EGRESS, 0);
}

/* The same again: TCX attaches a program to a device only once. Names of at most 15 characters. */
SEC("tc")
int fffa_tc_in_2nd(struct __sk_buff *skb)
{
	return tc(skb, 0, 1);
}

SEC("tc")
int fffa_tc_out_2nd(struct __sk_buff *skb)
{
	return tc(skb, FFFA_VIEW_EGRESS, 1);
}

/* The same for devices whose packets begin with IP. */
SEC("tc")
int fffa_tc_ip_in(struct __sk_buff *skb)
{
	return tc(skb, IP_ONLY, 0);
}

SEC("tc")
int fffa_tc_ip_out(struct __sk_buff *skb)
{
	return tc(skb, IP_ONLY | FFFA_VIEW_EGRESS, 0);
}

SEC("tc")
int fffa_tc_ip_in2(struct __sk_buff *skb)
{
	return tc(skb, IP_ONLY, 1);
}

SEC("tc")
int fffa_tc_ip_out2(struct __sk_buff *skb)
{
	return tc(skb, IP_ONLY | FFFA_VIEW_EGRESS, 1);
}

/* Parses into the scratch, with the length of all buffers. */
__noinline int fffa_xdp_parse_frags(struct xdp_md *ctx, __u32 cpu)
{
	struct fffa_scratch *s = bpf_map_lookup_elem(&fffa_scratch, &cpu);
	struct fffa_frame f = {};

	if (!s || !fffa_conf.xdp_frags)
		return FFFA_PARSE_MALFORMED;
	f.wire_bytes = bpf_xdp_get_buff_len(ctx);
	return PARSE(ctx, fffa_xdp_link, &f, &s->again);
}

/*
 * What is left to do with a packet that was not parsed at first (rc). A frame in several buffers is
 * longer than its first one, which alone is read: it is parsed again, with its whole length.
 */
__noinline int fffa_xdp_rest(struct xdp_md *ctx, __u32 cpu, __u32 rc, __u32 ether_type)
{
	struct fffa_counts *c = bpf_map_lookup_elem(&fffa_counts, &cpu);
	struct fffa_scratch *s = bpf_map_lookup_elem(&fffa_scratch, &cpu);
	struct fffa_frame f = {.wire_bytes = END(ctx) - DATA(ctx)};

	if (!c || !s)
		return 0;
	s->again.ether_type = ether_type;
	init_key(&s->again, FFFA_VIEW_HOOK_XDP, ctx->ingress_ifindex);
	if (fffa_conf.xdp_frags && rc != FFFA_PARSE_NOT_IP) {
		f.wire_bytes = bpf_xdp_get_buff_len(ctx);
		rc = fffa_xdp_parse_frags(ctx, cpu);
		if (!rc)
			xdp_tunnels(ctx, &f, &s->again, cpu, c);
		if (!rc && s->again.fragment)
			fffa_fragment_apply(&s->again, cpu, c);
	}
	fffa_count_packet(rc, &f, &s->again, cpu, c, NULL);
	return 0;
}

SEC("xdp")
int fffa_xdp_in(struct xdp_md *ctx)
{
	struct fffa_frame f = {.wire_bytes = END(ctx) - DATA(ctx)};
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
	rc = PARSE(ctx, fffa_xdp_link, &f, &p);
	if (rc) {
		(void)fffa_xdp_rest(ctx, cpu, rc, p.ether_type);
		return XDP_PASS;
	}
	xdp_tunnels(ctx, &f, &p, cpu, c);
	if (p.fragment)
		fffa_fragment_apply(&p, cpu, c);
	fffa_count_packet(FFFA_PARSE_OK, &f, &p, cpu, c, NULL);
	return XDP_PASS;
}
