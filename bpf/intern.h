/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Gives each tunnel identity a small id, which stays in the key of its flows. Kernel build only. */
#ifndef FFFA_BPF_INTERN_H
#define FFFA_BPF_INTERN_H

#include "bpf/maps.h"

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
	}
	/* Another CPU was first, or there is no memory. */
	(void)bpf_map_push_elem(&fffa_tun_free, &id, 0);
	known = bpf_map_lookup_elem(&fffa_tun_ids, t);
	return known ? *known : 0;
}

/*
 * The same, through the cache of this CPU. t lies in a map, so that the compiler does not split it
 * into pieces that are then read as words.
 */
static __always_inline __u16 fffa_intern(const struct fffa_tunnel *t, __u32 cpu)
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
	id = fffa_intern_slow(t);
	if (id) {
		l->epoch = 0;
		__builtin_memcpy(&l->tunnel, t, sizeof(l->tunnel));
		l->id = id;
		l->epoch = fffa_ctl.tunnel_epoch;
	}
	return id;
}

#endif
