// SPDX-License-Identifier: MIT
/* The live source between an agent and a capture of ours. */
#include <errno.h>
#include <stdio.h>

#include "agent/base/clock.h"
#include "agent/capture/kernel/kernel.h"
#include "agent/status/view.h"
#include "tests/unit/daemon/source_fake.h"

static int start(void)
{
	return fffa_source_start(fake.source, &fake.loop, &fake.ledger, &fake.events, &fake.err);
}

static void prepare_and_start(void)
{
	assert_int_equal(fffa_source_prepare(fake.source, &fake.err), 0);
	assert_int_equal(start(), 0);
	fake.journal[0] = fake.log[0] = '\0';
}

static void test_what_is_made_with_privileges(void **state)
{
	(void)state;
	assert_ptr_equal(fake.source->metadata, &fake.conf.metadata);
	assert_int_equal(fake.source->sampled, 3);
	assert_false(fake.source->repeatable);
	assert_int_equal(fffa_source_prepare(fake.source, &fake.err), 0);
	source_fake_expect("check select load restrict ");
	fake.user = 0; /* root stays root */
	assert_int_equal(fffa_source_prepare(fake.source, &fake.err), 0);
	source_fake_expect("check select load ");
	fffa_source_close(fake.source);
	source_fake_expect("close_kernel close_checkpoint ");
	fffa_source_close(fake.source);
	source_fake_expect("close_nothing close_checkpoint ");
}

static void test_what_cannot_be_made(void **state)
{
	const struct {
		int *rc;
		const char *calls;
	} rows[] = {{&fake.may_not, "check "},
		    {&fake.no_device, "check select "},
		    {&fake.not_loaded, "check select load "},
		    {&fake.not_restricted, "check select load restrict "}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		*rows[i].rc = -EPERM;
		fake.err.text[0] = '\0';
		assert_int_equal(fffa_source_prepare(fake.source, &fake.err), -EPERM);
		assert_string_equal(fake.err.text, "refused");
		source_fake_expect(rows[i].calls);
		*rows[i].rc = 0;
	}
}

static void test_a_start(void **state)
{
	(void)state;
	assert_int_equal(fffa_source_prepare(fake.source, &fake.err), 0);
	source_fake_expect("check select load restrict ");
	assert_int_equal(start(), 0);
	source_fake_expect("devices(2,eth0) time open checkpoint gap since ");
	source_fake_expect_log("");
	assert_true(fake.since_ms == SINCE);
	assert_int_equal(fake.ledger.unattended.packets, 0);
	fffa_source_close(fake.source);
	source_fake_expect(
		"close close_nothing close_checkpoint "); /* the kernel is the capture's */
	fffa_source_close(fake.source);
	source_fake_expect("close_nothing close_checkpoint ");
}

static void test_packets_of_before(void **state)
{
	(void)state;
	fake.gap = (struct fffa_amount){30, 3000};
	assert_int_equal(fffa_source_prepare(fake.source, &fake.err), 0);
	assert_int_equal(start(), 0);
	assert_int_equal(fake.ledger.unattended.packets, 30);
	assert_int_equal(fake.ledger.unattended.bytes, 3000);
	assert_int_equal(fake.ledger.lost[FFFA_PL_NOT_ATTACHED].packets, 30);
	assert_int_equal(fake.ledger.lost[FFFA_PL_NOT_ATTACHED].bytes, 3000);
	source_fake_expect_log(
		"W restart: packets passed while no agent ran packets=30 bytes=3000\n");
}

/* Losses of the first start are those since now. */
static void test_a_first_start(void **state)
{
	int64_t before = (int64_t)(fffa_clock_unix_ns(&fffa_clock_system) / FFFA_NS_PER_MS);

	(void)state;
	fake.first_start = true;
	assert_int_equal(fffa_source_prepare(fake.source, &fake.err), 0);
	assert_int_equal(start(), 0);
	assert_true(fake.since_ms >= before);
	assert_true((uint64_t)fake.since_ms <=
		    fffa_clock_unix_ns(&fffa_clock_system) / FFFA_NS_PER_MS);
}

