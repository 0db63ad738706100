// SPDX-License-Identifier: MIT
/* Tunnels in tunnels: VPC Traffic Mirroring through GWLB, and how deep the parser follows. */
#include "tests/stubs/cmocka_all.h"

#include "tests/unit/capture/frame_fixture.h"

#define GWLBE	   UINT64_C(0x0123456789abcdef)
#define ATTACHMENT UINT64_C(0xfedcba9876543210)
#define COOKIE	   0xc00c1e
#define HAS_ALL	   (FFFA_TUNNEL_HAS_GWLBE | FFFA_TUNNEL_HAS_ATTACHMENT | FFFA_TUNNEL_HAS_COOKIE)
#define MID_A	   UINT32_C(0xc0a8010a) /* 192.168.1.10 */
#define MID_B	   UINT32_C(0xc0a80114)
#define IN_A	   UINT32_C(0xac100001) /* 172.16.0.1 */
#define IN_B	   UINT32_C(0xac100002)

static void udp4(struct packet *p, uint32_t src, uint32_t dst, uint16_t dport)
{
	packet_ipv4(p, 17, src, dst, 0, 0);
	packet_udp(p, 60000, dport);
}

/* 46 bytes. */
static void innermost(struct packet *p)
{
	packet_ipv4(p, 6, IN_A, IN_B, 0, 0);
	packet_tcp(p, 8080, 443, FFFA_F_SYN | FFFA_F_ACK, 0);
	packet_payload(p, 6);
}

static void expect_innermost(const struct parsed *s)
{
	assert_true(s->tunnelled);
	frame_expect(s, 6, 8080, 443, 46);
	frame_expect_v4(s->p.key.src, IN_A);
	frame_expect_v4(s->p.key.dst, IN_B);
	assert_int_equal(s->p.flags, FFFA_F_SYN | FFFA_F_ACK | FFFA_F_SYNACK);
}

static void in_gwlb(struct packet *p)
{
	packet_start(p, "nested");
	packet_eth(p, V4);
	udp4(p, ADDR_A, ADDR_B, 6081);
	packet_geneve(p, V4, 0x111111, 8);
	packet_gwlb(p, GWLBE, ATTACHMENT, COOKIE);
}

static void vxlan_in_geneve_has_the_gwlb_options(void **state)
{
	struct packet p;
	struct parsed s;

	(void)state;
	in_gwlb(&p);
	udp4(&p, MID_A, MID_B, 4789);
	packet_vxlan(&p, 0xabcdef);
	packet_eth(&p, V4);
	innermost(&p);
	s = frame_whole(&p);
	expect_innermost(&s);
	assert_int_equal(s.t.type, FFFA_TUNNEL_VXLAN);
	assert_int_equal(s.t.vni, 0xabcdef);
	frame_expect_v4(s.t.src, MID_A);
	frame_expect_v4(s.t.dst, MID_B);
	assert_int_equal(s.t.has, HAS_ALL);
	assert_true(s.t.gwlbe_id == GWLBE);
	assert_true(s.t.attachment_id == ATTACHMENT);
	assert_int_equal(s.p.cookie, COOKIE);
}

static void geneve_without_options_inside_keeps_them_too(void **state)
{
	struct packet p;
	struct parsed s;

	(void)state;
	in_gwlb(&p);
	udp4(&p, MID_A, MID_B, 6081);
	packet_geneve(&p, V4, 7, 0);
	innermost(&p);
	s = frame_whole(&p);
	expect_innermost(&s);
	assert_int_equal(s.t.type, FFFA_TUNNEL_GENEVE);
	assert_int_equal(s.t.vni, 7);
	frame_expect_v4(s.t.src, MID_A);
	assert_int_equal(s.t.has, HAS_ALL);
	assert_int_equal(s.p.cookie, COOKIE);
}

static void options_of_the_inner_tunnel_win(void **state)
{
	struct packet p;
	struct parsed s;

	(void)state;
	in_gwlb(&p);
	udp4(&p, MID_A, MID_B, 6081);
	packet_geneve(&p, V4, 7, 8);
	packet_gwlb(&p, 4, 5, 6);
	innermost(&p);
	s = frame_whole(&p);
	expect_innermost(&s);
	assert_int_equal(s.t.has, HAS_ALL);
	assert_true(s.t.gwlbe_id == 4);
	assert_true(s.t.attachment_id == 5);
	assert_int_equal(s.p.cookie, 6);
}

