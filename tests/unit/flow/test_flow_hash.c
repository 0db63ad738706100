// SPDX-License-Identifier: MIT
/* The hash is the same for both directions of a connection. */
#include "agent/flow/hash.h"

#include <stdlib.h>
#include <string.h>

#include "tests/stubs/cmocka_all.h"

static struct fffa_key tcp(uint32_t n)
{
	struct fffa_key k = {.proto = 6, .sport = (__be16)(n * 7), .dport = (__be16)0xbb01};

	memcpy(k.src, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a", 13);
	memcpy(k.dst, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\x01\x02\x03", 16);
	k.src[13] = (uint8_t)(n >> 16);
	k.src[14] = (uint8_t)(n >> 8);
	k.src[15] = (uint8_t)n;
	return k;
}

static struct fffa_key swapped(const struct fffa_key *k)
{
	struct fffa_key s = *k;

	memcpy(s.src, k->dst, 16);
	memcpy(s.dst, k->src, 16);
	s.sport = k->dport;
	s.dport = k->sport;
	return s;
}

static void both_directions_are_one(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 1000; i++) {
		struct fffa_key k = tcp(i), back = swapped(&k);

		back.view = FFFA_VIEW_EGRESS | FFFA_VIEW_HOOK_XDP;
		back.ifindex = 9;
		back.tunnel = 4;
		assert_int_equal(fffa_flow_hash(&k), fffa_flow_hash(&back));
	}
}

/* Address and port are swapped together only: a port belongs to its address. */
static void different_keys_have_different_hashes(void **state)
{
	struct fffa_key k = tcp(5), other = k;

	(void)state;
	other.proto = 17;
	assert_int_not_equal(fffa_flow_hash(&k), fffa_flow_hash(&other));
	other = k;
	other.sport = k.dport;
	other.dport = k.sport;
	assert_int_not_equal(fffa_flow_hash(&k), fffa_flow_hash(&other));
	for (int bit = 0; bit < 128; bit++) {
		other = k;
		other.dst[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_not_equal(fffa_flow_hash(&k), fffa_flow_hash(&other));
	}
}

static void question_and_answer_of_icmp_are_one(void **state)
{
	struct fffa_key k = tcp(7), back;

	(void)state;
	k.proto = 1;
	k.sport = 0;
	k.dport = (__be16)0x0008;
	back = swapped(&k);
	back.sport = back.dport = 0;
	assert_int_equal(fffa_flow_hash(&k), fffa_flow_hash(&back));
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void hashes_are_spread_evenly(void **state)
{
	enum { KEYS = 20000, BUCKETS = 16 };
	uint64_t *v = calloc(KEYS, sizeof(*v));
	unsigned int buckets[BUCKETS] = {0};

	(void)state;
	assert_non_null(v);
	for (uint32_t i = 0; i < KEYS; i++) {
		struct fffa_key k = tcp(i);

		v[i] = fffa_flow_hash(&k);
		buckets[v[i] % BUCKETS]++;
	}
	for (int i = 0; i < BUCKETS; i++)
		assert_uint_in_range(buckets[i], KEYS / BUCKETS * 9 / 10, KEYS / BUCKETS * 11 / 10);
	qsort(v, KEYS, sizeof(*v), by_value);
	for (uint32_t i = 1; i < KEYS; i++)
		assert_int_not_equal(v[i - 1], v[i]);
	free(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_directions_are_one),
		cmocka_unit_test(different_keys_have_different_hashes),
		cmocka_unit_test(question_and_answer_of_icmp_are_one),
		cmocka_unit_test(hashes_are_spread_evenly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