#define SEVERAL                                                                                    \
	"metadata.static.interface_id names one interface, but 2 are captured on; name each in "   \
	"metadata.interfaces, or capture on one"

static void test_starts_that_fail(void **state)
{
	(void)state;
	assert_int_equal(fffa_source_prepare(fake.source, &fake.err), 0);
	source_fake_expect("check select load restrict ");
	fake.no_devices = -EINVAL;
	assert_int_equal(start(), -EINVAL);
	assert_string_equal(fake.err.text, SEVERAL);
	source_fake_expect("devices(2,eth0) ");
	fake.no_devices = -ENOMEM;
	assert_int_equal(start(), -ENOMEM);
	assert_string_equal(fake.err.text, "no memory for the list of interfaces");
	source_fake_expect("devices(2,eth0) ");
	fake.no_devices = 0;
	fake.not_opened = -EBUSY;
	assert_int_equal(start(), -EBUSY);
	assert_string_equal(fake.err.text, "refused");
	source_fake_expect("devices(2,eth0) time open ");
	fffa_source_close(fake.source);
	source_fake_expect("close_nothing close_checkpoint ");
}

static void test_one_id_for_several_devices(void **state)
{
	struct fffa_pair pair = {.key = (char *)"interface_id", .value = (char *)"eni-1"};

	(void)state;
	assert_int_equal(fffa_source_live_check(&fake.conf, &fake.err), 0);
	source_fake_expect(""); /* there is nothing to ask */
	fake.conf.metadata.fixed.v = &pair;
	fake.conf.metadata.fixed.n = 1;
	assert_int_equal(fffa_source_live_check(&fake.conf, &fake.err), -EINVAL);
	assert_string_equal(fake.err.text, SEVERAL);
	source_fake_expect("select ");
	fake.selected.n = 1;
	assert_int_equal(fffa_source_live_check(&fake.conf, &fake.err), 0);
	fake.selected.n = 2;
	fake.no_device = -ENODEV;
	assert_int_equal(fffa_source_live_check(&fake.conf, &fake.err), 0);
}

/* What the capture says reaches the agent, and nothing else does. */
static void test_events(void **state)
{
	struct fffa_delta d = {.packets = 4};

	(void)state;
	prepare_and_start();
	fake.to.delta(fake.to.arg, &d);
	assert_int_equal(fake.packets, 4);
	d.packets = 5;
	fake.to.expect(fake.to.arg, &d);
	assert_int_equal(fake.packets, 5);
	assert_int_equal(fake.to.counted(fake.to.arg, "eth0", 1).packets, 21);
	assert_int_equal(fake.to.counted(fake.to.arg, "eth0", 0).packets, 20);
	assert_true(fake.to.tunnel_used(fake.to.arg, 7));
	assert_false(fake.to.tunnel_used(fake.to.arg, 8));
	source_fake_expect("delta expect ");
	fake.to.draining(fake.to.arg);
	source_fake_expect("counters ");
	fake.to.turn(fake.to.arg);
	source_fake_expect("turn ");
	fake.to.addresses(fake.to.arg);
	source_fake_expect("addresses ");
	fake.to.devices(fake.to.arg, fake.selected.v + 1, 1);
	source_fake_expect("devices(1,eth1) ");
	source_fake_expect_log("");
	fake.no_devices = -E2BIG;
	fake.to.devices(fake.to.arg, fake.selected.v, 2);
	source_fake_expect("devices(2,eth0) ");
	source_fake_expect_log(
		"E agent: no memory for the list of interfaces: new ones stay unknown\n");
	fake.to.stopped(fake.to.arg);
	source_fake_expect("ended ");
}

