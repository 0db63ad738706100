// SPDX-License-Identifier: MIT
/* Frames that contradict themselves, and frames that end early. */
#include "tests/stubs/cmocka_all.h"

#include "tests/unit/capture/frame_fixture.h"

static void tcp_v4(struct packet *p, int ip_words, int tcp_words)
{
	packet_start(p, "v4");
	packet_eth(p, V4);
	packet_ipv4(p, 6, ADDR_A, ADDR_B, ip_words, 0);
	packet_tcp(p, 1, 2, FFFA_F_ACK, tcp_words);
	packet_finish(p);
}

/* Parses the packet with the byte at offset `at` set to value. */
static enum fffa_parse with_byte(struct packet *p, size_t at, uint8_t value)
{
	struct fffa_frame_conf c = frame_conf();

	p->b[at] = value;
	return frame_parse(&c, p->b, p->len, p->len).result;
}

static void ipv4_headers_that_contradict_themselves(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
	} rows[] = {
		{14, 0x44},	 /* header below 20 bytes */
		{14, 0x40},	 /* of none at all */
		{14, 0x55},	 /* another version */
		{14, 0x65},	 /* IPv6's version behind the ether type of IPv4 */
		{14, 0x4f},	 /* header longer than the packet */
		{17, 19},	 /* packet shorter than its header */
		{17, 39},	 /* packet shorter than its TCP header */
		{34 + 12, 0x40}, /* TCP header below 20 bytes */
		{34 + 12, 0x60}, /* TCP header longer than the packet */
		{34 + 12, 0xf0},
	};
	struct packet p;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		tcp_v4(&p, 0, 0);
		assert_int_equal(with_byte(&p, rows[i].at, rows[i].value), FFFA_PARSE_MALFORMED);
	}
	tcp_v4(&p, 0, 0);
	assert_int_equal(with_byte(&p, 17, 40), FFFA_PARSE_OK);
}

static void a_header_may_end_with_the_packet_but_not_behind(void **state)
{
	struct packet p;

	(void)state;
	for (size_t extra = 3; extra <= 4; extra++) {
		packet_start(&p, "tcp options");
		packet_eth(&p, V4);
		packet_ipv4(&p, 6, ADDR_A, ADDR_B, 0, 0);
		packet_tcp(&p, 1, 2, FFFA_F_ACK, 0);
		packet_payload(&p, extra);
		packet_finish(&p);
		assert_int_equal(with_byte(&p, 34 + 12, 0x60),
				 extra < 4 ? FFFA_PARSE_MALFORMED : FFFA_PARSE_OK);
	}
	packet_start(&p, "nothing behind the last extension header");
	packet_eth(&p, V6);
	packet_ipv6(&p, 60, 1, 2);
	packet_ext(&p, 60, 59, 1, 0);
	packet_finish(&p);
	assert_int_equal(with_byte(&p, 14 + 7, 64), FFFA_PARSE_OK);
	assert_int_equal(with_byte(&p, 14 + 5, 7), FFFA_PARSE_MALFORMED);
}

/* Ports need 4 bytes, ICMP's type and code 2. A TCP header that is read must fit. */
static void a_packet_must_hold_its_ports(void **state)
{
	static const struct {
		uint8_t proto;
		uint8_t need;
	} rows[] = {{6, 4}, {17, 4}, {136, 4}, {132, 4}, {33, 4}, {1, 2}, {58, 2}};
	struct packet p;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (uint8_t room = 1; room <= 24; room++) {
			bool unfit = rows[i].proto == 6 && room >= 14 && room < 20;

			packet_start(&p, "v6");
			packet_eth(&p, V6);
			packet_ipv6(&p, rows[i].proto, 1, 2);
			packet_payload(&p, 40);
			packet_finish(&p);
			p.b[14 + 40 + 12] = 0x50; /* a data offset that fits, for TCP */
			assert_int_equal(with_byte(&p, 14 + 5, room), room < rows[i].need || unfit
									      ? FFFA_PARSE_MALFORMED
									      : FFFA_PARSE_OK);
		}
	}
}

