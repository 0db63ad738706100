// SPDX-License-Identifier: MIT
/* Ordinary and unusual packets, on which both parsers must agree. */
#include "tests/stubs/packets.h"

#define A  UINT32_C(0x0a000001)
#define B  UINT32_C(0x0a000002)
#define V4 0x0800
#define V6 0x86dd

struct builder {
	struct packet *v;
	size_t n, max;
};

static struct packet *next_packet(struct builder *b, const char *name)
{
	if (b->n == b->max)
		__builtin_trap();
	packet_start(&b->v[b->n], name);
	return &b->v[b->n++];
}

static void plain(struct builder *b)
{
	static const struct {
		const char *name;
		uint8_t flags;
	} tcp[] = {{"syn", 0x02}, {"syn-ack", 0x12}, {"ack", 0x10},
		   {"fin", 0x11}, {"rst", 0x04},     {"all flags", 0xff}};
	struct packet *p;

	for (size_t i = 0; i < sizeof(tcp) / sizeof(tcp[0]); i++) {
		p = next_packet(b, tcp[i].name);
		packet_eth(p, V4);
		packet_ipv4(p, 6, A, B, 0, 0x4000);
		packet_tcp(p, 40000, 443, tcp[i].flags, 3);
		packet_payload(p, 40);
	}
	p = next_packet(b, "udp");
	packet_eth(p, V4);
	packet_ipv4(p, 17, A, B, 0, 0);
	packet_udp(p, 5353, 53);
	packet_payload(p, 30);
	p = next_packet(b, "icmp");
	packet_eth(p, V4);
	packet_ipv4(p, 1, A, B, 0, 0);
	packet_icmp(p, 8, 0);
	packet_payload(p, 56);
	p = next_packet(b, "gre");
	packet_eth(p, V4);
	packet_ipv4(p, 47, A, B, 0, 0);
	packet_payload(p, 56);
	p = next_packet(b, "sctp");
	packet_eth(p, V4);
	packet_ipv4(p, 132, A, B, 0, 0);
	packet_udp(p, 1000, 2000); /* the ports are where UDP has them */
	packet_payload(p, 20);
	p = next_packet(b, "tcp options of IPv4");
	packet_eth(p, V4);
	packet_ipv4(p, 6, A, B, 10, 0);
	packet_tcp(p, 1, 2, 0x18, 10);
	packet_payload(p, 5);
	p = next_packet(b, "padding behind a bare ack");
	packet_eth(p, V4);
	packet_ipv4(p, 6, A, B, 0, 0);
	packet_tcp(p, 1, 2, 0x10, 0);
	packet_finish(p);
	packet_payload(p, 6);
	p->sized_count = 0;
}

static void fragments(struct builder *b)
{
	struct packet *p = next_packet(b, "first fragment");

	packet_eth(p, V4);
	packet_ipv4(p, 17, A, B, 0, 0x2000);
	packet_udp(p, 7, 8);
	packet_payload(p, 64);
	p = next_packet(b, "later fragment");
	packet_eth(p, V4);
	packet_ipv4(p, 17, A, B, 0, 0x2009);
	packet_payload(p, 64);
	p = next_packet(b, "ipv6 first fragment");
	packet_eth(p, V6);
	packet_ipv6(p, 44, 1, 2);
	packet_ext(p, 44, 17, 1, 0x0001);
	packet_udp(p, 7, 8);
	packet_payload(p, 64);
	p = next_packet(b, "ipv6 later fragment");
	packet_eth(p, V6);
	packet_ipv6(p, 44, 1, 2);
	packet_ext(p, 44, 17, 1, 0x0041);
	packet_payload(p, 64);
}