/* Deltas of the old sampling are merged before the agent hears of the new one. */
static void test_a_change(void **state)
{
	(void)state;
	prepare_and_start();
	fake.conf.capture.sample = 9;
	fffa_source_change(fake.source);
	source_fake_expect("change ");
	fake.to.turn(fake.to.arg);
	source_fake_expect("turn ");
	assert_int_equal(fake.source->sampled, 3);
	fake.to.changed(fake.to.arg);
	source_fake_expect("");
	assert_int_equal(fake.source->sampled, 3);
	fake.to.turn(fake.to.arg);
	source_fake_expect("turn changed ");
	fake.to.turn(fake.to.arg);
	source_fake_expect("turn ");
}

static void test_what_the_agent_asks(void **state)
{
	uint32_t ifindexes[FFFA_DEVICES_MAX];
	uint64_t mono_ns = 0, unix_ns = 0;

	(void)state;
	assert_int_equal(fffa_source_held(fake.source).packets, 0);
	assert_int_equal(fffa_source_watched(fake.source, ifindexes, 2), 0);
	fffa_source_limit_window(fake.source, 60);
	source_fake_expect(""); /* nothing is captured on yet */
	prepare_and_start();
	fffa_source_limit_window(fake.source, 60);
	source_fake_expect("limit ");
	fake.ledger.seen[0] = (struct fffa_amount){8, 800};
	assert_int_equal(fffa_source_held(fake.source).packets, 8);
	source_fake_expect("refresh ");
	assert_ptr_equal(fffa_source_tunnel(fake.source, 7), &fake.tunnel);
	assert_null(fffa_source_tunnel(fake.source, 8));
	fffa_source_checkpoint(fake.source, (struct fffa_amount){5, 500}, 77);
	source_fake_expect("save ");
	fffa_source_now(fake.source, &mono_ns, &unix_ns);
	assert_true(mono_ns > 0 && mono_ns <= fffa_clock_mono_ns(&fffa_clock_system));
	assert_true(unix_ns > (uint64_t)SINCE * FFFA_NS_PER_MS);
	assert_true(unix_ns <= fffa_clock_unix_ns(&fffa_clock_system));
	fffa_source_stop(fake.source);
	source_fake_expect("last_counters stop ");
}

/* Devices of which a hook missed packets are not watched for NODATA. */
static void test_what_is_watched(void **state)
{
	uint32_t ifindexes[3] = {0, 0, 99};

	(void)state;
	prepare_and_start();
	assert_int_equal(fffa_source_watched(fake.source, ifindexes, 3), 2);
	assert_int_equal(ifindexes[0], 2);
	assert_int_equal(ifindexes[1], 3);
	assert_int_equal(ifindexes[2], 99);
	assert_int_equal(fffa_source_watched(fake.source, ifindexes, 1), 1);
	fake.hooks[0].state[0].missed = true;
	assert_int_equal(fffa_source_watched(fake.source, ifindexes, 3), 1);
	assert_int_equal(ifindexes[0], 3);
	fake.hooks[1].state[1].missed = true;
	assert_int_equal(fffa_source_watched(fake.source, ifindexes, 3), 0);
}

static void expect_hook(const struct fffa_status_hook *h, const char *interface, uint32_t ifindex,
			const char *direction, const char *hook, const char *why)
{
	assert_string_equal(h->interface, interface);
	assert_int_equal(h->ifindex, ifindex);
	assert_string_equal(h->direction, direction);
	assert_string_equal(h->hook, hook);
	assert_string_equal(h->why, why);
}

