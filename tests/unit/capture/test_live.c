// SPDX-License-Identifier: MIT
/* When the live source drains, reads the ring and follows changes, and in which order. */
#include "agent/capture/live.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/base/histogram.h"
#include "agent/flow/flow_table.h"
#include "tests/unit/capture/live_lab.h"

#define TURN	 8192  /* deltas that are handed over before the loop turns */
#define RETAINED 16384 /* deltas that room is kept for */

/* One drain after the other, each with its turn, and each turn with what the kernel counted. */
static void each_drain_ends_with_a_turn(void **state)
{
	struct lab *lab = *state;
	size_t hooks;

	lab->f->conf.max_flows = 5;
	lab->f->conf.ring_size = 9;
	live_lab_open(lab);
	live_fixture_expect_journal("+tc_in eth0 +tc_out eth0 ");
	assert_non_null(strstr(live_fixture.log,
			       "I kernel table ready flows=5 ring_bytes=9 clock=sundial\n"));
	AWAIT(lab, lab->turns == 3);
	assert_memory_equal(lab->events, "draining turn draining turn draining turn ", 42);
	assert_true(kernel_fixture_drains() >= 3);
	assert_true(kernel_fixture.arms >= 3 && kernel_fixture.retired_for == 3);
	assert_int_equal(fffa_live_drains(lab->l)->count, 3);
	assert_true(fffa_live_drains(lab->l)->sum_ns < UINT64_C(60000000000));
	assert_string_equal(fffa_live_hooks(lab->l, &hooks)->dev.name, "eth0");
	assert_int_equal(hooks, 1);
	assert_null(fffa_live_problem(lab->l));
	assert_ptr_equal(fffa_live_kernel(lab->l), &kernel_fixture);
	assert_int_equal(fffa_live_tunnel(lab->l, 7)->vni, 7);
	assert_null(fffa_live_tunnel(lab->l, 8));
	fffa_live_limit_window(lab->l, 12345);
	assert_int_equal(kernel_fixture.window_ns, 12345);
	lab->ledger.seen[0].packets = 0;
	fffa_live_refresh(lab->l);
	assert_int_equal(lab->ledger.seen[0].packets, 1);
	lab->ledger.seen[0].packets = (uint64_t)lab->turns;
	live_lab_stop(lab);
	assert_true(kernel_fixture.hooks_checked_first);
}

/* What a drain found is handed over in slices: timers and signals get their turn. */
static void a_large_drain_is_merged_in_slices(void **state)
{
	struct lab *lab = *state;
	size_t n = 3 * TURN + 5;

	kernel_fixture_fill(n);
	live_lab_open(lab);
	AWAIT(lab, lab->turns == 1);
	assert_int_equal(lab->deltas, n);
	assert_int_equal(lab->expected, n - FFFA_FLOW_AHEAD);
	assert_int_equal(lab->most_in_turn, TURN);
	AWAIT(lab, lab->turns == 2); /* nothing is handed over twice */
	assert_int_equal(lab->deltas, n);
	live_lab_hold_drain(lab);
	assert_int_equal(kernel_fixture.capacity, 0); /* so much room is given back */
	lab->next = 0;
	kernel_fixture_fill(RETAINED);
	kernel_fixture_let_go();
	AWAIT(lab, lab->deltas == n + RETAINED);
	live_lab_hold_drain(lab);
	assert_int_equal(kernel_fixture.capacity, RETAINED);
	kernel_fixture_let_go();
	live_lab_stop(lab);
}

/* The ring is read when it asks for it, and armed again a moment later. */
static void the_ring_is_read_in_slices(void **state)
{
	struct lab *lab = *state;
	int arms;

	lab->f->conf.drain_interval_ns = INT64_C(3600000000000);
	live_lab_open(lab);
	kernel_fixture_fill_ring(2 * TURN + 7);
	AWAIT(lab, !kernel_fixture.in_ring);
	assert_int_equal(lab->deltas, 2 * TURN + 7);
	assert_int_equal(lab->draining, 0);
	arms = kernel_fixture.arms;
	AWAIT(lab, kernel_fixture.arms > arms);
	kernel_fixture.bad = 3;
	live_fixture.log[0] = '\0';
	kernel_fixture_fill_ring(1);
	AWAIT(lab, !kernel_fixture.in_ring);
	assert_int_equal(lab->ledger.lost[FFFA_PL_BAD_EVENT].packets, 3);
	live_fixture_expect_log("E ring events of another layout dropped count=3\n");
	AWAIT(lab, kernel_fixture.arms > arms + 1);
	assert_int_equal(kernel_fixture.arms, arms + 2);
	live_lab_stop(lab);
}

/* A drain reads the ring first, and with it ends only when the ring is read to its end. */
static void a_drain_reads_the_ring(void **state)
{
	struct lab *lab = *state;

	kernel_fixture.in_ring = 3 * TURN;
	kernel_fixture_fill(10);
	live_lab_open(lab);
	AWAIT(lab, lab->turns == 1);
	assert_int_equal(lab->deltas, 3 * TURN + 10);
	assert_int_equal(kernel_fixture.in_ring, 0);
	live_lab_stop(lab);
}

