// SPDX-License-Identifier: MIT
/* Longest prefix: ties, nesting, edges, and random prefixes against a plain search. */
#include "tests/stubs/cmocka_all.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/random.h"
#include "agent/enrich/services/aws_service.h"
#include "agent/enrich/services/ip_table.h"

#define MAX 512

struct fixture {
	struct fffa_ip_prefix v[MAX];
	size_t n;
	struct fffa_ip_table *t;
	uint64_t random;
};

static int setup(void **state)
{
	struct fixture *b = calloc(1, sizeof(*b));

	*state = b;
	if (b)
		b->random = 0x9e3779b97f4a7c15u;
	return b ? 0 : -1;
}

static int teardown(void **state)
{
	struct fixture *b = *state;

	fffa_ip_table_free(b->t);
	free(b);
	return 0;
}

static void add_prefix(struct fixture *b, const char *prefix, const char *service)
{
	assert_true(b->n < MAX);
	assert_int_equal(fffa_cidr_parse(prefix, &b->v[b->n].cidr, NULL), 0);
	b->v[b->n++].value = fffa_aws_service_by_name(service);
}

static void make_table(struct fixture *b)
{
	fffa_ip_table_free(b->t);
	assert_int_equal(fffa_ip_table_new(b->v, b->n, &b->t), 0);
}

/* service NULL: none. */
static void check_service(const struct fixture *b, const char *addr, const char *service)
{
	struct fffa_cidr c;
	const char *got;

	assert_int_equal(fffa_cidr_parse(addr, &c, NULL), 0);
	got = fffa_aws_service_name(fffa_ip_table_find(b->t, c.addr));
	if (service && got)
		assert_string_equal(got, service);
	else if (got != service)
		fail_msg("%s: %s", addr, got ? got : "none");
}

static void the_specific_service_wins_a_tie(void **state)
{
	static const char *const order[][4] = {{"AMAZON", "EC2", "S3", "CLOUDFRONT"},
					       {"CLOUDFRONT", "S3", "EC2", "AMAZON"},
					       {"S3", "AMAZON", "CLOUDFRONT", "EC2"}};
	struct fixture *b = *state;

	for (size_t i = 0; i < 3; i++) {
		b->n = 0;
		for (size_t k = 0; k < 4; k++)
			add_prefix(b, "52.0.0.0/16", order[i][k]);
		make_table(b);
		check_service(b, "52.0.1.1", "CLOUDFRONT"); /* of two, the first in AWS's list */
	}
	b->n = 0;
	add_prefix(b, "52.0.0.0/16", "EC2");
	add_prefix(b, "52.0.0.0/16", "AMAZON");
	add_prefix(b, "52.1.0.0/16", "AMAZON");
	add_prefix(b, "52.1.0.0/16", "SOMETHING_NEW");
	make_table(b);
	check_service(b, "52.0.0.0", "EC2");
	check_service(b, "52.1.0.0", "AMAZON");
}

static void the_longest_prefix_wins(void **state)
{
	struct fixture *b = *state;

	add_prefix(b, "52.0.0.0/8", "S3");
	add_prefix(b, "52.95.0.0/16", "AMAZON");
	add_prefix(b, "52.95.4.0/22", "DYNAMODB");
	add_prefix(b, "52.95.5.7/32", "EC2");
	add_prefix(b, "52.95.7.0/24", "AMAZON");
	make_table(b);
	check_service(b, "51.255.255.255", NULL);
	check_service(b, "52.0.0.0", "S3");
	check_service(b, "52.94.255.255", "S3");
	check_service(b, "52.95.0.0", "AMAZON");
	check_service(b, "52.95.3.255", "AMAZON");
	check_service(b, "52.95.4.0", "DYNAMODB");
	check_service(b, "52.95.5.6", "DYNAMODB");
	check_service(b, "52.95.5.7", "EC2");
	check_service(b, "52.95.5.8", "DYNAMODB");
	check_service(b, "52.95.6.255", "DYNAMODB");
	check_service(b, "52.95.7.0", "AMAZON");
	check_service(b, "52.95.255.255", "AMAZON");
	check_service(b, "52.96.0.0", "S3");
	check_service(b, "52.255.255.255", "S3");
	check_service(b, "53.0.0.0", NULL);
}

static void ipv6_within_one_64_and_beyond(void **state)
{
	struct fixture *b = *state;

	add_prefix(b, "2600:1f00::/24", "AMAZON");
	add_prefix(b, "2600:1f18::/33", "EC2");
	add_prefix(b, "2600:1f18:0:1::/64", "S3");
	add_prefix(b, "2600:1f18:0:1::10/124", "EBS");
	add_prefix(b, "2600:1f18:0:1::1f/128", "CLOUD9");
	add_prefix(b, "2600:1f18:0:1:8000::/65", "DYNAMODB");
	make_table(b);
	check_service(b, "2600:1eff:ffff::", NULL);
	check_service(b, "2600:1f00::", "AMAZON");
	check_service(b, "2600:1f18::1", "EC2");
	check_service(b, "2600:1f18:0:1::", "S3");
	check_service(b, "2600:1f18:0:1::f", "S3");
	check_service(b, "2600:1f18:0:1::10", "EBS");
	check_service(b, "2600:1f18:0:1::1e", "EBS");
	check_service(b, "2600:1f18:0:1::1f", "CLOUD9");
	check_service(b, "2600:1f18:0:1::20", "S3");
	check_service(b, "2600:1f18:0:1:7fff:ffff:ffff:ffff", "S3");
	check_service(b, "2600:1f18:0:1:8000::", "DYNAMODB");
	check_service(b, "2600:1f18:0:2::", "EC2");
	check_service(b, "2600:1f18:8000::", "AMAZON");
	check_service(b, "2600:2000::", NULL);
}

