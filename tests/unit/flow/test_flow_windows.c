// SPDX-License-Identifier: MIT
/* What an open window shows, what the next window starts with, and where flows lie in memory. */
#include <stddef.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/flow/flow_internal.h"
#include "tests/stubs/cmocka_all.h"

#define S     FFFA_NS_PER_S
#define START (1000 * S)
#define UNIX0 (UINT64_C(1700000000) * S)
#define FLOWS 100

struct fixture {
	struct fffa_ledger ledger;
	struct fffa_flow_table *t;
	struct fffa_record last;
	size_t records;
	struct fffa_flow_window windows[FLOWS];
	size_t seen[FLOWS]; /* how often the flow with this port was visited */
};

static void on_record(void *arg, struct fffa_record *r)
{
	struct fixture *f = arg;

	f->last = *r;
	f->records++;
}

static int setup(void **state)
{
	struct fixture *f = test_calloc(1, sizeof(*f));
	struct fffa_flow_conf c = {
		.idle_ns = 30 * S, .active_ns = 60 * S, .linger_ns = S, .max_flows = 1024};

	assert_int_equal(fffa_flow_table_new(&c, &f->ledger, on_record, f, &f->t), 0);
	fffa_flow_set_time(f->t, START, UNIX0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	fffa_flow_table_free(f->t);
	test_free(f);
	return 0;
}

static void merge(struct fixture *f, uint16_t port, uint64_t first, uint64_t last, uint32_t packets,
		  uint16_t flags)
{
	struct fffa_delta d = {.packets = packets,
			       .bytes = packets * UINT64_C(100),
			       .first_ns = START + first,
			       .last_ns = START + last,
			       .cookie = port,
			       .flags = flags};

	d.key.sport = port;
	d.key.proto = 17;
	fffa_flow_set_time(f->t, START + last, UNIX0 + last);
	fffa_flow_merge(f->t, &d);
}

static void on_window(void *arg, const struct fffa_flow_window *w)
{
	struct fixture *f = arg;

	assert_uint_in_range(w->key->sport, 0, FLOWS - 1);
	f->seen[w->key->sport]++;
	f->windows[w->key->sport] = *w;
}

static size_t walk(struct fixture *f, uint32_t budget, uint64_t min_bytes)
{
	size_t slices = 0;
	uint32_t at = 0;

	memset(f->seen, 0, sizeof(f->seen));
	do {
		at = fffa_flow_walk(f->t, at, budget, &min_bytes, on_window, f);
		slices++;
	} while (at);
	return slices;
}

static void a_walk_shows_every_open_window(void **state)
{
	struct fixture *f = *state;

	for (uint16_t p = 0; p < FLOWS; p++)
		merge(f, p, p * S / 10, p * S / 10 + S, p + 1u, FFFA_F_SYN);
	assert_int_equal(walk(f, 33, 0), 4);
	for (uint16_t p = 0; p < FLOWS; p++) {
		const struct fffa_flow_window *w = &f->windows[p];

		assert_int_equal(f->seen[p], 1);
		assert_int_equal(w->packets, p + 1);
		assert_int_equal(w->bytes, (p + 1) * 100);
		assert_int_equal(w->start_ms, INT64_C(1700000000000) + p * 100);
		assert_int_equal(w->end_ms, INT64_C(1700000001000) + p * 100);
		assert_int_equal(w->flags, FFFA_F_SYN);
	}
	assert_int_equal(walk(f, FLOWS, 0), 1);
	assert_int_equal(walk(f, FLOWS - 1, 0), 2);
	assert_int_equal(walk(f, 1000, 5000), 1);
	for (size_t p = 0; p < FLOWS; p++)
		assert_int_equal(f->seen[p], p >= 49);
}

/* A flow that ended, and one whose window was just closed, are no open windows. */
static void a_walk_passes_over_closed_windows(void **state)
{
	struct fixture *f = *state;

	merge(f, 1, 0, 0, 1, 0);
	merge(f, 2, 0, 0, 1, 0);
	merge(f, 2, 0, 59 * S, 1, 0);
	fffa_flow_set_time(f->t, START + 62 * S, UNIX0 + 62 * S);
	while (fffa_flow_expire(f->t, 10)) {
	}
	assert_int_equal(f->records, 2);
	assert_int_equal(fffa_flow_count(f->t), 1);
	(void)walk(f, 10, 0);
	assert_int_equal(f->seen[1] + f->seen[2], 0);
	merge(f, 2, 63 * S, 63 * S, 5, 0);
	(void)walk(f, 10, 0);
	assert_int_equal(f->seen[2], 1);
	assert_int_equal(f->windows[2].packets, 5);
}

static void the_next_window_begins_with_nothing(void **state)
{
	struct fixture *f = *state;

	merge(f, 1, 0, S, 3, FFFA_F_SYN);
	merge(f, 1, 61 * S, 62 * S, 5, FFFA_F_PSH);
	assert_int_equal(f->records, 1);
	assert_int_equal(f->last.flags, FFFA_F_SYN);
	assert_int_equal(f->last.cookie, 1);
	assert_int_equal(f->last.status, FFFA_STATUS_OK);
	while (fffa_flow_flush(f->t, 10)) {
	}
	assert_int_equal(f->records, 2);
	assert_int_equal(f->last.flags, FFFA_F_PSH);
	assert_int_equal(f->last.packets, 5);
	assert_int_equal(f->last.bytes, 500);
	assert_int_equal(f->last.start_ms, INT64_C(1700000061000));
	assert_int_equal(f->last.end_ms, INT64_C(1700000062000));
}

static void merge_of_capture(struct fixture *f, uint64_t first, uint64_t last, bool untimed)
{
	struct fffa_delta d = {.packets = 1,
			       .bytes = 100,
			       .first_ns = START + first,
			       .last_ns = START + last,
			       .seen_now = true,
			       .untimed = untimed};

	d.key.sport = 7;
	fffa_flow_merge(f->t, &d);
}

/* Packets of a capture come in any order: a window holds none that is too far from the others. */
static void windows_of_a_capture(void **state)
{
	struct fixture *f = *state;

	merge_of_capture(f, 100 * S, 100 * S, false);
	merge_of_capture(f, 50 * S, 50 * S, false); /* earlier, within the longest window */
	assert_int_equal(f->records, 0);
	merge_of_capture(f, 39 * S, 39 * S, false); /* too early */
	assert_int_equal(f->records, 1);
	assert_int_equal(f->last.packets, 2);
	assert_int_equal(f->last.start_ms, INT64_C(1700000050000));
	assert_int_equal(f->last.end_ms, INT64_C(1700000100000));
	merge_of_capture(f, 45 * S, 46 * S, true); /* without a time: moves nothing */
	merge_of_capture(f, 40 * S, 41 * S, false);
	while (fffa_flow_flush(f->t, 10)) {
	}
	assert_int_equal(f->records, 2);
	assert_int_equal(f->last.packets, 3);
	assert_int_equal(f->last.start_ms, INT64_C(1700000039000));
	assert_int_equal(f->last.end_ms, INT64_C(1700000041000));
}

/* A packet of long ago is seen now: its flow is idle from now on. */
static void a_late_packet_of_a_capture(void **state)
{
	struct fixture *f = *state;

	fffa_flow_set_time(f->t, START + 1000 * S, UNIX0 + 1000 * S);
	merge_of_capture(f, 0, 0, false);
	fffa_flow_set_time(f->t, START + 1025 * S, UNIX0 + 1025 * S);
	while (fffa_flow_expire(f->t, 10)) {
	}
	assert_int_equal(f->records, 0);
	fffa_flow_set_time(f->t, START + 1032 * S, UNIX0 + 1032 * S);
	while (fffa_flow_expire(f->t, 10)) {
	}
	assert_int_equal(f->records, 1);
	assert_int_equal(f->last.end_reason, FFFA_END_IDLE);
	assert_int_equal(f->last.start_ms, INT64_C(1700000000000));
}

/* Not every entry of a flow has its cookie: one that has is enough. */
static void a_cookie_stays(void **state)
{
	static const uint32_t cookies[] = {0, 7, 0};
	struct fixture *f = *state;
	struct fffa_delta d = {.packets = 1, .bytes = 100, .first_ns = START, .last_ns = START};

	for (size_t i = 0; i < 3; i++) {
		d.cookie = cookies[i];
		fffa_flow_merge(f->t, &d);
	}
	while (fffa_flow_flush(f->t, 10)) {
	}
	assert_int_equal(f->last.cookie, 7);
}

/* A time that is known replaces one that is not. */
static void a_window_begun_without_a_time(void **state)
{
	struct fixture *f = *state;

	merge_of_capture(f, 10 * S, 10 * S, true);
	merge_of_capture(f, 20 * S, 21 * S, false);
	merge_of_capture(f, 19 * S, 19 * S, false);
	while (fffa_flow_flush(f->t, 10)) {
	}
	assert_int_equal(f->records, 1);
	assert_int_equal(f->last.start_ms, INT64_C(1700000019000));
	assert_int_equal(f->last.end_ms, INT64_C(1700000021000));
}

/* New timeouts hold for the packets that come from now on. */
static void timeouts_can_be_changed(void **state)
{
	struct fixture *f = *state;

	fffa_flow_set_timeouts(f->t, 5 * S, 600 * S, 0);
	merge(f, 1, 0, 0, 1, 0);
	fffa_flow_set_time(f->t, START + 6 * S, UNIX0 + 6 * S);
	while (fffa_flow_expire(f->t, 10)) {
	}
	assert_int_equal(f->records, 1);
	for (uint64_t s = 10; s < 310; s += 2)
		merge(f, 2, s * S, s * S, 1, 0);
	assert_int_equal(f->records, 1);
}

static void an_idle_timeout_longer_than_the_wheel(void **state)
{
	struct fixture *f = *state;
	uint64_t wheel_ns = FFFA_WHEEL_SLOTS * FFFA_WHEEL_TICK_NS, idle_ns = 3 * wheel_ns;

	fffa_flow_set_timeouts(f->t, idle_ns, 2 * idle_ns, 0);
	merge(f, 1, 0, 0, 1, 0);
	for (uint64_t ns = 0; ns < idle_ns; ns += 10 * S) {
		fffa_flow_set_time(f->t, START + ns, UNIX0 + ns);
		while (fffa_flow_expire(f->t, 10)) {
		}
		assert_int_equal(f->records, 0);
	}
	idle_ns += 2 * FFFA_WHEEL_TICK_NS;
	fffa_flow_set_time(f->t, START + idle_ns, UNIX0 + idle_ns);
	while (fffa_flow_expire(f->t, 10)) {
	}
	assert_int_equal(f->records, 1);
	assert_int_equal(f->last.end_reason, FFFA_END_IDLE);
}

/* Keys that differ in one byte only are spread over the buckets: a sender cannot make long chains. */
static void every_field_spreads_the_flows(void **state)
{
	struct fixture *f = *state;

	for (size_t at = 0; at < offsetof(struct fffa_key, ifindex); at++) {
		struct fffa_key k = {.proto = 6};
		size_t used = 0;

		for (uint32_t i = 0; i < 256; i++) {
			((uint8_t *)&k)[at] = (uint8_t)i;
			assert_int_not_equal(fffa_flow__add(f->t, &k), FFFA_NIL);
		}
		for (uint32_t b = 0; b <= f->t->bucket_mask; b++)
			used += f->t->buckets[b] != 0;
		assert_true(used > 128); /* of 1024; by chance it is 226 */
		assert_int_equal(teardown(state), 0);
		assert_int_equal(setup(state), 0);
		f = *state;
	}
}

static bool wants_two(void *arg, const struct fffa_record *r)
{
	assert_non_null(arg);
	assert_int_equal(r->status, FFFA_STATUS_OK);
	return r->packets >= 2;
}

/* A window that is not wanted becomes no record, and the ledger has it as filtered. */
static void windows_that_are_not_wanted(void **state)
{
	struct fixture *f = *state;
	struct fffa_flow_conf c = {.idle_ns = 30 * S,
				   .active_ns = 60 * S,
				   .linger_ns = S,
				   .max_flows = 1024,
				   .wants = wants_two};

	fffa_flow_table_free(f->t);
	assert_int_equal(fffa_flow_table_new(&c, &f->ledger, on_record, f, &f->t), 0);
	merge(f, 1, 0, 0, 1, 0);
	merge(f, 2, 0, 0, 2, 0);
	while (fffa_flow_flush(f->t, 10)) {
	}
	assert_int_equal(f->records, 1);
	assert_int_equal(f->last.packets, 2);
	assert_int_equal(f->ledger.records, 1);
	assert_int_equal(f->ledger.records_by_end[FFFA_END_FORCED], 1);
	assert_int_equal(f->ledger.recorded.packets, 2);
	assert_int_equal(f->ledger.recorded.bytes, 200);
	assert_int_equal(f->ledger.filtered.packets, 1);
	assert_int_equal(f->ledger.filtered.bytes, 100);
	assert_int_equal(f->ledger.filtered_merged.packets, 1);
	assert_int_equal(f->ledger.filtered_merged.bytes, 100);
	assert_int_equal(fffa_flow_held(f->t).packets, 0);
	assert_int_equal(fffa_flow_held(f->t).bytes, 0);
}

static void end_reasons_have_names(void **state)
{
	static const char *const want[] = {"unknown", "idle",	   "active", "end",
					   "forced",  "resources", "unknown"};

	(void)state;
	for (int i = 0; i <= FFFA_END_MAX; i++)
		assert_string_equal(fffa_record_end_reason_name((enum fffa_end_reason)i), want[i]);
}

#define T(x) cmocka_unit_test_setup_teardown(x, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_walk_shows_every_open_window),
		T(a_walk_passes_over_closed_windows),
		T(the_next_window_begins_with_nothing),
		T(windows_of_a_capture),
		T(a_late_packet_of_a_capture),
		T(a_cookie_stays),
		T(a_window_begun_without_a_time),
		T(timeouts_can_be_changed),
		T(an_idle_timeout_longer_than_the_wheel),
		T(every_field_spreads_the_flows),
		T(windows_that_are_not_wanted),
		T(end_reasons_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
