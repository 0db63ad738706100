// SPDX-License-Identifier: MIT
/*
 * Which devices are chosen from a list, so that each packet is seen once unless the configuration
 * names two.
 */
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>

#include "agent/capture/devices/devices.h"
#include "tests/unit/capture/device_fixture.h"

/* A host with one device of each kind, sorted by ifindex like the kernel's list. */
static struct fffa_link host[] = {
	{.ifindex = 1, .name = "lo", .type = ARPHRD_LOOPBACK},
	{.ifindex = 2, .name = "eth0", .type = ARPHRD_ETHER, .default_route = true},
	{.ifindex = 3, .name = "eth1", .type = ARPHRD_ETHER, .master = 6},
	{.ifindex = 4, .name = "eth0.7", .type = ARPHRD_ETHER, .kind = "vlan", .parent = 2},
	{.ifindex = 5, .name = "qinq", .type = ARPHRD_ETHER, .kind = "vlan", .parent = 4},
	{.ifindex = 6, .name = "bond0", .type = ARPHRD_ETHER, .kind = "bond", .master = 7},
	{.ifindex = 7, .name = "br0", .type = ARPHRD_ETHER, .kind = "bridge"},
	{.ifindex = 8, .name = "br0.9", .type = ARPHRD_ETHER, .kind = "vlan", .parent = 7},
	{.ifindex = 9, .name = "mac0", .type = ARPHRD_ETHER, .kind = "macvlan", .parent = 2},
	{.ifindex = 10, .name = "veth0", .type = ARPHRD_ETHER, .kind = "veth", .parent = 11},
	{.ifindex = 11, .name = "veth1", .type = ARPHRD_ETHER, .kind = "veth", .parent = 10},
	{.ifindex = 12, .name = "tun0", .type = ARPHRD_NONE, .kind = "tun", .default_route = true},
	{.ifindex = 13, .name = "can0", .type = ARPHRD_CAN},
};

static const struct fffa_links links = {.v = host, .n = sizeof(host) / sizeof(host[0])};

static void choose(const struct fffa_links *l, const char *interfaces, const char *exclude,
		   const struct fffa_devices_retained *retained, struct fffa_netdevs *out)
{
	char in[128], ex[128], *in_v[NAMES_MAX], *ex_v[NAMES_MAX];
	struct fffa_capture_conf c = {0};

	(void)snprintf(in, sizeof(in), "%s", interfaces);
	(void)snprintf(ex, sizeof(ex), "%s", exclude);
	c.interfaces = split_names(in, in_v);
	c.exclude = split_names(ex, ex_v);
	fffa_devices_choose(&c, l, retained, out);
}

static void expect_names(const struct fffa_netdevs *d, const char *want)
{
	char got[256] = "";

	for (size_t i = 0; i < d->n; i++) {
		size_t len = strlen(got);

		(void)snprintf(got + len, sizeof(got) - len, "%s%s", i ? " " : "", d->v[i].name);
	}
	assert_string_equal(got, want);
}

static void expect_choice(const char *interfaces, const char *exclude, const char *want)
{
	struct fffa_netdevs d;

	choose(&links, interfaces, exclude, NULL, &d);
	expect_names(&d, want);
}

/* Asserts that the device is left out for this reason and because of this other device. */
static void expect_left(const char *interfaces, const char *name, enum fffa_left_why why,
			const char *other)
{
	struct fffa_netdevs d;

	choose(&links, interfaces, "", NULL, &d);
	for (size_t i = 0; i < d.left_count; i++) {
		if (strcmp(d.left[i].name, name) != 0)
			continue;
		assert_int_equal(d.left[i].why, why);
		assert_string_equal(d.left[i].other, other);
		return;
	}
	fail_msg("%s is not among those left out", name);
}

