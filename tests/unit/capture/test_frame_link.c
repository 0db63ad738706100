// SPDX-License-Identifier: MIT
/* What is in front of the IP header (VLAN tags, other link types), and the direction. */
#include "tests/stubs/cmocka_all.h"

#include <pcap/dlt.h>
#include <string.h>

#include "tests/unit/capture/frame_fixture.h"

static void udp_v4(struct packet *p)
{
	packet_ipv4(p, 17, ADDR_A, ADDR_B, 0, 0);
	packet_udp(p, 5, 6);
	packet_payload(p, 10);
}

static void udp_v6(struct packet *p)
{
	packet_ipv6(p, 17, 1, 2);
	packet_udp(p, 5, 6);
	packet_payload(p, 10);
}

static void vlan_tags_are_passed(void **state)
{
	static const uint16_t outer[] = {0x8100, 0x88a8};
	struct packet p;
	struct parsed s;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		packet_start(&p, "vlan");
		packet_eth(&p, outer[i]);
		packet_vlan(&p, V4);
		udp_v4(&p);
		s = frame_whole(&p);
		frame_expect(&s, 17, 5, 6, 38);
		packet_start(&p, "qinq");
		packet_eth(&p, outer[i]);
		packet_vlan(&p, 0x8100);
		packet_vlan(&p, V6);
		udp_v6(&p);
		s = frame_whole(&p);
		frame_expect(&s, 17, 5, 6, 58);
		assert_int_equal(s.p.l4_offset, 14 + 8 + 40);
	}
}

static void what_is_not_ip(void **state)
{
	static const uint16_t types[] = {0x0806, 0x88cc, 0x8847, 0x0000, 0x05dc};
	struct packet p;

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		packet_start(&p, "other");
		packet_eth(&p, types[i]);
		packet_payload(&p, 46);
		assert_int_equal(frame_whole(&p).result, FFFA_PARSE_NOT_IP);
	}
	packet_start(&p, "a third tag");
	packet_eth(&p, 0x88a8);
	packet_vlan(&p, 0x8100);
	packet_vlan(&p, 0x8100);
	packet_vlan(&p, V4);
	udp_v4(&p);
	assert_int_equal(frame_whole(&p).result, FFFA_PARSE_NOT_IP);
}

/* A header of len bytes with the ether type v4 or v6 at type_at (NONE: no ether type), then IP. */
#define NONE SIZE_MAX
static void expect_link(int linktype, size_t len, size_t type_at)
{
	struct fffa_frame_conf c = frame_conf();
	struct packet p;
	struct parsed s;

	c.linktype = linktype;
	assert_true(fffa_frame_supports(linktype));
	for (int v6 = 0; v6 < 2; v6++) {
		packet_start(&p, "link");
		memset(p.b, 0xa5, len); /* nothing there may be taken for IP */
		p.len = len;
		if (type_at != NONE) {
			p.b[type_at] = v6 ? 0x86 : 0x08;
			p.b[type_at + 1] = v6 ? 0xdd : 0x00;
		}
		(v6 ? udp_v6 : udp_v4)(&p);
		packet_finish(&p);
		s = frame_parse(&c, p.b, p.len, p.len);
		frame_expect(&s, 17, 5, 6, v6 ? 58 : 38);
		assert_int_equal(s.p.l4_offset, len + (v6 ? 40 : 20));
		s = frame_parse(&c, p.b, len ? len - 1 : 0, p.len);
		assert_int_equal(s.result, FFFA_PARSE_TRUNCATED);
	}
}

static void link_types(void **state)
{
	(void)state;
	expect_link(DLT_EN10MB, 14, 12);
	expect_link(DLT_RAW, 0, NONE);
	expect_link(DLT_IPV4, 0, NONE);
	expect_link(DLT_LINUX_SLL, 16, 14);
	expect_link(DLT_LINUX_SLL2, 20, 0);
	expect_link(DLT_NULL, 4, NONE);
	expect_link(DLT_LOOP, 4, NONE);
}

static void other_link_types_are_not_supported(void **state)
{
	static const int types[] = {DLT_IEEE802_11, DLT_PPP, DLT_USB_LINUX, DLT_C_HDLC, -1};

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		assert_false(fffa_frame_supports(types[i]));
}

static void raw_frames_of_another_version_are_not_ip(void **state)
{
	struct fffa_frame_conf c = frame_conf();
	uint8_t b[60] = {0x50};

	(void)state;
	c.linktype = DLT_RAW;
	assert_int_equal(frame_parse(&c, b, sizeof(b), sizeof(b)).result, FFFA_PARSE_NOT_IP);
}

static uint8_t view_of(const char *const *prefixes, size_t n, struct packet *p)
{
	struct fffa_cidr local[4];
	struct fffa_frame_conf c = frame_conf();
	struct parsed s;

	for (size_t i = 0; i < n; i++)
		assert_int_equal(fffa_cidr_parse(prefixes[i], &local[i], NULL), 0);
	c.local = local;
	c.local_count = n;
	packet_finish(p);
	s = frame_parse(&c, p->b, p->len, p->len);
	assert_int_equal(s.result, FFFA_PARSE_OK);
	return s.p.key.view;
}

static void a_source_in_a_local_prefix_is_egress(void **state)
{
	static const struct {
		const char *prefix;
		uint8_t v4, v6; /* of 10.0.0.1 and fd00::1 */
	} rows[] = {
		{"10.0.0.0/8", 1, 0},  {"10.0.0.1", 1, 0},    {"10.0.0.0/32", 0, 0},
		{"10.0.0.0/31", 1, 0}, {"10.0.0.2/31", 0, 0}, {"10.0.0.3/30", 1, 0},
		{"11.0.0.0/7", 1, 0},  {"12.0.0.0/7", 0, 0},  {"0.0.0.0/0", 1, 0},
		{"::/0", 1, 1},	       {"fd00::/8", 0, 1},    {"fd00::1", 0, 1},
		{"fd00::2", 0, 0},     {"fd00::/127", 0, 1},  {"fd00::2/127", 0, 0},
	};
	struct packet v4, v6;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		packet_start(&v4, "v4");
		packet_eth(&v4, V4);
		udp_v4(&v4);
		packet_start(&v6, "v6");
		packet_eth(&v6, V6);
		udp_v6(&v6);
		assert_int_equal(view_of(&rows[i].prefix, 1, &v4),
				 rows[i].v4 ? FFFA_VIEW_EGRESS : 0);
		assert_int_equal(view_of(&rows[i].prefix, 1, &v6),
				 rows[i].v6 ? FFFA_VIEW_EGRESS : 0);
	}
}

static void any_of_several_prefixes_will_do(void **state)
{
	static const char *const prefixes[] = {"192.168.0.0/16", "fd01::/16", "10.0.0.1"};
	struct packet p;

	(void)state;
	packet_start(&p, "v4");
	packet_eth(&p, V4);
	udp_v4(&p);
	assert_int_equal(view_of(prefixes, 3, &p), FFFA_VIEW_EGRESS);
	assert_int_equal(view_of(prefixes, 2, &p), 0);
	assert_int_equal(view_of(prefixes, 0, &p), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vlan_tags_are_passed),
		cmocka_unit_test(what_is_not_ip),
		cmocka_unit_test(link_types),
		cmocka_unit_test(other_link_types_are_not_supported),
		cmocka_unit_test(raw_frames_of_another_version_are_not_ip),
		cmocka_unit_test(a_source_in_a_local_prefix_is_egress),
		cmocka_unit_test(any_of_several_prefixes_will_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
