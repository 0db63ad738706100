// SPDX-License-Identifier: MIT
/* Which devices stay whatever the patterns say, what cannot be attached, and hooks that are exchanged. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/capture/live_fixture.h"

static void rename_to(uint32_t ifindex, const char *name)
{
	(void)snprintf(live_fixture_link(ifindex)->name, 16, "%s", name);
}

/* A device that a pattern chose stays under another name; one that is chosen anew needs the pattern. */
static void a_renamed_device_stays(void **state)
{
	struct live_devices *f = *state;

	live_fixture_start(f, "eth*");
	rename_to(3, "uplink");
	live_fixture_follow(f, true, "", "I renamed interface=uplink ifindex=3 was=eth1\n");
	live_fixture_expect_list(f, "eth0 uplink");
	live_fixture_follow(f, false, "", "");
	(void)live_fixture_add(4, "uplink2");
	live_fixture_follow(f, false, "", "");
	live_fixture_link(3)->mac[5] = 7;
	live_fixture_follow(f, true, "", "I new link address interface=uplink ifindex=3\n");
	assert_int_equal(f->d.v[1].dev.mac[5], 7);
	live_fixture_follow(f, false, "", "");
	/* As long as it is there, and not excluded. */
	live_fixture_configure(f, "eth*", "up*");
	live_fixture_follow(f, true, "-tc_in uplink -tc_out uplink ",
			    DETACHED("uplink", "3", "capture.exclude matches it now"));
}

/* That its name is not the pattern's any more is no reason; that the pattern is another one is. */
static void a_device_with_its_name_needs_its_pattern(void **state)
{
	struct live_devices *f = *state;

	live_fixture_start(f, "eth*");
	live_fixture_configure(f, "eth0", "");
	live_fixture_follow(f, true, "-tc_in eth1 -tc_out eth1 ",
			    DETACHED("eth1", "3", "it is not selected any more"));
}

#define NO_ROUTE "I no device holds a default route now: capture stays where it is\n"

/* `auto` moves when another device holds the route, and stays while none does. */
static void auto_follows_the_route(void **state)
{
	struct live_devices *f = *state;

	live_fixture_start(f, "auto");
	live_fixture_follow(f, false, "", "");
	assert_true(live_fixture.routes_asked);
	live_fixture_link(2)->default_route = false;
	live_fixture_follow(f, false, "", NO_ROUTE);
	live_fixture_follow(f, false, "", "");
	live_fixture_link(3)->default_route = true;
	live_fixture_follow(f, true, "-tc_in eth0 -tc_out eth0 +tc_in eth1 +tc_out eth1 ",
			    DETACHED("eth0", "2", "it holds no default route any more")
				    TCX("eth1", "3", "auto"));
	live_fixture_link(3)->default_route = false;
	live_fixture_follow(f, false, "", NO_ROUTE); /* it is told again */
	live_fixture_expect_list(f, "eth1; eth0");
}

/* Without a route, one that a pattern chose is not kept for that reason. */
static void only_auto_waits_for_a_route(void **state)
{
	struct live_devices *f = *state;

	live_fixture_link(2)->default_route = false;
	live_fixture_start(f, "eth*");
	live_fixture_configure(f, "eth0", "");
	live_fixture_follow(f, true, "-tc_in eth1 -tc_out eth1 ",
			    DETACHED("eth1", "3", "it is not selected any more"));
}

/* Attaching took the link down and the route away: following that would do it again, for ever. */
static void what_bounces_the_link_is_kept(void **state)
{
	struct live_devices *f = *state;

	f->conf.hook = FFFA_HOOK_XDP;
	(void)snprintf(live_fixture.facts.driver, sizeof(live_fixture.facts.driver), "ena");
	live_fixture_start(f, "auto");
	live_fixture_link(2)->default_route = false;
	live_fixture_link(3)->default_route = true;
	assert_true(fffa_live_devices_follow(&f->d));
	live_fixture_expect_list(f, "eth0 eth1");
	live_fixture_remove(2);
	assert_true(fffa_live_devices_follow(&f->d));
	live_fixture_expect_list(f, "eth1; eth0");
}

static void refuse(uint32_t ifindex, bool egress, int error)
{
	live_fixture.refused = error;
	live_fixture.refused_ifindex = ifindex;
	live_fixture.refused_egress = egress;
}

#define REFUSED(text) "E " text "; tried again when a device changes\n"