static void ipv6(struct builder *b)
{
	static const uint8_t chain[] = {0, 60, 43, 51, 60, 135, 139, 140, 60};
	struct packet *p = next_packet(b, "ipv6 tcp");

	packet_eth(p, V6);
	packet_ipv6(p, 6, 1, 2);
	packet_tcp(p, 1024, 80, 0x02, 5);
	p = next_packet(b, "icmpv6");
	packet_eth(p, V6);
	packet_ipv6(p, 58, 1, 2);
	packet_icmp(p, 135, 0);
	packet_payload(p, 24);
	p = next_packet(b, "ipv6 no next header");
	packet_eth(p, V6);
	packet_ipv6(p, 59, 1, 2);
	for (size_t n = 1; n <= sizeof(chain); n++) {
		p = next_packet(b, "ipv6 extension chain");
		packet_eth(p, V6);
		packet_ipv6(p, chain[0], 1, 2);
		for (size_t i = 0; i < n; i++)
			packet_ext(p, chain[i], i + 1 < n ? chain[i + 1] : 17, 1 + (int)(i % 3), 0);
		packet_udp(p, 9, 10);
		packet_payload(p, 4);
	}
	p = next_packet(b, "ipv6 long options");
	packet_eth(p, V6);
	packet_ipv6(p, 0, 1, 2);
	packet_ext(p, 0, 60, 100, 0);
	packet_ext(p, 60, 6, 60, 0);
	packet_tcp(p, 1, 2, 0x10, 0);
}

static void vlans(struct builder *b)
{
	struct packet *p = next_packet(b, "vlan");

	packet_eth(p, 0x8100);
	packet_vlan(p, V4);
	packet_ipv4(p, 6, A, B, 0, 0);
	packet_tcp(p, 1, 2, 0x10, 0);
	p = next_packet(b, "qinq");
	packet_eth(p, 0x88a8);
	packet_vlan(p, 0x8100);
	packet_vlan(p, V6);
	packet_ipv6(p, 17, 1, 2);
	packet_udp(p, 3, 4);
	p = next_packet(b, "three vlans");
	packet_eth(p, 0x88a8);
	packet_vlan(p, 0x8100);
	packet_vlan(p, 0x8100);
	packet_vlan(p, V4);
	packet_ipv4(p, 6, A, B, 0, 0);
	packet_tcp(p, 1, 2, 0x10, 0);
	p = next_packet(b, "arp");
	packet_eth(p, 0x0806);
	packet_payload(p, 28);
}

static void udp_behind(struct packet *p, bool v6)
{
	if (v6)
		packet_ipv6(p, 17, 1, 2);
	else
		packet_ipv4(p, 17, A, B, 0, 0);
	packet_udp(p, 11, 22);
	packet_payload(p, 10);
}

/* What stands between Ethernet and IP. */
static void links(struct builder *b)
{
	static const struct {
		const char *name;
		uint16_t type;
		uint8_t bytes[24];
		size_t len;
		bool v6;
	} rows[] = {
		{"vlan 9100", 0x9100, {0, 7, 0x08, 0x00}, 4, false},
		{"vlan 9200", 0x9200, {0, 7, 0x86, 0xdd}, 4, true},
		{"pppoe v4", 0x8864, {0x11, 0, 0, 7, 0, 40, 0x00, 0x21}, 8, false},
		{"pppoe v6", 0x8864, {0x11, 0, 0, 7, 0, 60, 0x00, 0x57}, 8, true},
		{"pppoe short v4", 0x8864, {0x11, 0, 0, 7, 0, 40, 0x21}, 7, false},
		{"pppoe short v6", 0x8864, {0x11, 0, 0, 7, 0, 60, 0x57}, 7, true},
		{"pppoe lcp", 0x8864, {0x11, 0, 0, 7, 0, 40, 0xc0, 0x21}, 8, false},
		{"pppoe in a vlan",
		 0x8100,
		 {0, 7, 0x88, 0x64, 0x11, 0, 0, 7, 0, 40, 0, 0x21},
		 12,
		 false},
		{"mpls v4", 0x8847, {0, 6, 0x40, 0x40, 0, 12, 0x81, 0x40}, 8, false},
		{"mpls v6", 0x8848, {0, 12, 0x81, 0x40}, 4, true},
		{"mpls pseudowire", 0x8847, {0, 12, 0x81, 0x40, 0, 0, 0, 0}, 8, false},
		{"snap", 0x0042, {0xaa, 0xaa, 3, 0, 0, 0, 0x08, 0x00}, 8, false},
		{"snap 802.1H", 0x0042, {0xaa, 0xaa, 3, 0, 0, 0xf8, 0x86, 0xdd}, 8, true},
		{"snap vlan",
		 0x0042,
		 {0xaa, 0xaa, 3, 0, 0, 0, 0x81, 0x00, 0, 9, 0x08, 0},
		 12,
		 false},
		{"snap of a vendor", 0x0042, {0xaa, 0xaa, 3, 0, 0, 0x0c, 0x08, 0x00}, 8, false},
		{"llc ip", 0x0042, {6, 6, 3}, 3, false},
		{"llc spanning tree", 0x0026, {0x42, 0x42, 3}, 3, false},
	};
	struct packet *p;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		p = next_packet(b, rows[i].name);
		packet_eth(p, rows[i].type);
		packet_bytes(p, rows[i].bytes, rows[i].len);
		udp_behind(p, rows[i].v6);
	}
	p = next_packet(b, "vlans without end");
	packet_eth(p, 0x8100);
	for (int i = 0; i < 20; i++)
		packet_vlan(p, 0x8100);
	p = next_packet(b, "mpls inside vxlan");
	packet_eth(p, V4);
	packet_ipv4(p, 17, A, B, 0, 0);
	packet_udp(p, 60000, 4789);
	packet_vxlan(p, 5);
	packet_eth(p, 0x8847);
	packet_bytes(p, rows[8].bytes, rows[8].len);
	udp_behind(p, false);
}

