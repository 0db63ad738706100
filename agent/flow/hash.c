// SPDX-License-Identifier: MIT
#include "agent/flow/hash.h"

#include <endian.h>
#include <stdbool.h>
#include <string.h>

#define IPPROTO_ICMP4 1
#define IPPROTO_ICMP6 58

/* The finalizer of SplitMix64 (Steele, Lea, Flood 2014): every bit of x changes half of the result. */
static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

static uint64_t end_of(const uint8_t addr[16], uint64_t port)
{
	uint64_t w[2];

	memcpy(w, addr, sizeof(w));
	return mix(le64toh(w[1]) + UINT64_C(0x9e3779b97f4a7c15) * (port + 1) +
		   mix(le64toh(w[0]) + 1));
}

uint64_t fffa_flow_hash(const struct fffa_key *k)
{
	bool ports = k->proto != IPPROTO_ICMP4 && k->proto != IPPROTO_ICMP6;
	uint64_t a = end_of(k->src, ports ? be16toh(k->sport) : 0);
	uint64_t b = end_of(k->dst, ports ? be16toh(k->dport) : 0);

	return mix(a + b + k->proto);
}
