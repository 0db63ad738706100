// SPDX-License-Identifier: MIT
/* IPv4, IPv6 and the transport headers: key, flags, packets, bytes. */
#include "tests/stubs/cmocka_all.h"

#include <string.h>

#include "tests/unit/capture/frame_fixture.h"

static void start_v4(struct packet *p, uint8_t proto, int option_words, uint16_t fragment)
{
	packet_start(p, "");
	packet_eth(p, V4);
	packet_ipv4(p, proto, ADDR_A, ADDR_B, option_words, fragment);
}

static void start_v6(struct packet *p, uint8_t next)
{
	packet_start(p, "");
	packet_eth(p, V6);
	packet_ipv6(p, next, 1, 2);
}

static void tcp_key_and_bytes(void **state)
{
	struct packet p;
	struct parsed s;

	(void)state;
	start_v4(&p, 6, 0, 0x4000);
	packet_tcp(&p, 40000, 443, FFFA_F_ACK, 3);
	packet_payload(&p, 100);
	s = frame_whole(&p);
	frame_expect(&s, 6, 40000, 443, 20 + 32 + 100);
	frame_expect_v4(s.p.key.src, ADDR_A);
	frame_expect_v4(s.p.key.dst, ADDR_B);
	assert_int_equal(s.p.key.view, 0);
	assert_int_equal(s.p.header_bytes, 20 + 32);
	assert_int_equal(s.p.l4_offset, 14 + 20);
	assert_int_equal(s.p.cookie, 0);
	assert_false(s.tunnelled);
}

static void tcp_flags_are_kept_and_syn_ack_is_marked(void **state)
{
	static const struct {
		uint8_t wire;
		uint16_t want;
	} rows[] = {{0x00, 0x000}, {0x01, 0x001}, {0x02, 0x002}, {0x04, 0x004}, {0x10, 0x010},
		    {0x11, 0x011}, {0x12, 0x112}, {0x13, 0x113}, {0xc2, 0x0c2}, {0xff, 0x1ff}};
	struct packet p;
	struct parsed s;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		start_v4(&p, 6, 0, 0);
		packet_tcp(&p, 1, 2, rows[i].wire, 0);
		s = frame_whole(&p);
		frame_expect(&s, 6, 1, 2, 40);
		assert_int_equal(s.p.flags, rows[i].want);
	}
}

static void ports_stand_where_the_protocol_has_them(void **state)
{
	static const uint8_t with_ports[] = {17, 33, 132, 136};
	struct packet p;
	struct parsed s;

	(void)state;
	for (size_t i = 0; i < sizeof(with_ports); i++) {
		start_v4(&p, with_ports[i], 0, 0);
		packet_udp(&p, 65535, 1);
		packet_payload(&p, 20);
		s = frame_whole(&p);
		frame_expect(&s, with_ports[i], 65535, 1, 20 + 8 + 20);
		assert_int_equal(s.p.flags, 0);
	}
}

static void protocols_without_ports(void **state)
{
	static const uint8_t others[] = {0, 2, 4, 41, 47, 50, 51, 89, 253, 255};
	struct packet p;
	struct parsed s;

	(void)state;
	for (size_t i = 0; i < sizeof(others); i++) {
		start_v4(&p, others[i], 0, 0);
		packet_payload(&p, 30);
		s = frame_whole(&p);
		frame_expect(&s, others[i], 0, 0, 50);
	}
	start_v6(&p, 59); /* no next header, nothing behind it */
	s = frame_whole(&p);
	frame_expect(&s, 59, 0, 0, 40);
}

static void icmp_type_and_code_are_the_destination_port(void **state)
{
	struct packet p;
	struct parsed s;

	(void)state;
	start_v4(&p, 1, 0, 0);
	packet_icmp(&p, 3, 13);
	packet_payload(&p, 20);
	s = frame_whole(&p);
	frame_expect(&s, 1, 0, 3 << 8 | 13, 20 + 8 + 20);
	start_v6(&p, 58);
	packet_icmp(&p, 135, 1);
	s = frame_whole(&p);
	frame_expect(&s, 58, 0, 135 << 8 | 1, 40 + 8);
	frame_expect_v6(s.p.key.src, 1);
	frame_expect_v6(s.p.key.dst, 2);
}

static void ipv4_options_move_the_ports(void **state)
{
	struct packet p;
	struct parsed s;

	(void)state;
	for (int words = 1; words <= 10; words++) {
		start_v4(&p, 17, words, 0);
		packet_udp(&p, 1000, 53);
		packet_payload(&p, 9);
		s = frame_whole(&p);
		frame_expect(&s, 17, 1000, 53, 20 + 4 * (uint64_t)words + 8 + 9);
		assert_int_equal(s.p.header_bytes, 20 + 4 * words + 8);
	}
}

