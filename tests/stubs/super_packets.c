// SPDX-License-Identifier: MIT
#include "tests/stubs/super_packets.h"

#include <string.h>

#define A  UINT32_C(0x0a000001)
#define B  UINT32_C(0x0a000002)
#define C  UINT32_C(0xc0a80001)
#define D  UINT32_C(0xc0a80002)
#define V4 0x0800
#define V6 0x86dd
#define TE 0x6558

struct builder {
	struct super_packet *v;
	size_t n, max;
};

static struct packet *next_packet(struct builder *b, const char *name)
{
	struct packet *p = &b->v[b->n].p;

	if (b->n == b->max)
		__builtin_trap();
	packet_start(p, name);
	return p;
}

static struct packet *start_v4(struct builder *b, const char *name, uint8_t proto)
{
	struct packet *p = next_packet(b, name);

	packet_eth(p, V4);
	packet_ipv4(p, proto, A, B, 0, 0);
	return p;
}

static struct packet *start_v6(struct builder *b, const char *name, uint8_t next)
{
	struct packet *p = next_packet(b, name);

	packet_eth(p, V6);
	packet_ipv6(p, next, 1, 2);
	return p;
}

/* All so far repeats in each segment; the payload follows. */
static void finish(struct builder *b)
{
	struct super_packet *s = &b->v[b->n++];

	s->headers = (uint32_t)s->p.len - 14;
	s->segs = SUPER_SEGS;
	packet_payload(&s->p, SUPER_PAYLOAD);
	packet_finish(&s->p);
}

/* Only the first `headers` bytes of the IP packet repeat: what follows is the segments' own. */
static void finish_lookalike(struct builder *b, uint32_t headers)
{
	struct super_packet *s = &b->v[b->n];

	finish(b);
	s->headers = headers;
	s->segs = ((uint32_t)s->p.len - 14 - headers + SUPER_SEGMENT - 1) / SUPER_SEGMENT;
}

static void tcp4(struct packet *p)
{
	packet_ipv4(p, 6, C, D, 0, 0x4000);
	packet_tcp(p, 40000, 443, 0x10, 3);
}

static void tcp6(struct packet *p)
{
	packet_ipv6(p, 6, 3, 4);
	packet_tcp(p, 40000, 443, 0x10, 3);
}

static void udp4(struct packet *p)
{
	packet_ipv4(p, 17, C, D, 0, 0);
	packet_udp(p, 40000, 443);
}

static void gre(struct packet *p, uint8_t flags, uint16_t type)
{
	const uint8_t words[16] = {flags, 0, (uint8_t)(type >> 8), (uint8_t)type, 1, 2, 3, 4};
	size_t n = 4;

	for (int bit = 0x80; bit >= 0x10; bit >>= 1)
		n += flags & bit ? 4 : 0;
	packet_bytes(p, words, n);
}

/* With an Ethernet frame of this type inside. */
static void vxlan(struct packet *p, uint16_t port, uint32_t vni, uint16_t type)
{
	packet_udp(p, 50000, port);
	packet_vxlan(p, vni);
	packet_eth(p, type);
}

static void ip_in_ip(struct builder *b)
{
	tcp4(start_v4(b, "ipip", 4));
	finish(b);
	udp4(start_v4(b, "ipip, udp", 4));
	finish(b);
	tcp6(start_v4(b, "sit", 41));
	finish(b);
	tcp4(start_v6(b, "4in6", 4));
	finish(b);
	tcp6(start_v6(b, "6in6", 41));
	finish(b);
	packet_ext(start_v6(b, "4in6 with an encapsulation limit", 60), 60, 4, 1, 0);
	tcp4(&b->v[b->n].p);
	finish(b);
	packet_ipv6(start_v4(b, "sit, an extension header inside", 41), 60, 3, 4);
	packet_ext(&b->v[b->n].p, 60, 6, 1, 0);
	packet_tcp(&b->v[b->n].p, 1, 2, 0x10, 0);
	finish(b);
}

static void gres(struct builder *b)
{
	struct packet *p = start_v4(b, "gre", 47);

	gre(p, 0, V4);
	tcp4(p);
	finish(b);
	p = start_v4(b, "gre with a key", 47);
	gre(p, 0x20, V6);
	tcp6(p);
	finish(b);
	p = start_v4(b, "gre with checksum, key, sequence", 47);
	gre(p, 0xb0, V4);
	udp4(p);
	finish(b);
	p = start_v4(b, "gretap with a key", 47);
	gre(p, 0x20, TE);
	packet_eth(p, V4);
	tcp4(p);
	finish(b);
	p = start_v6(b, "ip6gretap, vlan", 47);
	gre(p, 0, TE);
	packet_eth(p, 0x8100);
	packet_vlan(p, V6);
	tcp6(p);
	finish(b);
	p = start_v4(b, "mpls in gre", 47);
	gre(p, 0, 0x8847);
	packet_bytes(p, "\x00\x01\x00\x40\x00\x02\x01\x40", 8);
	tcp4(p);
	finish(b);
}

