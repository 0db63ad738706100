// SPDX-License-Identifier: MIT
/* How one hook is judged: what passed uncounted, when it is blind, how often it is put back. */
#include "tests/stubs/cmocka_all.h"

#include <string.h>

#include "agent/base/clock.h"
#include "agent/capture/hook_state.h"

#define FRAME 114 /* bytes of each packet with its link header */

/* A device, and what its hook counted, both since the start. */
struct fixture {
	struct fffa_hook_state s;
	struct fffa_hook_facts_now now;
};

static void add(struct fixture *f, uint64_t passed, uint64_t counted)
{
	fffa_amount_add(&f->now.dev, passed, passed * FRAME);
	fffa_amount_add(&f->now.counted, counted, counted * (FRAME - 14));
}

/* A check after so many packets. Returns what it reports as lost. */
static uint64_t check(struct fixture *f, uint64_t passed, uint64_t counted)
{
	struct fffa_amount lost;

	add(f, passed, counted);
	lost = fffa_hook_state_judge(&f->s, "eth0 ingress", &f->now);
	assert_int_equal(lost.bytes, lost.packets * (FRAME - 14));
	return lost.packets;
}

static void setup_hook(struct fixture *f)
{
	*f = (struct fixture){.now = {.place = FFFA_PLACE_FIRST,
				      .error = "",
				      .dev_known = true,
				      .link_header_bytes = 14}};
	add(f, 7000, 0); /* before the agent's time */
	f->s.dev = f->now.dev;
	f->s.dev_known = true;
}

static void a_hook_in_order_loses_nothing(void **state)
{
	struct fixture f;

	(void)state;
	setup_hook(&f);
	assert_int_equal(check(&f, 50, 50), 0);
	assert_int_equal(check(&f, 60, 20), 0); /* frames that are not IP */
	assert_int_equal(f.s.condition, FFFA_HOOK_UP);
	assert_false(f.s.missed);
}

static void what_passed_while_it_was_off_is_lost(void **state)
{
	struct fixture f;

	(void)state;
	setup_hook(&f);
	f.now.place = FFFA_PLACE_NONE;
	assert_int_equal(check(&f, 30, 10), 20);
	assert_int_equal(f.s.condition, FFFA_HOOK_OFF);
	assert_non_null(strstr(f.s.problem, "eth0 ingress: the hook was taken off"));
	assert_int_equal(check(&f, 5, 0), 5);
	f.now.put_back = true;
	assert_int_equal(check(&f, 3, 0), 3);
	assert_int_equal(f.s.condition, FFFA_HOOK_UP);
	assert_int_equal(f.s.put_backs, 1);
	assert_true(f.s.missed); /* no NODATA for this interval */
	f.now.place = FFFA_PLACE_FIRST;
	f.now.put_back = false;
	assert_int_equal(check(&f, 40, 40), 0);
	assert_false(f.s.missed);
	assert_string_equal(f.s.problem, "");
}

static void behind_another_program_only_the_difference_is_lost(void **state)
{
	struct fixture f;

	(void)state;
	setup_hook(&f);
	f.now.place = FFFA_PLACE_BEHIND;
	f.now.head = (struct fffa_chain_head){.prog_id = 12, .name = "cil_from_netdev"};
	assert_int_equal(check(&f, 100, 100), 0);
	assert_string_equal(f.s.problem, "eth0 ingress: program 12 (cil_from_netdev) stands in "
					 "front, and what it does not pass on is not counted");
	assert_int_equal(check(&f, 100, 99), 1);
	assert_int_equal(check(&f, 100, 101), 0); /* it came a little late: nothing more */
	assert_int_equal(check(&f, 10, 0), 9);
}

static void silence_while_the_device_counts_is_an_alarm(void **state)
{
	struct fixture f;

	(void)state;
	setup_hook(&f);
	assert_int_equal(check(&f, 60, 0), 0);
	assert_int_equal(check(&f, 39, 0), 0); /* 99 in two checks */
	assert_int_equal(f.s.condition, FFFA_HOOK_UP);
	assert_int_equal(check(&f, 61, 0), 100);
	assert_int_equal(f.s.condition, FFFA_HOOK_BLIND);
	assert_int_equal(check(&f, 4, 0), 4);
	assert_int_equal(check(&f, 50, 50), 0);
	assert_int_equal(f.s.condition, FFFA_HOOK_UP);
}