static void addresses_that_are_nobodys(void **state)
{
	static const char *const addrs[] = {
		"10.0.0.0",	"10.255.255.255",
		"172.16.0.1",	"172.31.255.255",
		"192.168.1.1",	"169.254.169.254",
		"100.64.0.0",	"100.127.255.255",
		"127.0.0.1",	"fd00::1",
		"fc00::",	"fe80::1",
		"febf:ffff::1", "::1",
	};
	struct fixture *b = *state;

	add_prefix(b, "0.0.0.0/0", "S3");
	add_prefix(b, "10.0.0.0/8", "EC2");
	add_prefix(b, "10.1.0.0/16", "EC2");
	add_prefix(b, "::/0", "EC2");
	add_prefix(b, "fd00::/16", "EC2");
	make_table(b);
	for (size_t i = 0; i < sizeof(addrs) / sizeof(addrs[0]); i++)
		check_service(b, addrs[i], NULL);
	check_service(b, "0.0.0.0", "S3");
	check_service(b, "9.255.255.255", "S3");
	check_service(b, "11.0.0.0", "S3");
	check_service(b, "100.128.0.0", "S3");
	check_service(b, "172.32.0.0", "S3");
	check_service(b, "255.255.255.255", "S3");
	check_service(b, "::", "EC2");
	check_service(b, "::2", "EC2");
	check_service(b, "::1:0:0:0", "EC2");
	check_service(b, "fec0::", "EC2");
	check_service(b, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "EC2");
}

static void ipv6_says_nothing_of_ipv4(void **state)
{
	struct fixture *b = *state;

	add_prefix(b, "::/0", "EC2");
	make_table(b);
	check_service(b, "52.0.0.1", NULL);
	add_prefix(b, "255.0.0.0/8", "S3");
	make_table(b);
	check_service(b, "0.0.0.0", NULL);
	check_service(b, "254.255.255.255", NULL);
	check_service(b, "255.255.255.255", "S3");
	check_service(b, "::1:0:0:0", "EC2");
	/* The same service on both sides of the border. */
	add_prefix(b, "0.0.0.0/0", "EC2");
	make_table(b);
	check_service(b, "0.0.0.0", "EC2");
	check_service(b, "254.255.255.255", "EC2");
	check_service(b, "255.255.255.255", "S3");
	check_service(b, "::", "EC2");
	check_service(b, "::1:0:0:0", "EC2");
}

static void nothing_at_all(void **state)
{
	struct fixture *b = *state;

	make_table(b);
	check_service(b, "52.0.0.1", NULL);
	check_service(b, "2600:1f00::1", NULL);
	assert_int_equal(fffa_ip_table_new(b->v, FFFA_IP_PREFIXES_MAX + 1, &b->t), -E2BIG);
}

static uint64_t next_random(struct fixture *b)
{
	return fffa_random_next(&b->random);
}

/* Few distinct bytes, so that prefixes nest and touch. */
static void fill_address(struct fixture *b, uint8_t a[16], bool ipv6)
{
	static const uint8_t bytes[] = {0, 1, 0x7f, 0x80, 0xff, 10, 172, 16};

	memset(a, 0, 16);
	if (!ipv6)
		memset(a + 10, 0xff, 2);
	for (int i = ipv6 ? 0 : 12; i < 16; i++)
		a[i] = bytes[next_random(b) % sizeof(bytes)];
}

static void mask(struct fffa_cidr *c)
{
	for (unsigned int i = c->bits; i < 128; i++)
		c->addr[i / 8] &= (uint8_t) ~(0x80 >> i % 8);
}

static bool is_nobodys(const uint8_t a[16])
{
	if (!fffa_addr_is_ipv4(a))
		return (a[0] & 0xfe) == 0xfc || (a[0] == 0xfe && (a[1] & 0xc0) == 0x80) ||
		       memcmp(a, &in6addr_loopback, 16) == 0;
	return a[12] == 10 || a[12] == 127 || (a[12] == 172 && (a[13] & 0xf0) == 16) ||
	       (a[12] == 192 && a[13] == 168) || (a[12] == 169 && a[13] == 254) ||
	       (a[12] == 100 && (a[13] & 0xc0) == 64);
}

