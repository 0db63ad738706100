/* SPDX-License-Identifier: MIT */
/* Runs the real programs on packets made here (BPF_PROG_TEST_RUN) and reads their table. */
#ifndef FFFA_TESTS_BPF_BPF_FIXTURE_H
#define FFFA_TESTS_BPF_BPF_FIXTURE_H

#include "agent/capture/kernel/kernel.h"

/*
 * Exits with 77 and a reason when this process may not load programs. Fails the test on
 * another error. The thread stays on CPU 0 from then on, so that one slice is used.
 */
struct fffa_kernel *bpf_fixture_open(uint64_t max_flows, uint32_t ring_bytes);
/* The same, but FFFA_PROGRAM_TC_IN is the only program: on old kernels each takes seconds to load. */
struct fffa_kernel *bpf_fixture_open_tc_in(uint64_t max_flows, uint32_t ring_bytes);
/* With these programs alone: their names in the kernel, each with a space behind it. */
struct fffa_kernel *bpf_fixture_open_programs(uint64_t max_flows, uint32_t ring_bytes,
					      const char *programs);
/* The first one with other settings. bpf_fixture_conf returns those of bpf_fixture_open. */
struct fffa_kernel *bpf_fixture_open_conf(const struct fffa_kernel_conf *c);
struct fffa_kernel_conf bpf_fixture_conf(uint64_t max_flows, uint32_t ring_bytes);

/* The calling thread runs on this CPU only. */
void bpf_fixture_stay_on(int cpu);

/* Runs program once over bytes (at least 14) and returns its verdict. */
int bpf_fixture_run(const struct fffa_kernel *k, enum fffa_program p, const void *bytes,
		    size_t len);
/* The same with a GSO packet; TC only. */
int bpf_fixture_run_gso(const struct fffa_kernel *k, enum fffa_program p, const void *bytes,
			size_t len, uint32_t gso_segs, uint32_t gso_size);
/* The same, repeated. */
int bpf_fixture_repeat(const struct fffa_kernel *k, enum fffa_program p, const void *bytes,
		       size_t len, uint32_t times);

/* Moves every entry of both generations into v, without a grace period. Returns their number. */
size_t bpf_fixture_take(struct fffa_kernel *k, struct fffa_delta *v, size_t max);

/* Empties the programs' table of first fragments. */
void bpf_fixture_forget_fragments(struct fffa_kernel *k);

#endif
