/* SPDX-License-Identifier: MIT */
/* A live source with what it hands over and calls, on the host and the kernel that are not there. */
#ifndef FFFA_TESTS_UNIT_CAPTURE_LIVE_LAB_H
#define FFFA_TESTS_UNIT_CAPTURE_LIVE_LAB_H

#include "agent/capture/live.h"
#include "tests/unit/capture/kernel_fixture.h"
#include "tests/unit/capture/live_fixture.h"

struct lab {
	struct live_devices *f;
	uv_loop_t loop;
	uv_timer_t limit;
	uv_prepare_t turn;
	struct fffa_live *l;
	struct fffa_ledger ledger;
	char events[4096]; /* "draining turn devices(2) changed addresses stopped " */
	size_t deltas, expected, in_turn, most_in_turn;
	uint64_t next; /* packets of the next delta out of the table */
	bool from_ring, stopped, late;
	int draining, turns;
};

/* *state is a struct lab. The drain interval is 20 ms. */
int live_lab_setup(void **state);
int live_lab_teardown(void **state);
/* Opens the source on eth0. */
int live_lab_try_open(struct lab *lab, struct fffa_err *err);
void live_lab_open(struct lab *lab);
/* Waits until the drain's thread is in a drain, where it stays, and forgets all events. */
void live_lab_hold_drain(struct lab *lab);
void live_lab_stop(struct lab *lab);

/* Runs the loop until the condition holds. */
#define AWAIT(lab, condition)                                                                      \
	do {                                                                                       \
		while (!(condition) && !(lab)->late)                                               \
			(void)uv_run(&(lab)->loop, UV_RUN_ONCE);                                   \
		assert_true(condition);                                                            \
	} while (0)

#endif
