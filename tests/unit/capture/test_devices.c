// SPDX-License-Identifier: MIT
/* Which devices a configuration selects, in a network namespace of our own. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "agent/capture/devices/devices.h"
#include "tests/unit/capture/device_fixture.h"

/* A fresh namespace with the devices of every test: lo, da and its peer db, ea and its peer eb. */
static int setup(void **state)
{
	(void)state;
	if (unshare(CLONE_NEWNET))
		return -1;
	return system("ip link set lo up && "
		      "ip link add da index 10 address 02:00:00:00:00:0a type veth peer name db "
		      "index 11 && "
		      "ip link add ea index 12 type veth peer name eb index 13 && "
		      "ip link set da up && ip link set db up && ip link set ea up && "
		      "ip link set eb up");
}

static int select_devices(const char *interfaces, const char *exclude, struct fffa_netdevs *out,
			  struct fffa_err *err)
{
	char in[128], ex[128], *in_v[NAMES_MAX], *ex_v[NAMES_MAX];
	struct fffa_capture_conf c = {0};

	(void)snprintf(in, sizeof(in), "%s", interfaces);
	(void)snprintf(ex, sizeof(ex), "%s", exclude);
	c.interfaces = split_names(in, in_v);
	c.exclude = split_names(ex, ex_v);
	err->text[0] = 0;
	return fffa_devices_select(&c, out, err);
}

/* Asserts that the selection is exactly the names in want, in this order. */
static void expect_selection(const char *interfaces, const char *exclude, const char *want)
{
	struct fffa_netdevs d;
	struct fffa_err err;
	char got[256] = "";

	if (select_devices(interfaces, exclude, &d, &err))
		fail_msg("[%s] less [%s]: %s", interfaces, exclude, err.text);
	for (size_t i = 0; i < d.n; i++) {
		size_t len = strlen(got);

		(void)snprintf(got + len, sizeof(got) - len, "%s%s", i ? " " : "", d.v[i].name);
		assert_true(i == 0 || d.v[i - 1].ifindex < d.v[i].ifindex);
	}
	assert_string_equal(got, want);
}

static void expect_none(const char *interfaces, const char *exclude, const char *say)
{
	struct fffa_netdevs d;
	struct fffa_err err;

	assert_int_equal(select_devices(interfaces, exclude, &d, &err), -ENODEV);
	if (!strstr(err.text, say))
		fail_msg("\"%s\" does not say \"%s\"", err.text, say);
	assert_null(strchr(err.text, '\n'));
}

static void exact_names(void **state)
{
	struct fffa_netdevs d;
	struct fffa_err err;

	(void)state;
	expect_selection("da", "", "da");
	expect_selection("ea da", "", "da ea"); /* by ifindex, not as written */
	expect_selection("da da", "", "da");
	expect_selection("da absent", "", "da");
	expect_selection("lo", "", "lo");
	assert_int_equal(select_devices("da", "", &d, &err), 0);
	assert_memory_equal(d.v[0].mac, ((uint8_t[]){2, 0, 0, 0, 0, 0x0a}), 6);
	assert_int_equal(d.v[0].type, 1); /* ARPHRD_ETHER */
	assert_false(d.v[0].default_route);
}

static void globs_pass_over_loopback(void **state)
{
	(void)state;
	expect_selection("d*", "", "da db");
	expect_selection("?a", "", "da ea");
	expect_selection("[de]b", "", "db eb");
	/* lo is not among them; the namespace has no other device whose name begins with l. */
	expect_none("l*", "", "[l*]");
	expect_none("l?", "", "[l?]");
	expect_selection("da l*", "", "da");
	expect_selection("d* lo", "", "lo da db");
}

static void excluded_ones_are_left_out(void **state)
{
	(void)state;
	expect_selection("d* e*", "?b", "da ea");
	expect_selection("d* e*", "da e*", "db");
	expect_selection("da db", "db", "da");
	expect_selection("da lo", "l*", "lo da"); /* a glob does not select lo here either */
	expect_selection("da lo", "lo", "da");
	expect_none("da", "da", "[da] less capture.exclude");
	expect_none("d*", "*", "[d*]");
}

static void auto_takes_the_holder_of_a_v4_default_route(void **state)
{
	(void)state;
	run_ip("ip addr add 10.9.0.1/24 dev da && ip route add default via 10.9.0.2 dev da");
	expect_selection("auto", "", "da");
	expect_selection("auto ea", "", "da ea");
	expect_none("auto", "da", "no device holds a default route");
}