static void test_the_view_of_hooks(void **state)
{
	static struct fffa_status_view v;

	(void)state;
	memset(&v, 0, sizeof(v));
	fffa_source_view(fake.source, &v);
	assert_int_equal(v.hook_count, 0);
	assert_null(v.not_ready);
	source_fake_expect("");
	prepare_and_start();
	fake.ledger.seen[0] = (struct fffa_amount){8, 800};
	fake.hooks[0].dev.match = FFFA_MATCH_GLOB;
	strcpy(fake.hooks[0].choice.why, "tcx is there");
	fake.hooks[0].state[1].condition = FFFA_HOOK_OFF;
	fake.hooks[0].state[1].put_backs = 6;
	strcpy(fake.hooks[0].state[1].problem, "taken off");
	fake.hooks[1].at[0].how = FFFA_ATTACH_NONE; /* capture.direction: egress */
	fffa_source_view(fake.source, &v);
	source_fake_expect("refresh ");
	assert_int_equal(v.held_kernel.packets, 8);
	assert_string_equal(v.not_ready, "a hook is gone");
	assert_int_equal(v.hook_count, 3);
	expect_hook(&v.hooks[0], "eth0", 2, "ingress", "tcx", "tcx is there");
	expect_hook(&v.hooks[1], "eth0", 2, "egress", "clsact", "egress is always TC");
	expect_hook(&v.hooks[2], "eth1", 3, "egress", "clsact", "egress is always TC");
	assert_string_equal(v.hooks[0].selected_by, fffa_devices_match_text(FFFA_MATCH_GLOB));
	assert_true(v.hooks[0].up);
	assert_string_equal(v.hooks[0].problem, "");
	assert_int_equal(v.hooks[0].put_backs, 0);
	assert_false(v.hooks[1].up);
	assert_string_equal(v.hooks[1].problem, "taken off");
	assert_int_equal(v.hooks[1].put_backs, 6);
}

/* As many as the view has room for. */
static void test_the_view_of_many_hooks(void **state)
{
	static struct fffa_status_view v;

	(void)state;
	memset(&v, 0, sizeof(v));
	prepare_and_start();
	fake.n = FFFA_DEVICES_MAX + 1;
	for (size_t i = 0; i < fake.n; i++) {
		fake.hooks[i] = fake.hooks[0];
		fake.hooks[i].dev.ifindex = (uint32_t)(2 + i);
	}
	fffa_source_view(fake.source, &v);
	assert_int_equal(v.hook_count, FFFA_STATUS_HOOKS_MAX);
	assert_int_equal(v.hooks[FFFA_STATUS_HOOKS_MAX - 1].ifindex, 1 + FFFA_DEVICES_MAX);
}

static void test_the_view_of_the_kernel(void **state)
{
	static const char *const kinds[] = {"no_room", "victim", "end", "aged"};
	static struct fffa_status_view v;

	(void)state;
	memset(&v, 0, sizeof(v));
	prepare_and_start();
	fffa_source_view(fake.source, &v);
	assert_int_equal(v.kernel.table_entries, 1000);
	assert_int_equal(v.kernel.slices, 8);
	assert_int_equal(v.kernel.ring_bytes, 4096);
	assert_string_equal(v.kernel.clock, "precise");
	assert_string_equal(v.kernel.grace_period, "membarrier");
	assert_ptr_equal(v.kernel.drains, DRAINS);
	assert_int_equal(v.kernel.ring_event_count, 4);
	for (size_t i = 0; i < 4; i++) {
		assert_string_equal(v.kernel.ring_events[i].name, kinds[i]);
		assert_int_equal(v.kernel.ring_events[i].n, 50 + i);
	}
	assert_int_equal(v.kernel.program_count, FFFA_PROGRAM_MAX);
	assert_string_equal(v.kernel.programs[0].name, "first");
	for (size_t i = 0; i < FFFA_PROGRAM_MAX; i++) {
		assert_int_equal(v.kernel.programs[i].run_ns, 100 + i);
		assert_int_equal(v.kernel.programs[i].runs, 10 + i);
	}
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, source_fake_setup, source_fake_teardown)
	const struct CMUnitTest tests[] = {
		T(test_what_is_made_with_privileges),
		T(test_what_cannot_be_made),
		T(test_a_start),
		T(test_packets_of_before),
		T(test_a_first_start),
		T(test_starts_that_fail),
		T(test_one_id_for_several_devices),
		T(test_events),
		T(test_a_change),
		T(test_what_the_agent_asks),
		T(test_what_is_watched),
		T(test_the_view_of_hooks),
		T(test_the_view_of_many_hooks),
		T(test_the_view_of_the_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
