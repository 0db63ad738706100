// SPDX-License-Identifier: MIT
/*
 * GENEVE with the options of AWS Gateway Load Balancer, VXLAN, and packets that only look like
 * a tunnel.
 */
#include "tests/stubs/cmocka_all.h"

#include <string.h>

#include "tests/unit/capture/frame_fixture.h"

#define IN_A UINT32_C(0xc0a8010a) /* 192.168.1.10 */
#define IN_B UINT32_C(0xc0a80114)

static const uint8_t eight[8] = {1, 2, 3, 4, 5, 6, 7, 8};

static void outer(struct packet *p, uint16_t dport)
{
	packet_start(p, "tunnel");
	packet_eth(p, V4);
	packet_ipv4(p, 17, ADDR_A, ADDR_B, 0, 0);
	packet_udp(p, 60000, dport);
}

static void inner(struct packet *p)
{
	packet_ipv4(p, 6, IN_A, IN_B, 0, 0);
	packet_tcp(p, 8080, 443, FFFA_F_SYN, 0);
	packet_payload(p, 12);
}

#define INNER_BYTES 52

static void expect_inner(const struct parsed *s)
{
	assert_true(s->tunnelled);
	frame_expect(s, 6, 8080, 443, INNER_BYTES);
	frame_expect_v4(s->p.key.src, IN_A);
	frame_expect_v4(s->p.key.dst, IN_B);
	assert_int_equal(s->p.flags, FFFA_F_SYN);
	frame_expect_v4(s->t.src, ADDR_A);
	frame_expect_v4(s->t.dst, ADDR_B);
}

static void expect_outer(const struct parsed *s, uint16_t dport, uint64_t bytes)
{
	assert_false(s->tunnelled);
	frame_expect(s, 17, 60000, dport, bytes);
	frame_expect_v4(s->p.key.src, ADDR_A);
	assert_int_equal(s->p.cookie, 0);
}

static void gwlb_options(void **state)
{
	struct packet p;
	struct parsed s;

	(void)state;
	outer(&p, 6081);
	packet_geneve(&p, V4, 0x00c0de, 8);
	packet_gwlb(&p, UINT64_C(0x0123456789abcdef), UINT64_C(0xfedcba9876543210), 0xdeadbeef);
	inner(&p);
	s = frame_whole(&p);
	expect_inner(&s);
	assert_int_equal(s.t.type, FFFA_TUNNEL_GENEVE);
	assert_int_equal(s.t.vni, 0x00c0de);
	assert_int_equal(s.t.has, FFFA_TUNNEL_HAS_GWLBE | FFFA_TUNNEL_HAS_ATTACHMENT |
					  FFFA_TUNNEL_HAS_COOKIE);
	assert_true(s.t.gwlbe_id == UINT64_C(0x0123456789abcdef));
	assert_true(s.t.attachment_id == UINT64_C(0xfedcba9876543210));
	assert_int_equal(s.p.cookie, 0xdeadbeef);
}

static void geneve_over_ipv6_with_an_ethernet_frame(void **state)
{
	struct packet p;
	struct parsed s;

	(void)state;
	packet_start(&p, "v6");
	packet_eth(&p, V6);
	packet_ipv6(&p, 17, 1, 2);
	packet_udp(&p, 60000, 6081);
	packet_geneve(&p, 0x6558, 0xffffff, 0);
	packet_eth(&p, 0x8100);
	packet_vlan(&p, V6);
	packet_ipv6(&p, 58, 3, 4);
	packet_icmp(&p, 128, 0);
	s = frame_whole(&p);
	assert_true(s.tunnelled);
	frame_expect(&s, 58, 0, 128 << 8, 48);
	frame_expect_v6(s.p.key.src, 3);
	frame_expect_v6(s.t.src, 1);
	frame_expect_v6(s.t.dst, 2);
	assert_int_equal(s.t.vni, 0xffffff);
	assert_int_equal(s.t.has, 0);
	assert_int_equal(s.p.cookie, 0);
}