static void frames_that_are_not_ip_are_no_alarm(void **state)
{
	struct fixture f;

	(void)state;
	setup_hook(&f);
	f.now.others = 150;
	for (int i = 0; i < 4; i++)
		assert_int_equal(check(&f, 150, 0), 0);
	assert_int_equal(f.s.condition, FFFA_HOOK_UP);
}

static void three_times_and_then_not_for_ten_minutes(void **state)
{
	uint64_t now = 5 * FFFA_NS_PER_S;
	struct fixture f;

	(void)state;
	setup_hook(&f);
	for (int i = 0; i < FFFA_HOOK_PUT_BACKS; i++) {
		assert_true(fffa_hook_state_may_put_back(&f.s, now));
		fffa_hook_state_note_attempt(&f.s, now);
	}
	assert_false(fffa_hook_state_may_put_back(&f.s, now));
	now += FFFA_HOOK_PUT_BACKS_S * FFFA_NS_PER_S;
	assert_true(fffa_hook_state_may_put_back(&f.s, now));
	fffa_hook_state_note_attempt(&f.s, now);
	assert_int_equal(f.s.attempts, 1);
}

static void expect_problem(struct fixture *f, const char *want)
{
	(void)fffa_hook_state_judge(&f->s, "eth0 ingress", &f->now);
	assert_string_equal(f->s.problem, want);
}

static void problems_name_the_other_program(void **state)
{
	struct fixture f;

	(void)state;
	setup_hook(&f);
	f.now.place = FFFA_PLACE_BEHIND;
	f.now.head = (struct fffa_chain_head){.prog_id = 12};
	expect_problem(&f, "eth0 ingress: program 12 stands in front, and what it does not pass on "
			   "is not counted");
	f.now.head = (struct fffa_chain_head){.name = "flower"};
	expect_problem(&f, "eth0 ingress: filter flower stands in front, and what it does not pass "
			   "on is not counted");
	f.now.head = (struct fffa_chain_head){.prog_id = 0};
	expect_problem(&f, "eth0 ingress: filter of another kind stands in front, and what it does "
			   "not pass on is not counted");
	f.now.place = FFFA_PLACE_NONE;
	expect_problem(&f,
		       "eth0 ingress: the hook was taken off; it was put back several times and "
		       "stays off now");
	f.now.error = "no permission";
	expect_problem(&f, "eth0 ingress: the hook was taken off; it cannot be put back: no "
			   "permission");
	f.now.head = (struct fffa_chain_head){.prog_id = 7, .name = "other"};
	expect_problem(&f, "eth0 ingress: the hook was taken off, in its place is program 7 "
			   "(other); it cannot be put back: no permission");
	f.now.place = FFFA_PLACE_UNKNOWN; /* what was known stays */
	f.now.error = "";
	(void)fffa_hook_state_judge(&f.s, "eth0 ingress", &f.now);
	assert_int_equal(f.s.condition, FFFA_HOOK_OFF);
	f.now.place = FFFA_PLACE_FIRST;
	expect_problem(&f, "");
}

static void a_blind_hook_names_the_xdp_program(void **state)
{
	struct fixture f;

	(void)state;
	for (int xdp = 0; xdp < 2; xdp++) {
		setup_hook(&f);
		if (xdp)
			f.now.xdp = (struct fffa_chain_head){.prog_id = 9, .name = "lb"};
		(void)check(&f, 500, 0);
		(void)check(&f, 500, 0);
		assert_int_equal(f.s.condition, FFFA_HOOK_BLIND);
		assert_string_equal(
			f.s.problem,
			xdp ? "eth0 ingress: the hook counts nothing while the device counts "
			      "packets; the device runs XDP program 9 (lb)"
			    : "eth0 ingress: the hook counts nothing while the device counts "
			      "packets");
	}
}

