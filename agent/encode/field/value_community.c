// SPDX-License-Identifier: MIT
/*
 * Community ID version 1, seed 0: the same text for both directions of a flow, as Zeek, Suricata and
 * others have it. Source: https://github.com/corelight/community-id-spec
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "agent/encode/field/value_internal.h"

#define BLOCK_BYTES  64
#define DIGEST_BYTES 20

static uint32_t rotate(uint32_t v, unsigned int bits)
{
	return v << bits | v >> (32 - bits);
}

static uint32_t mix(unsigned int round, uint32_t b, uint32_t c, uint32_t d)
{
	if (round < 20)
		return ((b & c) | (~b & d)) + 0x5a827999;
	if (round < 40)
		return (b ^ c ^ d) + 0x6ed9eba1;
	if (round < 60)
		return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
	return (b ^ c ^ d) + 0xca62c1d6;
}

/* SHA-1 (RFC 3174) of at most 55 bytes, which are one block. */
static void hash_block(const uint8_t *p, size_t n, uint8_t out[DIGEST_BYTES])
{
	uint32_t h[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0}, s[5], w[80];
	uint8_t block[BLOCK_BYTES] = {0};

	memcpy(block, p, n);
	block[n] = 0x80;
	block[BLOCK_BYTES - 2] = (uint8_t)(n * 8 >> 8);
	block[BLOCK_BYTES - 1] = (uint8_t)(n * 8);
	for (unsigned int i = 0; i < 16; i++) {
		memcpy(&w[i], block + (size_t)i * 4, 4);
		w[i] = ntohl(w[i]);
	}
	for (unsigned int i = 16; i < 80; i++)
		w[i] = rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
	memcpy(s, h, sizeof(s));
	for (unsigned int i = 0; i < 80; i++) {
		uint32_t t = rotate(s[0], 5) + mix(i, s[1], s[2], s[3]) + s[4] + w[i];

		s[4] = s[3];
		s[3] = s[2];
		s[2] = rotate(s[1], 30);
		s[1] = s[0];
		s[0] = t;
	}
	for (unsigned int i = 0; i < 5; i++) {
		h[i] = htonl(h[i] + s[i]);
		memcpy(out + (size_t)i * 4, &h[i], 4);
	}
}

static uint8_t *put_base64(uint8_t *p, const uint8_t d[DIGEST_BYTES])
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < DIGEST_BYTES; i += 3) {
		bool last = i + 2 >= DIGEST_BYTES; /* of 20 bytes, two remain */
		uint32_t v = (uint32_t)d[i] << 16 | (uint32_t)d[i + 1] << 8 | (last ? 0 : d[i + 2]);

		*p++ = (uint8_t)digits[v >> 18];
		*p++ = (uint8_t)digits[v >> 12 & 63];
		*p++ = (uint8_t)digits[v >> 6 & 63];
		*p++ = last ? '=' : (uint8_t)digits[v & 63];
	}
	return p;
}

/* The ICMP type that answers a type; -1: the type has no answer. */
static int find_answer(uint8_t proto, uint8_t type)
{
	static const uint8_t v4[][2] = {{8, 0}, {13, 14}, {15, 16}, {10, 9}, {17, 18}},
			     v6[][2] = {{128, 129}, {133, 134}, {135, 136},
					{130, 131}, {139, 140}, {144, 145}};
	const uint8_t(*pairs)[2] = proto == IPPROTO_ICMP ? v4 : v6;
	size_t n = proto == IPPROTO_ICMP ? sizeof(v4) / sizeof(v4[0]) : sizeof(v6) / sizeof(v6[0]);

	for (size_t i = 0; i < n; i++) {
		if (pairs[i][0] == type)
			return pairs[i][1];
		if (pairs[i][1] == type)
			return pairs[i][0];
	}
	return -1;
}

/* One direction as it is hashed. */
struct ends {
	const uint8_t *src, *dst;
	uint16_t sport, dport; /* network byte order */
	bool ports;
	bool one_way; /* it has no other direction */
};

static struct ends find_ends(const struct fffa_key *k)
{
	struct ends e = {.src = k->src, .dst = k->dst, .sport = k->sport, .dport = k->dport};
	int answer;

	e.ports = k->proto == IPPROTO_TCP || k->proto == IPPROTO_UDP || k->proto == IPPROTO_SCTP;
	if (k->proto != IPPROTO_ICMP && k->proto != IPPROTO_ICMPV6)
		return e;
	e.ports = true;
	answer = find_answer(k->proto, (uint8_t)(ntohs(k->dport) >> 8));
	e.one_way = answer < 0;
	e.sport = htons(ntohs(k->dport) >> 8);
	e.dport = htons(e.one_way ? ntohs(k->dport) & 0xff : (uint16_t)answer);
	return e;
}

static struct ends put_in_order(struct ends e)
{
	int order = memcmp(e.src, e.dst, 16);

	if (e.one_way || order < 0 || (!order && ntohs(e.sport) <= ntohs(e.dport)))
		return e;
	return (struct ends){
		.src = e.dst, .dst = e.src, .sport = e.dport, .dport = e.sport, .ports = e.ports};
}

VALUE(community_id)
{
	const struct ends e = put_in_order(find_ends(&r->key));
	size_t skip = fffa_value__is_ipv4(r) ? 12 : 0, n = 2;
	uint8_t bytes[2 + 2 * 16 + 2 + 4] = {0}, digest[DIGEST_BYTES];

	memcpy(bytes + n, e.src + skip, 16 - skip);
	n += 16 - skip;
	memcpy(bytes + n, e.dst + skip, 16 - skip);
	n += 16 - skip;
	bytes[n] = r->key.proto;
	n += 2; /* with a byte of padding */
	if (e.ports) {
		memcpy(bytes + n, &e.sport, 2);
		memcpy(bytes + n + 2, &e.dport, 2);
		n += 4;
	}
	hash_block(bytes, n, digest);
	return put_base64(fffa_text_lit(p, "1:"), digest);
}