/* It is tried with each change, and told once for each reason. */
static void a_device_that_cannot_be_attached(void **state)
{
	struct live_devices *f = *state;

	live_fixture_start(f, "eth0");
	live_fixture_configure(f, "eth*", "");
	refuse(3, true, EBUSY);
	live_fixture_follow(f, false, "+tc_in eth1 -tc_in eth1 ", REFUSED("eth1: refused (16)"));
	assert_int_equal(f->d.failed_count, 1);
	assert_int_equal(f->d.failed[0].ifindex, 3);
	assert_int_equal(f->d.failed[0].error, -EBUSY);
	assert_string_equal(f->d.failed[0].text, "eth1: refused (16)");
	live_fixture_follow(f, false, "+tc_in eth1 -tc_in eth1 ", "");
	refuse(3, false, EPERM);
	live_fixture_follow(f, false, "", REFUSED("eth1: refused (1)"));
	live_fixture_follow(f, false, "", "");
	assert_int_equal(f->d.failed_count, 1);
	assert_int_equal(f->d.failed[0].error, -EPERM);
	refuse(0, false, 0);
	live_fixture_follow(f, true, "+tc_in eth1 +tc_out eth1 ", TCX("eth1", "3", "a glob"));
	assert_int_equal(f->d.failed_count, 0);
}

static void refuse_all(struct live_devices *f, const char *interfaces)
{
	live_fixture_configure(f, interfaces, "");
	refuse(0, false, EBUSY);
	assert_false(fffa_live_devices_follow(&f->d));
	live_fixture.log[0] = live_fixture.journal[0] = '\0';
}

/* What could not be attached is forgotten when it is not chosen any more, whichever of them it is. */
static void failures_are_forgotten(void **state)
{
	struct live_devices *f = *state;

	live_fixture_start(f, "none");
	(void)live_fixture_add(4, "eth2");
	refuse_all(f, "eth*");
	assert_int_equal(f->d.failed_count, 3);
	refuse_all(f, "eth0 eth2");
	assert_int_equal(f->d.failed_count, 2);
	assert_int_equal(f->d.failed[0].ifindex + f->d.failed[1].ifindex, 2 + 4);
	live_fixture_remove(4);
	live_fixture_follow(f, false, "", "");
	assert_int_equal(f->d.failed_count, 1);
	assert_int_equal(f->d.failed[0].ifindex, 2);
	refuse(0, false, 0);
	live_fixture_follow(f, true, "+tc_in eth0 +tc_out eth0 ", TCX("eth0", "2", "its name"));
	assert_int_equal(f->d.failed_count, 0);
}

static void the_direction_changes(void **state)
{
	struct live_devices *f = *state;

	live_fixture_start(f, "eth1");
	f->d.v[0].state[0].put_backs = f->d.v[0].state[1].put_backs = 5;
	f->conf.direction = FFFA_DIR_INGRESS;
	live_fixture_follow(f, true, "-tc_out eth1 ",
			    ATTACHED("eth1", "3", "tcx", "none", "its name", TC_WHY));
	assert_int_equal(f->d.v[0].state[0].put_backs, 5);
	assert_int_equal(f->d.v[0].state[1].put_backs, 0);
	assert_false(f->d.v[0].state[0].again || f->d.v[0].state[1].again);
	live_fixture_follow(f, false, "", "");
	f->conf.direction = FFFA_DIR_EGRESS;
	live_fixture_follow(
		f, true, "-tc_in eth1 +tc_out eth1 ",
		ATTACHED("eth1", "3", "none", "tcx", "its name", "egress is always TC"));
	assert_int_equal(f->d.v[0].state[0].put_backs, 0);
	f->conf.direction = FFFA_DIR_BOTH;
	live_fixture_follow(f, true, "+tc_in eth1 ", TCX("eth1", "3", "its name"));
}