/* Exactly a hundred packets in two checks, less those that have no flow. */
static void the_alarm_has_a_bound(void **state)
{
	static const struct {
		uint64_t first, second, others, lost;
	} rows[] = {{50, 49, 0, 0},  {50, 50, 0, 100},	{0, 100, 0, 100},
		    {99, 1, 0, 100}, {60, 60, 10, 100}, {60, 59, 10, 0}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fixture f;

		setup_hook(&f);
		f.now.others = rows[i].others;
		assert_int_equal(check(&f, rows[i].first, 0), 0);
		assert_int_equal(check(&f, rows[i].second, 0), rows[i].lost);
		assert_int_equal(f.s.condition, rows[i].lost ? FFFA_HOOK_BLIND : FFFA_HOOK_UP);
	}
}

/* One packet that is counted ends the silence: the checks before it do not count any more. */
static void a_counted_packet_ends_the_silence(void **state)
{
	struct fixture f;

	(void)state;
	setup_hook(&f);
	assert_int_equal(check(&f, 90, 0), 0);
	assert_int_equal(check(&f, 90, 1), 0);
	assert_int_equal(check(&f, 90, 0), 0);
	assert_int_equal(f.s.condition, FFFA_HOOK_UP);
	assert_int_equal(check(&f, 10, 0), 100);
	assert_int_equal(f.s.condition, FFFA_HOOK_BLIND);
}

/*
 * Another device came under the same number, with counters that begin anew; only one of them need have fallen. All that
 * it counted passed without a hook, and what the hook counted was on the device before.
 */
static void all_of_another_device_was_missed(void **state)
{
	struct fixture f;

	(void)state;
	for (int bytes = 0; bytes < 2; bytes++) {
		setup_hook(&f);
		f.now.place = FFFA_PLACE_NONE;
		f.now.put_back = true;
		f.now.counted.packets += 10;
		if (bytes)
			f.now.dev = (struct fffa_amount){f.s.dev.packets + 50, f.s.dev.bytes - 1};
		else
			f.now.dev = (struct fffa_amount){f.s.dev.packets - 1,
							 f.s.dev.bytes + 50 * FRAME};
		assert_int_equal(fffa_hook_state_judge(&f.s, "eth0 ingress", &f.now).packets,
				 f.now.dev.packets);
		f.now.put_back = false;
		assert_int_equal(check(&f, 2, 0), 2);
	}
}

/* The hook was exchanged for another one: what the two did not count passed in between. */
static void an_exchanged_hook_has_a_gap(void **state)
{
	struct fixture f;

	(void)state;
	setup_hook(&f);
	f.s.again = true;
	assert_int_equal(check(&f, 30, 20), 10);
	assert_true(f.s.missed);
	assert_int_equal(f.s.condition, FFFA_HOOK_UP);
	assert_int_equal(check(&f, 30, 20), 0);
	assert_false(f.s.missed);
}

/*
 * A device that counts super-packets counts fewer than the hook: so bytes tell what is lost, and its segments are as long
 * as those before.
 */
static void super_packets_are_lost_by_their_bytes(void **state)
{
	const uint64_t segment = 1500, frame = 10 * 1460 + 66; /* one frame has ten segments */
	struct fffa_amount lost;
	struct fixture f;

	(void)state;
	setup_hook(&f);
	fffa_amount_add(&f.now.dev, 50, 50 * frame);
	fffa_amount_add(&f.now.counted, 500, 500 * segment);
	lost = fffa_hook_state_judge(&f.s, "eth0 egress", &f.now);
	assert_int_equal(lost.packets, 0);
	f.now.put_back = true;
	f.now.place = FFFA_PLACE_NONE;
	fffa_amount_add(&f.now.dev, 50, 50 * frame);
	fffa_amount_add(&f.now.counted, 300, 300 * segment);
	lost = fffa_hook_state_judge(&f.s, "eth0 egress", &f.now);
	assert_true(lost.packets == 200 || lost.packets == 199); /* rounded */
	assert_int_equal((lost.bytes + segment / 2) / segment, 200);
	/* Nothing was counted: the same. */
	f.now.put_back = false;
	fffa_amount_add(&f.now.dev, 50, 50 * frame);
	lost = fffa_hook_state_judge(&f.s, "eth0 egress", &f.now);
	assert_true(lost.packets >= 499 && lost.packets <= 501);
}

