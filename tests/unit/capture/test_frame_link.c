// SPDX-License-Identifier: MIT
/* What is in front of the IP header (VLAN tags, other link types), and the direction. */
#include "tests/stubs/cmocka_all.h"

#include <string.h>

#include "agent/capture/replay/link_types.h"
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
	static const uint16_t types[] = {0x0806, 0x88cc, 0x8847, 0x0000, 0x05dc, 0x8863};
	struct packet p;

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		packet_start(&p, "other");
		packet_eth(&p, types[i]);
		packet_payload(&p, 46);
		assert_int_equal(frame_whole(&p).result, FFFA_PARSE_NOT_IP);
	}
}

static void vlan_stacks_are_walked_up_to_a_bound(void **state)
{
	struct packet p;
	struct parsed s;

	(void)state;
	for (size_t tags = 1; tags <= FFFA_LINK_DEPTH + 1; tags++) {
		packet_start(&p, "tags");
		packet_eth(&p, 0x88a8);
		for (size_t i = 1; i < tags; i++)
			packet_vlan(&p, 0x8100);
		packet_vlan(&p, V4);
		udp_v4(&p);
		s = frame_whole(&p);
		if (tags <= FFFA_LINK_DEPTH) {
			frame_expect(&s, 17, 5, 6, 38);
			continue;
		}
		assert_int_equal(s.result, FFFA_PARSE_NOT_IP);
		assert_int_equal(s.p.ether_type, 0x8100);
	}
}

/* The headers of n bytes behind an Ethernet header of that type, then an IP packet. */
static struct parsed behind(uint16_t type, const uint8_t *bytes, size_t n, bool v6)
{
	struct packet p;

	packet_start(&p, "link");
	packet_eth(&p, type);
	packet_bytes(&p, bytes, n);
	(v6 ? udp_v6 : udp_v4)(&p);
	return frame_whole(&p);
}