static void udp_tunnels(struct builder *b)
{
	struct packet *p = start_v4(b, "vxlan on another port", 17);

	vxlan(p, 8472, 7, V4);
	tcp4(p);
	finish(b);
	p = start_v6(b, "vxlan over ipv6, udp inside", 17);
	vxlan(p, 8472, 7, 0x8100);
	packet_vlan(p, V4);
	udp4(p);
	finish(b);
	p = start_v4(b, "vxlan-gpe", 17);
	packet_udp(p, 50000, 4790);
	packet_bytes(p, "\x0c\x00\x00\x02\x00\x00\x07\x00", 8);
	tcp6(p);
	finish(b);
	p = start_v4(b, "geneve on another port", 17);
	packet_udp(p, 50000, 6082);
	packet_geneve(p, V4, 1, 8);
	packet_gwlb(p, 1, 2, 3);
	tcp4(p);
	finish(b);
	p = start_v4(b, "geneve on another port, ethernet", 17);
	packet_udp(p, 50000, 6082);
	packet_geneve(p, TE, 1, 0);
	packet_eth(p, V6);
	tcp6(p);
	finish(b);
	p = start_v4(b, "bare ip in udp", 17);
	packet_udp(p, 50000, 5555);
	tcp4(p);
	finish(b);
	p = start_v4(b, "gue", 17);
	packet_udp(p, 50000, 6080);
	packet_bytes(p, "\x00\x29\x00\x00", 4);
	tcp6(p);
	finish(b);
}

static void nested(struct builder *b)
{
	struct packet *p = start_v4(b, "gre in ipip", 4);

	packet_ipv4(p, 47, C, D, 0, 0);
	gre(p, 0x20, V4);
	tcp4(p);
	finish(b);
	p = start_v4(b, "vxlan in gre", 47);
	gre(p, 0, V4);
	packet_ipv4(p, 17, C, D, 0, 0);
	vxlan(p, 8472, 1, V6);
	tcp6(p);
	finish(b);
	p = start_v6(b, "gre in vxlan in 4in6", 4);
	packet_ipv4(p, 17, C, D, 0, 0);
	vxlan(p, 8472, 1, V4);
	packet_ipv4(p, 47, C, D, 0, 0);
	gre(p, 0x20, V6);
	tcp6(p);
	finish(b);
}

/* The payload of a UDP packet that is sent in segments, each with what looks like a tunnel. */
static void lookalikes(struct builder *b)
{
	struct packet *p = start_v4(b, "a vxlan packet in each segment", 17);

	vxlan(p, 8472, 7, V4);
	udp4(p);
	finish_lookalike(b, 28);
	p->b[14 + 28 + 8 + 14 + 3] -= 100; /* the inner packet ends earlier */
	p = start_v4(b, "an ip packet in each segment", 17);
	packet_udp(p, 50000, 5555);
	tcp6(p);
	finish_lookalike(b, 28);
	p->b[14 + 28 + 5] -= 100;
	p = start_v4(b, "segments that do not fit the inner headers", 17);
	vxlan(p, 8472, 7, V4);
	tcp4(p);
	finish_lookalike(b, 28); /* 374 bytes: 4 segments, where 280 would make 3 */
	p = start_v4(b, "a fragment inside", 17);
	vxlan(p, 8472, 7, V4);
	packet_ipv4(p, 17, C, D, 0, 0x2000);
	packet_udp(p, 1, 2);
	finish_lookalike(b, 28);
	p = start_v4(b, "quic", 17);
	packet_udp(p, 50000, 443);
	packet_bytes(p, "\xc0\x00\x00\x00\x01\x08", 6);
	finish_lookalike(b, 28);
}

/* Ports that are opened: the packet inside is counted. */
static void opened(struct builder *b)
{
	struct packet *p = start_v4(b, "gre in an opened vxlan", 17);

	vxlan(p, 4789, 7, V4);
	packet_ipv4(p, 47, C, D, 0, 0);
	gre(p, 0x20, V4);
	tcp4(p);
	finish(b);
	p = start_v4(b, "vxlan on another port in an opened geneve", 17);
	packet_udp(p, 50000, 6081);
	packet_geneve(p, V4, 1, 8);
	packet_gwlb(p, 1, 2, 3);
	packet_ipv4(p, 17, C, D, 0, 0);
	vxlan(p, 8472, 1, V4);
	tcp4(p);
	finish(b);
}

size_t super_packets(struct super_packet *v, size_t max)
{
	struct builder b = {.v = v, .max = max};

	ip_in_ip(&b);
	gres(&b);
	udp_tunnels(&b);
	nested(&b);
	lookalikes(&b);
	opened(&b);
	return b.n;
}
