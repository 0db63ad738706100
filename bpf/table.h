/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Adds a packet to its entry of the flow table. Each CPU touches only its own slice, and bottom
 * halves are off in every hook, so there is no lock and no atomic operation. Kernel build only.
 */
#ifndef FFFA_BPF_TABLE_H
#define FFFA_BPF_TABLE_H

#include "bpf/clock.h"
#include "bpf/ipsec.h"
#include "bpf/maps.h"
#include "bpf/parse.h"

/*
 * Keyed mix of the 44 bytes. A product carries differences only upwards, and IPv4 addresses differ in
 * the highest bits: so each product is folded before it meets the others. The addresses meet in a
 * product, which is not linear: in a sum, /24 by /24 would be 256 values, whatever the key.
 */
static __always_inline __u32 fffa_hash(const __u64 *w, __u32 ifindex)
{
	__u64 a = (w[1] ^ w[0] * fffa_conf.hash_key[3]) * fffa_conf.hash_key[0];
	__u64 b = (w[3] ^ w[2] * fffa_conf.hash_key[3]) * fffa_conf.hash_key[1];
	__u64 c = (w[4] ^ ifindex) * fffa_conf.hash_key[2];
	__u64 h;

	a ^= a >> 32;
	b ^= b >> 32;
	c ^= c >> 32;
	h = a * b + c;
	h ^= h >> 29;
	h *= fffa_conf.hash_key[3];
	return h >> 32;
}

static __always_inline void fffa_count_lost(struct fffa_counts *c, enum fffa_kernel_loss why,
					    __u64 packets, __u64 bytes)
{
	c->lost_packets[why] += packets;
	c->lost_bytes[why] += bytes;
}

/* Moves the entry into the ring. False: no room, the entry stays. */
static __always_inline bool fffa_hand_over(struct fffa_entry *e, const __u32 *cookie,
					   struct fffa_counts *c, __u16 kind)
{
	struct fffa_event *ev = bpf_ringbuf_reserve(&fffa_ring, sizeof(*ev), 0);
	__u64 flags = BPF_RB_NO_WAKEUP;

	if (!ev) {
		c->ring_events[0]++;
		return false;
	}
	ev->abi = FFFA_ABI;
	ev->kind = kind;
	ev->len = sizeof(*ev);
	__builtin_memcpy(&ev->entry, e, sizeof(*e));
	ev->cookie = *cookie;
	ev->pad0 = 0;
	c->ring_events[kind]++;
	/*
	 * An end event wakes the reader once, until it arms again. Other events wake it when the
	 * ring is a quarter full, by force: the kernel's own rule wakes only a reader that had
	 * read everything.
	 */
	if (kind == FFFA_EV_END && fffa_ctl.ring_armed) {
		fffa_ctl.ring_armed = 0;
		flags = BPF_RB_FORCE_WAKEUP;
	} else if (fffa_ctl.full_armed &&
		   bpf_ringbuf_query(&fffa_ring, BPF_RB_AVAIL_DATA) >= fffa_conf.ring_wake_bytes) {
		fffa_ctl.full_armed = 0;
		flags = BPF_RB_FORCE_WAKEUP;
	}
	bpf_ringbuf_submit(ev, flags);
	return true;
}

static __always_inline bool fffa_same(const struct fffa_entry *e, const __u64 *w, __u32 ifindex)
{
	const __u64 *k = (const __u64 *)e;

	return k[4] == w[4] && k[3] == w[3] && k[1] == w[1] && e->key.ifindex == ifindex &&
	       k[2] == w[2] && k[0] == w[0] && e->packets;
}

/*
 * The set's slot that holds the flow; FFFA_WAYS: none. The search begins at a slot taken from the
 * hash, where the flow is unless the slot was in use. No loop: some compilers would unroll it and
 * others not.
 */
_Static_assert(FFFA_WAYS == 4, "all slots are looked at");
static __always_inline __u32 fffa_find(const struct fffa_set *s, const __u64 *w, __u32 ifindex,
				       __u32 first)
{
	if (fffa_same(&s->e[first], w, ifindex))
		return first;
	if (fffa_same(&s->e[first ^ 1], w, ifindex))
		return first ^ 1;
	if (fffa_same(&s->e[first ^ 2], w, ifindex))
		return first ^ 2;
	return fffa_same(&s->e[first ^ 3], w, ifindex) ? first ^ 3 : FFFA_WAYS;
}

/* In ticks since the last packet; a free slot is older than all. */
static __always_inline __u32 fffa_age(const struct fffa_entry *e, __u32 now)
{
	return e->packets ? now - e->last : ~0U;
}