static void vxlan(void **state)
{
	struct packet p;
	struct parsed s;

	(void)state;
	outer(&p, 4789);
	packet_vxlan(&p, 0xabcdef);
	packet_eth(&p, V4);
	inner(&p);
	s = frame_whole(&p);
	expect_inner(&s);
	assert_int_equal(s.t.type, FFFA_TUNNEL_VXLAN);
	assert_int_equal(s.t.vni, 0xabcdef);
	assert_int_equal(s.t.has, 0);
}

/* One option of class and type with bytes of value before the inner packet. */
static struct parsed one_option(uint16_t class, uint8_t type, size_t bytes)
{
	struct packet p;
	struct parsed s;

	outer(&p, 6081);
	packet_geneve(&p, V4, 1, 1 + (int)bytes / 4);
	packet_geneve_option(&p, class, type, eight, bytes);
	inner(&p);
	s = frame_whole(&p);
	expect_inner(&s);
	return s;
}

static void only_aws_options_of_the_defined_length_count(void **state)
{
	struct parsed s;

	(void)state;
	s = one_option(0x0108, 1, 8);
	assert_int_equal(s.t.has, FFFA_TUNNEL_HAS_GWLBE);
	assert_true(s.t.gwlbe_id == UINT64_C(0x0102030405060708));
	s = one_option(0x0108, 2, 8);
	assert_int_equal(s.t.has, FFFA_TUNNEL_HAS_ATTACHMENT);
	assert_true(s.t.attachment_id == UINT64_C(0x0102030405060708));
	s = one_option(0x0108, 3, 4);
	assert_int_equal(s.t.has, FFFA_TUNNEL_HAS_COOKIE);
	assert_int_equal(s.p.cookie, 0x01020304);
	assert_int_equal(one_option(0x0108, 1, 4).t.has, 0);
	assert_int_equal(one_option(0x0108, 3, 8).t.has, 0);
	assert_int_equal(one_option(0x0108, 1, 0).t.has, 0);
	assert_int_equal(one_option(0x0108, 4, 8).t.has, 0);
	assert_int_equal(one_option(0x0108, 0, 8).t.has, 0);
	assert_int_equal(one_option(0x0102, 1, 8).t.has, 0);
	assert_int_equal(one_option(0x0801, 1, 8).t.has, 0);
}

static void options_beyond_the_eighth_are_skipped_unread(void **state)
{
	struct packet p;
	struct parsed s;

	(void)state;
	outer(&p, 6081);
	packet_geneve(&p, V4, 1, 7 + 3 + 3);
	for (int i = 0; i < 7; i++)
		packet_geneve_option(&p, 0x0102, 9, eight, 0);
	packet_geneve_option(&p, 0x0108, 1, eight, 8); /* the eighth */
	packet_geneve_option(&p, 0x0108, 2, eight, 8);
	inner(&p);
	s = frame_whole(&p);
	expect_inner(&s);
	assert_int_equal(s.t.has, FFFA_TUNNEL_HAS_GWLBE);
}

static void on_other_ports_it_is_plain_udp(void **state)
{
	struct fffa_frame_conf c = frame_conf();
	struct packet p;
	struct parsed s;

	(void)state;
	outer(&p, 6082);
	packet_geneve(&p, V4, 1, 0);
	inner(&p);
	s = frame_whole(&p);
	expect_outer(&s, 6082, 28 + 8 + INNER_BYTES);
	c.geneve_ports[3] = 6082;
	s = frame_parse(&c, p.b, p.len, p.len);
	expect_inner(&s);
	memset(c.geneve_ports, 0, sizeof(c.geneve_ports));
	outer(&p, 0); /* an unused place in the list is not port 0 */
	packet_geneve(&p, V4, 1, 0);
	inner(&p);
	packet_finish(&p);
	s = frame_parse(&c, p.b, p.len, p.len);
	expect_outer(&s, 0, 28 + 8 + INNER_BYTES);
}

