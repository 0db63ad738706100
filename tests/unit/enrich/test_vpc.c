// SPDX-License-Identifier: MIT
/* What prefixes say about addresses. */
#include "tests/stubs/cmocka_all.h"

#include "agent/enrich/vpc.h"
#include "tests/unit/enrich/addr.h"

static void fill_iface(struct fffa_imds_iface *i)
{
	memset(i, 0, sizeof(*i));
	list_add(&i->vpc_ipv4, "10.0.0.0/16");
	list_add(&i->vpc_ipv4, "10.7.0.0/20");
	list_add(&i->vpc_ipv6, "2001:db8::/56");
	list_add(&i->subnet_ipv4, "10.0.1.0/24");
	list_add(&i->subnet_ipv6, "2001:db8:0:1::/64");
}

static void inside_the_vpc(void **state)
{
	static const struct {
		const char *addr;
		bool inside;
	} rows[] = {
		{"10.0.1.10", true},
		{"10.0.1.4", true},
		{"10.0.1.254", true},
		{"10.0.2.1",
		 true}, /* of another subnet nothing is known: it may be as large as the VPC */
		{"10.0.255.255", true},
		{"10.7.0.3", true},
		{"10.7.15.255", true},
		{"2001:db8:0:1::4", true},
		{"2001:db8:0:2::1", true},
		/* What AWS reserves in the interface's own subnet. */
		{"10.0.1.0", false},
		{"10.0.1.1", false},
		{"10.0.1.2", false},
		{"10.0.1.3", false},
		{"10.0.1.255", false},
		{"2001:db8:0:1::", false},
		{"2001:db8:0:1::1", false},
		{"2001:db8:0:1::3", false},
		{"2001:db8:0:1:ffff:ffff:ffff:ffff", false},
		/* The resolver, at each prefix of the VPC. */
		{"10.0.0.2", false},
		{"10.7.0.2", false},
		/* Elsewhere. */
		{"10.1.0.1", false},
		{"10.7.16.0", false},
		{"8.8.8.8", false},
		{"169.254.169.254", false},
		{"169.254.169.253", false},
		{"224.0.0.1", false},
		{"255.255.255.255", false},
		{"2001:db8:0:100::1", false},
		{"fe80::1", false},
		{"fd00:ec2::254", false},
		{"ff02::1", false},
		{"::10.0.1.10", false}, /* not the mapped form */
	};
	struct fffa_imds_iface i, none;

	(void)state;
	fill_iface(&i);
	memset(&none, 0, sizeof(none));
	for (size_t k = 0; k < sizeof(rows) / sizeof(rows[0]); k++) {
		uint8_t addr[16];

		addr_of(rows[k].addr, addr);
		if (fffa_vpc_holds(&i, addr) != rows[k].inside)
			fail_msg("%s", rows[k].addr);
		assert_false(fffa_vpc_holds(&none, addr));
	}
}

/* Prefixes that end within a byte, and bits behind them. */
static void prefixes_of_any_length(void **state)
{
	struct fffa_imds_iface i;
	uint8_t got[4][16], want[16], addr[16];

	(void)state;
	memset(&i, 0, sizeof(i));
	list_add(&i.vpc_ipv4, "10.0.52.7/22");
	list_add(&i.vpc_ipv4, "10.2.7.9/23");
	list_add(&i.vpc_ipv4, "10.5.7.9/15");
	list_add(&i.subnet_ipv4, "10.0.53.99/27");
	list_add(&i.subnet_ipv4, "10.0.54.17/28");
	assert_int_equal(fffa_vpc_add_resolvers(&i, got, 0, 4), 3);
	addr_of("10.0.52.2", want);
	assert_memory_equal(got[0], want, 16);
	addr_of("10.2.6.2", want);
	assert_memory_equal(got[1], want, 16);
	addr_of("10.4.0.2", want);
	assert_memory_equal(got[2], want, 16);
	assert_int_equal(fffa_vpc_add_routers(&i, got, 0, 4), 2);
	addr_of("10.0.53.97", want);
	assert_memory_equal(got[0], want, 16);
	addr_of("10.0.54.17", want);
	assert_memory_equal(got[1], want, 16);
	assert_int_equal(fffa_vpc_add_routers(&i, got, 0, 1), 1);
	addr_of("10.0.53.127", addr); /* the last one of the subnet */
	assert_false(fffa_vpc_holds(&i, addr));
	addr_of("10.0.53.111", addr);
	assert_true(fffa_vpc_holds(&i, addr));
	addr_of("10.0.54.31", addr);
	assert_false(fffa_vpc_holds(&i, addr));
	addr_of("10.0.54.19", addr);
	assert_false(fffa_vpc_holds(&i, addr));
	addr_of("10.0.54.20", addr);
	assert_true(fffa_vpc_holds(&i, addr));
}

static void resolvers(void **state)
{
	struct fffa_imds_iface i;
	uint8_t got[4][16], want[16];
	size_t n;

	(void)state;
	fill_iface(&i);
	n = fffa_vpc_add_resolvers(&i, got, 0, 4);
	assert_int_equal(n, 2);
	addr_of("10.0.0.2", want);
	assert_memory_equal(got[0], want, 16);
	addr_of("10.7.0.2", want);
	assert_memory_equal(got[1], want, 16);
	assert_int_equal(fffa_vpc_add_resolvers(&i, got, n, 4), 2); /* a second interface of it */
	/* As a prefix AWS gives its first address; others are taken by their prefix, too. */
	memset(&i, 0, sizeof(i));
	list_add(&i.vpc_ipv4, "172.31.9.9/16");
	list_add(&i.vpc_ipv4, "10.8.0.0/16");
	list_add(&i.vpc_ipv4, "10.9.0.0/16");
	assert_int_equal(fffa_vpc_add_resolvers(&i, got, n, 4), 4); /* no room for the last one */
	addr_of("172.31.0.2", want);
	assert_memory_equal(got[2], want, 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(inside_the_vpc),
		cmocka_unit_test(prefixes_of_any_length),
		cmocka_unit_test(resolvers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