/* The set's slot to give to a new flow: a free one, or the one that is idle for longest. */
static __always_inline __u32 fffa_oldest(const struct fffa_set *s, __u32 now, __u32 first)
{
	__u32 a = fffa_age(&s->e[0], now), b = fffa_age(&s->e[1], now);
	__u32 c = fffa_age(&s->e[2], now), d = fffa_age(&s->e[3], now);

	if (!s->e[first].packets)
		return first;
	if ((a > b ? a : b) >= (c > d ? c : d))
		return a >= b ? 0 : 1;
	return c >= d ? 2 : 3;
}

static __always_inline void fffa_add(struct fffa_entry *e, const struct fffa_packet *p, __u32 now)
{
	e->packets += p->packets;
	e->bytes_flags = (e->bytes_flags + p->bytes) | (__u64)p->flags << FFFA_FLAG_SHIFT;
	e->last = now;
}

/* True when the packet belongs to the next window. With window_ticks 0 the limit is above all. */
static __always_inline bool fffa_is_aged(const struct fffa_entry *e, __u32 now)
{
	return now - e->first > fffa_ctl.window_ticks - 1;
}

/* Ends the window of an entry. Half of the ring is left to others: they would lose packets. */
static __always_inline bool fffa_end_window(struct fffa_entry *e, const __u32 *cookie,
					    struct fffa_counts *c)
{
	return bpf_ringbuf_query(&fffa_ring, BPF_RB_AVAIL_DATA) <
		       2ULL * fffa_conf.ring_wake_bytes &&
	       fffa_hand_over(e, cookie, c, FFFA_EV_AGED);
}

/*
 * Adds the packet to its flow's entry, to a new one, or to the loss counter; one that IPsec decrypted
 * on this host gets no new entry. cpu is below fffa_conf.slices. skb: NULL in XDP.
 */
static __always_inline void fffa_account(const struct fffa_packet *p, __u32 cpu,
					 struct fffa_counts *c, struct __sk_buff *skb)
{
	const __u64 *w = (const __u64 *)p;
	__u32 now = fffa_now_ticks(), ifindex = p->key.ifindex;
	__u32 base = (cpu * 2 + (fffa_ctl.generation & 1)) * fffa_conf.sets_per_slice;
	__u32 h = fffa_hash(w, ifindex), first = h & (FFFA_WAYS - 1);
	__u32 i = base + (__u32)(((__u64)h * fffa_conf.sets_per_slice) >> 32);
	struct fffa_set *s = bpf_map_lookup_elem(&fffa_table, &i);
	struct fffa_side *side;
	struct fffa_entry *e;
	__u32 slot;

	if (!s) /* never: the table has slices * 2 * sets_per_slice sets */
		return;
	slot = fffa_find(s, w, ifindex, first);
	if (slot < FFFA_WAYS) {
		e = &s->e[slot];
		if (fffa_is_aged(e, now)) {
			side = bpf_map_lookup_elem(&fffa_side, &i);
			if (side && fffa_end_window(e, &side->cookie[slot], c)) {
				e->packets = 0;
				e->bytes_flags = 0;
				e->first = now;
			}
		}
		fffa_add(e, p, now);
		if (!(p->flags & (FFFA_F_FIN | FFFA_F_RST)))
			return;
		side = bpf_map_lookup_elem(&fffa_side, &i);
		if (side && fffa_hand_over(e, &side->cookie[slot], c, FFFA_EV_END))
			e->packets = 0;
		return;
	}
	if (fffa_ipsec_leaves_out(skb, p, now)) {
		c->not_on_wire_packets += p->packets;
		c->not_on_wire_bytes += p->bytes;
		return;
	}
	slot = fffa_oldest(s, now, first);
	e = &s->e[slot];
	side = bpf_map_lookup_elem(&fffa_side, &i);
	if (!side)
		return;
	if (e->packets && !fffa_hand_over(e, &side->cookie[slot], c, FFFA_EV_VICTIM)) {
		fffa_count_lost(c, FFFA_KL_TABLE_FULL, p->packets, p->bytes);
		return;
	}
	__builtin_memcpy(&e->key, &p->key, sizeof(e->key));
	e->packets = p->packets;
	e->bytes_flags = p->bytes | (__u64)p->flags << FFFA_FLAG_SHIFT;
	e->first = now;
	e->last = now;
	if (p->key.tunnel)
		side->cookie[slot] = p->cookie;
}

#endif
