// SPDX-License-Identifier: MIT
/* Hooks follow the devices and the configuration: which, in which order, and what the log says of it. */
#include <errno.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <string.h>

#include "agent/capture/devices/dev_counters.h"
#include "tests/unit/capture/device_fixture.h"
#include "tests/unit/capture/live_fixture.h"

static void both_hooks_of_each_device(void **state)
{
	struct live_devices *f = *state;

	assert_int_equal(live_fixture_try_start(f, "eth1 auto"), 0);
	live_fixture_expect_journal("+tc_in eth0 +tc_out eth0 +tc_in eth1 +tc_out eth1 ");
	live_fixture_expect_log(TCX("eth0", "2", "auto") TCX("eth1", "3", "its name"));
	live_fixture_expect_list(f, "eth0 eth1");
	assert_ptr_equal(fffa_live_devices_find(&f->d, 2), &f->d.v[0]);
	assert_ptr_equal(fffa_live_devices_find(&f->d, 3), &f->d.v[1]);
	assert_null(fffa_live_devices_find(&f->d, 4));
	fffa_live_devices_detach(&f->d);
	live_fixture_expect_journal("-tc_in eth0 -tc_out eth0 -tc_in eth1 -tc_out eth1 ");
	assert_int_equal(f->d.n, 0);
	assert_null(fffa_live_devices_find(&f->d, 2));
	live_fixture_expect_log("");
}

static void one_direction(void **state)
{
	struct live_devices *f = *state;

	f->conf.direction = FFFA_DIR_INGRESS;
	assert_int_equal(live_fixture_try_start(f, "eth1"), 0);
	live_fixture_expect_journal("+tc_in eth1 ");
	live_fixture_expect_log(ATTACHED("eth1", "3", "tcx", "none", "its name", TC_WHY));
	fffa_live_devices_detach(&f->d);
	live_fixture_expect_journal("-tc_in eth1 ");
	f->conf.direction = FFFA_DIR_EGRESS;
	live_fixture.no_tcx = true;
	assert_int_equal(live_fixture_try_start(f, "eth?"), 0);
	live_fixture_expect_journal("+tc_out eth0 +tc_out eth1 ");
	live_fixture_expect_log(
		ATTACHED("eth0", "2", "none", "clsact", "a glob", "egress is always TC")
			ATTACHED("eth1", "3", "none", "clsact", "a glob", "egress is always TC"));
}

/* Packets that begin with IP have programs of their own, and never XDP. */
static void a_device_without_ethernet(void **state)
{
	struct live_devices *f = *state;

	live_fixture_add(4, "tun0")->type = ARPHRD_NONE;
	f->conf.hook = FFFA_HOOK_XDP;
	assert_int_equal(live_fixture_try_start(f, "tun0"), 0);
	live_fixture_expect_journal("+ip_in tun0 +ip_out tun0 ");
	live_fixture_expect_log(ATTACHED("tun0", "4", "tcx", "tcx", "its name",
					 "a device without Ethernet header: TC"));
}

static void xdp_and_what_it_does_to_the_link(void **state)
{
	struct live_devices *f = *state;

	f->conf.hook = FFFA_HOOK_XDP;
	assert_int_equal(live_fixture_try_start(f, "eth1"), 0);
	live_fixture_expect_journal("+xdp eth1 +tc_out eth1 ");
	live_fixture_expect_log(
		ATTACHED("eth1", "3", "xdp", "tcx", "its name", "configured: xdp; driver unknown"));
	fffa_live_devices_detach(&f->d);
	(void)snprintf(live_fixture.facts.driver, sizeof(live_fixture.facts.driver), "ena");
	live_fixture.journal[0] = '\0';
	assert_int_equal(live_fixture_try_start(f, "eth1"), 0);
	live_fixture_expect_log(
		"W attaching XDP takes the link down and up, packets are lost "
		"meanwhile interface=eth1 driver=ena\n" ATTACHED(
			"eth1", "3", "xdp", "tcx", "its name", "configured: xdp; driver ena"));
	/* With TC nothing is asked of the driver. */
	fffa_live_devices_detach(&f->d);
	f->conf.hook = FFFA_HOOK_TC;
	assert_int_equal(live_fixture_try_start(f, "eth1"), 0);
	assert_false(f->d.v[0].choice.bounces_link);
	live_fixture_expect_log(ATTACHED("eth1", "3", "tcx", "tcx", "its name", "configured: tc"));
}

