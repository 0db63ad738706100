// SPDX-License-Identifier: MIT
/* Other settings for a metadata reader that runs: when they are in use, and what goes on. */
#include "tests/unit/enrich/meta_fixture.h"

#include <errno.h>
#include <string.h>

#include "agent/base/clock.h"
#include "tests/stubs/cmocka_all.h"

static const struct fffa_imds_data answer = {
	.host = {.instance_id = "i-1", .region = "us-east-1"},
	.n = 1,
	.ifaces = {{.mac = {2, 0, 0, 0, 0, 1}, .interface_id = "eni-1"}},
};

static const struct fffa_imds_data second_answer = {.host = {.instance_id = "i-2"}};

static const struct fffa_device device = {.ifindex = 2, .name = "eth0", .mac = {2, 0, 0, 0, 0, 1}};

static void change(void)
{
	struct fffa_err err = {""};

	if (fffa_meta_change(&meta_fixture.meta, &fake_loop.loop, &meta_fixture.conf, &err) != 0)
		fail_msg("%s", err.text);
}

/* A reader that has one device, and whose IMDS, task and traffic are known. */
static struct fffa_meta *start(void)
{
	static const struct fffa_network net = {.name = "a"};
	struct fffa_record r = {.src_network = &net, .bytes = 5};

	meta_fixture_open();
	meta_fixture_learn(meta_fixture_source(SOURCE_IMDS, 0), &answer);
	assert_int_equal(fffa_meta_set_devices(meta_fixture.meta, &device, 1), 0);
	fffa_meta_count_traffic(meta_fixture.meta, &r);
	return meta_fixture.meta;
}

static void settle(size_t n)
{
	meta_fixture_learn(meta_fixture_source(SOURCE_IMDS, n), &second_answer);
	meta_fixture_settle(meta_fixture_source(SOURCE_ECS, n), NULL);
	meta_fixture_settle(meta_fixture_source(SOURCE_RANGES, n), NULL);
	meta_fixture_settle(meta_fixture_source(SOURCE_NETWORKS, n), NULL);
}

static void the_new_one_follows_when_it_has_answers(void **state)
{
	struct fffa_meta *old = start();
	size_t n;

	(void)state;
	meta_fixture_source(SOURCE_IMDS, 0)->errors[FFFA_IE_TIMEOUT] = 3;
	meta_fixture_source(SOURCE_RANGES, 0)->errors[0] = 5;
	change();
	assert_ptr_equal(meta_fixture.meta, old);
	assert_int_equal(fake_loop_due_in_ms(), 5000);
	settle(1);
	assert_ptr_equal(meta_fixture.meta, old); /* never from inside */
	fake_loop_fire();
	assert_true(meta_fixture.meta != old);
	assert_int_equal(fake_loop_logged("I the new settings are in use"), 1);
	assert_string_equal(fffa_meta_host(meta_fixture.meta)->instance_id, "i-2");
	assert_string_equal(fffa_meta_ident(meta_fixture.meta, 0)->ifname, "eth0");
	meta_fixture_source(SOURCE_IMDS, 1)->errors[FFFA_IE_TIMEOUT] = 10;
	meta_fixture_source(SOURCE_RANGES, 1)->errors[0] = 20;
	assert_int_equal(meta_fixture_errors("timeout"), 13);
	assert_int_equal(meta_fixture_errors("ip_ranges"), 25);
	assert_int_equal(meta_fixture_errors("connect"), 0);
	assert_int_equal(fffa_meta_traffic(meta_fixture.meta, &n)[0].bytes, 5);
	/* The old one ends by itself. */
	assert_non_null(meta_fixture_source(SOURCE_IMDS, 0)->closed);
	assert_null(meta_fixture_source(SOURCE_IMDS, 1)->closed);
	meta_fixture_turn();
}

static void without_answers_it_takes_those_of_before(void **state)
{
	struct fffa_meta *old = start();

	(void)state;
	meta_fixture.hrtime_ns += 100;
	change();
	fake_loop_fire();
	assert_true(meta_fixture.meta != old);
	assert_string_equal(fffa_meta_host(meta_fixture.meta)->instance_id, "i-1");
	assert_string_equal(fffa_meta_ident(meta_fixture.meta, 0)->interface_id, "eni-1");
	assert_int_equal(fffa_meta_age_ns(meta_fixture.meta), 100);
	assert_string_equal(fffa_meta_state(meta_fixture.meta), "asking");
	for (int kind = SOURCE_ECS; kind <= SOURCE_NETWORKS; kind++)
		assert_ptr_equal(meta_fixture_source((enum meta_source_kind)kind, 1)->inherited,
				 meta_fixture_source((enum meta_source_kind)kind, 0));
	meta_fixture_turn();
	assert_string_equal(fffa_meta_host(meta_fixture.meta)->instance_id, "i-1"); /* a copy */
	meta_fixture_learn(meta_fixture_source(SOURCE_IMDS, 1), &second_answer);
	assert_string_equal(fffa_meta_host(meta_fixture.meta)->instance_id, "i-2");
}

