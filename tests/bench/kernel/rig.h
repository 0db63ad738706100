/* SPDX-License-Identifier: MIT */
/* Candidates loaded beside each other, and one run of one of them. */
#ifndef FFFA_TESTS_BENCH_KERNEL_RIG_H
#define FFFA_TESTS_BENCH_KERNEL_RIG_H

#include "agent/capture/kernel/kernel.h"
#include "tests/bench/kernel/cases.h"

#define RIG_CPU	       0 /* where everything runs */
#define RIG_CANDIDATES 6
#define RIG_RING_BYTES (16u << 20)

enum rig_hook { RIG_TC, RIG_XDP };

struct rig_candidate {
	const char *name;
	int fd;
	struct fffa_kernel *kernel; /* NULL: not ours */
};

struct bench_bpf;

struct rig {
	enum rig_hook hook;
	uint32_t flows; /* 1: the packet as it is, without the mutator */
	struct packet packet;
	struct bench_bpf *skel;
	struct rig_candidate c[RIG_CANDIDATES]; /* [0]: the empty program */
	size_t count;
	int parked[RIG_CANDIDATES + 1]; /* namespaces that hold XDP programs attached */
	size_t parked_count;
};

/* Loads everything anew, so that tables are empty. Ends the program when it cannot. */
void rig_open(struct rig *r, enum rig_hook hook, uint32_t flows, const struct bench_case *what);
void rig_close(struct rig *r);
/* Sends `packets` packets through candidate i; its ring is read between pieces. ns per packet. */
double rig_run(struct rig *r, size_t i, uint32_t packets);
/* Share of packets that candidate i counted as lost, or could not count. */
double rig_lost_share(const struct rig *r, size_t i, uint64_t packets);
/* Our programs with room for max_flows on RIG_CPU. */
struct fffa_kernel *rig_kernel(uint64_t max_flows, uint32_t slices);
void rig_pin(void);

#endif
