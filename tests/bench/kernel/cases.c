// SPDX-License-Identifier: MIT
#include "tests/bench/kernel/cases.h"

#define SRC 0x0a000001
#define DST 0x0ac80002

/* A TCP header with the timestamps option, padded as kernels do. */
static void tcp_with_timestamps(struct packet *p, uint8_t flags)
{
	static const uint8_t option[4] = {1, 1, 8, 10};
	size_t at = p->len + 20;

	packet_tcp(p, 40000, 443, flags, 3);
	for (size_t i = 0; i < sizeof(option); i++)
		p->b[at + i] = option[i];
}

static void tcp64(struct packet *p)
{
	packet_eth(p, 0x0800);
	packet_ipv4(p, 6, SRC, DST, 0, 0x4000);
	tcp_with_timestamps(p, 0x10);
	packet_payload(p, 64);
}

static void syn(struct packet *p)
{
	packet_eth(p, 0x0800);
	packet_ipv4(p, 6, SRC, DST, 0, 0x4000);
	tcp_with_timestamps(p, 0x02);
}

static void udp1400(struct packet *p)
{
	packet_eth(p, 0x0800);
	packet_ipv4(p, 17, SRC, DST, 0, 0x4000);
	packet_udp(p, 40000, 6353);
	packet_payload(p, 1400);
}

static void tcp6(struct packet *p)
{
	packet_eth(p, 0x86dd);
	packet_ipv6(p, 6, 1, 2);
	tcp_with_timestamps(p, 0x10);
	packet_payload(p, 64);
}

/* As AWS Gateway Load Balancer sends it: three options, an IP packet without a link header. */
static void geneve(struct packet *p)
{
	packet_eth(p, 0x0800);
	packet_ipv4(p, 17, SRC, DST, 0, 0);
	packet_udp(p, 60000, 6081);
	packet_geneve(p, 0x0800, 0, 8);
	packet_gwlb(p, 0x0123456789abcdef, 0xfedcba9876543210, 0x1234);
	packet_ipv4(p, 6, 0xc0a80001, 0xc0a80002, 0, 0x4000);
	tcp_with_timestamps(p, 0x10);
	packet_payload(p, 64);
}

#define INNER (14 + 20 + 8 + 8 + 32)

const struct bench_case bench_cases[] = {
	{"tcp64", tcp64, 14 + 12},   {"syn", syn, 14 + 12},	     {"udp1400", udp1400, 14 + 12},
	{"tcp6", tcp6, 14 + 8 + 12}, {"geneve", geneve, INNER + 12},
};
const size_t bench_case_count = sizeof(bench_cases) / sizeof(bench_cases[0]);
