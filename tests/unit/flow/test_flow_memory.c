// SPDX-License-Identifier: MIT
/* The memory of the flow table: all of it is given back, and a bound that it is not there for does not hold. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "agent/base/clock.h"
#include "agent/flow/flow_internal.h"
#include "tests/stubs/cmocka_all.h"

#define S FFFA_NS_PER_S

/* What the linker puts in place of the C library's functions counts here, and fails when it is told to. */
static struct {
	size_t mapped;	    /* bytes, in whole pages */
	int calls, failing; /* the number of the call that fails, from 1 */
	bool no_memory, no_random;
} lib;

void *__real_mmap(void *at, size_t n, int prot, int flags, int fd, off_t off);
void *__wrap_mmap(void *at, size_t n, int prot, int flags, int fd, off_t off);
int __real_munmap(void *at, size_t n);
int __wrap_munmap(void *at, size_t n);
void *__real_mremap(void *at, size_t old, size_t n, int flags);
void *__wrap_mremap(void *at, size_t old, size_t n, int flags);
void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
ssize_t __wrap_getrandom(void *buf, size_t n, unsigned int flags);

static size_t pages(size_t n)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (n + page - 1) / page * page;
}

static bool fails(void)
{
	errno = ENOMEM;
	return ++lib.calls == lib.failing;
}

void *__wrap_mmap(void *at, size_t n, int prot, int flags, int fd, off_t off)
{
	if (fails())
		return MAP_FAILED;
	lib.mapped += pages(n);
	return __real_mmap(at, n, prot, flags, fd, off);
}

int __wrap_munmap(void *at, size_t n)
{
	lib.mapped -= pages(n);
	return __real_munmap(at, n);
}

void *__wrap_mremap(void *at, size_t old, size_t n, int flags)
{
	if (fails())
		return MAP_FAILED;
	lib.mapped += pages(n) - pages(old);
	return __real_mremap(at, old, n, flags);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return lib.no_memory ? NULL : __real_calloc(n, size);
}

ssize_t __wrap_getrandom(void *buf, size_t n, unsigned int flags)
{
	assert_int_equal(flags, 0);
	memset(buf, 0x5a, n);
	return lib.no_random ? (ssize_t)n - 1 : (ssize_t)n;
}

static struct fffa_ledger ledger;

static void on_record(void *arg, struct fffa_record *r)
{
	(void)arg;
	(void)r;
}

static struct fffa_flow_table *make(uint32_t max_flows, int want)
{
	struct fffa_flow_conf c = {
		.idle_ns = 30 * S, .active_ns = 60 * S, .linger_ns = S, .max_flows = max_flows};
	struct fffa_flow_table *t = NULL;

	lib.calls = 0;
	assert_int_equal(fffa_flow_table_new(&c, &ledger, on_record, NULL, &t), want);
	assert_int_equal(t != NULL, !want);
	return t;
}

static int setup(void **state)
{
	(void)state;
	memset(&lib, 0, sizeof(lib));
	return 0;
}

static void all_of_it_is_given_back(void **state)
{
	struct fffa_flow_table *t = make(5000, 0);

	(void)state;
	assert_int_equal(lib.mapped, pages(5000 * sizeof(struct fffa_flow)) + pages(8192 * 4) +
					     pages(65536 * 4));
	fffa_flow_table_free(t);
	assert_int_equal(lib.mapped, 0);
	fffa_flow_table_free(NULL);
}

static void a_table_without_memory(void **state)
{
	(void)state;
	for (lib.failing = 1; lib.failing <= 3; lib.failing++) {
		assert_null(make(5000, -ENOMEM));
		assert_int_equal(lib.mapped, 0);
	}
	lib.failing = 0;
	lib.no_random = true;
	assert_null(make(5000, -ENOMEM));
	assert_int_equal(lib.mapped, 0);
	lib.no_random = false;
	lib.no_memory = true;
	assert_null(make(5000, -ENOMEM));
}