static void what_cannot_be_opened_is_recorded_as_it_is(void **state)
{
	static const struct {
		size_t at; /* from the tunnel header */
		uint8_t value;
	} rows[] = {
		{0, 0x40}, /* another version */
		{1, 0x80}, /* a control packet */
		{0, 0x3f}, /* options past the packet */
		{2, 0x12}, /* an inner type that is not IP */
		{8, 0x44}, /* an inner packet that contradicts itself */
		{8 + 20 + 12, 0xf0},
		{8 + 2, 0xff},		  /* an inner packet that is longer than the outer one */
		{8 + 3, INNER_BYTES + 1}, /* by one byte */
	};
	struct fffa_frame_conf c = frame_conf();
	struct packet p;
	struct parsed s;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		outer(&p, 6081);
		packet_geneve(&p, V4, 1, 0);
		inner(&p);
		packet_finish(&p);
		p.b[14 + 20 + 8 + rows[i].at] = rows[i].value;
		s = frame_parse(&c, p.b, p.len, p.len);
		expect_outer(&s, 6081, 28 + 8 + INNER_BYTES);
	}
	outer(&p, 6081); /* an option that says it goes on into the inner packet */
	packet_geneve(&p, V4, 1, 1);
	packet_geneve_option(&p, 0x0108, 3, eight, 0);
	p.b[p.len - 1] = 1;
	inner(&p);
	s = frame_whole(&p);
	expect_outer(&s, 6081, 28 + 8 + 4 + INNER_BYTES);
	outer(&p, 4789); /* without the bit that says there is a VNI */
	packet_vxlan(&p, 1);
	p.b[14 + 20 + 8] = 0;
	packet_eth(&p, V4);
	inner(&p);
	s = frame_whole(&p);
	expect_outer(&s, 4789, 28 + 8 + 14 + INNER_BYTES);
}

static void a_tunnel_cut_off_is_recorded_as_it_is(void **state)
{
	struct fffa_frame_conf c = frame_conf();
	size_t needed = 14 + 20 + 8 + 8 + 32 + 20 + 14;
	struct packet p;

	(void)state;
	outer(&p, 6081);
	packet_geneve(&p, V4, 1, 8);
	packet_gwlb(&p, 1, 2, 3);
	inner(&p);
	packet_finish(&p);
	for (size_t len = 14 + 20 + 4; len <= p.len; len++) {
		struct parsed s = frame_parse(&c, p.b, len, p.len);

		if (len < needed)
			expect_outer(&s, 6081, p.len - 14);
		else
			expect_inner(&s);
	}
}

static void a_later_fragment_is_not_opened(void **state)
{
	struct packet p;
	struct parsed s;

	(void)state;
	packet_start(&p, "fragment");
	packet_eth(&p, V4);
	packet_ipv4(&p, 17, ADDR_A, ADDR_B, 0, 0x0001);
	packet_udp(&p, 60000, 6081);
	packet_geneve(&p, V4, 1, 0);
	inner(&p);
	s = frame_whole(&p);
	assert_false(s.tunnelled);
	frame_expect(&s, 17, 0, 0, 28 + 8 + INNER_BYTES);
}

static void the_outer_source_decides_the_direction(void **state)
{
	struct fffa_frame_conf c = frame_conf();
	struct fffa_cidr local;
	struct packet p;
	struct parsed s;

	(void)state;
	outer(&p, 6081);
	packet_geneve(&p, V4, 1, 0);
	inner(&p);
	packet_finish(&p);
	c.local = &local;
	c.local_count = 1;
	assert_int_equal(fffa_cidr_parse("10.0.0.0/8", &local, NULL), 0);
	s = frame_parse(&c, p.b, p.len, p.len);
	expect_inner(&s);
	assert_int_equal(s.p.key.view, FFFA_VIEW_EGRESS);
	assert_int_equal(fffa_cidr_parse("192.168.0.0/16", &local, NULL), 0);
	s = frame_parse(&c, p.b, p.len, p.len);
	assert_int_equal(s.p.key.view, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gwlb_options),
		cmocka_unit_test(geneve_over_ipv6_with_an_ethernet_frame),
		cmocka_unit_test(vxlan),
		cmocka_unit_test(only_aws_options_of_the_defined_length_count),
		cmocka_unit_test(options_beyond_the_eighth_are_skipped_unread),
		cmocka_unit_test(on_other_ports_it_is_plain_udp),
		cmocka_unit_test(what_cannot_be_opened_is_recorded_as_it_is),
		cmocka_unit_test(a_tunnel_cut_off_is_recorded_as_it_is),
		cmocka_unit_test(a_later_fragment_is_not_opened),
		cmocka_unit_test(the_outer_source_decides_the_direction),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
