// SPDX-License-Identifier: MIT
/*
 * Intervals without traffic are recorded for the right device, once, and only when it is certain.
 */
#include "tests/stubs/cmocka_all.h"

#include <string.h>

#include "agent/base/clock.h"
#include "agent/flow/nodata.h"

#define T     (10 * FFFA_NS_PER_S) /* an interval */
#define START (1000 * FFFA_NS_PER_S)
#define UNIX  (UINT64_C(1700000000) * FFFA_NS_PER_S) /* Unix time at START */
#define MAX   256

struct fixture {
	struct fffa_nodata w;
	struct fffa_ledger l;
	struct fffa_record v[MAX];
	size_t n;
};

static void store_record(void *arg, struct fffa_record *r)
{
	struct fixture *b = arg;

	assert_true(b->n < MAX);
	b->v[b->n++] = *r;
}

static int setup(void **state)
{
	static const uint32_t two[] = {3, 7};
	struct fixture *b = calloc(1, sizeof(*b));

	if (!b)
		return -1;
	fffa_nodata_init(&b->w, T, START);
	fffa_nodata_set_devices(&b->w, two, 2, START);
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

/* at_ns and the times below are counted from START. */
static void turn_at(struct fixture *b, uint64_t at_ns)
{
	fffa_nodata_turn(&b->w, &b->l, START + at_ns, UNIX + at_ns, store_record, b);
}

static void seen(struct fixture *b, uint32_t ifindex, uint64_t first_ns, uint64_t last_ns)
{
	struct fffa_delta d = {
		.key.ifindex = ifindex,
		.packets = 1,
		.bytes = 60,
		.first_ns = START + first_ns,
		.last_ns = START + last_ns,
	};

	fffa_nodata_seen(&b->w, &d);
}

/* Makes a turn every second, up to until_ns inclusive. */
static void turn_every_second(struct fixture *b, uint64_t from_ns, uint64_t until_ns)
{
	for (uint64_t at = from_ns; at <= until_ns; at += FFFA_NS_PER_S)
		turn_at(b, at);
}

static size_t count_records(const struct fixture *b, uint32_t ifindex)
{
	size_t n = 0;

	for (size_t i = 0; i < b->n; i++)
		n += b->v[i].key.ifindex == ifindex;
	return n;
}

static void idle_devices_are_told_each_interval(void **state)
{
	struct fixture *b = *state;

	turn_every_second(b, 0, 5 * T + 2 * FFFA_NS_PER_S);
	assert_int_equal(b->n, 10);
	assert_int_equal(b->l.nodata_records, 10);
	assert_int_equal(count_records(b, 3), 5);
	for (size_t i = 0; i < b->n; i++) {
		const struct fffa_record *r = &b->v[i];

		assert_int_equal(r->status, FFFA_STATUS_NODATA);
		assert_int_equal(r->start_ms, (UNIX + i / 2 * T) / FFFA_NS_PER_MS);
		assert_int_equal(r->end_ms, (UNIX + (i / 2 + 1) * T) / FFFA_NS_PER_MS);
		assert_int_equal(r->packets, 0);
		assert_null(r->lost_reason);
	}
}

static void a_busy_device_is_never_told(void **state)
{
	struct fixture *b = *state;

	for (uint64_t at = FFFA_NS_PER_S; at < 4 * T; at += FFFA_NS_PER_S) {
		if (at % T == 4 * FFFA_NS_PER_S)
			seen(b, 3, at, at);
		turn_at(b, at);
	}
	assert_int_equal(count_records(b, 3), 0);
	assert_int_equal(count_records(b, 7), 3);
}

/* What was seen in an interval may arrive a turn later, so nothing is recorded before that. */
static void an_interval_is_judged_when_all_of_it_is_in(void **state)
{
	struct fixture *b = *state;

	turn_at(b, T - 1);
	turn_at(b, T + FFFA_NS_PER_S);
	assert_int_equal(b->n, 0);
	seen(b, 3, T - 1, T - 1);
	turn_at(b, T + 2 * FFFA_NS_PER_S);
	assert_int_equal(b->n, 1);
	assert_int_equal(b->v[0].key.ifindex, 7);
	/* Packets of the next interval that arrive before count in the next one. */
	seen(b, 7, T + FFFA_NS_PER_S, T + FFFA_NS_PER_S);
	turn_every_second(b, T + 3 * FFFA_NS_PER_S, 2 * T + 2 * FFFA_NS_PER_S);
	assert_int_equal(b->n, 2);
	assert_int_equal(b->v[1].key.ifindex, 3);
	assert_int_equal(b->v[1].start_ms, (UNIX + T) / FFFA_NS_PER_MS);
}

static void a_delta_over_an_edge_is_traffic_on_both_sides(void **state)
{
	struct fixture *b = *state;

	turn_every_second(b, 0, T);
	seen(b, 3, T - 1, T + 1);
	seen(b, 7, T, T);
	turn_every_second(b, T + 1, 3 * T + 3 * FFFA_NS_PER_S);
	assert_int_equal(count_records(b, 3), 1);
	assert_int_equal(count_records(b, 7), 2);
	assert_int_equal(b->v[0].key.ifindex, 7);
	assert_int_equal(b->v[0].start_ms, UNIX / FFFA_NS_PER_MS);
	assert_int_equal(b->v[1].start_ms, (UNIX + 2 * T) / FFFA_NS_PER_MS);
}

static void what_comes_late_changes_nothing(void **state)
{
	struct fixture *b = *state;

	turn_every_second(b, 0, T + 2 * FFFA_NS_PER_S);
	assert_int_equal(b->n, 2);
	seen(b, 3, 5, T - 1);
	turn_every_second(b, T + 3 * FFFA_NS_PER_S, 2 * T + 2 * FFFA_NS_PER_S);
	assert_int_equal(b->n, 4);
	seen(b, 3, 5, 2 * T + 1); /* began before, but goes on */
	turn_every_second(b, 2 * T + 3 * FFFA_NS_PER_S, 3 * T + 2 * FFFA_NS_PER_S);
	assert_int_equal(count_records(b, 3), 2);
	assert_int_equal(count_records(b, 7), 3);
}

static void a_device_that_comes_is_judged_from_its_first_whole_interval(void **state)
{
	static const uint32_t three[] = {3, 5, 7};
	struct fixture *b = *state;

	turn_every_second(b, 0, T);
	fffa_nodata_set_devices(&b->w, three, 3, START + T + 1);
	turn_every_second(b, T + FFFA_NS_PER_S, 2 * T + 2 * FFFA_NS_PER_S);
	assert_int_equal(count_records(b, 5), 0);
	assert_int_equal(count_records(b, 3), 2);
	turn_every_second(b, 2 * T + 3 * FFFA_NS_PER_S, 3 * T + 2 * FFFA_NS_PER_S);
	assert_int_equal(count_records(b, 5), 1);
}

static void a_device_that_is_gone_is_not_told(void **state)
{
	static const uint32_t one[] = {7};
	static const uint32_t two[] = {3, 7};
	struct fixture *b = *state;

	turn_every_second(b, 0, T + FFFA_NS_PER_S / 2);
	fffa_nodata_set_devices(&b->w, one, 1, START + T + FFFA_NS_PER_S / 2);
	seen(b, 3, T + 1, T + 1); /* of its last packets */
	turn_every_second(b, T + FFFA_NS_PER_S, 2 * T + 2 * FFFA_NS_PER_S);
	assert_int_equal(count_records(b, 3), 0);
	assert_int_equal(count_records(b, 7), 2);
	/* A device that comes back is a new one. */
	fffa_nodata_set_devices(&b->w, two, 2, START + 2 * T + 3 * FFFA_NS_PER_S);
	turn_every_second(b, 2 * T + 3 * FFFA_NS_PER_S, 4 * T + 2 * FFFA_NS_PER_S);
	assert_int_equal(count_records(b, 3), 1);
}

static void an_interval_with_loss_is_not_called_empty(void **state)
{
	struct fixture *b = *state;

	turn_every_second(b, 0, T / 2);
	b->l.lost[FFFA_PL_TABLE_FULL].packets = 1;
	turn_every_second(b, T / 2, T + 2 * FFFA_NS_PER_S);
	assert_int_equal(b->n, 0);
	b->l.lost[FFFA_PL_MALFORMED].packets = 5; /* no packet of a flow */
	turn_every_second(b, T + 3 * FFFA_NS_PER_S, 2 * T + 2 * FFFA_NS_PER_S);
	assert_int_equal(b->n, 2);
}

static void a_long_gap_is_caught_up_with(void **state)
{
	struct fixture *b = *state;

	seen(b, 3, 2 * T + 1, 2 * T + 1);
	turn_at(b, 6 * T + 1);
	assert_int_equal(b->n, 0); /* what was seen until now is not known yet */
	turn_at(b, 6 * T + FFFA_NS_PER_S);
	assert_int_equal(count_records(b, 3),
			 4); /* the sixth is not over yet, with the tolerance of the time stamps */
	assert_int_equal(count_records(b, 7), 5);
	turn_at(b, 6 * T + 2 * FFFA_NS_PER_S);
	assert_int_equal(count_records(b, 7), 6);
}

static void more_intervals_than_are_kept_come_in_turns(void **state)
{
	struct fixture *b = *state;

	seen(b, 3, 0, 1000 * T); /* more intervals than bits */
	turn_at(b, 100 * T);
	turn_at(b, 100 * T + FFFA_NS_PER_S);
	assert_int_equal(count_records(b, 7), FFFA_NODATA_INTERVALS_MAX);
	assert_int_equal(count_records(b, 3), 0);
	turn_at(b, 100 * T + 2 * FFFA_NS_PER_S);
	assert_int_equal(count_records(b, 7), 100);
}

/* What is farther ahead than there are bits counts in the last one, whatever it is by. */
static void the_first_interval_beyond_those_that_are_kept(void **state)
{
	struct fixture *b = *state;

	for (uint64_t n = FFFA_NODATA_INTERVALS_MAX - 1; n <= FFFA_NODATA_INTERVALS_MAX + 1; n++) {
		fffa_nodata_init(&b->w, T, START);
		fffa_nodata_set_devices(&b->w, (const uint32_t[]){7}, 1, START);
		seen(b, 7, n * T, n * T);
		b->n = 0;
		turn_at(b, 100 * T);
		turn_at(b, 100 * T + FFFA_NS_PER_S);
		assert_int_equal(b->n, FFFA_NODATA_INTERVALS_MAX - 1);
		assert_int_equal(b->v[0].start_ms, UNIX / FFFA_NS_PER_MS);
	}
}

static void as_many_devices_as_fit(void **state)
{
	uint32_t many[FFFA_NODATA_DEVICES_MAX + 3];
	struct fixture *b = *state;

	for (uint32_t i = 0; i < FFFA_NODATA_DEVICES_MAX + 3; i++)
		many[i] = 100 + i;
	fffa_nodata_init(&b->w, T, START);
	fffa_nodata_set_devices(&b->w, many, FFFA_NODATA_DEVICES_MAX + 3, START);
	for (uint32_t i = 0; i < FFFA_NODATA_DEVICES_MAX + 3; i += 2)
		seen(b, 100 + i, 1, 1);
	turn_every_second(b, 0, T + 2 * FFFA_NS_PER_S);
	assert_int_equal(b->n, FFFA_NODATA_DEVICES_MAX / 2);
	for (size_t i = 0; i < b->n; i++)
		assert_int_equal(b->v[i].key.ifindex, 101 + 2 * i);
}

/* Neighbour discovery and listener reports pass on every idle link; a ping is traffic. */
static void upkeep_of_the_link_is_no_traffic(void **state)
{
	static const uint8_t types[] = {130, 133, 135, 136, 143};
	struct fffa_delta d = {.key = {.ifindex = 7, .proto = 58},
			       .packets = 1,
			       .first_ns = START + 1,
			       .last_ns = START + 1};
	struct fixture *b = *state;

	for (size_t i = 0; i < sizeof(types); i++) {
		((uint8_t *)&d.key.dport)[0] = types[i];
		fffa_nodata_seen(&b->w, &d);
	}
	turn_every_second(b, 0, T + 2 * FFFA_NS_PER_S);
	assert_int_equal(count_records(b, 7), 1);
	((uint8_t *)&d.key.dport)[0] = 128;
	d.first_ns = d.last_ns = START + T + 5 * FFFA_NS_PER_S;
	fffa_nodata_seen(&b->w, &d);
	turn_every_second(b, T + 3 * FFFA_NS_PER_S, 2 * T + 2 * FFFA_NS_PER_S);
	assert_int_equal(count_records(b, 7), 1);
}

static void a_zeroed_one_never_emits(void **state)
{
	static const uint32_t one[] = {7};
	struct fixture *b = *state;

	memset(&b->w, 0, sizeof(b->w));
	fffa_nodata_set_devices(&b->w, one, 1, START);
	seen(b, 7, 1, 1);
	turn_every_second(b, 0, 5 * T);
	assert_int_equal(b->n, 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(idle_devices_are_told_each_interval),
		TEST(a_busy_device_is_never_told),
		TEST(an_interval_is_judged_when_all_of_it_is_in),
		TEST(a_delta_over_an_edge_is_traffic_on_both_sides),
		TEST(what_comes_late_changes_nothing),
		TEST(a_device_that_comes_is_judged_from_its_first_whole_interval),
		TEST(a_device_that_is_gone_is_not_told),
		TEST(an_interval_with_loss_is_not_called_empty),
		TEST(a_long_gap_is_caught_up_with),
		TEST(more_intervals_than_are_kept_come_in_turns),
		TEST(the_first_interval_beyond_those_that_are_kept),
		TEST(as_many_devices_as_fit),
		TEST(upkeep_of_the_link_is_no_traffic),
		TEST(a_zeroed_one_never_emits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
