// SPDX-License-Identifier: MIT
/* Reads the list of devices and watches it, in a network namespace of our own. */
#include <errno.h>
#include <net/if_arp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include "agent/capture/devices/link_watch.h"
#include "agent/capture/devices/links.h"
#include "agent/capture/devices/preflight.h"
#include "tests/unit/capture/device_fixture.h"

/* lo, a bridge br with its port da, da's peer db, a macvlan on db. */
static int setup(void **state)
{
	(void)state;
	if (unshare(CLONE_NEWNET))
		return -1;
	return system("ip link set lo up && ip link add name br index 9 type bridge && "
		      "ip link add da index 10 mtu 1400 address 02:00:00:00:00:0a type veth "
		      "peer name db index 11 && ip link set da master br && ip link set da up && "
		      "ip link set db up && ip link add link db name mv index 12 type macvlan");
}

static struct fffa_link get_link(const struct fffa_links *l, uint32_t ifindex)
{
	const struct fffa_link *found = fffa_links_find(l, ifindex);

	assert_non_null(found);
	return *found;
}

static void what_a_device_is(void **state)
{
	struct fffa_links l;
	struct fffa_link d;

	(void)state;
	assert_int_equal(fffa_links_read(&l, false), 0);
	for (size_t i = 1; i < l.n; i++)
		assert_true(l.v[i - 1].ifindex < l.v[i].ifindex);
	assert_null(fffa_links_find(&l, 0));
	assert_null(fffa_links_find(&l, 99));
	d = get_link(&l, 1);
	assert_string_equal(d.name, "lo");
	assert_int_equal(d.type, ARPHRD_LOOPBACK);
	assert_true(d.up);
	d = get_link(&l, 9);
	assert_string_equal(d.kind, "bridge");
	assert_false(d.up);
	assert_int_equal(d.parent | d.master, 0);
	d = get_link(&l, 10);
	assert_string_equal(d.name, "da");
	assert_string_equal(d.kind, "veth");
	assert_memory_equal(d.mac, ((uint8_t[]){2, 0, 0, 0, 0, 0x0a}), 6);
	assert_int_equal(d.mtu_bytes, 1400);
	assert_int_equal(d.master, 9);
	assert_int_equal(d.type, ARPHRD_ETHER);
	d = get_link(&l, 12);
	assert_string_equal(d.kind, "macvlan");
	assert_int_equal(d.parent, 11);
	fffa_links_fini(&l);
	assert_int_equal(l.n, 0);
}

/*
 * Creates a device on top of one in another namespace and moves it into ours. The process stays, so
 * that both devices stay.
 */
static pid_t neighbour(pid_t home)
{
	int ready[2];
	char ok = 0;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		char command[256];

		(void)snprintf(command, sizeof(command),
			       "ip link add name other index 11 type bridge && "
			       "ip link add link other name remote index 30 type macvlan && "
			       "ip link set remote netns %d",
			       (int)home);
		ok = !unshare(CLONE_NEWNET) && !system(command);
		(void)!write(ready[1], &ok, 1);
		for (;;)
			(void)pause();
	}
	assert_int_equal(read(ready[0], &ok, 1), 1);
	(void)close(ready[0]);
	(void)close(ready[1]);
	if (!ok)
		(void)kill(pid, SIGKILL);
	assert_int_equal(ok, 1);
	return pid;
}

/* A parent in another namespace is reported as none: its number would mean a device of ours. */
static void a_parent_elsewhere_is_none(void **state)
{
	struct fffa_link remote = {0};
	struct fffa_links l;
	pid_t pid = neighbour(getpid());

	(void)state;
	assert_int_equal(fffa_links_read(&l, false), 0);
	(void)kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	for (size_t i = 0; i < l.n; i++) {
		if (l.v[i].ifindex == 30)
			remote = l.v[i];
	}
	fffa_links_fini(&l);
	assert_string_equal(remote.name, "remote");
	assert_int_equal(remote.parent, 0);
}

/* Asserts how many devices hold a default route; if it is one, it must be da. */
static int holders(bool routes)
{
	struct fffa_links l;
	int n = 0;

	assert_int_equal(fffa_links_read(&l, routes), 0);
	for (size_t i = 0; i < l.n; i++)
		n += l.v[i].default_route;
	if (n == 1)
		assert_true(get_link(&l, 10).default_route);
	fffa_links_fini(&l);
	return n;
}