static void pppoe_mpls_and_snap_are_walked(void **state)
{
	static const struct {
		uint16_t type;
		uint8_t bytes[12];
		size_t n;
		bool v6;
	} rows[] = {
		{0x8864, {0x11, 0, 0, 7, 0, 40, 0, 0x21}, 8, false},
		{0x8864, {0x11, 0, 0, 7, 0, 60, 0, 0x57}, 8, true},
		{0x8864, {0x11, 0, 0, 7, 0, 40, 0x21}, 7, false},
		{0x8864, {0x11, 0, 0, 7, 0, 60, 0x57}, 7, true},
		{0x8847, {0, 12, 0x81, 64}, 4, false},
		{0x8847, {0, 12, 0x80, 64, 0, 12, 0x80, 64, 0, 12, 0x81, 64}, 12, true},
		{0x8848, {0, 12, 0x81, 64}, 4, true},
		{0x0040, {0xaa, 0xaa, 3, 0, 0, 0, 8, 0}, 8, false},
		{0x0040, {0xaa, 0xaa, 3, 0, 0, 0xf8, 0x86, 0xdd}, 8, true},
		{0x0040, {0xaa, 0xaa, 3, 0, 0, 0, 0x81, 0, 0, 5, 8, 0}, 12, false},
		{0x0040, {6, 6, 3}, 3, false},
		{0x9100, {0, 7, 0x88, 0x47, 0, 12, 0x81, 64}, 8, false},
		{0x9200, {0, 7, 0x86, 0xdd}, 4, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct parsed s = behind(rows[i].type, rows[i].bytes, rows[i].n, rows[i].v6);

		frame_expect(&s, 17, 5, 6, rows[i].v6 ? 58 : 38);
	}
}

static void what_is_not_ip_behind_them_has_a_type(void **state)
{
	static const struct {
		uint16_t type;
		uint8_t bytes[8];
		size_t n;
		uint16_t want;
	} rows[] = {
		{0x0806, {0}, 8, 0x0806},
		{0x8100, {0, 7, 0x88, 0xcc}, 4, 0x88cc},
		{0x8864, {0x11, 0, 0, 7, 0, 40, 0xc0, 0x21}, 8, 0x8864},
		{0x8847, {0, 12, 0x81, 64, 0, 0, 0, 0}, 8, 0x8847},
		{0x0040, {0x42, 0x42, 3}, 3, FFFA_ETH_P_LLC},
		{0x0040, {0xaa, 0xaa, 3, 0, 0, 12, 8, 0}, 8, FFFA_ETH_P_LLC},
		{0x0040, {0xaa, 0xaa, 3, 0, 0, 0, 0x08, 0x06}, 8, 0x0806},
		/* each byte that makes LLC and SNAP of it, and an organization's own */
		{0x0040, {0xab, 0xaa, 3, 0, 0, 0, 8, 0}, 8, FFFA_ETH_P_LLC},
		{0x0040, {0xaa, 0xab, 3, 0, 0, 0, 8, 0}, 8, FFFA_ETH_P_LLC},
		{0x0040, {0xaa, 0xaa, 7, 0, 0, 0, 8, 0}, 8, FFFA_ETH_P_LLC},
		{0x0040, {0xaa, 0xaa, 3, 1, 0, 0, 8, 0}, 8, FFFA_ETH_P_LLC},
		{0x0040, {0xaa, 0xaa, 3, 0, 1, 0, 8, 0}, 8, FFFA_ETH_P_LLC},
		{0x0040, {0xaa, 0xaa, 3, 0, 0, 0xf9, 8, 0}, 8, FFFA_ETH_P_LLC},
		{0x0040, {6, 7, 3}, 3, FFFA_ETH_P_LLC},
		/* the longest length of a frame, and the first type */
		{0x05ff, {0xaa, 0xaa, 3, 0, 0, 0, 0x08, 0x06}, 8, 0x0806},
		{0x0600, {0xaa, 0xaa, 3, 0, 0, 0, 8, 0}, 8, 0x0600},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct parsed s = behind(rows[i].type, rows[i].bytes, rows[i].n, false);

		assert_int_equal(s.result, FFFA_PARSE_NOT_IP);
		assert_int_equal(s.p.ether_type, rows[i].want);
	}
}

/* A header of len bytes with the ether type v4 or v6 at type_at (NONE: no ether type), then IP. */
#define NONE SIZE_MAX
static void expect_link(int linktype, size_t len, size_t type_at)
{
	struct fffa_frame_conf c = frame_conf();
	struct packet p;
	struct parsed s;

	c.linktype = linktype;
	assert_true(fffa_link_types_has(linktype));
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
	expect_link(1, 14, 12);	  /* ETHERNET */
	expect_link(12, 0, NONE); /* RAW: of BSD, of OpenBSD, of the file format */
	expect_link(14, 0, NONE);
	expect_link(101, 0, NONE);
	expect_link(228, 0, NONE);  /* IPV4 */
	expect_link(113, 16, 14);   /* LINUX_SLL */
	expect_link(276, 20, 0);    /* LINUX_SLL2 */
	expect_link(0, 4, NONE);    /* NULL */
	expect_link(108, 4, NONE);  /* LOOP */
	expect_link(109, 12, NONE); /* ENC */
	expect_link(104, 4, 2);	    /* C_HDLC */
}

static void other_link_types_are_not_supported(void **state)
{
	static const int types[] = {2, 147, 189, 195, 65535, -1};
	char name[64];

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		assert_false(fffa_link_types_has(types[i]));
	assert_string_equal(fffa_link_types_name(189, name, sizeof(name)), "USB_LINUX (189)");
	assert_string_equal(fffa_link_types_name(65535, name, sizeof(name)), "unknown (65535)");
}

/* A link header, then IPv4 or IPv6; the frame also cut within the link header. */
static void link_headers_of_their_own(void **state)
{
	static const struct {
		int linktype;
		uint8_t bytes[48];
		size_t n;
		bool v6, swapped;
	} rows[] = {
		{9, {0xff, 3, 0, 0x21}, 4, false, false},
		{9, {0x21}, 1, false, false},
		{9, {0, 0x57}, 2, true, false},
		{50, {0xff, 3, 0, 0x57}, 4, true, false},
		{50, {0x0f, 0, 0x08, 0x00}, 4, false, false},
		{51, {0x11, 0, 0, 7, 0, 40, 0, 0x21}, 8, false, false},
		{166, {0, 3, 0, 0x21}, 4, false, false},
		{204, {1, 0xff, 3, 0, 0x21}, 5, false, false},
		{104, {0x0f, 0, 0x81, 0x00, 0, 5, 0x86, 0xdd}, 8, true, false},
		{105, {0x08, 1, [24] = 0xaa, 0xaa, 3, 0, 0, 0, 8, 0}, 32, false, false},
		{105, {0x88, 2, [26] = 0xaa, 0xaa, 3, 0, 0, 0, 8, 0}, 34, false, false},
		{105, {0x08, 3, [30] = 0xaa, 0xaa, 3, 0, 0, 0, 0x86, 0xdd}, 38, true, false},
		{127,
		 {0, 0, 8, 0, 0, 0, 0, 0, 0x08, 1, [32] = 0xaa, 0xaa, 3, 0, 0, 0, 8, 0},
		 40,
		 false,
		 false},
		/* flags: the header of 26 bytes is padded to 28 */
		{127,
		 {0, 0, 9, 0, 2, 0, 0, 0, 0x20, 0x88, 1, [37] = 0xaa, 0xaa, 3, 0, 0, 0, 8, 0},
		 45,
		 false,
		 false},
		{239, {2, 0, 0, 0, 8, 0, 1, 0, 8, 0, 1, 0, 42, 0, 9, 0}, 16, false, false},
		{239, {2, 0, 0, 0, 0, 8, 0, 1, 8, 0, 1, 0, 0, 42, 0, 9}, 16, false, true},
	};
	struct fffa_frame_conf c = frame_conf();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct packet p;
		struct parsed s;

		packet_start(&p, "link");
		packet_bytes(&p, rows[i].bytes, rows[i].n);
		(rows[i].v6 ? udp_v6 : udp_v4)(&p);
		packet_finish(&p);
		c.linktype = rows[i].linktype;
		c.swapped = rows[i].swapped;
		s = frame_parse(&c, p.b, p.len, p.len);
		frame_expect(&s, 17, 5, 6, rows[i].v6 ? 58 : 38);
		s = frame_parse(&c, p.b, rows[i].n - 1, p.len);
		assert_int_equal(s.result, FFFA_PARSE_TRUNCATED);
	}
}

