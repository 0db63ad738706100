// SPDX-License-Identifier: MIT
/* The two sums of the ledger, and the lines that show them. */
#include "tests/stubs/cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "agent/base/ledger.h"

/* Every counter has a value of its own, and the sums hold. */
static struct fffa_ledger full_ledger(struct fffa_amount *held)
{
	struct fffa_ledger l = {
		.seen = {{1000, 70000}, {2000, 90000}},
		.unattended = {50, 5000},
		.recorded = {1900, 100000},
		.filtered = {30, 3000},
		.not_on_wire = {20, 2000},
		.records = 77,
		.not_ip_frames = 5,
		.not_sampled = 6,
		.no_first_fragment = 7,
	};

	for (int i = 0; i < FFFA_PL_MAX; i++)
		l.lost[i] = (struct fffa_amount){(uint64_t)i + 1, (uint64_t)i * 10 + 3};
	*held = (struct fffa_amount){3050 - 1950 - FFFA_PL_MAX * (FFFA_PL_MAX + 1) / 2,
				     165000 - 105000 - 3 * FFFA_PL_MAX -
					     5 * FFFA_PL_MAX * (FFFA_PL_MAX - 1)};
	return l;
}

static void every_amount_is_in_the_balance(void **state)
{
	struct fffa_amount held, sum;
	struct fffa_ledger l = full_ledger(&held), off;

	(void)state;
	sum = fffa_ledger_seen(&l);
	assert_int_equal(sum.packets, 3050);
	assert_int_equal(sum.bytes, 165000);
	sum = fffa_ledger_lost(&l);
	assert_int_equal(sum.packets, FFFA_PL_MAX * (FFFA_PL_MAX + 1) / 2);
	assert_true(fffa_ledger_balances(&l, held));
	struct fffa_amount *const each[] = {
		&off.seen[0],  &off.seen[1],	 &off.unattended, &off.recorded,
		&off.filtered, &off.not_on_wire, &off.lost[0],	  &off.lost[FFFA_PL_MAX - 1]};
	for (size_t i = 0; i < sizeof(each) / sizeof(each[0]); i++) {
		off = l;
		each[i]->packets++;
		assert_false(fffa_ledger_balances(&off, held));
		off = l;
		each[i]->bytes--;
		assert_false(fffa_ledger_balances(&off, held));
	}
	held.packets++;
	assert_false(fffa_ledger_balances(&l, held));
}

static void the_kernel_holds_what_is_seen_and_not_handed_over(void **state)
{
	struct fffa_ledger l = {.seen = {{100, 1000}, {0, 0}},
				.merged = {50, 500},
				.filtered = {10, 100},
				.not_on_wire = {10, 100}};
	struct fffa_amount a;

	(void)state;
	l.lost[FFFA_PL_TABLE_FULL] = (struct fffa_amount){5, 50};
	l.lost[FFFA_PL_FLOW_TABLE] =
		(struct fffa_amount){7, 70}; /* was merged: is not lost twice */
	a = fffa_ledger_held_kernel(&l);
	assert_int_equal(a.packets, 25);
	assert_int_equal(a.bytes, 250);
	l.merged = (struct fffa_amount){200, 2000}; /* handed over since the counters were read */
	a = fffa_ledger_held_kernel(&l);
	assert_int_equal(a.packets, 0);
	assert_int_equal(a.bytes, 0);
}

static void the_line_shows_every_counter(void **state)
{
	struct fffa_amount held;
	struct fffa_ledger l = full_ledger(&held), none = {.records = 0};
	char line[1024], want[1024];
	size_t n;

	(void)state;
	n = fffa_ledger_format(&l, held, line, sizeof(line));
	assert_int_equal(n, strlen(line));
	assert_memory_equal(line, "seen_packets=3050 seen_bytes=165000 recorded_packets=1900 ",
			    strlen("seen_packets=3050 seen_bytes=165000 recorded_packets=1900 "));
	for (int i = 0; i < FFFA_PL_MAX; i++) {
		(void)snprintf(want, sizeof(want), " lost_%s=%d ",
			       fffa_ledger_packet_loss_name((enum fffa_packet_loss)i), i + 1);
		assert_non_null(strstr(line, want));
	}
	assert_non_null(strstr(line,
			       " filtered_packets=30 filtered_bytes=3000 not_on_wire_packets=20 "
			       "not_on_wire_bytes=2000 not_sampled=6 no_first_fragment=7 "
			       "not_ip_frames=5 records=77 balance=ok"));
	l.not_ip_frames = 0;
	held.packets--;
	(void)fffa_ledger_format(&l, held, line, sizeof(line));
	assert_non_null(strstr(line, "balance=WRONG"));
	n = fffa_ledger_format(&none, (struct fffa_amount){0, 0}, line, sizeof(line));
	assert_string_equal(line, "seen_packets=0 seen_bytes=0 recorded_packets=0 recorded_bytes=0 "
				  "held_packets=0 held_bytes=0 lost_packets=0 lost_bytes=0 "
				  "not_ip_frames=0 records=0 balance=ok");
	for (size_t cap = 1; cap <= n + 1; cap++) {
		memset(want, '#', sizeof(want));
		assert_int_equal(fffa_ledger_format(&none, (struct fffa_amount){0, 0}, want, cap),
				 cap - 1);
		assert_int_equal(strlen(want), cap - 1);
		assert_memory_equal(want, line, cap - 1);
		assert_int_equal(want[cap], '#');
	}
}

