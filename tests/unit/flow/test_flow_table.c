// SPDX-License-Identifier: MIT
/* When windows end (idle, active, end, resources, forced). The clock is an argument. */
#include <string.h>

#include "agent/base/clock.h"
#include "agent/flow/flow_table.h"
#include "tests/stubs/cmocka_all.h"

#define S     FFFA_NS_PER_S
#define START (1000 * S)
#define UNIX0 (UINT64_C(1700000000) * S)
#define CAP   4096

struct fixture {
	struct fffa_ledger ledger;
	struct fffa_flow_table *t;
	struct fffa_record got[CAP];
	size_t n;
};

static void on_record(void *arg, struct fffa_record *r)
{
	struct fixture *f = arg;

	assert_true(f->n < CAP);
	f->got[f->n++] = *r;
}

static void set_clock(struct fixture *f, uint64_t ns)
{
	fffa_flow_set_time(f->t, START + ns, UNIX0 + ns);
}

/* Expires what is due at START + ns and checks the balance. */
static void expire(struct fixture *f, uint64_t ns)
{
	struct fffa_amount held;

	set_clock(f, ns);
	while (fffa_flow_expire(f->t, 16)) {
	}
	held = fffa_flow_held(f->t);
	assert_int_equal(f->ledger.merged.packets,
			 f->ledger.recorded.packets + held.packets +
				 f->ledger.lost[FFFA_PL_FLOW_TABLE].packets);
	assert_int_equal(f->ledger.merged.bytes, f->ledger.recorded.bytes + held.bytes +
							 f->ledger.lost[FFFA_PL_FLOW_TABLE].bytes);
}

static struct fffa_delta delta(uint16_t port, uint64_t first, uint64_t last, uint32_t packets,
			       uint16_t flags)
{
	struct fffa_delta d = {.packets = packets,
			       .bytes = packets * UINT64_C(100),
			       .first_ns = START + first,
			       .last_ns = START + last,
			       .flags = flags};

	d.key.src[15] = 1;
	d.key.dst[15] = 2;
	d.key.sport = port;
	d.key.dport = 443;
	d.key.proto = 6;
	d.key.ifindex = 3;
	return d;
}

static struct fffa_delta reversed(struct fffa_delta d)
{
	struct fffa_delta r = d;

	memcpy(r.key.src, d.key.dst, 16);
	memcpy(r.key.dst, d.key.src, 16);
	r.key.sport = d.key.dport;
	r.key.dport = d.key.sport;
	r.key.view ^= FFFA_VIEW_EGRESS;
	return r;
}

static int setup_with(void **state, uint32_t max_flows)
{
	struct fixture *f = test_calloc(1, sizeof(*f));
	struct fffa_flow_conf c = {
		.idle_ns = 30 * S, .active_ns = 60 * S, .linger_ns = S, .max_flows = max_flows};

	assert_int_equal(fffa_flow_table_new(&c, &f->ledger, on_record, f, &f->t), 0);
	set_clock(f, 0);
	*state = f;
	return 0;
}

static int setup(void **state)
{
	return setup_with(state, 1024);
}

static int setup_small(void **state)
{
	return setup_with(state, 4);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	fffa_flow_table_free(f->t);
	test_free(f);
	return 0;
}

static void idle_ends_a_quiet_flow(void **state)
{
	struct fixture *f = *state;
	struct fffa_delta d = delta(1, 0, 2 * S, 5, FFFA_F_ACK);

	fffa_flow_merge(f->t, &d);
	expire(f, 31 * S);
	assert_int_equal(f->n, 0);
	expire(f, 33 * S);
	assert_int_equal(f->n, 1);
	assert_int_equal(f->got[0].end_reason, FFFA_END_IDLE);
	assert_int_equal(f->got[0].packets, 5);
	assert_int_equal(f->got[0].bytes, 500);
	assert_int_equal(f->got[0].start_ms, INT64_C(1700000000000));
	assert_int_equal(f->got[0].end_ms, INT64_C(1700000002000));
	assert_int_equal(fffa_flow_count(f->t), 0);
}

static void deltas_of_one_flow_add_up(void **state)
{
	struct fixture *f = *state;
	struct fffa_delta a = delta(1, 3 * S, 4 * S, 2, FFFA_F_ACK),
			  b = delta(1, S, 2 * S, 3, FFFA_F_PSH);

	fffa_flow_merge(f->t, &a);
	fffa_flow_merge(f->t, &b); /* older than what the ring brought */
	expire(f, 60 * S);
	assert_int_equal(f->n, 1);
	assert_int_equal(f->got[0].packets, 5);
	assert_int_equal(f->got[0].flags, FFFA_F_ACK | FFFA_F_PSH);
	assert_int_equal(f->got[0].start_ms, INT64_C(1700000001000));
	assert_int_equal(f->got[0].end_ms, INT64_C(1700000004000));
}