static uint8_t naive(const struct fixture *b, const uint8_t a[16])
{
	const struct fffa_ip_prefix *best = NULL;
	uint8_t service = FFFA_AWS_NONE;

	if (is_nobodys(a))
		return FFFA_AWS_NONE;
	for (size_t i = 0; i < b->n; i++) {
		const struct fffa_ip_prefix *p = &b->v[i];

		if (!fffa_cidr_has(&p->cidr, a) ||
		    fffa_addr_is_ipv4(p->cidr.addr) != fffa_addr_is_ipv4(a))
			continue;
		if (!best || p->cidr.bits > best->cidr.bits) {
			best = p;
			service = (uint8_t)p->value;
		} else if (p->cidr.bits == best->cidr.bits) {
			service = fffa_aws_service_better(service, (uint8_t)p->value);
		}
	}
	return service;
}

static void check_same(struct fixture *b, const uint8_t a[16])
{
	char text[INET6_ADDRSTRLEN];
	uint8_t got = fffa_ip_table_find(b->t, a), want = naive(b, a);

	if (got != want)
		fail_msg("%s: %d instead of %d", inet_ntop(AF_INET6, a, text, sizeof(text)), got,
			 want);
}

/* The addresses before and behind, where off-by-one errors show. */
static void next_address(uint8_t a[16], int by)
{
	for (int i = 15; i >= 0; i--) {
		a[i] = (uint8_t)(a[i] + by);
		if (a[i] != (by > 0 ? 0 : 0xff))
			return;
	}
}

static void random_prefixes_as_a_plain_search_finds_them(void **state)
{
	struct fixture *b = *state;

	for (int round = 0; round < 60; round++) {
		b->n = next_random(b) % MAX;
		for (size_t i = 0; i < b->n; i++) {
			struct fffa_cidr *c = &b->v[i].cidr;
			bool ipv6 = next_random(b) & 1;

			fill_address(b, c->addr, ipv6);
			c->bits = (uint8_t)(ipv6 ? next_random(b) % 129 : 96 + next_random(b) % 33);
			mask(c);
			if (fffa_addr_is_ipv4(c->addr) != (c->bits >= 96 && !ipv6))
				c->bits = 128; /* not one of the two kinds: a lone address */
			b->v[i].value = (uint8_t)(1 + next_random(b) % (FFFA_AWS_SERVICES - 2));
		}
		make_table(b);
		for (int k = 0; k < 300; k++) {
			uint8_t a[16];

			fill_address(b, a, next_random(b) & 1);
			check_same(b, a);
		}
		for (size_t i = 0; i < b->n; i++) {
			struct fffa_cidr c = b->v[i].cidr;
			uint8_t a[16];

			check_same(b, c.addr);
			next_address(c.addr, -1);
			check_same(b, c.addr);
			memcpy(a, b->v[i].cidr.addr, 16);
			for (unsigned int bit = c.bits; bit < 128; bit++)
				a[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
			check_same(b, a);
			next_address(a, 1);
			check_same(b, a);
		}
	}
}

static void every_service_has_its_name(void **state)
{
	/* As the file ip-ranges.json has them. */
	static const char *const aws[] = {
		"AMAZON",
		"EC2",
		"AMAZON_APPFLOW",
		"AMAZON_CONNECT",
		"API_GATEWAY",
		"CHIME_MEETINGS",
		"CHIME_VOICECONNECTOR",
		"CLOUD9",
		"CLOUDFRONT",
		"CODEBUILD",
		"DYNAMODB",
		"EBS",
		"EC2_INSTANCE_CONNECT",
		"GLOBALACCELERATOR",
		"KINESIS_VIDEO_STREAMS",
		"ROUTE53",
		"ROUTE53_HEALTHCHECKS",
		"ROUTE53_HEALTHCHECKS_PUBLISHING",
		"ROUTE53_RESOLVER",
		"S3",
		"WORKSPACES_GATEWAYS",
	};

	(void)state;
	assert_int_equal(sizeof(aws) / sizeof(aws[0]), FFFA_AWS_SERVICES - FFFA_AWS_AMAZON);
	for (size_t i = 0; i < sizeof(aws) / sizeof(aws[0]); i++) {
		uint8_t service = fffa_aws_service_by_name(aws[i]);

		assert_string_equal(fffa_aws_service_name(service), aws[i]);
	}
	assert_null(fffa_aws_service_name(FFFA_AWS_NONE));
	for (unsigned int i = FFFA_AWS_AMAZON; i < FFFA_AWS_SERVICES; i++) {
		assert_non_null(fffa_aws_service_name((uint8_t)i));
		assert_int_equal(fffa_aws_service_by_name(fffa_aws_service_name((uint8_t)i)), i);
	}
	assert_int_equal(fffa_aws_service_by_name("CLOUDFRONT_ORIGIN_FACING"), FFFA_AWS_AMAZON);
	assert_int_equal(fffa_aws_service_by_name(""), FFFA_AWS_AMAZON);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_specific_service_wins_a_tie),
		TEST(the_longest_prefix_wins),
		TEST(ipv6_within_one_64_and_beyond),
		TEST(addresses_that_are_nobodys),
		TEST(ipv6_says_nothing_of_ipv4),
		TEST(nothing_at_all),
		TEST(random_prefixes_as_a_plain_search_finds_them),
		TEST(every_service_has_its_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
