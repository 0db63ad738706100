/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Maps and mapped globals. Sizes marked 1 are set by the agent before load. */
#ifndef FFFA_BPF_MAPS_H
#define FFFA_BPF_MAPS_H

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "bpf/abi.h"
#include "bpf/fragment.h"
#include "bpf/tunnel.h"

const volatile struct fffa_bpf_conf fffa_conf = {};
volatile struct fffa_bpf_ctl fffa_ctl = {};

/* The flow table: [slice][generation][set], read and cleared by the agent in place. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct fffa_set);
} fffa_table SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct fffa_side);
} fffa_side SEC(".maps");

/* One per slice. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct fffa_counts);
} fffa_counts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} fffa_ring SEC(".maps");

/* Tunnel identity -> id. fffa_tun_free holds the free ids, fffa_tun the identity of each id. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, FFFA_TUNNELS_MAX);
	__type(key, struct fffa_tunnel);
	__type(value, __u16);
} fffa_tun_ids SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, FFFA_TUNNELS_MAX);
	__uint(value_size, sizeof(__u16));
} fffa_tun_free SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, FFFA_TUNNELS_MAX + 1);
	__type(key, __u32);
	__type(value, struct fffa_tunnel);
} fffa_tun SEC(".maps");

/* A cache in front of fffa_tun_ids, per slice: the tunnels seen last, and who receives them. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct fffa_tunnel_cache);
} fffa_tun_cache SEC(".maps");

/*
 * Per slice: what the functions that open a tunnel pass to each other. They are global functions
 * without pointer arguments but the context, so that the verifier walks each once and not once for
 * every way to reach it.
 */
struct fffa_scratch {
	struct fffa_packet packet; /* out: the one to account */
	struct fffa_packet again;  /* a packet that is parsed for the second time */
	struct fffa_tunnel tunnel; /* in: the outer addresses */
	struct fffa_inside inside;
	struct fffa_fragment_key fragment;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct fffa_scratch);
} fffa_scratch SEC(".maps");

/* When an encrypted packet came last, in ticks. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, FFFA_IPSEC_SPIS_MAX);
	__type(key, struct fffa_ipsec_spi);
	__type(value, __u32);
} fffa_ipsec SEC(".maps");

/* Ports of the first fragments seen last. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, FFFA_FRAGMENTS_MAX);
	__type(key, struct fffa_fragment_key);
	__type(value, struct fffa_fragment_ports);
} fffa_fragments SEC(".maps");

#endif
