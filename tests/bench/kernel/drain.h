/* SPDX-License-Identifier: MIT */
#ifndef FFFA_TESTS_BENCH_KERNEL_DRAIN_H
#define FFFA_TESTS_BENCH_KERNEL_DRAIN_H

#include <stdbool.h>
#include <stdint.h>

/* Prints what draining a table with about `flows` used entries costs. */
void bench_drain(uint32_t flows, int rounds, bool csv);

#endif