/* Sets 16 bits at offset `at` once the lengths are written. */
static void set_length(struct packet *p, size_t at, uint16_t value)
{
	packet_finish(p);
	p->sized_count = 0;
	p->b[at] = (uint8_t)(value >> 8);
	p->b[at + 1] = (uint8_t)value;
}

/* Lengths that the frame does not bear out, and v4-mapped addresses. */
static void lengths(struct builder *b)
{
	static const uint8_t jumbo[8] = {6, 0, 0xc2, 4, 0, 0, 0, 8 + 20 + 50};
	static const uint16_t claims[] = {0, 47, 49, 1500, 0xffff};
	struct packet *p;

	for (size_t i = 0; i < sizeof(claims) / sizeof(claims[0]); i++) {
		p = next_packet(b, "ipv4 length");
		packet_eth(p, V4);
		packet_ipv4(p, 17, A, B, 0, 0);
		packet_udp(p, 1, 2);
		packet_payload(p, 20);
		set_length(p, 14 + 2, claims[i]);
		p = next_packet(b, "ipv6 length");
		packet_eth(p, V6);
		packet_ipv6(p, 6, 1, 2);
		packet_tcp(p, 1, 2, 0x10, 0);
		packet_payload(p, 28);
		set_length(p, 14 + 4, claims[i]);
		p = next_packet(b, "inner length");
		packet_eth(p, V4);
		packet_ipv4(p, 17, A, B, 0, 0);
		packet_udp(p, 60000, 4789);
		packet_vxlan(p, 5);
		packet_eth(p, V4);
		packet_ipv4(p, 17, A, B, 0, 0);
		packet_udp(p, 1, 2);
		packet_payload(p, 20);
		set_length(p, 14 + 50 + 2, claims[i]);
	}
	for (int off = -1; off < 2; off++) {
		p = next_packet(b, "jumbo payload option");
		packet_eth(p, V6);
		packet_ipv6(p, 0, 1, 2);
		packet_bytes(p, jumbo, sizeof(jumbo));
		p->b[p->len - 1] = (uint8_t)(p->b[p->len - 1] + off);
		packet_tcp(p, 1, 2, 0x10, 0);
		packet_payload(p, 50);
		set_length(p, 14 + 4, 0);
	}
	p = next_packet(b, "ipv6 of mapped addresses");
	packet_eth(p, V6);
	packet_ipv6(p, 17, 1, 2);
	for (size_t at = 14 + 8; at < 14 + 40; at += 16) {
		static const uint8_t mapped[16] = {[10] = 0xff, 0xff, 10, 0, 0, 1};

		__builtin_memcpy(p->b + at, mapped, sizeof(mapped));
	}
	packet_udp(p, 5353, 53);
	packet_payload(p, 30);
}

/* Less than a transport header: a first fragment may be so small. */
static void small(struct builder *b)
{
	static const uint8_t protos[] = {6, 17, 1, 132};
	struct packet *p;

	for (size_t i = 0; i < sizeof(protos); i++) {
		for (size_t n = 0; n <= 24; n += 8) {
			p = next_packet(b, "small first fragment");
			packet_eth(p, V4);
			packet_ipv4(p, protos[i], A, B, 0, 0x2000);
			packet_payload(p, n);
			if (n >= 16)
				p->b[14 + 20 + 12] = 0x60;
		}
	}
	p = next_packet(b, "hip behind ipv6");
	packet_eth(p, V6);
	packet_ipv6(p, 139, 1, 2);
	packet_payload(p, 40);
}

