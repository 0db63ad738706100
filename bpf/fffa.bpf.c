// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The hooks: TC (clsact or TCX) both ways, XDP for ingress. Each counts the packet and passes it
 * on. */
#include <stdbool.h>
#include <stddef.h>

#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_helpers.h>

#include "bpf/abi.h"
#include "bpf/fragment.h"
#include "bpf/maps.h"
#include "bpf/parse.h"
#include "bpf/table.h"
#include "bpf/tunnel.h"

#define FFFA_PULL_BYTES                                                                            \
	512 /* headers are looked for in so many bytes when the linear part is short */

/* What lies in memory from here on is read again. */
#define FFFA_FORGET() asm volatile("" ::: "memory")

char LICENSE[] SEC("license") = "Dual MIT/GPL";

/*
 * Field by field, as they were written: a copy in whole words would wait for the parts. The
 * interface and the view stay: they are of the frame.
 */
static __always_inline void take_packet(struct fffa_packet *to, const struct fffa_packet *from)
{
	fffa_copy_addr(to->key.src, from->key.src);
	fffa_copy_addr(to->key.dst, from->key.dst);
	to->key.sport = from->key.sport;
	to->key.dport = from->key.dport;
	to->key.proto = from->key.proto;
	to->key.tunnel = from->key.tunnel;
	to->bytes = from->bytes;
	to->packets = from->packets;
	to->flags = from->flags;
	to->l4_offset = from->l4_offset;
	to->cookie = from->cookie;
	to->fragment = from->fragment;
	to->fragment_id = from->fragment_id;
}

#define KNOWN_PORTS   (1ULL << 40)
#define TUNNEL_NESTED 0x100 /* beside the type: inside another tunnel */

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

/* t lies in a map: the compiler must not split it into parts that are then read as words. */
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
 * What the header says goes through the scratch: the verifier forgets there which way it came, and
 * walks the inner packet once. In whole words: a word read where its parts were just written waits
 * for them.
 */
static __always_inline int tunnel_header(const void *data, const void *end, __u32 type,
					 __u32 l4_offset, struct fffa_scratch *s)
{
	__u64 *to = (__u64 *)&s->tunnel, had = to[6] & FFFA_TUNNEL_HAS_MASK;
	__u32 cookie = s->inside.cookie;
	struct fffa_tunnel t = {};
	int r = fffa_parse_tunnel_header(data, end, type & 0xff, l4_offset, &t, &s->inside);

	if (type & TUNNEL_NESTED &&
	    !t.has) { /* a mirrored packet through GWLB keeps what GENEVE said */
		to[6] = FFFA_TUNNEL_FACTS(&t) | had;
		s->inside.cookie = cookie;
	} else {
		to[4] = t.gwlbe_id;
		to[5] = t.attachment_id;
		to[6] = FFFA_TUNNEL_FACTS(&t);
	}
	FFFA_FORGET();
	return r;
}

/* Makes the packet inside the one to account: it is in the scratch, as its tunnel is. */
static __always_inline int tunnel_open(const void *data, const void *end,
				       const struct fffa_frame *f, __u32 type, __u32 l4_offset,
				       __u32 cpu)
{
	struct fffa_scratch *s = bpf_map_lookup_elem(&fffa_scratch, &cpu);
	struct fffa_packet inner = {};
	int r;

	if (!s)
		return FFFA_PARSE_MALFORMED;
	r = tunnel_header(data, end, type, l4_offset, s);
	if (!r)
		r = fffa_parse_tunnel_inside(data, end, f, &s->inside, &inner);
	if (r)
		return r;
	inner.key.tunnel = intern(&s->tunnel, cpu);
	take_packet(&s->packet, &inner);
	return FFFA_PARSE_OK;
}

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
	return tunnel_open(DATA(skb), END(skb), &f, type, l4_offset, cpu);
}

__noinline int fffa_xdp_tunnel(struct xdp_md *ctx, __u32 type, __u32 l4_offset, __u32 cpu)
{
	struct fffa_frame f = {.wire_bytes = END(ctx) - DATA(ctx)};

	return tunnel_open(DATA(ctx), END(ctx), &f, type, l4_offset, cpu);
}

/* FFFA_TUNNEL_* that the packet's payload is, by its UDP port. */
static __always_inline __u32 tunnel_of(const struct fffa_packet *p)
{
	if (p->key.proto != FFFA_IPPROTO_UDP || !p->l4_offset)
		return FFFA_TUNNEL_NONE;
	return fffa_tunnel_of_port(fffa_conf.geneve_ports, fffa_conf.vxlan_ports,
				   FFFA_BE16(p->key.dport));
}