static void active_cuts_a_long_flow(void **state)
{
	struct fixture *f = *state;

	for (uint64_t s = 0; s < 200; s++) {
		struct fffa_delta d = delta(1, s * S, s * S + S / 2, 1, FFFA_F_ACK);

		fffa_flow_merge(f->t, &d);
		expire(f, s * S + S / 2);
	}
	expire(f, 300 * S);
	assert_int_equal(f->n, 4);
	for (size_t i = 0; i < f->n; i++) {
		assert_true(f->got[i].end_ms - f->got[i].start_ms <= 60000);
		assert_int_equal(f->got[i].end_reason, i < 3 ? FFFA_END_ACTIVE : FFFA_END_IDLE);
	}
	assert_int_equal(f->ledger.recorded.packets, 200);
}

static void a_late_delta_never_stretches_a_window(void **state)
{
	struct fixture *f = *state;
	struct fffa_delta a = delta(1, 0, S, 1, 0), b = delta(1, 61 * S, 62 * S, 1, 0);

	fffa_flow_merge(f->t, &a);
	fffa_flow_merge(f->t, &b);
	assert_int_equal(f->n, 1);
	assert_int_equal(f->got[0].end_reason, FFFA_END_ACTIVE);
	assert_int_equal(f->got[0].end_ms - f->got[0].start_ms, 1000);
}

/* After the process stood still, the ring is read before the table that an earlier drain turned to. */
static void an_older_delta_never_stretches_a_window(void **state)
{
	struct fixture *f = *state;
	struct fffa_delta newer = delta(1, 61 * S, 62 * S, 1, 0), older = delta(1, 0, S, 1, 0);
	struct fffa_delta fits = delta(2, 60 * S, 61 * S, 1, 0), edge = delta(2, S, 2 * S, 1, 0);

	fffa_flow_merge(f->t, &newer);
	fffa_flow_merge(f->t, &older);
	assert_int_equal(f->n, 1);
	assert_int_equal(f->got[0].end_reason, FFFA_END_ACTIVE);
	assert_int_equal(f->got[0].end_ms - f->got[0].start_ms, 1000);
	fffa_flow_merge(f->t, &fits);
	fffa_flow_merge(f->t, &edge); /* from its begin to the end of the other: 60 s */
	assert_int_equal(f->n, 1);
	(void)fffa_flow_flush(f->t, 16);
	assert_int_equal(f->n, 3);
	for (size_t i = 0; i < f->n; i++)
		assert_int_equal(f->got[i].end_ms - f->got[i].start_ms,
				 f->got[i].key.sport == 2 ? 60000 : 1000);
}

static void a_window_without_packets_is_no_record(void **state)
{
	struct fixture *f = *state;
	struct fffa_delta d = delta(1, 0, 59 * S, 9, 0);

	fffa_flow_merge(f->t, &d);
	expire(f, 61 * S);
	assert_int_equal(f->n, 1);
	assert_int_equal(f->got[0].end_reason, FFFA_END_ACTIVE);
	assert_int_equal(fffa_flow_count(f->t), 1);
	expire(f, 100 * S);
	assert_int_equal(f->n, 1);
	assert_int_equal(fffa_flow_count(f->t), 0);
}

static void fin_both_ways_ends_both(void **state)
{
	struct fixture *f = *state;
	struct fffa_delta a = delta(1, 0, S, 4, FFFA_F_SYN | FFFA_F_ACK | FFFA_F_FIN),
			  b = reversed(a);

	set_clock(f, S);
	fffa_flow_merge(f->t, &a);
	expire(f, 5 * S);
	assert_int_equal(f->n, 0); /* half closed */
	fffa_flow_merge(f->t, &b);
	expire(f, 7 * S);
	assert_int_equal(f->n, 2);
	assert_int_equal(f->got[0].end_reason, FFFA_END_END);
	assert_int_equal(f->got[1].end_reason, FFFA_END_END);
	assert_int_equal(fffa_flow_count(f->t), 0);
}

/* The end that said FIN first still receives: neither direction ends before the other FIN. */
static void half_closed_connection_goes_on(void **state)
{
	struct fixture *f = *state;
	struct fffa_delta a = delta(1, 0, S, 4, FFFA_F_SYN | FFFA_F_FIN), b = reversed(a);

	b.flags = FFFA_F_SYN | FFFA_F_ACK;
	set_clock(f, S);
	fffa_flow_merge(f->t, &b);
	fffa_flow_merge(f->t, &a);
	expire(f, 20 * S);
	assert_int_equal(f->n, 0);
	b.first_ns = b.last_ns = START + 20 * S;
	fffa_flow_merge(f->t, &b); /* what it receives */
	expire(f, 33 * S);
	assert_int_equal(f->n, 1);
	assert_int_equal(f->got[0].end_reason, FFFA_END_IDLE); /* the end that is silent */
	expire(f, 45 * S);
	assert_int_equal(f->n, 1);
	assert_int_equal(fffa_flow_count(f->t), 1);
}

