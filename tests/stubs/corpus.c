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
	for (size_t i = 0; i < b.n; i++)
		packet_finish(&v[i]);
	return b.n;
}
