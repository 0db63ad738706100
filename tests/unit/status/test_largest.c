// SPDX-License-Identifier: MIT
/* The largest flows of a table that is read in slices while it changes. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/stubs/cmocka_all.h"

#include "agent/status/largest.h"

#define S UINT64_C(1000000000)

struct fixture {
	struct fffa_ledger ledger;
	struct fffa_flow_table *table;
	struct fffa_largest largest;
};

static void on_record(void *arg, struct fffa_record *r)
{
	(void)arg;
	(void)r;
}

static int setup(void **state)
{
	struct fffa_flow_conf conf = {
		.idle_ns = 60 * S, .active_ns = 60 * S, .linger_ns = S, .max_flows = 100000};
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	if (!fixture ||
	    fffa_flow_table_new(&conf, &fixture->ledger, on_record, NULL, &fixture->table))
		return -1;
	fffa_flow_set_time(fixture->table, 1000 * S, 1700000000 * S);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	fffa_flow_table_free(fixture->table);
	free(fixture);
	return 0;
}

static void merge(struct fixture *fixture, uint32_t id, uint64_t bytes)
{
	struct fffa_delta d = {.packets = 1,
			       .bytes = bytes,
			       .first_ns = 1000 * S,
			       .last_ns = 1000 * S,
			       .key = {.proto = 17, .ifindex = 2}};

	memcpy(d.key.src, &id, sizeof(id));
	fffa_flow_merge(fixture->table, &d);
}

static void add_window(void *arg, const struct fffa_flow_window *w)
{
	fffa_largest_add(arg, w);
}

static size_t walk_table(struct fixture *fixture, uint32_t slice)
{
	size_t turns = 0;
	uint32_t at = 0;

	do {
		at = fffa_flow_walk(fixture->table, at, slice, &fixture->largest.min_bytes,
				    add_window, &fixture->largest);
		turns++;
	} while (at);
	fffa_largest_sort(&fixture->largest);
	return turns;
}

static int descending(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? 1 : x > y ? -1 : 0;
}

/* Compared with sorting all flows. */
static void test_the_largest_of_many(void **state)
{
	enum { N = 50000 };
	struct fixture *fixture = *state;
	uint64_t *bytes = calloc(N, sizeof(*bytes));
	uint64_t random = 1;

	assert_non_null(bytes);
	for (uint32_t i = 0; i < N; i++) {
		random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		bytes[i] = random >> 50; /* some are equal */
		merge(fixture, i, bytes[i]);
	}
	assert_int_equal(walk_table(fixture, 1000), N / 1000);
	qsort(bytes, N, sizeof(*bytes), descending);
	assert_int_equal(fixture->largest.n, FFFA_LARGEST_MAX);
	for (size_t i = 0; i < FFFA_LARGEST_MAX; i++)
		assert_int_equal(fixture->largest.v[i].bytes, bytes[i]);
	free(bytes);
}

/* Small packets in great numbers come first; the bytes decide between equal ones. */
static void test_the_most_packets(void **state)
{
	struct fixture *fixture = *state;
	struct fffa_delta d = {.first_ns = 1000 * S, .last_ns = 1000 * S, .key = {.proto = 17}};

	fixture->largest.by_packets = true;
	for (uint32_t i = 0; i < 3000; i++) {
		memcpy(d.key.src, &i, sizeof(i));
		d.packets = i + 1;
		d.bytes = 1000000 - i;
		fffa_flow_merge(fixture->table, &d);
	}
	(void)walk_table(fixture, 1000);
	assert_int_equal(fixture->largest.n, FFFA_LARGEST_MAX);
	for (uint32_t i = 0; i < FFFA_LARGEST_MAX; i++)
		assert_int_equal(fixture->largest.v[i].packets, 3000 - i);
}

static void test_few_and_none(void **state)
{
	struct fixture *fixture = *state;

	assert_int_equal(walk_table(fixture, 10), 1);
	assert_int_equal(fixture->largest.n, 0);
	for (uint32_t i = 0; i < 10; i++)
		merge(fixture, i, i);
	assert_int_equal(walk_table(fixture, 10), 1);
	assert_int_equal(fixture->largest.n, 10);
	assert_int_equal(fixture->largest.v[0].bytes, 9);
	assert_int_equal(fixture->largest.v[9].bytes, 0);
}

/* Reported flows have no open window, free entries hold no flow. */
static void test_only_open_windows(void **state)
{
	struct fixture *fixture = *state;

	for (uint32_t i = 0; i < 100; i++)
		merge(fixture, i, 1000);
	assert_true(fffa_flow_flush(fixture->table, 60));
	(void)walk_table(fixture, 7);
	assert_int_equal(fixture->largest.n, 40);
}

/* Flows come and go between slices; each flow that stays is seen once. */
static void test_changes_between_slices(void **state)
{
	struct fixture *fixture = *state;
	uint32_t at = 0, next = 1000;

	for (uint32_t i = 0; i < 500; i++)
		merge(fixture, i, 1000 + i);
	do {
		at = fffa_flow_walk(fixture->table, at, 50, &fixture->largest.min_bytes, add_window,
				    &fixture->largest);
		merge(fixture, next++, 5);
	} while (at);
	fffa_largest_sort(&fixture->largest);
	for (uint32_t i = 0; i < 500; i++)
		assert_int_equal(fixture->largest.v[i].bytes, 1499 - i);
}