static void the_other_way_may_have_another_hook(void **state)
{
	struct fixture *f = *state;
	struct fffa_delta a = delta(1, 0, S, 4, FFFA_F_FIN), b = reversed(a);

	a.key.view |= FFFA_VIEW_HOOK_XDP;
	fffa_flow_merge(f->t, &a);
	fffa_flow_merge(f->t, &b);
	expire(f, 3 * S);
	assert_int_equal(f->n, 2);
}

static void rst_ends_both_at_once(void **state)
{
	struct fixture *f = *state;
	struct fffa_delta a = delta(1, 0, S, 4, FFFA_F_ACK), b = reversed(a);

	b.flags = FFFA_F_RST;
	set_clock(f, S);
	fffa_flow_merge(f->t, &a);
	fffa_flow_merge(f->t, &b);
	expire(f, S + S * 9 / 10); /* not before the last packets had their time */
	assert_int_equal(f->n, 0);
	expire(f, 3 * S);
	assert_int_equal(f->n, 2);
	assert_int_equal(f->ledger.records_by_end[FFFA_END_END], 2);
}

/* A RST is no FIN: a later FIN of the other side alone ends nothing but what it has to. */
static void rst_is_no_fin(void **state)
{
	struct fixture *f = *state;
	struct fffa_delta a = delta(1, 0, S, 4, FFFA_F_RST), b = reversed(a);

	b.flags = FFFA_F_FIN;
	set_clock(f, S);
	fffa_flow_merge(f->t, &a);
	fffa_flow_merge(f->t, &b);
	expire(f, 3 * S);
	assert_int_equal(f->n, 1);
	assert_int_equal(f->got[0].flags, FFFA_F_RST);
}

static void the_last_ack_still_counts(void **state)
{
	struct fixture *f = *state;
	struct fffa_delta a = delta(1, 0, S, 4, FFFA_F_FIN), b = reversed(a);
	struct fffa_delta ack = delta(1, S, S, 1, FFFA_F_ACK);

	fffa_flow_merge(f->t, &a);
	fffa_flow_merge(f->t, &b);
	fffa_flow_merge(f->t, &ack); /* drained after the ends came through the ring */
	expire(f, 3 * S);
	assert_int_equal(f->n, 2);
	assert_int_equal(f->got[0].packets + f->got[1].packets, 9);
}

static void udp_with_fin_bits_does_not_end(void **state)
{
	struct fixture *f = *state;
	struct fffa_delta a = delta(1, 0, S, 4, FFFA_F_RST);

	a.key.proto = 17;
	fffa_flow_merge(f->t, &a);
	expire(f, 10 * S);
	assert_int_equal(f->n, 0);
}

static void full_reports_the_oldest_early(void **state)
{
	struct fixture *f = *state;

	for (uint16_t p = 0; p < 10; p++) {
		struct fffa_delta d = delta(p, p * S, p * S, 1, 0);

		set_clock(f, p * S);
		fffa_flow_merge(f->t, &d);
	}
	assert_int_equal(f->n, 6);
	for (uint16_t p = 0; p < 6; p++) {
		assert_int_equal(f->got[p].end_reason, FFFA_END_RESOURCES);
		assert_int_equal(f->got[p].key.sport, p);
	}
	assert_int_equal(f->ledger.lost[FFFA_PL_FLOW_TABLE].packets, 0);
	expire(f, 9 * S);
}

static void merge_ports(struct fixture *f, uint16_t from, uint16_t to)
{
	for (uint16_t p = from; p < to; p++) {
		struct fffa_delta d = delta(p, 0, S, 1, 0);

		fffa_flow_merge(f->t, &d);
	}
}

/* All flows are found again in a table that has grown, and more fit. */
static void the_bound_may_grow(void **state)
{
	struct fixture *f = *state;

	merge_ports(f, 0, 4);
	assert_int_equal(fffa_flow_set_max(f->t, 3000), 0);
	merge_ports(f, 0, 3000);
	assert_int_equal(f->n, 0);
	assert_int_equal(fffa_flow_count(f->t), 3000);
	merge_ports(f, 3000, 3010);
	assert_int_equal(f->n, 10);
	while (fffa_flow_flush(f->t, 64)) {
	}
	assert_int_equal(f->n, 3010);
	for (size_t i = 0; i < f->n; i++)
		assert_int_equal(f->got[i].packets, f->got[i].key.sport < 4 ? 2 : 1);
}