static void default_routes(void **state)
{
	(void)state;
	run_ip("ip link set da nomaster && ip addr add 10.9.0.1/24 dev da && "
	       "ip addr add 10.8.0.1/24 dev db");
	assert_int_equal(holders(true), 0);
	run_ip("ip route add default via 10.8.0.2 table 100 && ip route add 0.0.0.0/1 dev db && "
	       "ip route add blackhole default metric 9");
	assert_int_equal(holders(true), 0);
	run_ip("ip route add default via 10.9.0.2");
	assert_int_equal(holders(true), 1);
	assert_int_equal(holders(false), 0); /* not asked for */
	run_ip("ip route replace default nexthop via 10.9.0.2 nexthop via 10.8.0.2");
	assert_int_equal(holders(true), 2);
	run_ip("ip route del default && ip -6 route add default dev da");
	assert_int_equal(holders(true), 1);
}

static void driver_facts(void **state)
{
	struct fffa_hook_facts f;

	(void)state;
	fffa_hook_facts_read(10, "da", &f);
	assert_string_equal(f.driver, "veth");
	assert_int_equal(f.mtu_bytes, 1400);
	assert_int_equal(f.xdp_prog_id, 0);
	assert_int_not_equal(f.native, FFFA_NATIVE_NO);
	fffa_hook_facts_read(9, "br", &f);
	assert_string_equal(f.driver, "bridge");
	assert_int_not_equal(f.native, FFFA_NATIVE_YES);
	fffa_hook_facts_read(99, "absent", &f);
	assert_string_equal(f.driver, "");
	assert_int_equal(f.mtu_bytes, 0);
	assert_int_equal(f.native, FFFA_NATIVE_UNKNOWN);
}

struct watch {
	uv_loop_t loop;
	uv_timer_t limit;
	struct fffa_link_watch *w;
	int calls;
	bool late, addresses;
};

static void on_changed(void *arg, bool addresses)
{
	struct watch *t = arg;

	t->calls++;
	t->addresses |= addresses;
	uv_stop(&t->loop);
}

static void on_limit(uv_timer_t *h)
{
	struct watch *t = h->data;

	t->late = true;
	uv_stop(&t->loop);
}

/* Runs the loop until changed is called, or for ms. */
static bool called_within(struct watch *t, uint64_t ms)
{
	int before = t->calls;

	t->late = false;
	assert_int_equal(uv_timer_start(&t->limit, on_limit, ms, 0), 0);
	while (t->calls == before && !t->late)
		(void)uv_run(&t->loop, UV_RUN_DEFAULT);
	(void)uv_timer_stop(&t->limit);
	return t->calls != before;
}

#define SOON_MS	 10000
#define NEVER_MS (5 * FFFA_LINK_WATCH_QUIET_MS)

static void watch_open(struct watch *t)
{
	memset(t, 0, sizeof(*t));
	assert_int_equal(uv_loop_init(&t->loop), 0);
	assert_int_equal(uv_timer_init(&t->loop, &t->limit), 0);
	t->limit.data = t;
	assert_int_equal(fffa_link_watch_open(&t->loop, on_changed, t, &t->w), 0);
	assert_true(called_within(t, SOON_MS)); /* the look after the start */
}

static void watch_close(struct watch *t)
{
	int before = t->calls;

	run_ip("ip link set db down");
	fffa_link_watch_close(t->w);
	uv_close((uv_handle_t *)&t->limit, NULL);
	(void)uv_run(&t->loop, UV_RUN_DEFAULT);
	assert_int_equal(t->calls, before);
	assert_int_equal(uv_loop_close(&t->loop), 0);
}

/* Asserts whether the command causes a report, and that no second report follows. */
static void expect_news(struct watch *t, const char *command)
{
	run_ip(command);
	if (!called_within(t, SOON_MS))
		fail_msg("\"%s\" went unnoticed", command);
	while (called_within(t, NEVER_MS)) { /* what the kernel does by itself */
	}
}

static void changes_are_news(void **state)
{
	struct watch t;

	(void)state;
	watch_open(&t);
	while (called_within(&t, NEVER_MS)) {
	}
	expect_news(&t, "ip link add n0 type veth peer name n1");
	expect_news(&t, "ip link set n0 name n2");
	expect_news(&t, "ip addr add 10.7.0.1/24 dev db");
	expect_news(&t, "ip route add default via 10.7.0.2");
	expect_news(&t, "ip -6 route add default dev db");
	expect_news(&t, "ip link del n2");
	/* Routes to some destinations only cause no report. */
	run_ip("ip route add 10.6.0.0/16 via 10.7.0.2 && ip -6 route add fd00:6::/64 dev db");
	assert_false(called_within(&t, NEVER_MS));
	watch_close(&t);
}