/* The tunnel's outer addresses, for those who open it. */
static __always_inline struct fffa_scratch *tunnel_outer(const struct fffa_packet *p, __u32 cpu)
{
	struct fffa_scratch *s = bpf_map_lookup_elem(&fffa_scratch, &cpu);

	if (s) {
		fffa_copy_addr(s->tunnel.src, p->key.src);
		fffa_copy_addr(s->tunnel.dst, p->key.dst);
	}
	return s;
}

/* Parsed and counted, or counted as lost. */
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

static __always_inline void init_key(struct fffa_packet *p, __u8 view, __u32 ifindex)
{
	p->key.view = view;
	p->key.ifindex = ifindex;
}

/*
 * A first fragment leaves its ports for the later ones; returns those of a later one, sport in the low 16 bits, then
 * dport, protocol and KNOWN_PORTS, or 0. The packet itself is not handed over: its fields would have to lie in
 * memory all the way.
 */
static __noinline __u64 fragment_ports(struct fffa_fragment_key *k, __u64 ports, bool first)
{
	struct fffa_fragment_ports v = {.sport = ports,
					.dport = ports >> 16,
					.proto = ports >> 32,
					.seen = fffa_now_ticks()};
	const struct fffa_fragment_ports *known;

	if (first) {
		(void)bpf_map_update_elem(&fffa_fragments, k, &v, BPF_ANY); /* fails: 0 later */
		return 0;
	}
	known = bpf_map_lookup_elem(&fffa_fragments, k);
	if (!known || v.seen - known->seen > fffa_conf.fragment_life_ticks)
		return 0;
	return KNOWN_PORTS | (__u64)known->proto << 32 | (__u64)known->dport << 16 | known->sport;
}

static __always_inline void fragment(struct fffa_packet *p, struct fffa_counts *c)
{
	struct fffa_fragment_key k;
	__u64 ports = (__u64)p->key.proto << 32 | (__u64)p->key.dport << 16 | p->key.sport;

	fffa_fragment_key_of(p, &k);
	ports = fragment_ports(&k, ports, p->fragment == FFFA_FRAGMENT_FIRST);
	if (p->fragment == FFFA_FRAGMENT_FIRST)
		return;
	if (ports) {
		p->key.sport = ports;
		p->key.dport = ports >> 16;
		p->key.proto = ports >> 32;
	} else {
		c->no_first_fragment += p->packets;
	}
}

/* Takes the packet that tunnel_open left in the scratch for p; by the view, the outer one is counted before or instead. */
static __always_inline void tunnel_enter(struct fffa_packet *p, const struct fffa_scratch *s,
					 const struct fffa_frame *f, bool count_outer, __u32 cpu,
					 struct fffa_counts *c)
{
	if (fffa_conf.tunnel_view != FFFA_TUNNEL_RECORD_OUTER && p->fragment)
		fragment(p, c); /* the later ones are not opened: they are the outer packet's own */
	if (count_outer && fffa_conf.tunnel_view != FFFA_TUNNEL_RECORD_INNER) {
		fffa_count_outer(f, &s->inside, p);
		if (fffa_conf.tunnel_view == FFFA_TUNNEL_RECORD_OUTER)
			return;
		count(FFFA_PARSE_OK, f, p, cpu, c);
	}
	take_packet(p, &s->packet);
}

/* After a tunnel is opened: true when there may be one more inside. */
static __always_inline bool tunnel_more(const struct fffa_packet *p, struct fffa_counts *c)
{
	if (fffa_conf.tunnel_view == FFFA_TUNNEL_RECORD_OUTER)
		return false;
	if (!p->key.tunnel)
		c->no_tunnel_id += p->packets;
	return true;
}

/*
 * Opens the tunnel that p is: true when p is the packet inside now, and may be a tunnel itself. No loop goes over
 * the depth: some compilers would unroll it and others not.
 */
static __always_inline bool tc_tunnel(struct __sk_buff *skb, const struct fffa_frame *f,
				      struct fffa_packet *p, __u32 nested, bool *count_outer,
				      __u32 cpu, struct fffa_counts *c, int *r)
{
	__u32 type = tunnel_of(p);
	struct fffa_scratch *s;

	if (type == FFFA_TUNNEL_NONE)
		return false;
	s = tunnel_outer(p, cpu);
	if (!s)
		return false;
	*r = fffa_tc_tunnel(skb, type | nested, p->l4_offset, cpu);
	if (*r)
		return false;
	tunnel_enter(p, s, f, *count_outer, cpu, c);
	*count_outer = false;
	return tunnel_more(p, c);
}

/*
 * Opens the tunnels in p, one in the other: p becomes the innermost packet that is whole.
 * FFFA_PARSE_TRUNCATED: for one more the bytes at hand do not suffice.
 */