static void children_give_way_to_their_parent(void **state)
{
	(void)state;
	expect_choice("eth0*", "", "eth0");
	expect_choice("eth0 qinq*", "", "eth0"); /* through eth0.7, which nobody asked for */
	expect_choice("eth0.*", "", "eth0.7");
	expect_choice("eth0.* q*", "", "eth0.7");
	expect_choice("q*", "", "qinq");
	expect_choice("eth0 mac*", "", "eth0");
	expect_choice("mac* eth0.*", "", "eth0.7 mac0"); /* not on each other */
	expect_choice("auto eth0.*", "", "eth0 tun0");
	expect_left("eth0*", "eth0.7", FFFA_LEFT_SHOWN_BELOW, "eth0");
	expect_left("eth0* q*", "qinq", FFFA_LEFT_SHOWN_BELOW, "eth0");
	expect_left("auto mac*", "mac0", FFFA_LEFT_SHOWN_BELOW, "eth0");
}

static void masters_give_way_to_their_ports(void **state)
{
	(void)state;
	expect_choice("b*", "", "bond0");
	expect_choice("br*", "", "br0");
	expect_choice("eth1 b*", "", "eth1");
	expect_choice("eth1 br0.*", "", "eth1"); /* a VLAN on a bridge on a bond on eth1 */
	expect_choice("br0.*", "", "br0.9");
	expect_left("eth1 b*", "br0", FFFA_LEFT_SHOWN_BELOW, "eth1");
	expect_left("eth1 b*", "bond0", FFFA_LEFT_SHOWN_BELOW, "eth1");
}

static void a_named_device_is_always_chosen(void **state)
{
	(void)state;
	expect_choice("eth0 eth0.7", "", "eth0 eth0.7");
	expect_choice("eth* eth0.7", "", "eth0 eth1 eth0.7");
	expect_choice("eth0 eth0.7 qinq mac0", "", "eth0 eth0.7 qinq mac0");
	expect_choice("eth1 bond0 br0 br0.9", "", "eth1 bond0 br0 br0.9");
	/*
	 * Excluding one of the two is not enough: the other, selected by its glob, is the lower one
	 * and stays.
	 */
	expect_choice("eth0.7 eth0*", "", "eth0 eth0.7");
}

static void an_excluded_device_leaves_no_other_out(void **state)
{
	(void)state;
	expect_choice("eth0*", "eth0", "eth0.7");
	expect_choice("eth1 b*", "eth1", "bond0");
	expect_choice("eth0 eth0.7", "eth0.*", "eth0");
	expect_choice("*", "*", "");
	expect_choice("auto eth1", "auto", "eth1");
}

static void veth_peers_are_not_parent_and_child(void **state)
{
	(void)state;
	expect_choice("veth*", "", "veth0 veth1");
}

static void loopback_only_by_its_name(void **state)
{
	(void)state;
	expect_choice("lo", "", "lo");
	expect_choice("l*", "", "");
	expect_choice("lo l*", "", "lo");
	expect_choice("l* lo", "", "lo");
}

static void without_ethernet(void **state)
{
	(void)state;
	expect_choice("t* auto", "", "eth0 tun0");
	expect_choice("auto", "", "eth0 tun0");
	expect_choice("tun0", "", "tun0");
	expect_left("c*", "can0", FFFA_LEFT_LINK_TYPE, "");
	expect_left("can0", "can0", FFFA_LEFT_LINK_TYPE, "");
}

static enum fffa_match match_of_eth0(const char *interfaces)
{
	struct fffa_netdevs d;

	choose(&links, interfaces, "tun0", NULL, &d);
	assert_int_equal(d.n, 1);
	assert_true(d.v[0].default_route);
	return d.v[0].match;
}

static void the_weightiest_reason_counts(void **state)
{
	(void)state;
	assert_int_equal(match_of_eth0("auto"), FFFA_MATCH_AUTO);
	assert_int_equal(match_of_eth0("auto eth0*"), FFFA_MATCH_GLOB);
	assert_int_equal(match_of_eth0("eth0* auto"), FFFA_MATCH_GLOB);
	assert_int_equal(match_of_eth0("auto eth0* eth0"), FFFA_MATCH_NAME);
}