static void geneve(struct builder *b)
{
	struct packet *p = next_packet(b, "geneve gwlb ipv4");

	packet_eth(p, V4);
	packet_ipv4(p, 17, A, B, 0, 0);
	packet_udp(p, 60000, 6081);
	packet_geneve(p, V4, 0, 8);
	packet_gwlb(p, UINT64_C(0x0123456789abcdef), UINT64_C(0xfedcba9876543210), 0xc00c1e);
	packet_ipv4(p, 6, 0xc0a8010a, 0xc0a80114, 0, 0);
	packet_tcp(p, 8080, 443, 0x02, 2);
	packet_payload(p, 20);
	p = next_packet(b, "geneve gwlb ipv6 inside");
	packet_eth(p, V4);
	packet_ipv4(p, 17, A, B, 2, 0);
	packet_udp(p, 60000, 6081);
	packet_geneve(p, V6, 0, 8);
	packet_gwlb(p, 7, 8, 9);
	packet_ipv6(p, 58, 5, 6);
	packet_icmp(p, 128, 0);
	p = next_packet(b, "geneve ethernet inside, no options");
	packet_eth(p, V6);
	packet_ipv6(p, 17, 1, 2);
	packet_udp(p, 60000, 6081);
	packet_geneve(p, 0x6558, 0x123456, 0);
	packet_eth(p, 0x8100);
	packet_vlan(p, V4);
	packet_ipv4(p, 17, 0xc0a8010a, 0xc0a80114, 0, 0);
	packet_udp(p, 5, 6);
	p = next_packet(b, "geneve later fragment inside");
	packet_eth(p, V4);
	packet_ipv4(p, 17, A, B, 0, 0);
	packet_udp(p, 60000, 6081);
	packet_geneve(p, V4, 1, 8);
	packet_gwlb(p, 1, 2, 3);
	packet_ipv4(p, 17, 0xc0a8010a, 0xc0a80114, 0, 0x0010);
	packet_payload(p, 24);
}

static void geneve_many_options(struct builder *b)
{
	static const uint8_t value[8] = {1, 2, 3, 4, 5, 6, 7, 8};
	struct packet *p = next_packet(b, "geneve many options");

	packet_eth(p, V4);
	packet_ipv4(p, 17, A, B, 0, 0);
	packet_udp(p, 60000, 6081);
	packet_geneve(p, V4, 1, 27);
	for (int i = 0; i < 9; i++)
		packet_geneve_option(p, i == 4 ? 0x0108 : 0x0102, (uint8_t)(i - 3), value, 8);
	packet_ipv4(p, 6, 0xc0a8010a, 0xc0a80114, 0, 0);
	packet_tcp(p, 1, 2, 0x11, 0);
	p = next_packet(b, "geneve option of wrong length");
	packet_eth(p, V4);
	packet_ipv4(p, 17, A, B, 0, 0);
	packet_udp(p, 60000, 6081);
	packet_geneve(p, V4, 1, 2);
	packet_geneve_option(p, 0x0108, 1, value, 4);
	packet_ipv4(p, 6, 0xc0a8010a, 0xc0a80114, 0, 0);
	packet_tcp(p, 1, 2, 0x10, 0);
	p = next_packet(b, "geneve option past the options");
	packet_eth(p, V4);
	packet_ipv4(p, 17, A, B, 0, 0);
	packet_udp(p, 60000, 6081);
	packet_geneve(p, V4, 1, 2);
	packet_geneve_option(p, 0x0108, 1, value, 8);
	packet_ipv4(p, 6, 0xc0a8010a, 0xc0a80114, 0, 0);
	packet_tcp(p, 1, 2, 0x10, 0);
	p = next_packet(b, "geneve control packet");
	packet_eth(p, V4);
	packet_ipv4(p, 17, A, B, 0, 0);
	packet_udp(p, 60000, 6081);
	packet_geneve(p, V4, 1, 0);
	p->b[p->len - 7] = 0x80;
	packet_ipv4(p, 6, 0xc0a8010a, 0xc0a80114, 0, 0);
	packet_tcp(p, 1, 2, 0x10, 0);
	p = next_packet(b, "vxlan");
	packet_eth(p, V4);
	packet_ipv4(p, 17, A, B, 0, 0);
	packet_udp(p, 60000, 4789);
	packet_vxlan(p, 0xabcdef);
	packet_eth(p, V6);
	packet_ipv6(p, 6, 3, 4);
	packet_tcp(p, 11, 12, 0x12, 0);
	p = next_packet(b, "vxlan port, other payload");
	packet_eth(p, V4);
	packet_ipv4(p, 17, A, B, 0, 0);
	packet_udp(p, 60000, 4789);
	packet_payload(p, 60);
}

