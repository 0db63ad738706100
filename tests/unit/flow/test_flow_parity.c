// SPDX-License-Identifier: MIT
/* What AWS's own flow logs leave out: each service and port, from either end, and nothing beside them. */
#include "agent/flow/parity.h"

#include <arpa/inet.h>
#include <string.h>

#include "tests/stubs/cmocka_all.h"

static void put_addr(uint8_t dst[16], const char *text)
{
	char mapped[64] = "::ffff:";

	if (!strchr(text, ':'))
		text = strcat(mapped, text);
	assert_int_equal(inet_pton(AF_INET6, text, dst), 1);
}

static bool leaves_out(const char *src, const char *dst, uint8_t proto, uint16_t sport,
		       uint16_t dport)
{
	struct fffa_key k = {.proto = proto, .sport = htons(sport), .dport = htons(dport)};

	put_addr(k.src, src);
	put_addr(k.dst, dst);
	return fffa_parity_leaves_out(&k, NULL, 0);
}

static void services_of_the_link(void **state)
{
	static const struct {
		const char *addr;
		bool out;
	} rows[] = {
		{"169.254.169.123", true},  {"169.254.169.250", true},	{"169.254.169.251", true},
		{"169.254.169.253", true},  {"169.254.169.254", true},	{"169.254.169.252", false},
		{"169.254.169.124", false}, {"169.254.169.255", false}, {"169.254.170.254", false},
		{"169.253.169.254", false}, {"168.254.169.254", false}, {"10.0.169.254", false},
		{"fd00:ec2::123", true},    {"fd00:ec2::250", true},	{"fd00:ec2::251", true},
		{"fd00:ec2::253", true},    {"fd00:ec2::254", true},	{"fd00:ec2::252", false},
		{"fd00:ec2::124", false},   {"fd00:ec2::fe", false},	{"fd00:ec2::1:254", false},
		{"fd00:ec3::254", false},   {"fd01:ec2::254", false},	{"fd00:ec2::1254", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *other = strchr(rows[i].addr, ':') ? "fd00::1" : "10.0.0.1";

		if (leaves_out(rows[i].addr, other, 6, 80, 50000) != rows[i].out ||
		    leaves_out(other, rows[i].addr, 6, 50000, 80) != rows[i].out)
			fail_msg("%s", rows[i].addr);
	}
}

static void dhcp(void **state)
{
	static const struct {
		uint16_t sport, dport;
		bool out;
	} rows[] = {
		{67, 68, true},	   {68, 67, true},    {546, 547, true},	 {547, 546, true},
		{67, 67, false},   {68, 68, false},   {67, 69, false},	 {66, 68, false},
		{546, 546, false}, {547, 547, false}, {67, 547, false},	 {68, 546, false},
		{546, 68, false},  {547, 67, false},  {545, 547, false}, {547, 545, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (leaves_out("10.0.0.1", "10.0.0.2", 17, rows[i].sport, rows[i].dport) !=
		    rows[i].out)
			fail_msg("%u to %u", rows[i].sport, rows[i].dport);
		assert_false(leaves_out("10.0.0.1", "10.0.0.2", 6, rows[i].sport, rows[i].dport));
	}
}

static void resolvers_of_the_vpc(void **state)
{
	struct fffa_key to = {.proto = 17}, from = {.proto = 17}, other = {.proto = 17};
	uint8_t resolvers[2][16];

	(void)state;
	put_addr(resolvers[0], "10.0.0.2");
	put_addr(resolvers[1], "fd00::2");
	put_addr(to.src, "10.0.0.9");
	put_addr(to.dst, "10.0.0.2");
	put_addr(from.src, "fd00::2");
	put_addr(from.dst, "fd00::9");
	put_addr(other.src, "10.0.0.3");
	put_addr(other.dst, "10.0.0.9");
	for (size_t n = 0; n <= 2; n++) {
		assert_int_equal(fffa_parity_leaves_out(&to, resolvers, n), n > 0);
		assert_int_equal(fffa_parity_leaves_out(&from, resolvers, n), n > 1);
		assert_false(fffa_parity_leaves_out(&other, resolvers, n));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(services_of_the_link),
		cmocka_unit_test(dhcp),
		cmocka_unit_test(resolvers_of_the_vpc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