static void wifi_that_holds_no_packet_is_not_ip(void **state)
{
	static const uint8_t control[][2] = {
		{0x80, 0}, {0xb4, 0}, {0x48, 1}, {0xc8, 1}, {0x08, 0x41}};
	struct fffa_frame_conf c = frame_conf();

	(void)state;
	c.linktype = 105;
	for (size_t i = 0; i < sizeof(control) / sizeof(control[0]); i++) {
		uint8_t b[100] = {control[i][0], control[i][1], [24] = 0xaa, 0xaa, 3};

		assert_int_equal(frame_parse(&c, b, sizeof(b), sizeof(b)).result,
				 FFFA_PARSE_NOT_IP);
	}
}

/* What the capture says of the direction counts, unless there are local prefixes. */
static void the_capture_gives_the_direction(void **state)
{
	struct fffa_frame_conf c = frame_conf();
	struct fffa_cidr local;
	struct packet p;

	(void)state;
	assert_int_equal(fffa_cidr_parse("10.0.0.2", &local, NULL), 0);
	for (uint8_t type = 0; type <= 4; type++) {
		packet_start(&p, "sll");
		packet_bytes(&p, (uint8_t[16]){0, type, [14] = 8, 0}, 16);
		udp_v4(&p);
		packet_finish(&p);
		c.linktype = 113;
		c.local_count = 0;
		assert_int_equal(frame_parse(&c, p.b, p.len, p.len).p.key.view,
				 type == 4 ? FFFA_VIEW_EGRESS : 0);
		c.local = &local;
		c.local_count = 1;
		assert_int_equal(frame_parse(&c, p.b, p.len, p.len).p.key.view, 0);
	}
	packet_start(&p, "flags of pcapng");
	packet_eth(&p, V4);
	udp_v4(&p);
	packet_finish(&p);
	c.linktype = 1;
	c.local_count = 0;
	c.way = FFFA_WAY_OUT;
	assert_int_equal(frame_parse(&c, p.b, p.len, p.len).p.key.view, FFFA_VIEW_EGRESS);
	c.way = FFFA_WAY_IN;
	assert_int_equal(frame_parse(&c, p.b, p.len, p.len).p.key.view, 0);
}

static void raw_frames_of_another_version_are_not_ip(void **state)
{
	struct fffa_frame_conf c = frame_conf();
	uint8_t b[60] = {0x50};

	(void)state;
	c.linktype = 101;
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
	return s.p.key.view & (uint8_t)~FFFA_VIEW_IPV6;
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
		cmocka_unit_test(vlan_stacks_are_walked_up_to_a_bound),
		cmocka_unit_test(pppoe_mpls_and_snap_are_walked),
		cmocka_unit_test(what_is_not_ip_behind_them_has_a_type),
		cmocka_unit_test(link_types),
		cmocka_unit_test(other_link_types_are_not_supported),
		cmocka_unit_test(link_headers_of_their_own),
		cmocka_unit_test(wifi_that_holds_no_packet_is_not_ip),
		cmocka_unit_test(the_capture_gives_the_direction),
		cmocka_unit_test(raw_frames_of_another_version_are_not_ip),
		cmocka_unit_test(a_source_in_a_local_prefix_is_egress),
		cmocka_unit_test(any_of_several_prefixes_will_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