static void a_first_fragment_may_be_smaller_than_its_header(void **state)
{
	struct packet p;

	(void)state;
	for (size_t n = 8; n <= 24; n += 8) {
		struct parsed s;

		packet_start(&p, "fragment");
		packet_eth(&p, V4);
		packet_ipv4(&p, 6, ADDR_A, ADDR_B, 0, 0x2000);
		packet_tcp(&p, 40000, 80, FFFA_F_SYN, 5);
		p.len = 14 + 20 + n;
		s = frame_whole(&p);
		frame_expect(&s, 6, 40000, 80, 20 + n);
		assert_int_equal(s.p.flags, n >= 14 ? FFFA_F_SYN : 0);
	}
}

static void ipv6_headers_that_contradict_themselves(void **state)
{
	struct packet p;

	(void)state;
	packet_start(&p, "another version");
	packet_eth(&p, V6);
	packet_ipv6(&p, 59, 1, 2);
	assert_int_equal(with_byte(&p, 14, 0x45), FFFA_PARSE_MALFORMED);
	packet_start(&p, "no room for the extension header");
	packet_eth(&p, V6);
	packet_ipv6(&p, 60, 1, 2);
	packet_payload(&p, 40);
	packet_finish(&p);
	assert_int_equal(with_byte(&p, 14 + 5, 7), FFFA_PARSE_MALFORMED);
	packet_start(&p, "an extension header past the end");
	packet_eth(&p, V6);
	packet_ipv6(&p, 60, 1, 2);
	packet_ext(&p, 60, 17, 1, 0);
	packet_udp(&p, 1, 2);
	packet_finish(&p);
	assert_int_equal(with_byte(&p, 14 + 40 + 1, 9), FFFA_PARSE_MALFORMED);
}

/* Cut at every byte: truncated while a needed header is incomplete, never another error. */
static void expect_cuts(const struct packet *p, size_t needed)
{
	struct fffa_frame_conf c = frame_conf();

	for (size_t len = 0; len <= p->len; len++) {
		struct parsed s = frame_parse(&c, p->b, len, p->len);

		assert_int_equal(s.result, len < needed ? FFFA_PARSE_TRUNCATED : FFFA_PARSE_OK);
		if (s.result == FFFA_PARSE_OK)
			assert_int_equal(s.p.bytes, p->len - 14);
	}
}

static void cut_frames_are_truncated(void **state)
{
	struct packet p;

	(void)state;
	tcp_v4(&p, 3, 4);
	expect_cuts(&p, 14 + 32 + 14); /* up to the flags */
	packet_start(&p, "udp");
	packet_eth(&p, V4);
	packet_ipv4(&p, 17, ADDR_A, ADDR_B, 0, 0);
	packet_udp(&p, 1, 2);
	packet_payload(&p, 10);
	packet_finish(&p);
	expect_cuts(&p, 14 + 20 + 4); /* only the ports are needed */
	packet_start(&p, "later fragment");
	packet_eth(&p, V4);
	packet_ipv4(&p, 6, ADDR_A, ADDR_B, 0, 0x0001);
	packet_payload(&p, 10);
	packet_finish(&p);
	expect_cuts(&p, 14 + 20);
	packet_start(&p, "ipv6 chain");
	packet_eth(&p, V6);
	packet_ipv6(&p, 0, 1, 2);
	packet_ext(&p, 0, 60, 1, 0);
	packet_ext(&p, 60, 58, 2, 0);
	packet_icmp(&p, 128, 0);
	packet_finish(&p);
	expect_cuts(&p, 14 + 40 + 8 + 16 + 2);
}

static void a_cut_vlan_tag_is_truncated(void **state)
{
	struct fffa_frame_conf c = frame_conf();
	struct packet p;

	(void)state;
	packet_start(&p, "qinq");
	packet_eth(&p, 0x88a8);
	packet_vlan(&p, 0x8100);
	packet_vlan(&p, 0x0806);
	for (size_t len = 0; len <= p.len; len++)
		assert_int_equal(frame_parse(&c, p.b, len, p.len).result,
				 len < p.len ? FFFA_PARSE_TRUNCATED : FFFA_PARSE_NOT_IP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ipv4_headers_that_contradict_themselves),
		cmocka_unit_test(a_header_may_end_with_the_packet_but_not_behind),
		cmocka_unit_test(a_packet_must_hold_its_ports),
		cmocka_unit_test(a_first_fragment_may_be_smaller_than_its_header),
		cmocka_unit_test(ipv6_headers_that_contradict_themselves),
		cmocka_unit_test(cut_frames_are_truncated),
		cmocka_unit_test(a_cut_vlan_tag_is_truncated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
