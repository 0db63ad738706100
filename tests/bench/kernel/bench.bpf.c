// SPDX-License-Identifier: MIT
/*
 * The programs that bench_kernel compares ours with: an empty program, the parser alone, and hash
 * maps as flow agents commonly use them. The mutator makes each packet of a test run another flow
 * and jumps into the candidate.
 */
#include <stdbool.h>

#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_helpers.h>

#include "bpf/abi.h"
#include "bpf/parse.h"
#include "tests/bench/kernel/bench.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

volatile struct bench_ctl bench_ctl = {};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, BENCH_IDS);
	__type(key, __u32);
	__type(value, __u64); /* mapped elements are a multiple of 8 bytes */
} bench_ids SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} bench_jump_tc SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} bench_jump_xdp SEC(".maps");

struct key {
	__u64 w[5]; /* addresses, ports, protocol, view: 40 bytes */
};

struct value {
	__u64 packets;
	__u64 bytes;
	__u64 first;
	__u64 last;
	__u64 flags;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct key);
	__type(value, struct value);
} bench_hash SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 1);
	__type(key, struct key);
	__type(value, struct value);
} bench_percpu SEC(".maps");

#define DATA(ctx) ((void *)(long)(ctx)->data)
#define END(ctx)  ((void *)(long)(ctx)->data_end)

/* False when the packet is too short for the address to be replaced. */
static __always_inline bool mutate(void *data, const void *end)
{
	__u32 i = bench_ctl.next++ & (BENCH_IDS - 1);
	__u64 *id = bpf_map_lookup_elem(&bench_ids, &i);
	__u8 *at = data + (bench_ctl.offset & 0xff);

	if (!id || (const void *)(at + 4) > end)
		return false;
	*(__u32 *)at = *id;
	return true;
}

static __always_inline void add_new(void *map, const struct key *k, const struct fffa_packet *p,
				    __u64 now)
{
	struct value fresh = {p->packets, p->bytes, now, now, p->flags};

	if (bpf_map_update_elem(map, k, &fresh, BPF_NOEXIST))
		bench_ctl.lost++;
}

static __always_inline void key_of(struct key *k, const struct fffa_packet *p)
{
	__builtin_memcpy(k, &p->key, sizeof(*k));
}

static __always_inline void count_shared(const struct fffa_packet *p)
{
	__u64 now = bpf_ktime_get_ns();
	struct value *v;
	struct key k;

	key_of(&k, p);
	v = bpf_map_lookup_elem(&bench_hash, &k);
	if (!v) {
		add_new(&bench_hash, &k, p, now);
		return;
	}
	__sync_fetch_and_add(&v->packets, p->packets);
	__sync_fetch_and_add(&v->bytes, p->bytes);
	v->flags |= p->flags;
	v->last = now;
}

static __always_inline void count_percpu(const struct fffa_packet *p)
{
	__u64 now = bpf_ktime_get_ns();
	struct value *v;
	struct key k;

	key_of(&k, p);
	v = bpf_map_lookup_elem(&bench_percpu, &k);
	if (!v) {
		add_new(&bench_percpu, &k, p, now);
		return;
	}
	v->packets += p->packets;
	v->bytes += p->bytes;
	v->flags |= p->flags;
	v->last = now;
}

/* IP right behind the Ethernet header. */
static __always_inline int bench_parse(const void *data, const void *end,
				       const struct fffa_frame *f, struct fffa_packet *p)
{
	__u32 off = 0;
	__u16 type = 0;
	int rc = fffa_parse_eth(data, end, &off, &type);

	return rc ? rc : fffa_parse_l3(data, end, off, type, f, p);
}

/* Keeps the compiler from dropping what the parser found. */
static __always_inline void use(const struct fffa_packet *p)
{
	asm volatile("" ::"r"(p) : "memory");
}

#define PROGRAMS(section, hook, ctx_type, pass, wire)                                              \
	SEC(section) int empty_##hook(struct ctx_type *ctx)                                        \
	{                                                                                          \
		(void)ctx;                                                                         \
		return pass;                                                                       \
	}                                                                                          \
	SEC(section) int mutate_##hook(struct ctx_type *ctx)                                       \
	{                                                                                          \
		if (mutate(DATA(ctx), END(ctx)))                                                   \
			bpf_tail_call(ctx, &bench_jump_##hook, 0);                                 \
		bench_ctl.missed++;                                                                \
		return pass;                                                                       \
	}                                                                                          \
	SEC(section) int parse_##hook(struct ctx_type *ctx)                                        \
	{                                                                                          \
		struct fffa_frame f = {.wire_bytes = wire};                                        \
		struct fffa_packet p = {};                                                         \
                                                                                                   \
		if (!bench_parse(DATA(ctx), END(ctx), &f, &p))                                     \
			use(&p);                                                                   \
		return pass;                                                                       \
	}                                                                                          \
	SEC(section) int hash_##hook(struct ctx_type *ctx)                                         \
	{                                                                                          \
		struct fffa_frame f = {.wire_bytes = wire};                                        \
		struct fffa_packet p = {};                                                         \
                                                                                                   \
		if (!bench_parse(DATA(ctx), END(ctx), &f, &p))                                     \
			count_shared(&p);                                                          \
		return pass;                                                                       \
	}                                                                                          \
	SEC(section) int percpu_##hook(struct ctx_type *ctx)                                       \
	{                                                                                          \
		struct fffa_frame f = {.wire_bytes = wire};                                        \
		struct fffa_packet p = {};                                                         \
                                                                                                   \
		if (!bench_parse(DATA(ctx), END(ctx), &f, &p))                                     \
			count_percpu(&p);                                                          \
		return pass;                                                                       \
	}

PROGRAMS("tc", tc, __sk_buff, TC_ACT_UNSPEC, ctx->len)
PROGRAMS("xdp", xdp, xdp_md, XDP_PASS, END(ctx) - DATA(ctx))