static void padding_is_not_counted(void **state)
{
	struct fffa_frame_conf c = frame_conf();
	struct packet p;
	struct parsed s;

	(void)state;
	start_v4(&p, 6, 0, 0);
	packet_tcp(&p, 1, 2, FFFA_F_ACK, 0);
	packet_finish(&p);
	packet_payload(&p, 6); /* to Ethernet's 60 bytes */
	s = frame_parse(&c, p.b, p.len, p.len);
	frame_expect(&s, 6, 1, 2, 40);
}

static void a_short_capture_still_counts_the_whole_packet(void **state)
{
	struct fffa_frame_conf c = frame_conf();
	struct packet p;
	struct parsed s;

	(void)state;
	start_v4(&p, 6, 0, 0);
	packet_tcp(&p, 1, 2, FFFA_F_ACK, 0);
	packet_payload(&p, 1400);
	packet_finish(&p);
	s = frame_parse(&c, p.b, 54, p.len);
	frame_expect(&s, 6, 1, 2, 1440);
	start_v6(&p, 17);
	packet_udp(&p, 3, 4);
	packet_payload(&p, 1000);
	packet_finish(&p);
	s = frame_parse(&c, p.b, 14 + 40 + 8, p.len);
	frame_expect(&s, 17, 3, 4, 1048);
}

/*
 * Linux writes length 0 into packets above 64 KiB (BIG TCP, jumbograms); the frame has the length.
 */
static void length_zero_takes_the_frame(void **state)
{
	struct fffa_frame_conf c = frame_conf();
	struct packet p;
	struct parsed s;

	(void)state;
	start_v4(&p, 6, 0, 0);
	packet_tcp(&p, 1, 2, FFFA_F_ACK, 0);
	p.sized_count = 0;
	s = frame_parse(&c, p.b, p.len, 14 + 100000);
	frame_expect(&s, 6, 1, 2, 100000);
	start_v6(&p, 0);
	packet_ext(&p, 0, 6, 1, 0);
	packet_tcp(&p, 1, 2, FFFA_F_ACK, 0);
	p.sized_count = 0;
	s = frame_parse(&c, p.b, p.len, 14 + 100000);
	frame_expect(&s, 6, 1, 2, 100000);
	start_v6(&p, 6); /* newer kernels add no hop-by-hop header */
	packet_tcp(&p, 1, 2, FFFA_F_ACK, 0);
	p.sized_count = 0;
	s = frame_parse(&c, p.b, p.len, 14 + 100000);
	frame_expect(&s, 6, 1, 2, 100000);
	/* Behind "no next header" 0 is the length, and so it is in a frame that is padded. */
	start_v6(&p, 59);
	p.sized_count = 0;
	s = frame_parse(&c, p.b, p.len, 14 + 100000);
	frame_expect(&s, 59, 0, 0, 40);
	start_v6(&p, 89);
	packet_payload(&p, 6);
	p.sized_count = 0;
	s = frame_parse(&c, p.b, p.len, p.len);
	frame_expect(&s, 89, 0, 0, 40);
}

/* The header with the jumbo payload option is taken off before the wire. */
static void the_jumbo_header_does_not_count(void **state)
{
	static const uint8_t option[8] = {6, 0, 0xc2, 4, 0, 1, 0x11, 0x70}; /* 70000 */
	struct fffa_frame_conf c = frame_conf();
	struct packet p;
	struct parsed s;

	(void)state;
	start_v6(&p, 0);
	packet_bytes(&p, option, sizeof(option));
	packet_tcp(&p, 1, 2, FFFA_F_ACK, 3);
	p.sized_count = 0;
	s = frame_parse(&c, p.b, p.len, 14 + 40 + 70000);
	frame_expect(&s, 6, 1, 2, 40 + 70000 - 8);
	assert_int_equal(s.p.header_bytes, 40 + 32);
	assert_int_equal(s.p.l4_offset, 14 + 40 + 8);
	s = frame_parse(&c, p.b, p.len, 14 + 40 + 69999);
	assert_int_equal(s.result, FFFA_PARSE_MALFORMED);
}

static void a_length_above_the_frame_is_malformed(void **state)
{
	struct fffa_frame_conf c = frame_conf();
	struct packet p;

	(void)state;
	for (int over = 0; over < 2; over++) {
		enum fffa_parse want = over ? FFFA_PARSE_MALFORMED : FFFA_PARSE_OK;

		start_v4(&p, 17, 0, 0);
		packet_udp(&p, 1, 2);
		packet_payload(&p, 30);
		packet_finish(&p);
		p.b[14 + 3] = (uint8_t)(p.b[14 + 3] + over);
		assert_int_equal(frame_parse(&c, p.b, p.len, p.len).result, want);
		start_v6(&p, 17);
		packet_udp(&p, 1, 2);
		packet_payload(&p, 30);
		packet_finish(&p);
		p.b[14 + 5] = (uint8_t)(p.b[14 + 5] + over);
		assert_int_equal(frame_parse(&c, p.b, p.len, p.len).result, want);
	}
}