static void a_drain_that_fails_is_logged(void **state)
{
	struct lab *lab = *state;

	kernel_fixture.drain_error = -ENOMEM;
	live_lab_open(lab);
	live_fixture.log[0] = '\0';
	AWAIT(lab, lab->turns == 1);
	assert_non_null(strstr(live_fixture.log, "E drain failed, entries stay in the kernel: "
						 "Cannot allocate memory\n"));
	AWAIT(lab, lab->turns == 2);
	live_lab_stop(lab);
}

/* Hooks go first; what they saw is drained out of both halves, and then nothing is left. */
static void a_stop_drains_both_halves(void **state)
{
	struct lab *lab = *state;

	lab->f->conf.drain_interval_ns = INT64_C(3600000000000);
	live_lab_open(lab);
	live_fixture.journal[0] = '\0';
	kernel_fixture_fill(20);
	kernel_fixture.in_ring = TURN + 1;
	fffa_live_stop(lab->l);
	live_fixture_expect_journal("-tc_in eth0 -tc_out eth0 ");
	fffa_live_stop(lab->l); /* does nothing */
	AWAIT(lab, lab->stopped);
	assert_int_equal(kernel_fixture_drains(), 2);
	assert_int_equal(lab->deltas, 20 + TURN + 1);
	assert_string_equal(lab->events, "turn turn stopped ");
	live_fixture_expect_journal("");
	/* From then on nothing is followed. */
	fffa_live_change(lab->l);
	kernel_fixture.on_links(kernel_fixture.on_links_arg, true);
	assert_string_equal(lab->events, "turn turn stopped ");
}

/* While the drain's thread looks at the hooks nobody takes them off. */
static void a_stop_during_a_drain(void **state)
{
	struct lab *lab = *state;
	int before;

	live_lab_open(lab);
	live_lab_hold_drain(lab);
	live_fixture.journal[0] = '\0';
	before = kernel_fixture_drains();
	fffa_live_stop(lab->l);
	live_fixture_expect_journal("");
	kernel_fixture_let_go();
	AWAIT(lab, lab->stopped);
	assert_int_equal(kernel_fixture_drains(), before + 3);
	live_fixture_expect_journal("-tc_in eth0 -tc_out eth0 ");
	assert_string_equal(lab->events, "turn turn turn stopped ");
}

static void configure_tunnels(struct lab *lab)
{
	static char *on[] = {"auto"};

	lab->f->conf.decapsulate = (struct fffa_strings){.v = on, .n = 1};
	lab->f->conf.geneve_ports = (struct fffa_ints){.v = {6081}, .n = 1};
	lab->f->conf.vxlan_ports = (struct fffa_ints){.v = {4789, 8472}, .n = 2};
	lab->f->conf.sample = 9;
	lab->f->conf.tunnel_view = FFFA_TUNNEL_VIEW_BOTH;
}

static void expect_settings(const struct fffa_kernel_settings *s)
{
	assert_int_equal(s->sample, 9);
	assert_int_equal(s->tunnel_view, FFFA_TUNNEL_RECORD_BOTH);
	assert_int_equal(s->geneve_ports[0], 6081);
	assert_int_equal(s->vxlan_ports[1], 8472);
	assert_true(s->ask_receiver);
}

static void what_is_loaded(void **state)
{
	struct lab *lab = *state;
	struct fffa_kernel *k;
	struct fffa_err err;

	configure_tunnels(lab);
	lab->f->conf.max_flows = 1000;
	lab->f->conf.ring_size = 65536;
	assert_int_equal(fffa_live_load(&lab->f->conf, &k, &err), 0);
	assert_ptr_equal(k, &kernel_fixture);
	assert_int_equal(kernel_fixture.conf.max_flows, 1000);
	assert_int_equal(kernel_fixture.conf.ring_bytes, 65536);
	assert_int_equal(kernel_fixture.conf.slices, 0);
	expect_settings(&kernel_fixture.conf.settings);
	fffa_kernel_close(k);
}

/* At once, or at the end of a drain. Another interval holds from then on. */
static void a_new_configuration_is_followed(void **state)
{
	struct lab *lab = *state;

	lab->f->conf.drain_interval_ns = INT64_C(3600000000000);
	live_lab_open(lab);
	configure_tunnels(lab);
	live_fixture_configure(lab->f, "eth*", "");
	fffa_live_change(lab->l);
	expect_settings(&kernel_fixture.settings);
	assert_string_equal(lab->events, "changed devices(2) ");
	lab->f->conf.drain_interval_ns = INT64_C(20000000);
	fffa_live_change(lab->l);
	assert_string_equal(lab->events, "changed devices(2) changed ");
	live_lab_hold_drain(lab);
	live_fixture_configure(lab->f, "eth0", "");
	lab->f->conf.sample = 3;
	fffa_live_change(lab->l);
	assert_int_equal(kernel_fixture.settings.sample, 9);
	assert_string_equal(lab->events, "");
	kernel_fixture_let_go();
	AWAIT(lab, kernel_fixture.settings.sample == 3);
	assert_memory_equal(lab->events, "turn changed devices(2) ", 24); /* one of them is gone */
	live_lab_stop(lab);
}