static void test_json(void **state)
{
	static const uint8_t v6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};
	static const uint8_t v4[16] = {[10] = 0xff, [11] = 0xff, 10, 0, 0, 1};
	struct fixture *fixture = *state;
	struct fffa_interfaces *names = calloc(1, sizeof(*names));
	struct fffa_buf o;

	assert_non_null(names);
	fffa_interfaces_name(names, 2, "eth0");
	fixture->largest.n = 2;
	fixture->largest.v[0] = (struct fffa_largest_flow){.key = {.proto = 6,
								   .view = FFFA_VIEW_EGRESS,
								   .ifindex = 2,
								   .tunnel = 3,
								   .sport = htons(443),
								   .dport = htons(50000)},
							   .packets = 10,
							   .bytes = 5000,
							   .start_ms = 1,
							   .end_ms = 2,
							   .flags = FFFA_F_SYNACK | FFFA_F_ACK};
	memcpy(fixture->largest.v[0].key.src, v4, 16);
	memcpy(fixture->largest.v[0].key.dst, v6, 16);
	fixture->largest.v[1] = (struct fffa_largest_flow){
		.key = {.proto = 1, .ifindex = 9, .dport = htons(8 << 8 | 1)}, .bytes = 84};
	memcpy(fixture->largest.v[1].key.src, v4, 16);
	memcpy(fixture->largest.v[1].key.dst, v4, 16);
	o = (struct fffa_buf){.max = 4096};
	fffa_largest_write(&o, &fixture->largest, 50, 3, 7, names);
	fffa_buf_add(&o, "", 1);
	assert_string_equal(
		(char *)o.ptr,
		"{\"time_ms\":3,\"active\":7,\"flows\":[{\"interface\":\"eth0\",\"direction\":"
		"\"egress\",\"srcaddr\":\"10.0.0.1\",\"dstaddr\":\"2001:db8::1\",\"srcport\":443,"
		"\"dstport\":50000,\"protocol\":6,\"packets\":10,\"bytes\":5000,\"start_ms\":1,"
		"\"end_ms\":2,\"tcp_flags_raw\":16,\"encapsulated\":true},{\"interface\":\"\","
		"\"direction\":\"ingress\",\"srcaddr\":\"10.0.0.1\",\"dstaddr\":\"10.0.0.1\","
		"\"icmp_type\":8,\"icmp_code\":1,\"protocol\":1,\"packets\":0,\"bytes\":84,"
		"\"start_ms\":0,\"end_ms\":0,\"encapsulated\":false}]}\n");
	o.len = 0;
	fffa_largest_write(&o, &fixture->largest, 1, 3, 7, names);
	fffa_buf_add(&o, "", 1);
	assert_null(strstr((char *)o.ptr, "icmp"));
	fffa_buf_fini(&o);
	free(names);
}

static void test_count(void **state)
{
	static const struct {
		const char *text;
		int rc;
		size_t n;
	} cases[] = {
		{NULL, 0, 50},
		{"1", 0, 1},
		{"1000", 0, 1000},
		{"1001", 0, 1000},
		{"007", 0, 7},
		{"0", -EINVAL, 0},
		{"", -EINVAL, 0},
		{"-1", -EINVAL, 0},
		{"+1", -EINVAL, 0},
		{" 1", -EINVAL, 0},
		{"1x", -EINVAL, 0},
		{"1.0", -EINVAL, 0},
		{"99999999999999999999999999999999999999999", 0, 1000},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t n = 0;

		assert_int_equal(fffa_largest_parse_count(cases[i].text, &n), cases[i].rc);
		if (!cases[i].rc)
			assert_int_equal(n, cases[i].n);
	}
}

static void add_bytes(struct fffa_largest *l, uint64_t bytes)
{
	const struct fffa_key key = {.proto = 17};

	fffa_largest_add(l, &(struct fffa_flow_window){.key = &key, .packets = 1, .bytes = bytes});
}

/* Once all places are taken, the walk may skip what is not above the smallest of them. */
static void test_least_bytes(void **state)
{
	struct fixture *fixture = *state;
	struct fffa_largest *l = &fixture->largest;

	for (uint64_t i = 0; i < FFFA_LARGEST_MAX; i++) {
		assert_int_equal(l->min_bytes, 0);
		add_bytes(l, 100 + i * 7 % FFFA_LARGEST_MAX);
	}
	assert_int_equal(l->min_bytes, 101);
	add_bytes(l, 100); /* not above it */
	assert_int_equal(l->min_bytes, 101);
	add_bytes(l, 5000);
	assert_int_equal(l->min_bytes, 102);
	assert_int_equal(l->n, FFFA_LARGEST_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_least_bytes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_the_largest_of_many, setup, teardown),
		cmocka_unit_test_setup_teardown(test_the_most_packets, setup, teardown),
		cmocka_unit_test_setup_teardown(test_few_and_none, setup, teardown),
		cmocka_unit_test_setup_teardown(test_only_open_windows, setup, teardown),
		cmocka_unit_test_setup_teardown(test_changes_between_slices, setup, teardown),
		cmocka_unit_test_setup_teardown(test_json, setup, teardown),
		cmocka_unit_test(test_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
