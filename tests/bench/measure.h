/* SPDX-License-Identifier: MIT */
/* Clock and median for the benchmarks. In a header, because each is compiled with its own flags. */
#ifndef FFFA_TESTS_BENCH_MEASURE_H
#define FFFA_TESTS_BENCH_MEASURE_H

#include <stdlib.h>
#include <time.h>

/*
 * CLOCK_PROCESS_CPUTIME_ID is the user and system time of all threads, CLOCK_THREAD_CPUTIME_ID that
 * of the caller, CLOCK_MONOTONIC the time that passes.
 */
static inline double bench_clock_ns(clockid_t id)
{
	struct timespec t;

	(void)clock_gettime(id, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static inline int bench_compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Sorts v. */
static inline double bench_median(double *v, size_t n)
{
	qsort(v, n, sizeof(*v), bench_compare_doubles);
	return v[n / 2];
}

#endif