/* The first types have a count of their own, all others one together. */
static void frames_without_ip_by_type(void **state)
{
	struct fffa_ledger l = {.nodata_records = 1000, .no_tunnel_id = 1000};
	char text[8];

	(void)state;
	for (uint16_t type = 0; type < FFFA_LEDGER_NOT_IP_TYPES + 3; type++) {
		fffa_ledger_add_not_ip(&l, type, 1);
		fffa_ledger_add_not_ip(&l, type, 2);
		l.not_ip_frames += 3;
	}
	for (uint16_t i = 0; i < FFFA_LEDGER_NOT_IP_TYPES; i++) {
		assert_int_equal(l.not_ip[i].ether_type, i);
		assert_int_equal(l.not_ip[i].frames, 3);
	}
	assert_int_equal(fffa_ledger_not_ip_other(&l), 9);
	l.not_ip_frames = 1; /* read before the types */
	assert_int_equal(fffa_ledger_not_ip_other(&l), 0);
	assert_string_equal(fffa_ledger_ether_type(0x806, text), "0x0806");
	assert_string_equal(fffa_ledger_ether_type(0, text), "llc");
}

static struct fffa_sink_ledger full_sink(void)
{
	struct fffa_sink_ledger s = {.delivered = 100,
				     .rejected = 10,
				     .in_flight = 5,
				     .resumed = 20,
				     .spooled = 4,
				     .retries = 3,
				     .skipdata_records = 2,
				     .untold = 1};

	s.records = 115;
	for (int i = 0; i < FFFA_RL_MAX; i++) {
		s.lost[i] = (uint64_t)i + 1;
		s.records += s.lost[i];
	}
	return s;
}

static void every_record_of_a_sink_is_in_its_balance(void **state)
{
	struct fffa_sink_ledger s = full_sink(), off = s;
	uint64_t *const each[] = {&off.records,	  &off.delivered, &off.rejected,
				  &off.in_flight, &off.lost[0],	  &off.lost[FFFA_RL_MAX - 1]};

	(void)state;
	assert_int_equal(fffa_ledger_sink_lost(&s), FFFA_RL_MAX * (FFFA_RL_MAX + 1) / 2);
	assert_true(fffa_ledger_sink_balances(&s));
	for (size_t i = 0; i < sizeof(each) / sizeof(each[0]); i++) {
		off = s;
		++*each[i];
		assert_false(fffa_ledger_sink_balances(&off));
	}
	off = s; /* what lies outside the sum */
	off.resumed = off.spooled = off.retries = off.skipdata_records = off.untold = 9;
	assert_true(fffa_ledger_sink_balances(&off));
}

static void the_line_of_a_sink_shows_every_counter(void **state)
{
	struct fffa_sink_ledger s = full_sink();
	char line[1024], want[100];
	size_t n = fffa_ledger_sink_format(&s, line, sizeof(line));

	(void)state;
	assert_int_equal(n, strlen(line));
	for (int i = 0; i < FFFA_RL_MAX; i++) {
		const char *name = fffa_ledger_record_loss_name((enum fffa_record_loss)i);

		(void)snprintf(want, sizeof(want), " lost_%s=%d ", name, i + 1);
		assert_non_null(strstr(line, want));
		assert_int_equal(fffa_ledger_record_loss_find(name), i);
	}
	assert_int_equal(fffa_ledger_record_loss_find("nothing"), FFFA_RL_MAX);
	assert_non_null(strstr(line, "delivered=100 rejected=10 in_flight=5 retries=3 lost="));
	assert_non_null(strstr(line, " resumed=20 spooled=4 skipdata=2 untold=1 balance=ok"));
	s = (struct fffa_sink_ledger){.records = 1};
	(void)fffa_ledger_sink_format(&s, line, sizeof(line));
	assert_string_equal(line, "records=1 delivered=0 rejected=0 in_flight=0 retries=0 lost=0 "
				  "balance=WRONG");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_amount_is_in_the_balance),
		cmocka_unit_test(the_kernel_holds_what_is_seen_and_not_handed_over),
		cmocka_unit_test(the_line_shows_every_counter),
		cmocka_unit_test(frames_without_ip_by_type),
		cmocka_unit_test(every_record_of_a_sink_is_in_its_balance),
		cmocka_unit_test(the_line_of_a_sink_shows_every_counter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
