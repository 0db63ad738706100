/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Gives each tunnel identity a small id, which stays in the key of its flows, unless nobody on this
 * host receives the tunnel. Kernel build only.
 */
#ifndef FFFA_BPF_INTERN_H
#define FFFA_BPF_INTERN_H

#include <stdbool.h>

#include "bpf/maps.h"

/* Beside enum fffa_parse: why the packet around the tunnel is recorded. */
#define FFFA_OPEN_NO_ID	 0x10 /* all ids are in use: the one inside would be a flow that never was */
#define FFFA_OPEN_CLOSED 0x11 /* the tunnel does not end on this host */
#define FFFA_OPEN_ASK	 0x12 /* not known yet: fffa_tc_ask or fffa_xdp_ask finds out */

/*
 * Beside its identity, what the answer to "who receives it" depends on. In the outermost tunnel that
 * is its direction, and its IP version; one inside another is opened with that.
 */
#define FFFA_OPEN_WAY_NESTED 0x02
#define FFFA_OPEN_WAY(view, nested)                                                                \
	(((view) & (FFFA_VIEW_EGRESS | FFFA_VIEW_IPV6)) | ((nested) ? FFFA_OPEN_WAY_NESTED : 0))

/* The id of a tunnel, a new one when the tunnel is not known yet. 0: all ids are in use. */
static __always_inline __u16 fffa_intern_slow(const struct fffa_tunnel *t)
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
		/* Before any entry can show the id. */
		__builtin_memcpy(facts, t, sizeof(*facts));
		if (!bpf_map_update_elem(&fffa_tun_ids, t, &id, BPF_NOEXIST))
			return id;
		facts->type = FFFA_TUNNEL_NONE;
	}
	/* Another CPU was first, or there is no memory. */
	(void)bpf_map_push_elem(&fffa_tun_free, &id, 0);
	known = bpf_map_lookup_elem(&fffa_tun_ids, t);
	return known ? *known : 0;
}

/* The line of this CPU's cache where the tunnel belongs; NULL: never. */
static __always_inline struct fffa_tunnel_line *fffa_intern_line(const struct fffa_tunnel *t,
								 __u32 cpu)
{
	struct fffa_tunnel_cache *cache = bpf_map_lookup_elem(&fffa_tun_cache, &cpu);
	const __u64 *w = (const __u64 *)t;
	__u64 h = (w[1] ^ w[3] ^ w[4] ^ w[5] ^ w[6]) * fffa_conf.hash_key[0];

	return cache ? &cache->line[(h >> 32) & (FFFA_TUNNEL_CACHE_WAYS - 1)] : NULL;
}

/*
 * Sets the id of a tunnel that this CPU's cache knows. Returns 0 or FFFA_OPEN_*. t lies in a map, so
 * that the compiler does not split it into pieces that are then read as words.
 */
static __always_inline int fffa_intern_known(const struct fffa_tunnel *t, __u32 way, __u32 cpu,
					     __u16 *id)
{
	const struct fffa_tunnel_line *l = fffa_intern_line(t, cpu);
	const __u64 *w = (const __u64 *)t, *k = (const __u64 *)l;

	if (!l)
		return FFFA_OPEN_NO_ID;
	if (l->epoch != fffa_ctl.tunnel_epoch || k[1] != w[1] || k[3] != w[3] || k[4] != w[4] ||
	    k[5] != w[5] || k[6] != w[6] || k[0] != w[0] || k[2] != w[2] || l->way != way)
		return FFFA_OPEN_ASK;
	*id = l->id;
	return l->id ? 0 : FFFA_OPEN_CLOSED;
}

/*
 * Interns a tunnel that has a receiver. Stores the answer in this CPU's cache. Returns 0, or
 * FFFA_OPEN_NO_ID or FFFA_OPEN_CLOSED.
 */
static __always_inline int fffa_intern(const struct fffa_tunnel *t, __u32 way, bool received,
				       __u32 cpu, __u16 *id)
{
	struct fffa_tunnel_line *l = fffa_intern_line(t, cpu);
	__u32 epoch = fffa_ctl.tunnel_epoch; /* first: an id that is taken back now is void */

	*id = received ? fffa_intern_slow(t) : 0;
	if (!l || (received && !*id))
		return FFFA_OPEN_NO_ID;
	l->epoch = 0;
	__builtin_memcpy(&l->tunnel, t, sizeof(l->tunnel));
	l->id = *id;
	l->way = way;
	l->epoch = epoch;
	return received ? 0 : FFFA_OPEN_CLOSED;
}

/*
 * Fills the socket look-up for the tunnel's end on this host: its destination, or its source when
 * the packet leaves. The port is the tunnel's in both directions. ports: source in the low 16 bits,
 * destination above, as on the wire. Returns the size of the tuple.
 */
static __always_inline __u32 fffa_intern_tuple(const struct fffa_tunnel *t, __u32 way, __u32 ports,
					       struct bpf_sock_tuple *to)
{
	const __u32 *here = (const __u32 *)(way & FFFA_VIEW_EGRESS ? t->src : t->dst);
	const __u32 *there = (const __u32 *)(way & FFFA_VIEW_EGRESS ? t->dst : t->src);

	if (!(way & FFFA_VIEW_IPV6)) {
		to->ipv4.saddr = there[3];
		to->ipv4.daddr = here[3];
		to->ipv4.sport = ports;
		to->ipv4.dport = ports >> 16;
		return sizeof(to->ipv4);
	}
	__builtin_memcpy(to->ipv6.saddr, there, sizeof(to->ipv6.saddr));
	__builtin_memcpy(to->ipv6.daddr, here, sizeof(to->ipv6.daddr));
	to->ipv6.sport = ports;
	to->ipv6.dport = ports >> 16;
	return sizeof(to->ipv6);
}

#endif
