/* SPDX-License-Identifier: MIT */
/* The packets that bench_kernel sends. */
#ifndef FFFA_TESTS_BENCH_KERNEL_CASES_H
#define FFFA_TESTS_BENCH_KERNEL_CASES_H

#include "tests/stubs/packets.h"

struct bench_case {
	const char *name;
	void (*make)(struct packet *p);
	uint32_t address_offset; /* of 4 bytes of the source address that tell flows apart */
};

extern const struct bench_case bench_cases[];
extern const size_t bench_case_count;

#endif