/* What was compared before weighs half as much with each check; one without packets is none. */
static void later_checks_weigh_more(void **state)
{
	struct fixture f;

	(void)state;
	setup_hook(&f);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(check(&f, 100, 40), 0);
		assert_int_equal(check(&f, 0, 0), 0);
		assert_int_equal(check(&f, 3, 0), 0);
	}
	assert_int_equal(f.s.up_passed.packets, 150);
	assert_int_equal(f.s.up_passed.bytes, 150 * FRAME);
	assert_int_equal(f.s.up_hooked.packets, 60);
	assert_int_equal(f.s.up_hooked.bytes, 60 * (FRAME - 14));
}

/* Without the device's counters before and now, nothing can be said of what passed. */
static void an_unknown_device_has_no_gap(void **state)
{
	struct fixture f;

	(void)state;
	setup_hook(&f);
	f.now.place = FFFA_PLACE_NONE;
	f.now.dev_known = false;
	assert_int_equal(check(&f, 30, 0), 0);
	f.now.dev_known = true;
	assert_int_equal(check(&f, 30, 0), 0);
	assert_int_equal(check(&f, 30, 0), 30);
}

/* Small frames, whose headers take more than their bytes, have none left. */
static void bytes_are_without_link_headers(void **state)
{
	struct fixture f;
	struct fffa_amount lost;

	(void)state;
	setup_hook(&f);
	f.now.place = FFFA_PLACE_NONE;
	fffa_amount_add(&f.now.dev, 10, 10 * 13);
	lost = fffa_hook_state_judge(&f.s, "eth0 ingress", &f.now);
	assert_int_equal(lost.packets, 10);
	assert_int_equal(lost.bytes, 0);
}

static void attempts_count_within_ten_minutes(void **state)
{
	const uint64_t begin = 5 * FFFA_NS_PER_S, all = FFFA_HOOK_PUT_BACKS_S * FFFA_NS_PER_S;
	struct fixture f;

	(void)state;
	setup_hook(&f);
	for (unsigned int i = 0; i < FFFA_HOOK_PUT_BACKS; i++) {
		assert_true(fffa_hook_state_may_put_back(&f.s, begin + i));
		fffa_hook_state_note_attempt(&f.s, begin + i);
		assert_int_equal(f.s.attempts, i + 1);
	}
	assert_int_equal(f.s.attempts_ns, begin); /* of the first */
	assert_false(fffa_hook_state_may_put_back(&f.s, begin + all - 1));
	assert_true(fffa_hook_state_may_put_back(&f.s, begin + all));
	fffa_hook_state_note_attempt(&f.s, begin + all - 1);
	assert_int_equal(f.s.attempts, FFFA_HOOK_PUT_BACKS + 1);
	fffa_hook_state_note_attempt(&f.s, begin + all);
	assert_int_equal(f.s.attempts, 1);
	assert_int_equal(f.s.attempts_ns, begin + all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hook_in_order_loses_nothing),
		cmocka_unit_test(what_passed_while_it_was_off_is_lost),
		cmocka_unit_test(behind_another_program_only_the_difference_is_lost),
		cmocka_unit_test(silence_while_the_device_counts_is_an_alarm),
		cmocka_unit_test(frames_that_are_not_ip_are_no_alarm),
		cmocka_unit_test(three_times_and_then_not_for_ten_minutes),
		cmocka_unit_test(problems_name_the_other_program),
		cmocka_unit_test(a_blind_hook_names_the_xdp_program),
		cmocka_unit_test(the_alarm_has_a_bound),
		cmocka_unit_test(a_counted_packet_ends_the_silence),
		cmocka_unit_test(all_of_another_device_was_missed),
		cmocka_unit_test(an_exchanged_hook_has_a_gap),
		cmocka_unit_test(super_packets_are_lost_by_their_bytes),
		cmocka_unit_test(later_checks_weigh_more),
		cmocka_unit_test(an_unknown_device_has_no_gap),
		cmocka_unit_test(bytes_are_without_link_headers),
		cmocka_unit_test(attempts_count_within_ten_minutes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
