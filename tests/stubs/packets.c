// SPDX-License-Identifier: MIT
#include "tests/stubs/packets.h"

#include <string.h>

static void put16(uint8_t *b, uint16_t v)
{
	b[0] = (uint8_t)(v >> 8);
	b[1] = (uint8_t)v;
}

static void put32(uint8_t *b, uint32_t v)
{
	put16(b, (uint16_t)(v >> 16));
	put16(b + 2, (uint16_t)v);
}

static void put64(uint8_t *b, uint64_t v)
{
	put32(b, (uint32_t)(v >> 32));
	put32(b + 4, (uint32_t)v);
}

/* Appends zeroed bytes and returns where they begin. */
static uint8_t *append(struct packet *p, size_t bytes)
{
	uint8_t *b = p->b + p->len;

	if (p->len + bytes > PACKET_MAX)
		__builtin_trap();
	memset(b, 0, bytes);
	p->len += bytes;
	return b;
}

static void size_later(struct packet *p, const uint8_t *field, size_t from)
{
	p->sized[p->sized_count].at = (size_t)(field - p->b);
	p->sized[p->sized_count++].from = from;
}

void packet_start(struct packet *p, const char *name)
{
	memset(p, 0, sizeof(*p));
	p->name = name;
}

void packet_eth(struct packet *p, uint16_t type)
{
	uint8_t *b = append(p, 14);

	memset(b, 2, 12);
	put16(b + 12, type);
}

void packet_vlan(struct packet *p, uint16_t type)
{
	uint8_t *b = append(p, 4);

	put16(b, 100);
	put16(b + 2, type);
}

void packet_ipv4(struct packet *p, uint8_t proto, uint32_t src, uint32_t dst, int option_words,
		 uint16_t fragment)
{
	size_t start = p->len;
	uint8_t *b = append(p, 20 + 4 * (size_t)option_words);

	b[0] = (uint8_t)(0x45 + option_words);
	put16(b + 6, fragment);
	b[8] = 64;
	b[9] = proto;
	put32(b + 12, src);
	put32(b + 16, dst);
	memset(b + 20, 1, 4 * (size_t)option_words);
	size_later(p, b + 2, start);
}

void packet_ipv6(struct packet *p, uint8_t next, uint8_t src_tail, uint8_t dst_tail)
{
	uint8_t *b = append(p, 40);

	b[0] = 0x60;
	b[6] = next;
	b[7] = 64;
	b[8] = 0xfd;
	b[23] = src_tail;
	b[24] = 0xfd;
	b[39] = dst_tail;
	size_later(p, b + 4, p->len);
}

void packet_ext(struct packet *p, uint8_t type, uint8_t next, int units, uint16_t fragment)
{
	uint8_t *b = append(p, 8 * (size_t)units);

	b[0] = next;
	if (type == 44)
		put16(b + 2, fragment);
	else
		b[1] = (uint8_t)(type == 51 ? units * 2 - 2 : units - 1);
}

void packet_tcp(struct packet *p, uint16_t sport, uint16_t dport, uint8_t flags, int option_words)
{
	uint8_t *b = append(p, 20 + 4 * (size_t)option_words);

	put16(b, sport);
	put16(b + 2, dport);
	b[12] = (uint8_t)((5 + option_words) << 4);
	b[13] = flags;
}

void packet_udp(struct packet *p, uint16_t sport, uint16_t dport)
{
	size_t start = p->len;
	uint8_t *b = append(p, 8);

	put16(b, sport);
	put16(b + 2, dport);
	size_later(p, b + 4, start);
}

void packet_icmp(struct packet *p, uint8_t type, uint8_t code)
{
	uint8_t *b = append(p, 8);

	b[0] = type;
	b[1] = code;
}

void packet_geneve(struct packet *p, uint16_t type, uint32_t vni, int option_words)
{
	uint8_t *b = append(p, 8);

	b[0] = (uint8_t)option_words;
	put16(b + 2, type);
	put32(b + 4, vni << 8);
}

void packet_geneve_option(struct packet *p, uint16_t class, uint8_t type, const void *value,
			  size_t bytes)
{
	uint8_t *b = append(p, 4 + bytes);

	put16(b, class);
	b[2] = type;
	b[3] = (uint8_t)(bytes / 4);
	memcpy(b + 4, value, bytes);
}

void packet_gwlb(struct packet *p, uint64_t gwlbe, uint64_t attachment, uint32_t cookie)
{
	uint8_t v[8];

	put64(v, gwlbe);
	packet_geneve_option(p, 0x0108, 1, v, 8);
	put64(v, attachment);
	packet_geneve_option(p, 0x0108, 2, v, 8);
	put32(v, cookie);
	packet_geneve_option(p, 0x0108, 3, v, 4);
}

void packet_vxlan(struct packet *p, uint32_t vni)
{
	uint8_t *b = append(p, 8);

	b[0] = 0x08;
	put32(b + 4, vni << 8);
}

void packet_bytes(struct packet *p, const void *bytes, size_t n)
{
	if (n > PACKET_MAX - p->len)
		__builtin_trap();
	memcpy(p->b + p->len, bytes, n);
	p->len += n;
}

void packet_payload(struct packet *p, size_t bytes)
{
	memset(append(p, bytes), 0xa5, bytes);
}

void packet_finish(struct packet *p)
{
	for (size_t i = 0; i < p->sized_count; i++)
		put16(p->b + p->sized[i].at, (uint16_t)(p->len - p->sized[i].from));
}