static void without_gwlb_there_are_no_options(void **state)
{
	struct packet p;
	struct parsed s;

	(void)state;
	packet_start(&p, "plain");
	packet_eth(&p, V4);
	udp4(&p, ADDR_A, ADDR_B, 6081);
	packet_geneve(&p, V4, 3, 0);
	udp4(&p, MID_A, MID_B, 4789);
	packet_vxlan(&p, 4);
	packet_eth(&p, V4);
	innermost(&p);
	s = frame_whole(&p);
	expect_innermost(&s);
	assert_int_equal(s.t.type, FFFA_TUNNEL_VXLAN);
	assert_int_equal(s.t.has, 0);
	assert_true(s.t.gwlbe_id == 0);
	assert_int_equal(s.p.cookie, 0);
}

/* The packet in the second tunnel is recorded, even if it is a tunnel itself. */
static void the_third_tunnel_stays_closed(void **state)
{
	static const uint32_t hop[] = {ADDR_A, MID_A, IN_A};
	struct packet p;
	struct parsed s;

	(void)state;
	packet_start(&p, "deep");
	packet_eth(&p, V4);
	for (uint32_t i = 0; i < 3; i++) {
		udp4(&p, hop[i], ADDR_B, 4789);
		packet_vxlan(&p, 100 + i);
		packet_eth(&p, V4);
	}
	packet_ipv4(&p, 6, 1, 2, 0, 0);
	packet_tcp(&p, 8080, 443, FFFA_F_SYN, 0);
	s = frame_whole(&p);
	assert_true(s.tunnelled);
	frame_expect(&s, 17, 60000, 4789, 20 + 8 + 8 + 14 + 40);
	frame_expect_v4(s.p.key.src, IN_A);
	assert_int_equal(s.t.vni, 101);
	frame_expect_v4(s.t.src, MID_A);
}

/*
 * When the second tunnel cannot be opened, its outer packet is recorded as the inner packet of
 * the first.
 */
static void a_truncated_second_tunnel(void **state)
{
	struct fffa_frame_conf c = frame_conf();
	struct packet p;
	struct parsed s;
	size_t cut;

	(void)state;
	in_gwlb(&p);
	udp4(&p, MID_A, MID_B, 4789);
	cut = p.len + 4;
	packet_vxlan(&p, 0xabcdef);
	packet_eth(&p, V4);
	innermost(&p);
	packet_finish(&p);
	s = frame_parse(&c, p.b, cut, p.len);
	assert_true(s.tunnelled);
	frame_expect(&s, 17, 60000, 4789, 20 + 8 + 8 + 14 + 46);
	frame_expect_v4(s.p.key.src, MID_A);
	assert_int_equal(s.t.type, FFFA_TUNNEL_GENEVE);
	assert_int_equal(s.t.vni, 0x111111);
	frame_expect_v4(s.t.src, ADDR_A);
	assert_int_equal(s.t.has, HAS_ALL);
	assert_int_equal(s.p.cookie, COOKIE);
}

/* The direction is that of the packet on the wire, however deep the recorded packet is. */
static void direction_is_of_the_outermost(void **state)
{
	struct fffa_cidr local = {.addr = {[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 1},
				  .bits = 128};
	struct fffa_frame_conf c = frame_conf();
	struct packet p;
	struct parsed s;

	(void)state;
	in_gwlb(&p);
	udp4(&p, MID_A, MID_B, 4789);
	packet_vxlan(&p, 1);
	packet_eth(&p, V4);
	innermost(&p);
	packet_finish(&p);
	c.local = &local;
	c.local_count = 1;
	s = frame_parse(&c, p.b, p.len, p.len);
	assert_int_equal(s.p.key.view, FFFA_VIEW_EGRESS);
	local.addr[15] = 2;
	s = frame_parse(&c, p.b, p.len, p.len);
	assert_int_equal(s.p.key.view, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vxlan_in_geneve_has_the_gwlb_options),
		cmocka_unit_test(geneve_without_options_inside_keeps_them_too),
		cmocka_unit_test(options_of_the_inner_tunnel_win),
		cmocka_unit_test(without_gwlb_there_are_no_options),
		cmocka_unit_test(the_third_tunnel_stays_closed),
		cmocka_unit_test(a_truncated_second_tunnel),
		cmocka_unit_test(direction_is_of_the_outermost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
