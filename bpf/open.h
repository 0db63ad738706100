/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Opens a tunnel: the packet inside becomes the one to account. Kernel build only. */
#ifndef FFFA_BPF_OPEN_H
#define FFFA_BPF_OPEN_H

#include <stdbool.h>

#include "bpf/count.h"
#include "bpf/fragment_ports.h"
#include "bpf/intern.h"
#include "bpf/tunnel.h"

#define FFFA_OPEN_NESTED 0x100 /* beside the type: inside another tunnel */

/* Makes the compiler read again what lies in memory. */
#define FFFA_FORGET() asm volatile("" ::: "memory")

/*
 * Copies field by field, as the fields were written: a copy in whole words would wait for them.
 * Interface, direction and hook stay, since they belong to the frame.
 */
static __always_inline void fffa_open_copy(struct fffa_packet *to, const struct fffa_packet *from)
{
	fffa_copy_addr(to->key.src, from->key.src);
	fffa_copy_addr(to->key.dst, from->key.dst);
	to->key.sport = from->key.sport;
	to->key.dport = from->key.dport;
	to->key.proto = from->key.proto;
	to->key.view = (to->key.view & ~FFFA_VIEW_IPV6) | (from->key.view & FFFA_VIEW_IPV6);
	to->key.tunnel = from->key.tunnel;
	to->bytes = from->bytes;
	to->packets = from->packets;
	to->flags = from->flags;
	to->l4_offset = from->l4_offset;
	to->l3_end = from->l3_end;
	to->cookie = from->cookie;
	to->fragment = from->fragment;
	to->fragment_id = from->fragment_id;
}

/*
 * Passes the header's content through the scratch. There the verifier forgets which way it came,
 * and walks the inner packet once. Writes whole words: reading a word just after its pieces were
 * written waits for them.
 */
static __always_inline int fffa_open_header(const void *data, const void *end, __u32 type,
					    __u32 l4_offset, struct fffa_scratch *s)
{
	__u64 *to = (__u64 *)&s->tunnel, had = to[6] & FFFA_TUNNEL_HAS_MASK;
	__u32 cookie = s->inside.cookie;
	struct fffa_tunnel t = {};
	int rc = fffa_parse_tunnel_header(data, end, type & 0xff, l4_offset, &t, &s->inside);

	/* A mirrored packet through GWLB keeps the facts of GENEVE. */
	if (type & FFFA_OPEN_NESTED && !t.has) {
		to[6] = FFFA_TUNNEL_FACTS(&t) | had;
		s->inside.cookie = cookie;
	} else {
		to[4] = t.gwlbe_id;
		to[5] = t.attachment_id;
		to[6] = FFFA_TUNNEL_FACTS(&t);
	}
	FFFA_FORGET();
	return rc;
}

/*
 * The two halves of opening a tunnel. First its header and the inner Ethernet header, into the
 * scratch. Returns enum fffa_parse.
 */
static __always_inline int fffa_open_link(const void *data, const void *end, __u32 type,
					  __u32 l4_offset, struct fffa_scratch *s)
{
	int rc = fffa_open_header(data, end, type, l4_offset, s);

	return rc ? rc : fffa_parse_tunnel_link(data, end, &s->inside);
}

/*
 * Then the packet inside, into the scratch beside its tunnel. way: FFFA_OPEN_WAY. Returns enum
 * fffa_parse or FFFA_OPEN_*.
 */
static __always_inline int fffa_open_inside(const void *data, const void *end,
					    const struct fffa_frame *f, __u32 way, __u32 cpu)
{
	struct fffa_scratch *s = bpf_map_lookup_elem(&fffa_scratch, &cpu);
	int rc;

	if (!s)
		return FFFA_PARSE_MALFORMED;
	s->packet.key.view = 0;
	rc = fffa_parse_tunnel_inside(data, end, f, &s->inside, &s->packet);
	if (rc || fffa_ctl.tunnel_view == FFFA_TUNNEL_RECORD_OUTER) /* that needs no id */
		return rc;
	((__u64 *)&s->tunnel)[6] |= FFFA_TUNNEL_VIEW(way);
	return fffa_intern_known(&s->tunnel, way, cpu, &s->packet.key.tunnel);
}

/* Whether it must be asked who receives the tunnel; else every one is opened. */
static __always_inline bool fffa_open_asks(__u32 way)
{
	return fffa_ctl.ask_receiver && !(way & FFFA_OPEN_WAY_NESTED);
}

/* Source and destination port of the packet around a tunnel, as fffa_intern_tuple takes them. */
static __always_inline __u32 fffa_open_ports(const struct fffa_packet *p)
{
	return p->key.sport | (__u32)p->key.dport << 16;
}

/* Counts why a tunnel stays closed. rc: enum fffa_parse or FFFA_OPEN_*. */
static __always_inline void fffa_open_count(int rc, const struct fffa_packet *p,
					    struct fffa_counts *c)
{
	if (rc == FFFA_OPEN_NO_ID)
		c->no_tunnel_id += p->packets;
	if (rc == FFFA_OPEN_CLOSED)
		c->no_receiver += p->packets;
}

/*
 * The type of tunnel (FFFA_TUNNEL_*) in the packet's payload, by its UDP port. A fragment is not
 * opened: the others of its datagram could not be.
 */
static __always_inline __u32 fffa_open_type(const struct fffa_packet *p)
{
	__u16 port = FFFA_BE16(p->key.dport);

	if (p->key.proto != FFFA_IPPROTO_UDP || !p->l4_offset || p->fragment)
		return FFFA_TUNNEL_NONE;
	if (!(fffa_ctl.tunnel_ports >> (port & 63) & 1))
		return FFFA_TUNNEL_NONE;
	return fffa_tunnel_of_port(fffa_ctl.geneve_ports, fffa_ctl.vxlan_ports, port);
}

/* Stores the tunnel's outer addresses in the scratch. NULL: there is no scratch. */
static __always_inline struct fffa_scratch *fffa_open_outer(const struct fffa_packet *p, __u32 cpu)
{
	struct fffa_scratch *s = bpf_map_lookup_elem(&fffa_scratch, &cpu);

	if (s) {
		fffa_copy_addr(s->tunnel.src, p->key.src);
		fffa_copy_addr(s->tunnel.dst, p->key.dst);
	}
	return s;
}

/*
 * Takes the packet that fffa_open_inside left in the scratch for p; by the view, the outer one is
 * counted before or instead.
 */
static __always_inline void fffa_open_enter(struct fffa_packet *p, const struct fffa_scratch *s,
					    const struct fffa_frame *f, bool count_outer, __u32 cpu,
					    struct fffa_counts *c, struct __sk_buff *skb)
{
	__u32 view = fffa_ctl.tunnel_view; /* once: it may change meanwhile */

	if (!s->packet.key.tunnel) /* no id: the view was another before */
		view = FFFA_TUNNEL_RECORD_OUTER;
	if (view == FFFA_TUNNEL_RECORD_OUTER || (count_outer && view == FFFA_TUNNEL_RECORD_BOTH)) {
		if (view == FFFA_TUNNEL_RECORD_OUTER)
			return;
		fffa_count_packet(FFFA_PARSE_OK, f, p, cpu, c, skb);
	}
	fffa_open_copy(p, &s->packet);
}

/* True when there may be one more tunnel inside the one that was opened. */
static __always_inline bool fffa_open_more(void)
{
	return fffa_ctl.tunnel_view != FFFA_TUNNEL_RECORD_OUTER;
}

#endif