/* The ingress hook alone is exchanged; what passes meanwhile will be told by the device's counters. */
static void the_hook_changes(void **state)
{
	struct live_devices *f = *state;

	live_fixture_start(f, "eth1");
	f->conf.hook = FFFA_HOOK_XDP;
	live_fixture_follow(
		f, true, "-tc_in eth1 +xdp eth1 ",
		ATTACHED("eth1", "3", "xdp", "tcx", "its name", "configured: xdp; driver unknown"));
	assert_true(f->d.v[0].state[0].again && f->d.v[0].state[0].missed);
	assert_false(f->d.v[0].state[1].again || f->d.v[0].state[1].missed);
	live_fixture_follow(f, false, "", "");
	/* Without an ingress hook there is none to exchange. */
	f->conf.direction = FFFA_DIR_EGRESS;
	f->conf.hook = FFFA_HOOK_TC;
	live_fixture_follow(
		f, true, "-xdp eth1 ",
		ATTACHED("eth1", "3", "none", "tcx", "its name", "egress is always TC"));
	assert_false(f->d.v[0].state[0].again || f->d.v[0].state[0].missed);
	f->conf.hook = FFFA_HOOK_XDP;
	live_fixture_follow(
		f, true, "",
		ATTACHED("eth1", "3", "none", "tcx", "its name", "egress is always TC"));
	assert_false(f->d.v[0].state[0].again || f->d.v[0].state[1].again);
}

/* Whoever stays on the qdisc removes it in the end. */
static void the_qdisc_goes_with_the_last_hook(void **state)
{
	struct live_devices *f = *state;

	live_fixture.no_tcx = live_fixture.makes_qdisc = true;
	live_fixture_start(f, "eth1");
	assert_true(f->d.v[0].at[0].clsact.made_qdisc && !f->d.v[0].at[1].clsact.made_qdisc);
	f->conf.hook = FFFA_HOOK_XDP;
	assert_true(fffa_live_devices_follow(&f->d));
	live_fixture_expect_journal("-tc_in eth1 with its qdisc +xdp eth1 ");
	assert_true(f->d.v[0].at[1].clsact.made_qdisc);
	fffa_live_devices_detach(&f->d);
	live_fixture_expect_journal("-xdp eth1 -tc_out eth1 with its qdisc ");
	/* The other way round, and where the other hook is on none or made none. */
	f->conf.hook = FFFA_HOOK_TC;
	live_fixture.makes_qdisc = true;
	f->conf.direction = FFFA_DIR_EGRESS;
	live_fixture_start(f, "eth1");
	f->conf.direction = FFFA_DIR_INGRESS;
	assert_true(fffa_live_devices_follow(&f->d));
	live_fixture_expect_journal("-tc_out eth1 with its qdisc +tc_in eth1 ");
	assert_false(f->d.v[0].at[0].clsact.made_qdisc);
	f->conf.direction = FFFA_DIR_BOTH;
	assert_true(fffa_live_devices_follow(&f->d));
	f->conf.direction = FFFA_DIR_INGRESS;
	assert_true(fffa_live_devices_follow(&f->d));
	assert_false(f->d.v[0].at[0].clsact.made_qdisc);
}

/* A device whose new hook is refused is left, and the others go on. */
static void an_exchange_that_is_refused(void **state)
{
	struct live_devices *f = *state;

	live_fixture_start(f, "eth*");
	refuse(2, false, EBUSY);
	f->conf.hook = FFFA_HOOK_XDP;
	live_fixture_follow(f, true, "-tc_in eth0 -tc_out eth0 -tc_in eth1 +xdp eth1 ",
			    REFUSED("eth0: refused (16)")
				    ATTACHED("eth1", "3", "xdp", "tcx", "a glob",
					     "configured: xdp; driver unknown"));
	live_fixture_expect_list(f, "eth1; eth0");
	assert_int_equal(f->d.failed_count, 1);
	/* With another hook it may be told again. */
	f->conf.hook = FFFA_HOOK_TC;
	live_fixture_follow(f, true, "-xdp eth1 +tc_in eth1 ",
			    ATTACHED("eth1", "3", "tcx", "tcx", "a glob", "configured: tc")
				    REFUSED("eth0: refused (16)"));
	refuse(0, false, 0);
	live_fixture_follow(f, true, "+tc_in eth0 +tc_out eth0 ",
			    ATTACHED("eth0", "2", "tcx", "tcx", "a glob", "configured: tc"));
	live_fixture_expect_list(f, "eth1 eth0");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, live_fixture_setup, live_fixture_teardown)
	const struct CMUnitTest tests[] = {
		T(a_renamed_device_stays),
		T(a_device_with_its_name_needs_its_pattern),
		T(auto_follows_the_route),
		T(only_auto_waits_for_a_route),
		T(what_bounces_the_link_is_kept),
		T(a_device_that_cannot_be_attached),
		T(failures_are_forgotten),
		T(the_direction_changes),
		T(the_hook_changes),
		T(the_qdisc_goes_with_the_last_hook),
		T(an_exchange_that_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