static void devices_and_addresses_are_followed(void **state)
{
	struct lab *lab = *state;

	live_lab_open(lab);
	live_lab_hold_drain(lab);
	live_fixture_configure(lab->f, "eth*", "");
	kernel_fixture.on_links(kernel_fixture.on_links_arg, false);
	kernel_fixture.on_links(kernel_fixture.on_links_arg, true);
	kernel_fixture.on_links(kernel_fixture.on_links_arg, false);
	assert_string_equal(lab->events, "");
	kernel_fixture_let_go();
	AWAIT(lab, lab->turns > 0 && strlen(lab->events) > 4);
	assert_memory_equal(lab->events, "turn devices(2) addresses ", 26);
	lab->f->conf.drain_interval_ns = INT64_C(3600000000000);
	fffa_live_change(lab->l);
	AWAIT(lab, lab->turns == lab->draining);
	lab->events[0] = '\0';
	kernel_fixture.on_links(kernel_fixture.on_links_arg, false);
	assert_string_equal(lab->events, "");
	kernel_fixture.on_links(kernel_fixture.on_links_arg, true);
	assert_string_equal(lab->events, "addresses ");
	live_fixture_remove(3);
	kernel_fixture.on_links(kernel_fixture.on_links_arg, false);
	assert_string_equal(lab->events, "addresses devices(2) ");
	live_lab_stop(lab);
}

/* Who receives a tunnel is asked again and again, where it matters. */
static void receivers_are_asked(void **state)
{
	struct lab *lab = *state;

	configure_tunnels(lab);
	kernel_fixture.closed_tunnels = 0;
	live_lab_open(lab);
	AWAIT(lab, kernel_fixture.asks >= 1 && lab->turns > 0);
	assert_null(strstr(live_fixture.log, "tunnels that no socket"));
	kernel_fixture.closed_tunnels = 5;
	AWAIT(lab, strstr(live_fixture.log, "I tunnels that no socket"));
	live_fixture.log[0] = '\0';
	lab->turns = 0;
	lab->ledger.seen[0].packets = 0;
	AWAIT(lab, lab->turns == 2);
	live_fixture_expect_log(""); /* once */
	live_lab_stop(lab);
}

static void what_cannot_be_opened(void **state)
{
	struct lab *lab = *state;
	struct fffa_err err;

	live_fixture.refused = EPERM;
	assert_int_equal(live_lab_try_open(lab, &err), -EPERM);
	assert_string_equal(err.text, "eth0: refused (1)");
	assert_null(lab->l);
	assert_int_equal(kernel_fixture.closed, 1);
	/* A descriptor that cannot be watched. */
	live_fixture.refused = 0;
	kernel_fixture.closed = 0;
	kernel_fixture_close();
	assert_int_equal(live_lab_try_open(lab, &err), UV_EBADF);
	assert_string_equal(err.text, "cannot start the drain: bad file descriptor");
	assert_null(lab->l);
	live_fixture_expect_journal("+tc_in eth0 +tc_out eth0 -tc_in eth0 -tc_out eth0 ");
}

static void without_a_watch(void **state)
{
	struct lab *lab = *state;

	kernel_fixture.watch_error = EMFILE;
	live_lab_open(lab);
	assert_non_null(strstr(live_fixture.log, "W interfaces that appear later will not be "
						 "noticed: Too many open files\n"));
	AWAIT(lab, lab->turns == 1);
	live_fixture.journal[0] = '\0'; /* a close without a stop takes the hooks off, too */
	fffa_live_close(lab->l);
	lab->l = NULL;
	AWAIT(lab, kernel_fixture.closed == 1);
	assert_int_equal(kernel_fixture.watches_closed, 1);
	live_fixture_expect_journal("-tc_in eth0 -tc_out eth0 ");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, live_lab_setup, live_lab_teardown)
	const struct CMUnitTest tests[] = {
		T(each_drain_ends_with_a_turn),
		T(a_large_drain_is_merged_in_slices),
		T(the_ring_is_read_in_slices),
		T(a_drain_reads_the_ring),
		T(a_drain_that_fails_is_logged),
		T(a_stop_drains_both_halves),
		T(a_stop_during_a_drain),
		T(what_is_loaded),
		T(a_new_configuration_is_followed),
		T(devices_and_addresses_are_followed),
		T(receivers_are_asked),
		T(what_cannot_be_opened),
		T(without_a_watch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