static void retained_devices_stay_whatever_their_name(void **state)
{
	struct fffa_devices_retained k = {.v = {{.ifindex = 2, .match = FFFA_MATCH_GLOB}}, .n = 1};
	struct fffa_netdevs d;

	(void)state;
	choose(&links, "none", "", &k, &d);
	expect_names(&d, "eth0");
	choose(&links, "none", "eth0", &k, &d);
	expect_names(&d, "");
	choose(&links, "mac*", "", &k, &d);
	expect_names(&d, "eth0");
	k.v[0].ifindex = 4; /* kept, but still only for a glob */
	choose(&links, "eth0", "", &k, &d);
	expect_names(&d, "eth0");
	k.v[0].match = FFFA_MATCH_NAME;
	choose(&links, "eth0", "", &k, &d);
	expect_names(&d, "eth0 eth0.7");
	k.v[0].ifindex = 99; /* gone meanwhile */
	choose(&links, "eth0", "", &k, &d);
	expect_names(&d, "eth0");
}

static void a_ring_of_devices_ends(void **state)
{
	static struct fffa_link ring[] = {
		{.ifindex = 1, .name = "a", .type = ARPHRD_ETHER, .kind = "vlan", .parent = 2},
		{.ifindex = 2, .name = "b", .type = ARPHRD_ETHER, .kind = "vlan", .parent = 1},
	};
	struct fffa_links l = {.v = ring, .n = 2};
	struct fffa_netdevs d;

	(void)state;
	choose(&l, "a", "", NULL, &d);
	expect_names(&d, "a");
}

static void more_than_the_cap(void **state)
{
	static struct fffa_link many[FFFA_DEVICES_MAX + 2];
	struct fffa_links l = {.v = many, .n = FFFA_DEVICES_MAX + 2};
	struct fffa_netdevs d;

	(void)state;
	for (unsigned int i = 0; i < FFFA_DEVICES_MAX + 2; i++) {
		many[i] = (struct fffa_link){.ifindex = i + 1, .type = ARPHRD_ETHER};
		(void)snprintf(many[i].name, sizeof(many[i].name), "e%u", i);
	}
	choose(&l, "e*", "", NULL, &d);
	assert_int_equal(d.n, FFFA_DEVICES_MAX);
	assert_true(d.more);
	assert_int_equal(d.left_count, 2);
	assert_int_equal(d.left[0].why, FFFA_LEFT_FULL);
	assert_string_equal(d.left[1].name, "e65");
	choose(&l, "e*", "e0 e1", NULL, &d);
	assert_int_equal(d.n, FFFA_DEVICES_MAX);
	assert_false(d.more);
}

static void routes_are_read_only_for_auto(void **state)
{
	char text[] = "auto", *v[NAMES_MAX];
	struct fffa_capture_conf c = {.interfaces = split_names(text, v)};

	(void)state;
	assert_true(fffa_devices_want_routes(&c));
	c.exclude = c.interfaces;
	c.interfaces.n = 0;
	assert_true(fffa_devices_want_routes(&c));
	c.exclude.n = 0;
	assert_false(fffa_devices_want_routes(&c));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(children_give_way_to_their_parent),
		cmocka_unit_test(masters_give_way_to_their_ports),
		cmocka_unit_test(a_named_device_is_always_chosen),
		cmocka_unit_test(an_excluded_device_leaves_no_other_out),
		cmocka_unit_test(veth_peers_are_not_parent_and_child),
		cmocka_unit_test(loopback_only_by_its_name),
		cmocka_unit_test(without_ethernet),
		cmocka_unit_test(the_weightiest_reason_counts),
		cmocka_unit_test(retained_devices_stay_whatever_their_name),
		cmocka_unit_test(a_ring_of_devices_ends),
		cmocka_unit_test(more_than_the_cap),
		cmocka_unit_test(routes_are_read_only_for_auto),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
