/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Counts what a hook sees: packets, losses, frames without IP, packets that are not sampled. Kernel
 * build only.
 */
#ifndef FFFA_BPF_COUNT_H
#define FFFA_BPF_COUNT_H

#include <stdbool.h>

#include "bpf/table.h"

#define FFFA_NOT_IP_PROBES 4

/* Counts a frame that is not IP, also by its ether type while there is a place for one more. */
static __noinline int fffa_count_not_ip(__u32 cpu, __u32 ether_type)
{
	struct fffa_counts *c = bpf_map_lookup_elem(&fffa_counts, &cpu);
	__u64 type = (__u64)ether_type << FFFA_NOT_IP_SHIFT;
	__u32 at = ether_type ^ ether_type >> 5 ^ ether_type >> 10;

	if (!c)
		return 0;
	c->not_ip_frames++;
	for (int i = 0; i < FFFA_NOT_IP_PROBES; i++) {
		__u64 *n = &c->not_ip[(at + i) & (FFFA_NOT_IP_SLOTS - 1)];

		if (*n && (*n ^ type) >> FFFA_NOT_IP_SHIFT)
			continue;
		*n = *n ? *n + 1 : type + 1;
		break;
	}
	return 0;
}

/*
 * The IP bytes of a packet that is in no record. Of a device without a link header, wire_bytes has the
 * length of one added.
 */
static __always_inline __u64 fffa_count_ip_bytes(__u32 wire_bytes)
{
	return wire_bytes > FFFA_ETH_HEADER ? wire_bytes - FFFA_ETH_HEADER : 0;
}

/*
 * Counts a parsed packet into its flow, or one that could not be parsed as lost. rc:
 * enum fffa_parse. skb: NULL in XDP.
 */
static __always_inline void fffa_count_packet(int rc, const struct fffa_frame *f,
					      const struct fffa_packet *p, __u32 cpu,
					      struct fffa_counts *c, struct __sk_buff *skb)
{
	__u32 dir = p->key.view & FFFA_VIEW_EGRESS ? 1 : 0;
	enum fffa_kernel_loss why;
	__u64 bytes;

	if (rc == FFFA_PARSE_OK) {
		c->seen_packets[dir] += p->packets;
		c->seen_bytes[dir] += p->bytes;
		fffa_account(p, cpu, c, skb);
		return;
	}
	if (rc == FFFA_PARSE_NOT_IP) {
		(void)fffa_count_not_ip(cpu, p->ether_type);
		return;
	}
	why = rc == FFFA_PARSE_TRUNCATED ? FFFA_KL_TRUNCATED : FFFA_KL_MALFORMED;
	bytes = fffa_count_ip_bytes(f->wire_bytes);
	c->seen_packets[dir]++;
	c->seen_bytes[dir] += bytes;
	fffa_count_lost(c, why, 1, bytes);
}

/* CPUs without a slice share the extra last element of fffa_counts, so they count atomically. */
static __noinline int fffa_count_no_slice(__u32 view, __u32 wire_bytes, __u32 packets)
{
	__u32 i = fffa_conf.slices, dir = view & FFFA_VIEW_EGRESS ? 1 : 0;
	struct fffa_counts *c = bpf_map_lookup_elem(&fffa_counts, &i);
	__u64 bytes = fffa_count_ip_bytes(wire_bytes);

	if (!c)
		return 0;
	/*
	 * Relaxed: newer compilers give any other order the fetching instruction, which needs
	 * Linux 5.12.
	 */
	__atomic_fetch_add(&c->seen_packets[dir], packets, __ATOMIC_RELAXED);
	__atomic_fetch_add(&c->seen_bytes[dir], bytes, __ATOMIC_RELAXED);
	__atomic_fetch_add(&c->lost_packets[FFFA_KL_NO_SLICE], packets, __ATOMIC_RELAXED);
	__atomic_fetch_add(&c->lost_bytes[FFFA_KL_NO_SLICE], bytes, __ATOMIC_RELAXED);
	return 0;
}

/* True when capture.sample skips this packet, with all of its segments when it says how many. */
static __always_inline bool fffa_count_not_sampled(struct fffa_counts *c, __u32 segs)
{
	__u32 n = fffa_ctl.sample;

	if (n <= 1 || bpf_get_prandom_u32() % n == 0)
		return false;
	c->not_sampled += segs ? segs : 1;
	return true;
}

#endif