static void xdp_that_does_not_fit(void **state)
{
	struct live_devices *f = *state;

	f->conf.hook = FFFA_HOOK_XDP;
	live_fixture.facts.xdp_prog_id = 42;
	assert_int_equal(live_fixture_try_start(f, "eth1"), -EBUSY);
	assert_non_null(strstr(f->err.text, "eth1: XDP does not fit: another XDP program (id 42)"));
	live_fixture_expect_journal("");
	assert_int_equal(f->d.n, 0);
}

/* A start is all or nothing for each device, and the caller detaches the others. */
static void a_start_that_fails(void **state)
{
	struct live_devices *f = *state;

	live_fixture.refused = EPERM;
	live_fixture.refused_ifindex = 3;
	live_fixture.refused_egress = true;
	(void)live_fixture_add(4, "eth2");
	assert_int_equal(live_fixture_try_start(f, "eth*"), -EPERM);
	assert_string_equal(f->err.text, "eth1: refused (1)");
	live_fixture_expect_journal("+tc_in eth0 +tc_out eth0 +tc_in eth1 -tc_in eth1 ");
	assert_int_equal(f->d.n, 1);
	live_fixture_expect_log(TCX("eth0", "2", "a glob"));
	fffa_live_devices_detach(&f->d);
	live_fixture_expect_journal("-tc_in eth0 -tc_out eth0 ");
	live_fixture.refused_egress = false;
	assert_int_equal(live_fixture_try_start(f, "eth1"), -EPERM);
	live_fixture_expect_journal("");
}

/* What passes after a hook is attached is measured from the device's counters of now. */
static void counters_are_noted(void **state)
{
	struct live_devices *f = *state;

	live_fixture.counters =
		"Inter-|   Receive\n  eth1: 1000 10 0 0 0 0 0 0 2000 20 0 0 0 0 0 0\n";
	live_fixture_start(f, "eth*");
	assert_false(f->d.v[0].state[0].dev_known || f->d.v[0].state[1].dev_known);
	for (int dir = 0; dir < 2; dir++) {
		const struct fffa_hook_state *s = &f->d.v[1].state[dir];

		assert_true(s->dev_known);
		assert_int_equal(s->dev.packets, dir ? 20 : 10);
		assert_int_equal(s->dev.bytes, dir ? 2000 : 1000);
		assert_int_equal(s->counted.packets, 40 + dir);
		assert_int_equal(s->counted.bytes, 77);
	}
	/* A hook that knows them keeps them: what passed while it was exchanged counts. */
	live_fixture.counters = "eth1: 5000 50 0 0 0 0 0 0 6000 60 0 0 0 0 0 0\n";
	f->conf.hook = FFFA_HOOK_XDP;
	assert_true(fffa_live_devices_follow(&f->d));
	assert_int_equal(f->d.v[1].state[0].dev.packets, 10);
	assert_int_equal(f->d.v[1].state[1].dev.packets, 20);
	assert_false(f->d.v[0].state[0].dev_known);
	fffa_live_devices_detach(&f->d);
	live_fixture.counters = NULL;
	live_fixture_start(f, "eth1");
	assert_false(f->d.v[0].state[0].dev_known);
	assert_int_equal(f->d.v[0].state[0].counted.packets, 40);
}