static void auto_takes_the_holder_of_a_v6_default_route(void **state)
{
	(void)state;
	run_ip("ip -6 addr add fd09::1/64 dev db nodad && ip -6 route add default via fd09::2 dev "
	       "db");
	expect_selection("auto", "", "db");
}

static void auto_takes_all_holders(void **state)
{
	(void)state;
	run_ip("ip addr add 10.9.0.1/24 dev da && ip route add default via 10.9.0.2 dev da metric "
	       "1 && ip addr add 10.8.0.1/24 dev ea && ip route add default via 10.8.0.2 dev ea "
	       "metric 2 && ip -6 addr add fd09::1/64 dev db nodad && ip -6 route add default via "
	       "fd09::2 dev db");
	expect_selection("auto", "", "da db ea");
	expect_selection("auto", "db", "da ea");
}

static void routes_that_are_no_default_do_not_count(void **state)
{
	(void)state;
	run_ip("ip addr add 10.9.0.1/24 dev da && ip route add 0.0.0.0/1 via 10.9.0.2 dev da && "
	       "ip route add unreachable default && ip -6 route add unreachable default && "
	       "ip -6 addr add fd09::1/64 dev db nodad && ip -6 route add ::/1 via fd09::2 dev db");
	expect_none("auto", "", "no device holds a default route");
	expect_none("auto", "", "ip -br link");
}

/* Makes the tun device dt of another type. It vanishes when the descriptor is closed. */
static int make_tun(int type)
{
	struct ifreq r = {.ifr_flags = IFF_TUN | IFF_NO_PI, .ifr_name = "dt"};
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(ioctl(fd, TUNSETIFF, &r), 0);
	assert_int_equal(ioctl(fd, TUNSETLINK, type), 0);
	return fd;
}

static void a_device_without_ethernet_header(void **state)
{
	int fd = make_tun(ARPHRD_NONE);

	(void)state;
	expect_selection("dt*", "", "dt");
	expect_selection("dt", "", "dt");
	expect_selection("da dt", "dt", "da");
	run_ip("ip link set dt up && ip route add default dev dt");
	expect_selection("auto", "", "dt");
	(void)close(fd);
}

static void a_link_type_that_is_not_read(void **state)
{
	int fd = make_tun(ARPHRD_CAN);
	struct fffa_netdevs d;
	struct fffa_err err;

	(void)state;
	expect_selection("d*", "", "da db");
	assert_int_equal(select_devices("da dt", "", &d, &err), -ENOTSUP);
	assert_non_null(strstr(err.text, "dt: packets of its link type (280, net/if_arp.h)"));
	assert_int_equal(select_devices("dt*", "", &d, &err), -ENODEV);
	assert_non_null(strstr(err.text, "[dt*] matches only devices that cannot be captured on; "
					 "dt: packets of its link type (280"));
	(void)close(fd);
}

static void no_more_than_the_cap(void **state)
{
	struct fffa_netdevs d;
	struct fffa_err err;

	(void)state;
	run_ip("i=0; while [ $i -lt 32 ]; do echo link add m$i type veth peer name mm$i; "
	       "i=$((i+1)); done | ip -batch -");
	assert_int_equal(select_devices("m*", "", &d, &err), 0);
	assert_int_equal(d.n, FFFA_DEVICES_MAX);
	assert_int_equal(select_devices("m* da", "", &d, &err), -E2BIG);
	assert_non_null(strstr(err.text, "64"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(exact_names, setup),
		cmocka_unit_test_setup(globs_pass_over_loopback, setup),
		cmocka_unit_test_setup(excluded_ones_are_left_out, setup),
		cmocka_unit_test_setup(auto_takes_the_holder_of_a_v4_default_route, setup),
		cmocka_unit_test_setup(auto_takes_the_holder_of_a_v6_default_route, setup),
		cmocka_unit_test_setup(auto_takes_all_holders, setup),
		cmocka_unit_test_setup(routes_that_are_no_default_do_not_count, setup),
		cmocka_unit_test_setup(a_device_without_ethernet_header, setup),
		cmocka_unit_test_setup(a_link_type_that_is_not_read, setup),
		cmocka_unit_test_setup(no_more_than_the_cap, setup),
	};

	if (unshare(CLONE_NEWNET)) {
		(void)printf("cannot make a network namespace (%s): run as root\n",
			     strerror(errno));
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