static void the_ip_version_is_part_of_the_key(void **state)
{
	static const uint8_t mapped[16] = {[10] = 0xff, 0xff, 10, 0, 0, 1};
	struct packet p;
	struct parsed s;

	(void)state;
	start_v4(&p, 17, 0, 0);
	packet_udp(&p, 1, 2);
	s = frame_whole(&p);
	frame_expect(&s, 17, 1, 2, 28);
	assert_int_equal(s.p.key.view, 0);
	start_v6(&p, 17);
	packet_udp(&p, 1, 2);
	memcpy(p.b + 14 + 8, mapped, 16);
	s = frame_whole(&p);
	frame_expect(&s, 17, 1, 2, 48);
	assert_int_equal(s.p.key.view, FFFA_VIEW_IPV6);
}

static void only_first_fragments_have_ports_v4(void **state)
{
	static const struct {
		uint16_t field;
		bool ports;
	} rows[] = {{0x0000, true},  {0x4000, true},  {0x8000, true},  {0x2000, true},
		    {0x2001, false}, {0x0001, false}, {0x1fff, false}, {0x1000, false}};
	struct packet p;
	struct parsed s;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		start_v4(&p, 17, 0, rows[i].field);
		packet_udp(&p, 7, 8);
		packet_payload(&p, 64);
		s = frame_whole(&p);
		frame_expect(&s, 17, rows[i].ports ? 7 : 0, rows[i].ports ? 8 : 0, 92);
		assert_int_equal(s.p.l4_offset, rows[i].ports ? 34 : 0);
	}
}

static void only_first_fragments_have_ports_v6(void **state)
{
	static const struct {
		uint16_t field; /* offset in the upper 13 bits, M in the lowest */
		bool ports;
	} rows[] = {
		{0x0000, true}, {0x0001, true}, {0x0008, false}, {0x0009, false}, {0xfff8, false}};
	struct packet p;
	struct parsed s;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		start_v6(&p, 44);
		packet_ext(&p, 44, 17, 1, rows[i].field);
		packet_udp(&p, 7, 8);
		packet_payload(&p, 16);
		s = frame_whole(&p);
		frame_expect(&s, 17, rows[i].ports ? 7 : 0, rows[i].ports ? 8 : 0, 40 + 8 + 24);
		assert_int_equal(s.p.header_bytes, rows[i].ports ? 40 + 8 + 8 : 40);
	}
}

static void a_later_fragment_of_tcp_has_no_flags(void **state)
{
	struct packet p;
	struct parsed s;

	(void)state;
	start_v4(&p, 6, 0, 0x0010);
	packet_tcp(&p, 1, 2, 0xff, 0);
	s = frame_whole(&p);
	frame_expect(&s, 6, 0, 0, 40);
	assert_int_equal(s.p.flags, 0);
}

static void each_extension_header_is_walked(void **state)
{
	static const uint8_t types[] = {0, 43, 44, 51, 60};
	struct packet p;
	struct parsed s;

	(void)state;
	for (size_t i = 0; i < sizeof(types); i++) {
		int units = types[i] == 44 ? 1 : 3;

		start_v6(&p, types[i]);
		packet_ext(&p, types[i], 6, units, 0);
		packet_tcp(&p, 1024, 80, FFFA_F_SYN, 0);
		s = frame_whole(&p);
		frame_expect(&s, 6, 1024, 80, 40 + 8 * (uint64_t)units + 20);
		assert_int_equal(s.p.flags, FFFA_F_SYN);
		assert_int_equal(s.p.header_bytes, 40 + 8 * units + 20);
	}
}

/* Linux delivers them to their protocol: an attacker must not choose ports behind them. */
static void other_headers_are_the_protocol(void **state)
{
	static const uint8_t types[] = {135, 139, 140, 50, 253};
	struct packet p;
	struct parsed s;

	(void)state;
	for (size_t i = 0; i < sizeof(types); i++) {
		start_v6(&p, types[i]);
		packet_ext(&p, 60, 17, 1, 0);
		packet_udp(&p, 1, 2);
		s = frame_whole(&p);
		frame_expect(&s, types[i], 0, 0, 40 + 8 + 8);
	}
}