static void what_is_not_asked_for_is_not_taken(void **state)
{
	size_t n;

	(void)state;
	(void)start();
	meta_fixture.conf.imds.enabled = FFFA_SW_OFF;
	meta_fixture.conf.ecs = FFFA_ECS_OFF;
	meta_fixture.conf.ip_ranges = meta_fixture.conf.networks = NULL;
	change();
	assert_int_equal(fake_loop_due_in_ms(), 0); /* it has nothing to wait for */
	fake_loop_fire();
	assert_string_equal(fffa_meta_state(meta_fixture.meta), "off");
	assert_string_equal(fffa_meta_host(meta_fixture.meta)->region, "");
	assert_true(fffa_meta_age_ns(meta_fixture.meta) == UINT64_MAX);
	assert_null(fffa_meta_traffic(meta_fixture.meta, &n));
	meta_fixture_turn();
	/* And back, from one that knows nothing. */
	meta_fixture.conf.imds.enabled = FFFA_SW_ON;
	change();
	fake_loop_fire();
	assert_string_equal(fffa_meta_host(meta_fixture.meta)->region, "");
	assert_true(fffa_meta_age_ns(meta_fixture.meta) == UINT64_MAX);
	meta_fixture_turn();
}

static void a_second_change_replaces_the_first(void **state)
{
	struct fffa_meta *old = start();

	(void)state;
	change();
	change();
	assert_non_null(meta_fixture_source(SOURCE_IMDS, 1)->closed);
	meta_fixture_turn();
	assert_ptr_equal(meta_fixture.meta, old);
	settle(2);
	fake_loop_fire();
	assert_true(meta_fixture.meta != old);
	assert_int_equal(fake_loop_logged("the new settings are in use"), 1);
	meta_fixture_turn();
}

static void settings_of_no_use_change_nothing(void **state)
{
	char key[] = "region", value[] = "a b";
	struct fffa_pair pair = {key, value};
	struct fffa_meta *old = start();
	struct fffa_err err = {""};

	(void)state;
	change();
	meta_fixture.conf.fixed = (struct fffa_pairs){&pair, 1};
	assert_int_equal(
		fffa_meta_change(&meta_fixture.meta, &fake_loop.loop, &meta_fixture.conf, &err),
		-EINVAL);
	assert_non_null(strstr(err.text, "metadata.static.region"));
	assert_ptr_equal(meta_fixture.meta, old);
	assert_null(meta_fixture_source(SOURCE_IMDS, 1)->closed); /* the change before goes on */
	fake_loop_fire();
	assert_true(meta_fixture.meta != old);
	meta_fixture_turn();
}

static void who_waits_at_the_start_waits_for_the_new_one(void **state)
{
	(void)state;
	(void)start();
	meta_fixture_wait(90 * FFFA_NS_PER_S);
	change();
	fake_loop_fire(); /* the change, after 5 s */
	assert_int_equal(meta_fixture.settled, 0);
	assert_int_equal(fake_loop_due_in_ms(), 0);
	fake_loop_fire();
	assert_int_equal(meta_fixture.settled, 1);
	meta_fixture_turn();
}

static void it_ends_with_its_successor(void **state)
{
	(void)state;
	(void)start();
	change();
	meta_fixture_close(); /* waits for both */
	assert_int_equal(fake_loop_due_in_ms(), FAKE_LOOP_NEVER);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, meta_fixture_setup, meta_fixture_teardown)
	const struct CMUnitTest tests[] = {
		T(the_new_one_follows_when_it_has_answers),
		T(without_answers_it_takes_those_of_before),
		T(what_is_not_asked_for_is_not_taken),
		T(a_second_change_replaces_the_first),
		T(settings_of_no_use_change_nothing),
		T(who_waits_at_the_start_waits_for_the_new_one),
		T(it_ends_with_its_successor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