static void devices_come_and_go(void **state)
{
	struct live_devices *f = *state;

	live_fixture_start(f, "eth*");
	assert_true(f->d.n == 2 && !live_fixture.routes_asked);
	live_fixture_follow(f, false, "", "");
	(void)live_fixture_add(4, "eth2");
	(void)live_fixture_add(5, "veth5");
	live_fixture_follow(f, true, "+tc_in eth2 +tc_out eth2 ", TCX("eth2", "4", "a glob"));
	live_fixture_expect_list(f, "eth0 eth1 eth2");
	live_fixture_remove(2);
	live_fixture_remove(4);
	live_fixture_follow(f, true, "-tc_in gone -tc_out gone -tc_in gone -tc_out gone ",
			    DETACHED("eth2", "4", "the device is gone")
				    DETACHED("eth0", "2", "the device is gone"));
	live_fixture_expect_list(f, "eth1; eth2 eth0");
	/* One that comes again is not among those of before any more. */
	(void)live_fixture_add(4, "eth2");
	live_fixture_follow(f, true, "+tc_in eth2 +tc_out eth2 ", TCX("eth2", "4", "a glob"));
	live_fixture_expect_list(f, "eth1 eth2; eth0");
	live_fixture_remove(3);
	live_fixture_remove(4);
	live_fixture_follow(f, true, "-tc_in gone -tc_out gone -tc_in gone -tc_out gone ",
			    DETACHED("eth2", "4", "the device is gone")
				    DETACHED("eth1", "3",
					     "the device is gone") "W no interface is left to "
								   "capture on: waiting for one\n");
	live_fixture_follow(f, false, "", "");
	live_fixture_expect_list(f, "; eth0 eth2 eth1");
}

/* No packet is counted on two devices: the old one is left before the new one is taken. */
static void a_configuration_that_selects_others(void **state)
{
	struct live_devices *f = *state;

	live_fixture_add(4, "eth1.7")->parent = 3;
	(void)snprintf(live_fixture_link(4)->kind, 16, "vlan");
	live_fixture_start(f, "eth1.*");
	live_fixture_expect_list(f, "eth1.7");
	live_fixture_configure(f, "eth1*", "");
	live_fixture_follow(
		f, true, "-tc_in eth1.7 -tc_out eth1.7 +tc_in eth1 +tc_out eth1 ",
		DETACHED(
			"eth1.7", "4",
			"its packets are seen on another device now") "I left out interface=eth1.7 "
								      "why=\"its packets are seen "
								      "on eth1 already; name it "
								      "in capture.interfaces to "
								      "have them twice\"\n" TCX(
									      "eth1", "3",
									      "a glob"));
	live_fixture_configure(f, "eth1*", "eth1");
	live_fixture_follow(f, true, "-tc_in eth1 -tc_out eth1 +tc_in eth1.7 +tc_out eth1.7 ",
			    DETACHED("eth1", "3", "capture.exclude matches it now")
				    TCX("eth1.7", "4", "a glob"));
	live_fixture_configure(f, "eth0", "");
	live_fixture_follow(f, true, "-tc_in eth1.7 -tc_out eth1.7 +tc_in eth0 +tc_out eth0 ",
			    DETACHED("eth1.7", "4", "it is not selected any more")
				    TCX("eth0", "2", "its name"));
	live_fixture_link(2)->type = ARPHRD_CAN;
	live_fixture_follow(
		f, true, "-tc_in eth0 -tc_out eth0 ",
		DETACHED("eth0", "2",
			 "its link type is another one now") "W left out interface=eth0 "
							     "why=\"packets of its link type (280, "
							     "net/if_arp.h) are "
							     "not read\"\n"
							     "W no interface is left to capture "
							     "on: waiting for one\n");
}

static void what_is_left_out_is_logged_once(void **state)
{
	struct live_devices *f = *state;
	struct fffa_link *l = live_fixture_add(4, "eth2");

	l->type = ARPHRD_CAN;
	assert_int_equal(live_fixture_try_start(f, "eth*"), 0);
	assert_non_null(strstr(live_fixture.log,
			       "D left out interface=eth2 why=\"packets of its link type (280"));
	live_fixture.log[0] = live_fixture.journal[0] = '\0';
	live_fixture_follow(f, false, "", "");
	(void)snprintf(l->kind, 16, "vlan");
	l->type = ARPHRD_ETHER;
	l->parent = 3;
	live_fixture_follow(
		f, false, "",
		"I left out interface=eth2 why=\"its packets are seen on eth1 already; name it in "
		"capture.interfaces to have them twice\"\n");
	live_fixture_follow(f, false, "", "");
	l->parent = 2; /* for the same reason, but another device */
	live_fixture_follow(
		f, false, "",
		"I left out interface=eth2 why=\"its packets are seen on eth0 already; name it in "
		"capture.interfaces to have them twice\"\n");
	l->ifindex = 5; /* another device with this name */
	live_fixture_follow(
		f, false, "",
		"I left out interface=eth2 why=\"its packets are seen on eth0 already; name it in "
		"capture.interfaces to have them twice\"\n");
}