/* VPC Traffic Mirroring through GWLB: VXLAN in GENEVE. */
static void nested(struct builder *b)
{
	struct packet *p = next_packet(b, "vxlan in geneve");

	packet_eth(p, V4);
	packet_ipv4(p, 17, A, B, 0, 0);
	packet_udp(p, 60000, 6081);
	packet_geneve(p, V4, 0, 8);
	packet_gwlb(p, 11, 12, 13);
	packet_ipv4(p, 17, 0xc0a8010a, 0xc0a80114, 0, 0);
	packet_udp(p, 60001, 4789);
	packet_vxlan(p, 99);
	packet_eth(p, V4);
	packet_ipv4(p, 6, 0xac100001, 0xac100002, 0, 0);
	packet_tcp(p, 21, 22, 0x18, 0);
	packet_payload(p, 10);
	p = next_packet(b, "vxlan in vxlan in vxlan");
	packet_eth(p, V4);
	for (int i = 0; i < 3; i++) {
		packet_ipv4(p, 17, A + (uint32_t)i, B, 0, 0);
		packet_udp(p, 60000, 4789);
		packet_vxlan(p, (uint32_t)i);
		packet_eth(p, V4);
	}
	packet_ipv4(p, 6, 0xac100001, 0xac100002, 0, 0);
	packet_tcp(p, 21, 22, 0x18, 0);
	p = next_packet(b, "geneve with options in geneve");
	packet_eth(p, V4);
	packet_ipv4(p, 17, A, B, 0, 0);
	packet_udp(p, 60000, 6081);
	packet_geneve(p, V4, 1, 8);
	packet_gwlb(p, 1, 2, 3);
	packet_ipv4(p, 17, 0xc0a8010a, 0xc0a80114, 0, 0);
	packet_udp(p, 60001, 6081);
	packet_geneve(p, V6, 2, 8);
	packet_gwlb(p, 4, 5, 6);
	packet_ipv6(p, 17, 7, 8);
	packet_udp(p, 31, 32);
}

static void malformed(struct builder *b)
{
	struct packet *p = next_packet(b, "ihl below 5");

	packet_eth(p, V4);
	packet_ipv4(p, 6, A, B, 0, 0);
	p->b[14] = 0x44;
	packet_tcp(p, 1, 2, 0x10, 0);
	p = next_packet(b, "version 5");
	packet_eth(p, V4);
	packet_ipv4(p, 6, A, B, 0, 0);
	p->b[14] = 0x55;
	packet_tcp(p, 1, 2, 0x10, 0);
	p = next_packet(b, "tcp data offset past the end");
	packet_eth(p, V4);
	packet_ipv4(p, 6, A, B, 0, 0);
	packet_tcp(p, 1, 2, 0x10, 0);
	p->b[14 + 20 + 12] = 0xf0;
	p = next_packet(b, "tcp data offset below 5");
	packet_eth(p, V4);
	packet_ipv4(p, 6, A, B, 0, 0);
	packet_tcp(p, 1, 2, 0x10, 0);
	p->b[14 + 20 + 12] = 0x40;
	p = next_packet(b, "udp cut by the IP length");
	packet_eth(p, V4);
	packet_ipv4(p, 17, A, B, 0, 0);
	packet_payload(p, 4);
}

size_t packet_corpus(struct packet *v, size_t max)
{
	struct builder b = {.v = v, .max = max};

	plain(&b);
	fragments(&b);
	ipv6(&b);
	vlans(&b);
	geneve(&b);
	geneve_many_options(&b);
	nested(&b);
	malformed(&b);
	links(&b);
	lengths(&b);
	small(&b);
	for (size_t i = 0; i < b.n; i++)
		packet_finish(&v[i]);
	return b.n;
}