static void expect_addresses(struct watch *t, const char *command, bool want)
{
	t->addresses = false;
	expect_news(t, command);
	if (t->addresses != want)
		fail_msg("\"%s\": addresses %s", command, want ? "not reported" : "reported");
}

/* An address that is only renewed, or that is link-local, causes no report. */
static void addresses_that_come_and_go(void **state)
{
	struct watch t;

	(void)state;
	watch_open(&t);
	while (called_within(&t, NEVER_MS)) {
	}
	assert_false(t.addresses); /* the link-local ones of the setup */
	expect_addresses(&t, "ip addr add 10.7.0.1/24 dev db", true);
	expect_addresses(&t, "ip addr change 10.7.0.1/24 dev db valid_lft 900 preferred_lft 800",
			 false);
	expect_addresses(&t, "ip addr add 10.7.0.9/24 dev db", true);
	expect_addresses(&t, "ip -6 addr add fd00:7::1/64 dev db valid_lft 900 preferred_lft 800",
			 true);
	expect_addresses(&t, "ip -6 addr change fd00:7::1/64 dev db valid_lft 990 preferred_lft 80",
			 false);
	expect_addresses(&t, "ip -6 addr add fe80::7/64 dev db", false);
	expect_addresses(&t, "ip link set db mtu 1390", false);
	expect_addresses(&t, "ip addr del 10.7.0.9/24 dev db", true);
	expect_addresses(&t, "ip addr add 10.7.0.9/24 dev db", true);
	watch_close(&t);
}

static void a_burst_is_one_call(void **state)
{
	struct watch t;

	(void)state;
	/*
	 * Else the end of duplicate address detection, a second after the link came up, causes a
	 * report of its own.
	 */
	run_ip("echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6");
	watch_open(&t);
	while (called_within(&t, NEVER_MS)) {
	}
	t.calls = 0;
	run_ip("i=0; while [ $i -lt 50 ]; do echo link set db mtu $((1300+i)); i=$((i+1)); done | "
	       "ip -batch -");
	assert_true(called_within(&t, SOON_MS));
	assert_false(called_within(&t, NEVER_MS));
	assert_int_equal(t.calls, 1);
	watch_close(&t);
}

static void run_once(struct watch *t)
{
	int before = t->calls;

	while (t->calls == before)
		(void)uv_run(&t->loop, UV_RUN_ONCE);
}

/* A change that came before the report of another one belongs to that report. */
static void one_report_for_what_waits(void **state)
{
	struct watch t = {0};
	uint64_t begin;

	(void)state;
	run_ip("echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6");
	assert_int_equal(uv_loop_init(&t.loop), 0);
	assert_int_equal(uv_timer_init(&t.loop, &t.limit), 0);
	t.limit.data = &t;
	assert_int_equal(fffa_link_watch_open(&t.loop, on_changed, &t, &t.w), 0);
	begin = uv_now(&t.loop);
	run_ip("ip addr add 10.7.0.1/24 dev db");
	while (uv_now(&t.loop) - begin <= FFFA_LINK_WATCH_QUIET_MS) /* then its first look is due */
		uv_update_time(&t.loop);
	run_once(&t);
	assert_true(t.addresses);
	assert_false(called_within(&t, NEVER_MS));
	watch_close(&t);
}

/* More messages than the socket holds: the kernel drops some and says so, which causes a report. */
static void an_overrun_is_news(void **state)
{
	struct watch t;

	(void)state;
	watch_open(&t);
	while (called_within(&t, NEVER_MS)) {
	}
	run_ip("i=0; while [ $i -lt 1500 ]; do echo link set db mtu $((1300+i%90)); i=$((i+1)); "
	       "done | ip -batch -");
	assert_true(called_within(&t, SOON_MS));
	while (called_within(&t, NEVER_MS)) {
	}
	expect_news(&t, "ip link set db mtu 1280"); /* and the watch goes on */
	watch_close(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_a_device_is, setup),
		cmocka_unit_test_setup(a_parent_elsewhere_is_none, setup),
		cmocka_unit_test_setup(default_routes, setup),
		cmocka_unit_test_setup(driver_facts, setup),
		cmocka_unit_test_setup(changes_are_news, setup),
		cmocka_unit_test_setup(addresses_that_come_and_go, setup),
		cmocka_unit_test_setup(a_burst_is_one_call, setup),
		cmocka_unit_test_setup(one_report_for_what_waits, setup),
		cmocka_unit_test_setup(an_overrun_is_news, setup),
	};

	if (unshare(CLONE_NEWNET)) {
		(void)printf("cannot make a network namespace (%s): run as root\n",
			     strerror(errno));
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