/* The oldest are reported early, two for each newcomer, until the table has the new size. */
static void the_bound_may_shrink(void **state)
{
	struct fixture *f = *state;

	merge_ports(f, 0, 1000);
	assert_int_equal(fffa_flow_set_max(f->t, 100), 0);
	assert_int_equal(f->n, 0);
	merge_ports(f, 1000, 1001);
	assert_int_equal(f->n, 2);
	assert_int_equal(fffa_flow_count(f->t), 999);
	merge_ports(f, 1001, 2000);
	assert_int_equal(fffa_flow_count(f->t), 100);
	assert_int_equal(f->n, 1900);
	assert_int_equal(f->ledger.records_by_end[FFFA_END_RESOURCES], 1900);
	assert_int_equal(fffa_flow_set_max(f->t, 1024), 0);
	merge_ports(f, 2000, 2900);
	assert_int_equal(fffa_flow_count(f->t), 1000);
	assert_int_equal(f->ledger.lost[FFFA_PL_FLOW_TABLE].packets, 0);
	expire(f, S);
}

static void flush_reports_everything_in_slices(void **state)
{
	struct fixture *f = *state;
	int calls = 1;

	for (uint16_t p = 0; p < 1000; p++) {
		struct fffa_delta d = delta(p, 0, S, 2, 0);

		fffa_flow_merge(f->t, &d);
	}
	while (fffa_flow_flush(f->t, 64))
		calls++;
	assert_uint_in_range(calls, 15, 40);
	assert_int_equal(f->n, 1000);
	assert_int_equal(f->ledger.records_by_end[FFFA_END_FORCED], 1000);
	assert_int_equal(fffa_flow_held(f->t).packets, 0);
	assert_int_equal(f->ledger.recorded.packets, 2000);
	/* It begins again with those that come later, in places of before. */
	merge_ports(f, 0, 10);
	while (fffa_flow_flush(f->t, 3)) {
	}
	assert_int_equal(f->n, 1010);
	merge_ports(f, 0, 10);
	while (fffa_flow_flush(f->t, 64)) {
	}
	assert_int_equal(f->n, 1020);
}

static void keys_that_differ_anywhere_are_flows_of_their_own(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(struct fffa_key); i++) {
		struct fffa_delta d = delta(7, 0, 0, 1, 0);

		((uint8_t *)&d.key)[i] ^= 0x40;
		fffa_flow_merge(f->t, &d);
		fffa_flow_merge(f->t, &d);
	}
	assert_int_equal(fffa_flow_count(f->t), sizeof(struct fffa_key));
}

static void a_step_of_the_wall_clock_moves_both_ends(void **state)
{
	struct fixture *f = *state;
	struct fffa_delta d = delta(1, 0, 2 * S, 5, 0);

	fffa_flow_merge(f->t, &d);
	fffa_flow_set_time(f->t, START + 40 * S, UNIX0 + 40 * S + 3600 * S);
	while (fffa_flow_expire(f->t, 16)) {
	}
	assert_int_equal(f->n, 1);
	assert_int_equal(f->got[0].end_ms - f->got[0].start_ms, 2000);
	assert_int_equal(f->got[0].start_ms, INT64_C(1700003600000));
}

static void a_jump_of_hours_ends_all_at_once(void **state)
{
	struct fixture *f = *state;

	for (uint16_t p = 0; p < 100; p++) {
		struct fffa_delta d = delta(p, 0, p * S / 4, 1, 0);

		fffa_flow_merge(f->t, &d);
	}
	expire(f, 100000 * S);
	assert_int_equal(f->n, 100);
}

int main(void)
{
#define T(x) cmocka_unit_test_setup_teardown(x, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(idle_ends_a_quiet_flow),
		T(deltas_of_one_flow_add_up),
		T(active_cuts_a_long_flow),
		T(a_late_delta_never_stretches_a_window),
		T(an_older_delta_never_stretches_a_window),
		T(a_window_without_packets_is_no_record),
		T(fin_both_ways_ends_both),
		T(half_closed_connection_goes_on),
		T(the_other_way_may_have_another_hook),
		T(rst_ends_both_at_once),
		T(rst_is_no_fin),
		T(the_last_ack_still_counts),
		T(udp_with_fin_bits_does_not_end),
		cmocka_unit_test_setup_teardown(full_reports_the_oldest_early, setup_small,
						teardown),
		cmocka_unit_test_setup_teardown(the_bound_may_grow, setup_small, teardown),
		T(the_bound_may_shrink),
		T(flush_reports_everything_in_slices),
		T(keys_that_differ_anywhere_are_flows_of_their_own),
		T(a_step_of_the_wall_clock_moves_both_ends),
		T(a_jump_of_hours_ends_all_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
