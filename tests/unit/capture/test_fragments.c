// SPDX-License-Identifier: MIT
/* Which fragments get the ports of their datagram, and which do not. */
#include "tests/stubs/cmocka_all.h"

#include <arpa/inet.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/capture/replay/fragments.h"
#include "bpf/fragment.h"
#include "tests/unit/capture/frame_fixture.h"

#define T0     UINT64_C(1700000000000000000)
#define LIFE   (FFFA_FRAGMENT_LIFE_S * FFFA_NS_PER_S)
#define FIRST  0x2000 /* more fragments, offset 0 */
#define MIDDLE 0x2009
#define LAST   0x0012

static int setup(void **state)
{
	*state = fffa_fragments_new();
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	fffa_fragments_free(*state);
	return 0;
}

static void put16(uint8_t *b, uint16_t v)
{
	b[0] = (uint8_t)(v >> 8);
	b[1] = (uint8_t)v;
}

/* fragment: flags and offset as in IPv4. Only the first fragment has ports. */
static void ipv4(struct packet *p, uint32_t src, uint8_t proto, uint16_t id, uint16_t fragment)
{
	size_t at = p->len;

	packet_ipv4(p, proto, src, ADDR_B, 0, fragment);
	put16(p->b + at + 4, id);
	if (!(fragment & 0x1fff))
		packet_udp(p, 7, 8);
	packet_payload(p, 64);
}

static struct fffa_packet v4_of(uint32_t src, uint8_t proto, uint16_t id, uint16_t fragment)
{
	struct packet p;
	struct parsed s;

	packet_start(&p, "v4");
	packet_eth(&p, V4);
	ipv4(&p, src, proto, id, fragment);
	s = frame_whole(&p);
	assert_int_equal(s.result, FFFA_PARSE_OK);
	return s.p;
}

static struct fffa_packet v4(uint16_t id, uint16_t fragment)
{
	return v4_of(ADDR_A, 17, id, fragment);
}

/* fragment: offset and flag as in the IPv6 header. */
static struct fffa_packet v6(uint8_t src, uint32_t id, uint16_t fragment)
{
	struct packet p;
	struct parsed s;
	size_t at;

	packet_start(&p, "v6");
	packet_eth(&p, V6);
	packet_ipv6(&p, 44, src, 2);
	at = p.len;
	packet_ext(&p, 44, 17, 1, fragment);
	put16(p.b + at + 4, (uint16_t)(id >> 16));
	put16(p.b + at + 6, (uint16_t)id);
	if (!(fragment & 0xfff8))
		packet_udp(&p, 7, 8);
	packet_payload(&p, 64);
	s = frame_whole(&p);
	assert_int_equal(s.result, FFFA_PARSE_OK);
	return s.p;
}

static void expect_ports(const struct fffa_packet *p, uint16_t sport, uint16_t dport)
{
	assert_int_equal(ntohs(p->key.sport), sport);
	assert_int_equal(ntohs(p->key.dport), dport);
}

/* Asserts that p is known and gets the ports of its first fragment. */
static void known(struct fffa_fragments *t, struct fffa_packet p, uint64_t now_ns)
{
	assert_true(fffa_fragments_apply(t, &p, now_ns));
	expect_ports(&p, 7, 8);
}

static void unknown(struct fffa_fragments *t, struct fffa_packet p, uint64_t now_ns)
{
	assert_int_equal(p.fragment, FFFA_FRAGMENT_LATER);
	assert_false(fffa_fragments_apply(t, &p, now_ns));
	expect_ports(&p, 0, 0);
}

static void later_ones_get_the_ports(void **state)
{
	known(*state, v4(1, FIRST), T0);
	known(*state, v4(1, MIDDLE), T0 + 1);
	known(*state, v4(1, LAST), T0 + 2);
	known(*state, v6(1, 0x10002, 0x0001), T0);
	known(*state, v6(1, 0x10002, 0x0041), T0 + 1);
	known(*state, v6(1, 0x10002, 0x0080), T0 + 2);
}

/* Fragments before the first one have no ports; those after it have. */
static void any_order(void **state)
{
	unknown(*state, v4(2, LAST), T0);
	unknown(*state, v4(2, MIDDLE), T0);
	known(*state, v4(2, FIRST), T0);
	known(*state, v4(2, MIDDLE), T0);
	unknown(*state, v6(1, 2, 0x0080), T0);
	known(*state, v6(1, 2, 0x0001), T0);
	known(*state, v6(1, 2, 0x0041), T0);
}

static void other_datagrams_do_not_match(void **state)
{
	known(*state, v4(3, FIRST), T0);
	unknown(*state, v4(4, MIDDLE), T0);
	unknown(*state, v4(0x0300, MIDDLE), T0);
	unknown(*state, v4_of(ADDR_A, 132, 3, MIDDLE), T0);
	unknown(*state, v4_of(ADDR_A + 9, 17, 3, MIDDLE), T0);
	known(*state, v4(3, MIDDLE), T0);
	known(*state, v6(1, 0x10003, 0x0001), T0);
	unknown(*state, v6(1, 0x00003, 0x0041), T0);
	unknown(*state, v6(1, 0x10004, 0x0041), T0);
	unknown(*state, v6(9, 0x10003, 0x0041), T0);
	known(*state, v6(1, 0x10003, 0x0041), T0);
}

static void the_other_end_does_not_match(void **state)
{
	struct fffa_packet p = v4(5, MIDDLE);

	known(*state, v4(5, FIRST), T0);
	p.key.dst[15] ^= 1;
	unknown(*state, p, T0);
	p = v4(5, MIDDLE); /* a datagram of the other direction with the same number */
	memcpy(p.key.src, v4(5, MIDDLE).key.dst, 16);
	memcpy(p.key.dst, v4(5, MIDDLE).key.src, 16);
	unknown(*state, p, T0);
}

