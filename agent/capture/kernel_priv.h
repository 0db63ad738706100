/* SPDX-License-Identifier: MIT */
/* Inside of struct fffa_kernel, shared by kernel.c and drain.c. */
#ifndef FFFA_AGENT_CAPTURE_KERNEL_PRIV_H
#define FFFA_AGENT_CAPTURE_KERNEL_PRIV_H

#include "agent/capture/kernel.h"

struct fffa_bpf;
struct ring_buffer;

struct fffa_kernel {
	struct fffa_bpf *skel;
	uint32_t slices;
	uint32_t sets_per_slice;
	enum fffa_clock_source clock;
	struct fffa_set *table; /* [slice][generation][set] */
	struct fffa_side *side;
	struct fffa_counts *counts;  /* slices + 1 */
	struct fffa_tunnel *tunnels; /* FFFA_TUNNELS_MAX + 1 */
	size_t table_bytes, side_bytes, counts_bytes, tunnels_bytes;
	volatile struct fffa_bpf_ctl *ctl;
	struct ring_buffer *ring;
	bool membarrier; /* else the map-in-map below serves as grace period */
	int outer_fd;
	int inner_fd;
	struct {
		fffa_delta_fn fn;
		void *arg;
		size_t left;
		size_t taken;
		uint64_t bad;
		uint64_t now_ticks;
	} reading; /* of fffa_kernel_ring_read */
};

/* The programs' clock, 2^20 ns a tick, all 64 bits. */
uint64_t fffa_kernel__ticks(const struct fffa_kernel *k);
/* e -> d. e->packets > 0. */
void fffa_kernel__decode(const struct fffa_entry *e, uint32_t cookie, uint64_t now_ticks,
			 struct fffa_delta *d);

#endif