/* Only the fragment header has an offset: the content of the others does not hide the ports. */
static void options_are_no_fragments(void **state)
{
	static const uint8_t types[] = {0, 43, 51, 60};
	struct packet p;
	struct parsed s;

	(void)state;
	for (size_t i = 0; i < sizeof(types); i++) {
		start_v6(&p, types[i]);
		packet_ext(&p, types[i], 6, 2, 0);
		memset(&p.b[14 + 40 + 2], 0xff, 14);
		packet_tcp(&p, 8, 9, FFFA_F_ACK, 0);
		s = frame_whole(&p);
		frame_expect(&s, 6, 8, 9, 40 + 16 + 20);
		assert_int_equal(s.p.fragment, 0);
		assert_int_equal(s.p.fragment_id, 0);
	}
}

static void eight_headers_at_most_are_walked(void **state)
{
	struct packet p;
	struct parsed s;

	(void)state;
	for (int n = 1; n <= 9; n++) {
		start_v6(&p, 60);
		for (int i = 1; i <= n; i++)
			packet_ext(&p, 60, i < n ? 60 : 17, 1, 0);
		packet_udp(&p, 9, 10);
		s = frame_whole(&p);
		/*
		 * The flow has the protocol that the eighth header names. Its ports would need one
		 * step more.
		 */
		if (n < 8)
			frame_expect(&s, 17, 9, 10, 40 + 8 * (uint64_t)n + 8);
		else
			frame_expect(&s, n == 8 ? 17 : 60, 0, 0, 40 + 8 * (uint64_t)n + 8);
	}
}

static struct fffa_packet counted(uint32_t l3, uint16_t header, uint32_t gso_bytes,
				  uint32_t gso_segs)
{
	struct fffa_frame f = {.gso_bytes = gso_bytes, .gso_segs = gso_segs};
	struct fffa_packet p = {.l3_bytes = l3, .header_bytes = header};

	fffa_count_segments(&f, &p);
	return p;
}

static void segments_are_counted_as_on_the_wire(void **state)
{
	static const struct {
		uint32_t l3, gso_bytes, gso_segs;
		uint32_t packets;
		uint64_t bytes;
	} rows[] = {
		{1500, 0, 0, 1, 1500},			/* not GSO */
		{1500, 0, 7, 1, 1500},			/* segments without a size mean nothing */
		{52 + 1448, 1448, 1, 1, 1500},		/* one segment */
		{52 + 3000, 1448, 3, 3, 3000 + 3 * 52}, /* given by the kernel */
		{52 + 3000, 1448, 0, 3, 3000 + 3 * 52}, /* not given: rounded up */
		{52 + 2896, 1448, 0, 2, 2896 + 2 * 52}, /* exactly full */
		{52 + 2897, 1448, 0, 3, 2897 + 3 * 52},
		{52 + 1, 1448, 0, 1, 53},
		{52, 1448, 0, 1, 52},				/* no payload */
		{52 + 500000, 1448, 0, 346, 500000 + 346 * 52}, /* BIG TCP */
		{52 + 100000, 0xffff, 0, 1, 100052}, /* GSO_BY_FRAGS: no size of segments */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fffa_packet p = counted(rows[i].l3, 52, rows[i].gso_bytes, rows[i].gso_segs);

		assert_int_equal(p.packets, rows[i].packets);
		assert_int_equal(p.bytes, rows[i].bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tcp_key_and_bytes),
		cmocka_unit_test(tcp_flags_are_kept_and_syn_ack_is_marked),
		cmocka_unit_test(ports_stand_where_the_protocol_has_them),
		cmocka_unit_test(protocols_without_ports),
		cmocka_unit_test(icmp_type_and_code_are_the_destination_port),
		cmocka_unit_test(ipv4_options_move_the_ports),
		cmocka_unit_test(padding_is_not_counted),
		cmocka_unit_test(a_short_capture_still_counts_the_whole_packet),
		cmocka_unit_test(length_zero_takes_the_frame),
		cmocka_unit_test(only_first_fragments_have_ports_v4),
		cmocka_unit_test(only_first_fragments_have_ports_v6),
		cmocka_unit_test(a_later_fragment_of_tcp_has_no_flags),
		cmocka_unit_test(each_extension_header_is_walked),
		cmocka_unit_test(options_are_no_fragments),
		cmocka_unit_test(other_headers_are_the_protocol),
		cmocka_unit_test(eight_headers_at_most_are_walked),
		cmocka_unit_test(the_jumbo_header_does_not_count),
		cmocka_unit_test(a_length_above_the_frame_is_malformed),
		cmocka_unit_test(the_ip_version_is_part_of_the_key),
		cmocka_unit_test(segments_are_counted_as_on_the_wire),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