static void more_than_there_is_room_for(void **state)
{
	struct live_devices *f = *state;
	char name[16];

	for (uint32_t i = 4; i < 4 + FFFA_DEVICES_MAX - 2; i++) {
		(void)snprintf(name, sizeof(name), "eth%u", i);
		(void)live_fixture_add(i, name);
	}
	live_fixture_start(f, "eth*");
	assert_int_equal(f->d.n, FFFA_DEVICES_MAX);
	(void)live_fixture_add(90, "eth90");
	live_fixture_follow(f, false, "",
			    "W left out interface=eth90 why=\"64 interfaces are captured on and "
			    "there is no room "
			    "for more\"\n");
	/* One that comes before the last is taken in its place. */
	live_fixture_remove(90);
	memmove(&live_fixture.links[1], &live_fixture.links[0],
		live_fixture.n * sizeof(live_fixture.links[0]));
	live_fixture.n++;
	live_fixture.links[0].ifindex = 1;
	(void)snprintf(live_fixture.links[0].name, 16, "eth99");
	assert_true(fffa_live_devices_follow(&f->d));
	live_fixture_expect_journal("-tc_in eth65 -tc_out eth65 +tc_in eth99 +tc_out eth99 ");
	assert_non_null(
		strstr(live_fixture.log,
		       DETACHED("eth65", "65", "others come first and there is no room for more")));
}

/* The list holds the last 64 devices that are gone. */
static void only_so_many_gone_ones_are_remembered(void **state)
{
	struct live_devices *f = *state;

	live_fixture_start(f, "eth*");
	for (uint32_t i = 100; i < 100 + FFFA_DEVICES_MAX + 3; i++) {
		(void)live_fixture_add(i, "eth7");
		assert_true(fffa_live_devices_follow(&f->d));
		live_fixture_remove(i);
		assert_true(fffa_live_devices_follow(&f->d));
		live_fixture.journal[0] = live_fixture.log[0] = '\0';
	}
	assert_int_equal(f->d.gone_count, FFFA_DEVICES_MAX);
	for (uint32_t i = 0; i < FFFA_DEVICES_MAX; i++)
		assert_int_equal(f->d.gone[i].ifindex, 103 + i);
	(void)live_fixture_add(110, "eth7");
	assert_true(fffa_live_devices_follow(&f->d));
	assert_int_equal(f->d.gone_count, FFFA_DEVICES_MAX - 1);
	for (uint32_t i = 0; i < FFFA_DEVICES_MAX - 1; i++)
		assert_int_equal(f->d.gone[i].ifindex, i < 7 ? 103 + i : 104 + i);
}

static void the_list_cannot_be_read(void **state)
{
	struct live_devices *f = *state;

	live_fixture_start(f, "eth*");
	live_fixture.read_error = EMFILE;
	live_fixture_remove(3);
	live_fixture_follow(
		f, false, "",
		"E cannot list the network devices, capture stays as it is: Too many open files\n");
	live_fixture_follow(f, false, "", "");
	live_fixture.read_error = 0;
	live_fixture_follow(f, true, "-tc_in gone -tc_out gone ",
			    DETACHED("eth1", "3", "the device is gone"));
	live_fixture.read_error = EMFILE;
	live_fixture_follow(
		f, false, "",
		"E cannot list the network devices, capture stays as it is: Too many open files\n");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, live_fixture_setup, live_fixture_teardown)
	const struct CMUnitTest tests[] = {
		T(both_hooks_of_each_device),
		T(one_direction),
		T(a_device_without_ethernet),
		T(xdp_and_what_it_does_to_the_link),
		T(xdp_that_does_not_fit),
		T(a_start_that_fails),
		T(counters_are_noted),
		T(devices_come_and_go),
		T(a_configuration_that_selects_others),
		T(what_is_left_out_is_logged_once),
		T(more_than_there_is_room_for),
		T(only_so_many_gone_ones_are_remembered),
		T(the_list_cannot_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
