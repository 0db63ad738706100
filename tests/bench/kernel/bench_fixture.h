/* SPDX-License-Identifier: MIT */
/* Loads candidates and runs one of them at a time. */
#ifndef FFFA_TESTS_BENCH_KERNEL_BENCH_FIXTURE_H
#define FFFA_TESTS_BENCH_KERNEL_BENCH_FIXTURE_H

#include "agent/capture/kernel/kernel.h"
#include "tests/bench/kernel/cases.h"

#define BENCH_CPU	 0 /* where everything runs */
#define BENCH_CANDIDATES 6
#define BENCH_RING_BYTES (16u << 20)

enum bench_hook { BENCH_TC, BENCH_XDP };

struct bench_candidate {
	const char *name;
	int fd;
	struct fffa_kernel *kernel; /* NULL: not ours */
};

struct bench_bpf;

struct bench_fixture {
	enum bench_hook hook;
	uint32_t flows; /* 1: the packet as it is, without the mutator */
	struct packet packet;
	struct bench_bpf *skel;
	struct bench_candidate c[BENCH_CANDIDATES]; /* [0]: the empty program */
	size_t count;
	int parked[BENCH_CANDIDATES + 1]; /* namespaces that hold XDP programs attached */
	size_t parked_count;
};

/* Loads all candidates, with empty tables. Ends the program on failure. */
void bench_fixture_open(struct bench_fixture *r, enum bench_hook hook, uint32_t flows,
			const struct bench_case *what);
void bench_fixture_close(struct bench_fixture *r);
/*
 * Sends `packets` packets through candidate i and reads its ring now and then. Returns ns
 * per packet.
 */
double bench_fixture_run(struct bench_fixture *r, size_t i, uint32_t packets);
/* Share of packets that candidate i counted as lost, or could not count. */
double bench_fixture_lost_share(const struct bench_fixture *r, size_t i, uint64_t packets);
/* Our programs with room for max_flows on BENCH_CPU. */
struct fffa_kernel *bench_fixture_kernel(uint64_t max_flows, uint32_t slices);
void bench_fixture_pin(void);

#endif
