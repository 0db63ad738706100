// SPDX-License-Identifier: MIT
#include "agent/flow/hash.h"

#include <endian.h>
#include <stdbool.h>
#include <string.h>

#include "agent/flow/fold.h"

#define IPPROTO_ICMP4 1
#define IPPROTO_ICMP6 58

/* Odd and without pattern: digits of pi. */
#define K0 UINT64_C(0x243f6a8885a308d3)
#define K1 UINT64_C(0x13198a2e03707345)
#define K2 UINT64_C(0xa4093822299f31d1)
#define K3 UINT64_C(0x082efa98ec4e6c89)

static uint64_t end_of(const uint8_t addr[16], uint64_t port)
{
	uint64_t w[2];

	memcpy(w, addr, sizeof(w));
	return fffa_fold(le64toh(w[0]) ^ K0, le64toh(w[1]) ^ port * K2 ^ K1);
}

uint64_t fffa_flow_hash(const struct fffa_key *k)
{
	bool ports = k->proto != IPPROTO_ICMP4 && k->proto != IPPROTO_ICMP6;
	uint64_t a = end_of(k->src, ports ? be16toh(k->sport) : 0);
	uint64_t b = end_of(k->dst, ports ? be16toh(k->dport) : 0);

	return fffa_fold((a + b) ^ K3, k->proto ^ K2);
}