static void merge(struct fffa_flow_table *t, uint32_t n, uint16_t tunnel)
{
	struct fffa_delta d = {.packets = 1, .bytes = 100, .first_ns = S, .last_ns = S};

	memcpy(d.key.src, &n, sizeof(n));
	d.key.tunnel = tunnel;
	fffa_flow_merge(t, &d);
}

/* More flows need more places, and another size of the index when that is full. */
static void another_bound(void **state)
{
	struct fffa_flow_table *t = make(1000, 0);
	size_t tunnels = pages(65536 * 4);
	uint64_t before = ledger.records;

	(void)state;
	fffa_flow_set_time(t, S, S);
	for (uint32_t i = 0; i < 1000; i++)
		merge(t, i, 0);
	assert_int_equal(fffa_flow_set_max(t, 1024), 0);
	assert_int_equal(lib.mapped,
			 pages(1024 * sizeof(struct fffa_flow)) + pages(1024 * 4) + tunnels);
	assert_int_equal(fffa_flow_set_max(t, 5000), 0);
	assert_int_equal(lib.mapped,
			 pages(5000 * sizeof(struct fffa_flow)) + pages(8192 * 4) + tunnels);
	for (uint32_t bound = 10; bound <= 5000; bound += 4990) { /* memory that was used is kept */
		assert_int_equal(fffa_flow_set_max(t, bound), 0);
		assert_int_equal(lib.mapped, pages(5000 * sizeof(struct fffa_flow)) +
						     pages(8192 * 4) + tunnels);
	}
	for (uint32_t i = 0; i < 5000; i++)
		merge(t, i, 0);
	assert_int_equal(fffa_flow_count(t), 5000);
	assert_int_equal(ledger.records, before); /* each was found again */
	assert_int_equal(fffa_flow_set_max(t, 20000), 0);
	assert_int_equal(lib.mapped,
			 pages(20000 * sizeof(struct fffa_flow)) + pages(32768 * 4) + tunnels);
	fffa_flow_table_free(t);
	assert_int_equal(lib.mapped, 0);
}

static void another_bound_without_memory(void **state)
{
	(void)state;
	for (int failing = 1; failing <= 2; failing++) {
		struct fffa_flow_table *t = make(1000, 0);

		fffa_flow_set_time(t, S, S);
		lib.calls = 0;
		lib.failing = failing;
		assert_int_equal(fffa_flow_set_max(t, 5000), -ENOMEM);
		lib.failing = 0;
		for (uint32_t i = 0; i < 1100; i++)
			merge(t, i, 0);
		assert_int_equal(fffa_flow_count(t), 1000); /* the old one holds */
		fffa_flow_table_free(t);
		assert_int_equal(lib.mapped, 0);
	}
}

/* How many flows have a tunnel's id: it may be given out again when none has. */
static void flows_of_a_tunnel(void **state)
{
	struct fffa_flow_table *t = make(1000, 0);

	(void)state;
	fffa_flow_set_time(t, S, S);
	for (uint32_t i = 0; i < 10; i++)
		merge(t, i, i < 3 ? UINT16_MAX : (uint16_t)(i % 2));
	merge(t, 0, UINT16_MAX); /* again */
	assert_int_equal(fffa_flow_tunnel_flows(t, UINT16_MAX), 3);
	assert_int_equal(fffa_flow_tunnel_flows(t, 1), 4);
	assert_int_equal(fffa_flow_tunnel_flows(t, 0), 3);
	assert_int_equal(fffa_flow_tunnel_flows(t, 2), 0);
	while (fffa_flow_flush(t, 1) && fffa_flow_count(t) > 2) {
	}
	assert_int_equal(fffa_flow_tunnel_flows(t, UINT16_MAX) + fffa_flow_tunnel_flows(t, 1) +
				 fffa_flow_tunnel_flows(t, 0),
			 2);
	while (fffa_flow_flush(t, 10)) {
	}
	assert_int_equal(fffa_flow_tunnel_flows(t, UINT16_MAX), 0);
	fffa_flow_table_free(t);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup(f, setup)
	const struct CMUnitTest tests[] = {
		T(all_of_it_is_given_back),	 T(a_table_without_memory), T(another_bound),
		T(another_bound_without_memory), T(flows_of_a_tunnel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