static void life_time(void **state)
{
	known(*state, v4(6, FIRST), T0);
	known(*state, v4(6, MIDDLE), T0 + LIFE);
	unknown(*state, v4(6, MIDDLE), T0 + LIFE + 1); /* a later one does not make it younger */
	known(*state, v4(6, FIRST), T0 + LIFE + 2);    /* the number is used again */
	known(*state, v4(6, MIDDLE), T0 + LIFE + LIFE + 2);
	assert_int_equal(FFFA_FRAGMENT_LIFE_S, 30);
}

/* A number that is used again means the new datagram. */
static void used_again_for_other_ports(void **state)
{
	struct fffa_packet p = v4(7, FIRST);

	known(*state, v4(7, FIRST), T0);
	p.key.sport = htons(70);
	assert_true(fffa_fragments_apply(*state, &p, T0 + 1));
	p = v4(7, MIDDLE);
	assert_true(fffa_fragments_apply(*state, &p, T0 + 2));
	expect_ports(&p, 70, 8);
}

static void inside_geneve(void **state)
{
	static const uint16_t fragment[] = {FIRST, MIDDLE};

	for (int i = 0; i < 2; i++) {
		struct packet p;
		struct parsed s;

		packet_start(&p, "inside");
		packet_eth(&p, V4);
		packet_ipv4(&p, 17, ADDR_B, ADDR_B, 0, 0);
		packet_udp(&p, 60000, 6081);
		packet_geneve(&p, V4, 1, 8);
		packet_gwlb(&p, 1, 2, 3);
		ipv4(&p, ADDR_A, 17, 8, fragment[i]);
		s = frame_whole(&p);
		assert_true(s.tunnelled);
		known(*state, s.p, T0);
	}
}

/* RFC 6946: a fragment header around a whole packet neither enters the table nor reads it. */
static void atomic_fragments_are_none(void **state)
{
	struct fffa_packet p = v6(1, 9, 0x0000);

	assert_int_equal(p.fragment, FFFA_FRAGMENT_NONE);
	known(*state, p, T0);
	unknown(*state, v6(1, 9, 0x0041), T0);
	p = v4(9, 0x4000); /* IPv4: do not fragment */
	assert_int_equal(p.fragment, FFFA_FRAGMENT_NONE);
	known(*state, p, T0);
	unknown(*state, v4(9, LAST), T0);
}

static struct fffa_packet nth(uint32_t i, uint8_t fragment)
{
	struct fffa_packet p = {.fragment = fragment};

	memcpy(p.key.src + 12, &i, sizeof(i));
	p.key.proto = 17;
	p.fragment_id = 77;
	if (fragment == FFFA_FRAGMENT_FIRST) {
		p.key.sport = htons(7);
		p.key.dport = htons(8);
	}
	return p;
}

static uint32_t remembered(struct fffa_fragments *t, uint32_t from, uint32_t to)
{
	uint32_t n = 0;

	for (uint32_t i = from; i < to; i++) {
		struct fffa_packet p = nth(i, FFFA_FRAGMENT_LATER);

		n += fffa_fragments_apply(t, &p, T0 + 2000000);
	}
	return n;
}

/*
 * The oldest of a set of four gives way. The newest is always there, so is most of the newest
 * quarter, and nothing that is many table sizes older.
 */
static void the_table_is_bounded(void **state)
{
	const uint32_t all = 8 * FFFA_FRAGMENTS_MAX, quarter = FFFA_FRAGMENTS_MAX / 4;

	for (uint32_t i = 0; i < all; i++) {
		struct fffa_packet p = nth(i, FFFA_FRAGMENT_FIRST);

		assert_true(fffa_fragments_apply(*state, &p, T0 + i));
		known(*state, nth(i, FFFA_FRAGMENT_LATER), T0 + i);
	}
	/* A set has got 24 more by then on average; at most 3 has a chance of 1 in 10 million. */
	assert_int_equal(remembered(*state, 0, 2 * FFFA_FRAGMENTS_MAX), 0);
	assert_uint_in_range(remembered(*state, 0, all), FFFA_FRAGMENTS_MAX - 8,
			     FFFA_FRAGMENTS_MAX);
	assert_uint_in_range(remembered(*state, all - quarter, all), quarter * 98 / 100, quarter);
}

/* The last use counts, not the first: a datagram that comes again and again stays. */
static void one_in_use_is_never_the_oldest(void **state)
{
	for (uint32_t i = 1; i < 8 * FFFA_FRAGMENTS_MAX; i++) {
		struct fffa_packet p = nth(i, FFFA_FRAGMENT_FIRST);

		if (i % 16 == 1)
			known(*state, nth(0, FFFA_FRAGMENT_FIRST), T0 + i);
		assert_true(fffa_fragments_apply(*state, &p, T0 + i));
		known(*state, nth(0, FFFA_FRAGMENT_LATER), T0 + i);
	}
}

static void few_are_all_remembered(void **state)
{
	for (uint32_t i = 0; i < 512; i++)
		known(*state, nth(i, FFFA_FRAGMENT_FIRST), T0 + i);
	assert_int_equal(remembered(*state, 0, 512), 512);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(later_ones_get_the_ports),
		TEST(any_order),
		TEST(other_datagrams_do_not_match),
		TEST(the_other_end_does_not_match),
		TEST(life_time),
		TEST(used_again_for_other_ports),
		TEST(inside_geneve),
		TEST(atomic_fragments_are_none),
		TEST(the_table_is_bounded),
		TEST(one_in_use_is_never_the_oldest),
		TEST(few_are_all_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
