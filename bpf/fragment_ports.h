/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Gives later fragments the ports of their first one. Kernel build only. */
#ifndef FFFA_BPF_FRAGMENT_PORTS_H
#define FFFA_BPF_FRAGMENT_PORTS_H

#include <stdbool.h>

#include "bpf/fragment.h"
#include "bpf/table.h"

#define FFFA_FRAGMENT_KNOWN (1ULL << 40) /* the ports of the first fragment are known */

/*
 * Stores the ports of a first fragment. For a later one returns the stored ports: sport in the low
 * 16 bits, then dport, protocol and FFFA_FRAGMENT_KNOWN; or 0. Takes no packet, whose fields would
 * then have to lie in memory all the way.
 */
static __noinline __u64 fffa_fragment_learn(struct fffa_fragment_key *k, __u64 ports, bool first)
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
	return FFFA_FRAGMENT_KNOWN | (__u64)known->proto << 32 | (__u64)known->dport << 16 |
	       known->sport;
}

/* The key lies in the scratch: the stack of all functions together is small. */
static __always_inline void fffa_fragment_apply(struct fffa_packet *p, __u32 cpu,
						struct fffa_counts *c)
{
	struct fffa_scratch *s = bpf_map_lookup_elem(&fffa_scratch, &cpu);
	__u64 ports = (__u64)p->key.proto << 32 | (__u64)p->key.dport << 16 | p->key.sport;

	if (!s)
		return;
	fffa_fragment_key_of(p, &s->fragment);
	ports = fffa_fragment_learn(&s->fragment, ports, p->fragment == FFFA_FRAGMENT_FIRST);
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

#endif