_Static_assert(FFFA_TUNNEL_DEPTH == 2, "a tunnel is opened twice below");
static __always_inline int tc_tunnels(struct __sk_buff *skb, const struct fffa_frame *f,
				      struct fffa_packet *p, bool *count_outer, __u32 cpu,
				      struct fffa_counts *c)
{
	int r = FFFA_PARSE_OK;

	if (tc_tunnel(skb, f, p, 0, count_outer, cpu, c, &r))
		(void)tc_tunnel(skb, f, p, TUNNEL_NESTED, count_outer, cpu, c, &r);
	return r == FFFA_PARSE_TRUNCATED ? r : FFFA_PARSE_OK;
}

static __always_inline bool xdp_tunnel(struct xdp_md *ctx, const struct fffa_frame *f,
				       struct fffa_packet *p, __u32 nested, __u32 cpu,
				       struct fffa_counts *c)
{
	__u32 type = tunnel_of(p);
	struct fffa_scratch *s;

	if (type == FFFA_TUNNEL_NONE)
		return false;
	s = tunnel_outer(p, cpu);
	if (!s || fffa_xdp_tunnel(ctx, type | nested, p->l4_offset, cpu))
		return false; /* what is cut in a frame stays cut: the outer packet is recorded */
	tunnel_enter(p, s, f, !nested, cpu, c);
	return tunnel_more(p, c);
}

static __always_inline void xdp_tunnels(struct xdp_md *ctx, const struct fffa_frame *f,
					struct fffa_packet *p, __u32 cpu, struct fffa_counts *c)
{
	if (xdp_tunnel(ctx, f, p, 0, cpu, c))
		(void)xdp_tunnel(ctx, f, p, TUNNEL_NESTED, cpu, c);
}

/* True: this packet is passed over (capture.sample), with all of its segments when it says how many. */
static __always_inline bool not_sampled(struct fffa_counts *c, __u32 segs)
{
	if (fffa_conf.sample <= 1 || bpf_get_prandom_u32() % fffa_conf.sample == 0)
		return false;
	c->not_sampled += segs ? segs : 1;
	return true;
}

/* The headers are not all in the linear part: bring them there and read again, into the scratch. */
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

static __always_inline int tc_again(struct __sk_buff *skb, const struct fffa_frame *f,
				    struct fffa_packet *p, bool *count_outer, __u32 cpu,
				    struct fffa_counts *c)
{
	struct fffa_scratch *s = bpf_map_lookup_elem(&fffa_scratch, &cpu);
	int r;

	if (!s)
		return FFFA_PARSE_MALFORMED;
	r = fffa_tc_parse_pulled(skb, cpu);
	if (r)
		return r;
	take_packet(p, &s->packet);
	p->l3_bytes = s->packet.l3_bytes;
	p->header_bytes = s->packet.header_bytes;
	/* Cut inside, too: the packet around it is whole. */
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
	int r;

	tc_frame(skb, &f);
	if (cpu >= fffa_conf.slices) {
		count_no_slice(view, f.wire_bytes, f.gso_segs ? f.gso_segs : 1);
		return TC_ACT_UNSPEC;
	}
	c = bpf_map_lookup_elem(&fffa_counts, &cpu);
	if (!c)
		return TC_ACT_UNSPEC;
	if (not_sampled(c, f.gso_segs))
		return TC_ACT_UNSPEC;
	init_key(&p, view, skb->ifindex);
	r = fffa_parse_frame(DATA(skb), END(skb), &f, &p);
	if (!r)
		r = tc_tunnels(skb, &f, &p, &count_outer, cpu, c);
	if (r == FFFA_PARSE_TRUNCATED)
		r = tc_again(skb, &f, &p, &count_outer, cpu, c);
	if (p.fragment && !r)
		fragment(&p, c);
	count(r, &f, &p, cpu, c);
	return TC_ACT_UNSPEC; /* the next program decides; TCX_NEXT has the same value */
}

/* Not attached: the agent runs it to learn what the time stamps count. */
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
	int r;

	if (cpu >= fffa_conf.slices) {
		count_no_slice(0, f.wire_bytes, 1);
		return XDP_PASS;
	}
	c = bpf_map_lookup_elem(&fffa_counts, &cpu);
	if (!c)
		return XDP_PASS;
	if (not_sampled(c, 1))
		return XDP_PASS;
	init_key(&p, FFFA_VIEW_HOOK_XDP, ctx->ingress_ifindex);
	r = fffa_parse_frame(data, end, &f, &p);
	if (!r) {
		xdp_tunnels(ctx, &f, &p, cpu, c);
		if (p.fragment)
			fragment(&p, c);
	}
	if (r && fffa_conf.xdp_frags) /* a call: only where the length is counted */
		f.wire_bytes = bpf_xdp_get_buff_len(ctx);
	count(r, &f, &p, cpu, c);
	return XDP_PASS;
}
