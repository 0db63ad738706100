// SPDX-License-Identifier: MIT
/*
 * Nanoseconds per record to find the AWS services of both addresses, with 10 000 prefixes.
 * Usage: bench_ip_table [RECORDS]. The median of the rounds counts. Records are read in order
 * from a set of 65 536, so the table has the caches nearly to itself. "cold" evicts it before
 * each 64 records.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/random.h"
#include "agent/enrich/services/ip_table.h"
#include "tests/bench/measure.h"

#define PREFIXES    10000
#define RECORDS	    65536
#define ROUNDS	    9
#define PIECE	    64
#define TRASH_BYTES (8 * 1024 * 1024)

struct pair {
	uint8_t src[16];
	uint8_t dst[16];
};

struct bench {
	struct fffa_ip_prefix prefixes[PREFIXES];
	struct pair records[RECORDS];
	uint8_t trash[TRASH_BYTES];
	uint64_t random;
};

static uint64_t next_random(struct bench *b)
{
	return fffa_random_next(&b->random);
}

static void mask(struct fffa_cidr *c)
{
	for (unsigned int i = c->bits; i < 128; i++)
		c->addr[i / 8] &= (uint8_t) ~(0x80 >> i % 8);
}

/*
 * Prefixes as AWS spreads them: IPv4 of 10 to 32 bits in a few dozen /8, IPv6 nearly all
 * below 2600:1f00::/24.
 */
static void fill_address(struct bench *b, uint8_t a[16], bool ipv6)
{
	static const uint8_t first[] = {3,  13, 15, 16, 18, 34, 35, 43, 44, 50,
					51, 52, 54, 56, 63, 64, 71, 72, 75, 76};
	uint64_t r = next_random(b), s = next_random(b);

	memset(a, 0, 16);
	if (ipv6) {
		memcpy(a, &r, 8);
		memcpy(a, r & 7 ? "\x26\x00\x1f" : "\x2a\x05\xd0", 3);
		memcpy(a + 8, &s, 8);
		return;
	}
	memset(a + 10, 0xff, 2);
	memcpy(a + 12, &r, 4);
	a[12] = first[(s >> 8) % sizeof(first)];
}

static void fill_prefixes(struct bench *b, unsigned int ipv6_percent)
{
	for (size_t i = 0; i < PREFIXES; i++) {
		struct fffa_ip_prefix *p = &b->prefixes[i];
		bool ipv6 = next_random(b) % 100 < ipv6_percent;

		fill_address(b, p->cidr.addr, ipv6);
		p->cidr.bits = ipv6 ? (uint8_t)(32 + next_random(b) % 5 * 8)
				    : (uint8_t)(96 + 14 + next_random(b) % 19);
		p->value = (uint16_t)(1 + next_random(b) % 20);
		mask(&p->cidr);
	}
}

/* Half of the addresses lie in the prefixes, the others anywhere. */
static void fill_record(struct bench *b, uint8_t a[16], bool ipv6)
{
	if (next_random(b) & 1) {
		fill_address(b, a, ipv6);
		return;
	}
	memset(a, 0, 16);
	for (int i = ipv6 ? 0 : 12; i < 16; i++)
		a[i] = (uint8_t)next_random(b);
	if (!ipv6)
		memset(a + 10, 0xff, 2);
}

static unsigned int trash(struct bench *b)
{
	unsigned int sum = 0;

	for (size_t i = 0; i < TRASH_BYTES; i += 64)
		sum += b->trash[i]++;
	return sum;
}

static double measure(struct bench *b, const struct fffa_ip_table *t, size_t n, bool cold)
{
	double rounds[ROUNDS];
	volatile unsigned int sink;
	unsigned int sum = 0;

	for (int k = 0; k < ROUNDS; k++) {
		double spent = 0;

		for (size_t i = 0; i < n; i += PIECE) {
			double begin;

			sum += cold ? trash(b) : 0;
			begin = bench_clock_ns(CLOCK_THREAD_CPUTIME_ID);
			for (size_t j = i; j < i + PIECE && j < n; j++) {
				const struct pair *r = &b->records[j % RECORDS];

				sum += fffa_ip_table_find(t, r->src);
				sum += fffa_ip_table_find(t, r->dst);
			}
			spent += bench_clock_ns(CLOCK_THREAD_CPUTIME_ID) - begin;
		}
		rounds[k] = spent / (double)n;
	}
	sink = sum;
	(void)sink;
	return bench_median(rounds, ROUNDS);
}

static int run_case(struct bench *b, size_t n, const char *name, unsigned int prefixes6,
		    unsigned int records6)
{
	struct fffa_ip_table *t;

	fill_prefixes(b, prefixes6);
	for (size_t i = 0; i < RECORDS; i++) {
		bool ipv6 = next_random(b) % 100 < records6;

		fill_record(b, b->records[i].src, ipv6);
		fill_record(b, b->records[i].dst, ipv6);
	}
	if (fffa_ip_table_new(b->prefixes, PREFIXES, &t) != 0)
		return 1;
	printf("%-48s %8.1f %8.1f\n", name, measure(b, t, n, false), measure(b, t, n / 64, true));
	fffa_ip_table_free(t);
	return 0;
}

int main(int argc, char **argv)
{
	size_t n = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000000;
	struct bench *b = calloc(1, sizeof(*b));
	int failed;

	if (!b || n < PIECE) {
		free(b);
		return 1;
	}
	b->random = 88172645463325252u;
	printf("%-48s %8s %8s\n", "ns per record (two addresses)", "warm", "cold");
	failed = run_case(b, n, "IPv4, 8 000 IPv4 and 2 000 IPv6 prefixes", 20, 0);
	failed |= run_case(b, n, "IPv6, 8 000 IPv4 and 2 000 IPv6 prefixes", 20, 100);
	failed |= run_case(b, n, "IPv4, 10 000 IPv4 prefixes", 0, 0);
	failed |= run_case(b, n, "IPv6, 10 000 IPv6 prefixes", 100, 100);
	free(b);
	return failed;
}
