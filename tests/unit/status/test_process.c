// SPDX-License-Identifier: MIT
/* What the process_* metrics say of this process. */
#include "agent/status/process.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/stubs/cmocka_all.h"

#define MIB ((size_t)1 << 20)

static void descriptors_are_counted(void **state)
{
	struct fffa_process before, after;
	struct rlimit fds;
	int v[7];

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &fds), 0);
	fffa_process_read(&before);
	for (size_t i = 0; i < 7; i++)
		v[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
	fffa_process_read(&after);
	for (size_t i = 0; i < 7; i++)
		(void)close(v[i]);
	assert_uint_in_range(before.open_fds, 3, 100);
	assert_int_equal(after.open_fds, before.open_fds + 7);
	assert_int_equal(before.max_fds, fds.rlim_cur);
}

static void *map_memory(size_t bytes, int flags)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1,
		       0);

	assert_ptr_not_equal(p, MAP_FAILED);
	return p;
}

/*
 * 64 MiB are mapped, of which the kernel fills 16 MiB. With the thread sanitizer, writing to them
 * would fill as much again, several times.
 */
static void memory_is_measured(void **state)
{
	struct fffa_process before, after;
	struct rusage most;
	void *empty, *full;

	(void)state;
	fffa_process_read(&before);
	empty = map_memory(48 * MIB, 0);
	full = map_memory(16 * MIB, MAP_POPULATE);
	fffa_process_read(&after);
	assert_int_equal(getrusage(RUSAGE_SELF, &most), 0);
	(void)munmap(empty, 48 * MIB);
	(void)munmap(full, 16 * MIB);
	assert_true(before.virtual_bytes >= before.rss_bytes && before.rss_bytes > 0);
	assert_true(after.virtual_bytes - before.virtual_bytes >= 63 * MIB);
	assert_true(after.virtual_bytes - before.virtual_bytes < 80 * MIB);
	assert_uint_in_range(after.rss_bytes - before.rss_bytes, 15 * MIB, 40 * MIB);
	/* The kernel counts up to some pages per thread late. */
	assert_true(after.rss_bytes <= (uint64_t)most.ru_maxrss * 1024 + MIB);
}

static void time_is_that_of_user_and_system(void **state)
{
	struct fffa_process before, after;
	struct rusage used;
	uint64_t us;

	(void)state;
	fffa_process_read(&before);
	do {
		assert_int_equal(getrusage(RUSAGE_SELF, &used), 0);
		us = (uint64_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000 +
		     (uint64_t)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
	} while (us * 1000 < before.cpu_ns + 20000000);
	fffa_process_read(&after);
	assert_true(after.cpu_ns >= us * 1000);
	assert_true(after.cpu_ns < us * 1000 + 1000000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(descriptors_are_counted),
		cmocka_unit_test(memory_is_measured),
		cmocka_unit_test(time_is_that_of_user_and_system),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
