// SPDX-License-Identifier: MIT
/* Records that wait for the identity: in order, bounded, each once. */
#include "tests/stubs/cmocka_all.h"

#include <stdlib.h>

#include "agent/flow/pending_records.h"

struct got {
	uint64_t n;
	struct fffa_pending_records *again; /* records are added to it while it is released */
};

static void on_record(void *arg, struct fffa_record *r)
{
	struct got *g = arg;

	assert_int_equal(r->packets, g->n++);
	if (g->again)
		assert_true(fffa_pending_records_add(g->again, r));
}

static void records_leave_in_order(void **state)
{
	struct fffa_pending_records e = {0};
	struct got g = {0};

	(void)state;
	fffa_pending_records_release(&e, on_record, &g);
	assert_int_equal(g.n, 0);
	for (uint64_t i = 0; i < 1000; i++) {
		struct fffa_record r = {.packets = i};

		assert_true(fffa_pending_records_add(&e, &r));
	}
	fffa_pending_records_release(&e, on_record, &g);
	assert_int_equal(g.n, 1000);
	fffa_pending_records_release(&e, on_record, &g);
	assert_int_equal(g.n, 1000);
	assert_null(e.v);
}

static void the_list_is_bounded(void **state)
{
	struct fffa_pending_records e = {0};
	struct fffa_record r = {0};
	struct got g = {0};

	(void)state;
	for (; r.packets < FFFA_PENDING_RECORDS_MAX; r.packets++)
		assert_true(fffa_pending_records_add(&e, &r));
	assert_false(fffa_pending_records_add(&e, &r));
	fffa_pending_records_release(&e, on_record, &g);
	assert_int_equal(g.n, FFFA_PENDING_RECORDS_MAX);
}

static void records_added_during_release(void **state)
{
	struct fffa_pending_records e = {0};
	struct fffa_record r = {0};
	struct got g = {.again = &e};

	(void)state;
	for (; r.packets < 300; r.packets++)
		assert_true(fffa_pending_records_add(&e, &r));
	fffa_pending_records_release(&e, on_record, &g);
	assert_int_equal(e.n, 300);
	g = (struct got){0};
	fffa_pending_records_release(&e, on_record, &g);
	assert_int_equal(g.n, 300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_leave_in_order),
		cmocka_unit_test(the_list_is_bounded),
		cmocka_unit_test(records_added_during_release),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
