// SPDX-License-Identifier: MIT
/* What prefixes say about addresses, and what the names of zones say. */
#include "tests/stubs/cmocka_all.h"

#include "agent/enrich/vpc.h"
#include "agent/enrich/zone.h"
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

static void zones(void **state)
{
	static const struct {
		const char *region, *zone, *want;
	} rows[] = {
		{"us-east-1", "us-east-1a", ""},
		{"us-west-2", "us-west-2-lax-1a", "localzone"},
		{"us-west-2", "us-west-2-lax-1b", "localzone"},
		{"us-east-1", "us-east-1-dfw-2a", "localzone"},
		{"ap-northeast-1", "ap-northeast-1-tpe-1a", "localzone"},
		{"us-east-1", "us-east-1-wl1-bos-wlz-1", "wavelength"},
		{"eu-west-2", "eu-west-2-wl2-man-wlz-1", "wavelength"},
		{"ap-northeast-2", "ap-northeast-2-wl1-cjj-wlz-1", "wavelength"},
		/* Other forms have no sublocation. */
		{"us-east-1", "us-east-1", ""},
		{"us-east-1", "us-east-2-lax-1a", ""},
		{"", "us-west-2-lax-1a", ""},
		{"us-west-2", "", ""},
		{"us-west-2", "us-west-2-lax", ""},
		{"us-west-2", "us-west-2-lax-1", ""},
		{"us-west-2", "us-west-2-lax-1a-x", ""},
		{"us-west-2", "us-west-2-la-1a", ""},
		{"us-west-2", "us-west-2-lax-a1", ""},
		{"us-west-2", "us-west-2a-lax-1a", ""},
		{"us-east-1", "us-east-1-wl1-bos-wlz-", ""},
		{"us-east-1", "us-east-1-wl1-bos-wlz-1a", ""},
		{"us-east-1", "us-east-1-wlx-bos-wlz-1", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *got = fffa_zone_sublocation(rows[i].region, rows[i].zone);

		if (strcmp(got, rows[i].want) != 0)
			fail_msg("%s in %s: %s", rows[i].zone, rows[i].region, got);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(inside_the_vpc),
		cmocka_unit_test(resolvers),
		cmocka_unit_test(zones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
