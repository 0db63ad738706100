/* SPDX-License-Identifier: MIT */
/* Inside of struct fffa_kernel, shared by kernel.c and drain.c. */
#ifndef FFFA_AGENT_CAPTURE_KERNEL_KERNEL_INTERNAL_H
#define FFFA_AGENT_CAPTURE_KERNEL_KERNEL_INTERNAL_H

#include "agent/capture/kernel/kernel.h"

struct fffa_bpf;
struct ring_buffer;

/* One instant by the programs' clock and by ours. */
struct fffa_kernel_now {
	uint64_t ns;
	uint32_t ticks;
};

struct fffa_kernel {
	struct fffa_bpf *skel;
	uint32_t slices;
	uint32_t sets_per_slice;
	enum fffa_clock_source clock;
	uint64_t tick_ns;
	struct fffa_set *table; /* [slice][generation][set] */
	struct fffa_side *side;
	struct fffa_counts *counts;  /* slices + 1 */
	struct fffa_tunnel *tunnels; /* FFFA_TUNNELS_MAX + 1 */
	size_t table_bytes, side_bytes, counts_bytes, tunnels_bytes;
	volatile struct fffa_bpf_ctl *ctl;
	struct ring_buffer *ring;
	struct fffa_kernel_now start; /* of the clock */
	bool membarrier;	      /* else the map-in-map below serves as grace period */
	int outer_fd;
	int inner_fd;
	struct {
		fffa_delta_fn fn;
		void *arg;
		size_t left;
		size_t taken;
		uint64_t bad;
		struct fffa_kernel_now now;
	} reading; /* of fffa_kernel_ring_read */
};

/* Since Linux 6.6; older headers do not have them. */
#define FFFA_BPF_TCX_INGRESS 46
#define FFFA_BPF_TCX_EGRESS  47

/* Before load: how each program is attached, and which ones this kernel needs. */
void fffa_kernel__programs_set(struct fffa_kernel *k);
/* Before load, after that: no other than this one is loaded. */
void fffa_kernel__programs_only(struct fffa_kernel *k, enum fffa_program only);
/* Call it after load. Reads the clock once. 0 or -errno. */
int fffa_kernel__clock_start(struct fffa_kernel *k);
#define FFFA_XDP_HAS_FRAGS                                                                         \
	(1u << 5) /* BPF_F_XDP_HAS_FRAGS, since Linux 5.18; older headers lack it */
/* Whether an XDP program may be given frames of several buffers: Linux 5.18. */
bool fffa_kernel__has_xdp_frags(void);

/* Before load: which clock the programs use, and how long its tick is. */
void fffa_kernel__clock_choose(struct fffa_kernel *k);
/* Any thread. */
void fffa_kernel__now(const struct fffa_kernel *k, struct fffa_kernel_now *now);
/* Converts a table entry into a delta. e->packets is above 0. */
void fffa_kernel__decode(const struct fffa_kernel *k, const struct fffa_entry *e, uint32_t cookie,
			 const struct fffa_kernel_now *now, struct fffa_delta *d);

#endif
