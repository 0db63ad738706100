// SPDX-License-Identifier: MIT
/*
 * Measures the CPU time of fffa_kernel_drain. The grace period in it sleeps and has its own line.
 */
#include "tests/bench/kernel/drain.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/bench/kernel/bench_fixture.h"
#include "tests/bench/measure.h"

#define ROUNDS_MAX 64
#define SLOTS	   262144 /* of one generation */

struct cost {
	double cpu_ns, wall_ns;
};

static struct cost measure_drain(struct fffa_kernel *k, struct fffa_deltas *d)
{
	struct cost c = {bench_clock_ns(CLOCK_THREAD_CPUTIME_ID), bench_clock_ns(CLOCK_MONOTONIC)};

	d->count = 0;
	if (fffa_kernel_drain(k, d)) {
		(void)fprintf(stderr, "no grace period to be had\n");
		exit(1);
	}
	c.cpu_ns = bench_clock_ns(CLOCK_THREAD_CPUTIME_ID) - c.cpu_ns;
	c.wall_ns = bench_clock_ns(CLOCK_MONOTONIC) - c.wall_ns;
	return c;
}

void bench_drain(uint32_t flows, int rounds, bool csv)
{
	double empty[ROUNDS_MAX], used[ROUNDS_MAX], wait[ROUNDS_MAX], used_ns;
	struct fffa_kernel *k = bench_fixture_kernel(SLOTS, BENCH_CPU + 1);
	struct fffa_deltas d = {0};
	size_t entries = 0;
	struct bench_fixture r;

	bench_fixture_open(&r, BENCH_TC, flows, &bench_cases[0]);
	/* The fixture's own candidate has a table of the default size: this one takes its place. */
	fffa_kernel_close(r.c[r.count - 1].kernel);
	r.c[r.count - 1] = (struct bench_candidate){
		"drained", fffa_kernel_program_fd(k, FFFA_PROGRAM_TC_IN), k};
	for (int i = 0; i <= rounds; i++) { /* the first warms up */
		int at = i ? i - 1 : 0;
		struct cost c = measure_drain(k, &d);

		empty[at] = c.cpu_ns;
		wait[at] = c.wall_ns - c.cpu_ns;
		(void)bench_fixture_run(&r, r.count - 1, flows);
		used[at] = measure_drain(k, &d).cpu_ns;
		entries = d.count;
	}
	if (entries < flows / 10 * 9) {
		(void)fprintf(stderr, "%zu entries of %" PRIu32 " flows\n", entries, flows);
		exit(1);
	}
	used_ns = bench_median(used, (size_t)rounds);
	/*
	 * Prints no cost of a single entry: a slot just written is in the cache and an empty one is
	 * not, so their difference means nothing.
	 */
	printf(csv ? "drain,%d,%zu,%.1f,%.2f,%.1f\n"
		   : "drain of %d slots, %zu used: %.1f ns per drained entry, scan of the empty "
		     "ones included; empty table %.2f ns per slot; grace period %.1f ms\n",
	       SLOTS, entries, used_ns / (double)entries,
	       bench_median(empty, (size_t)rounds) / SLOTS,
	       bench_median(wait, (size_t)rounds) / 1e6);
	fffa_drain_deltas_fini(&d);
	bench_fixture_close(&r);
}
