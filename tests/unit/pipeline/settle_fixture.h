/* SPDX-License-Identifier: MIT */
/* Verdicts for batches of a backlog, given by hand, and pauses that are too long to end by themselves. */
#ifndef FFFA_TESTS_UNIT_PIPELINE_SETTLE_FIXTURE_H
#define FFFA_TESTS_UNIT_PIPELINE_SETTLE_FIXTURE_H

#include <uv.h>

#include "agent/base/clock.h"
#include "agent/pipeline/queue/settle.h"
#include "tests/unit/pipeline/queue_fixture.h"

#define EPOCH	  QUEUE_FIXTURE_EPOCH
#define MS	  FFFA_NS_PER_MS
#define S	  FFFA_NS_PER_S
#define SEQS(...) ((const uint64_t[]){__VA_ARGS__, 0})
#define NONE	  ((const uint64_t[]){0})

/* retry.min is 10 s, retry.max 80 s, retry.give_up 1000 s. */
struct settling {
	struct queue_fixture *f;
	uv_loop_t loop;
	struct fffa_pause pause;
	struct fffa_settle s;
	unsigned int over; /* pauses that ended */
};

/* Set-up and tear-down for cmocka. */
int settle_fixture_setup(void **state);
int settle_fixture_teardown(void **state);

/* Adds n batches of ten records: the first numbers are 1, 11, 21... */
void settle_fixture_add(struct settling *t, unsigned int n);
/* The verdict on b, which was taken from the queue. */
void settle_fixture_judge(struct settling *t, struct fffa_queued_batch *b, enum fffa_verdict v,
			  int cause);
/* Ends the pause as the loop would. */
void settle_fixture_end_pause(struct settling *t);
/* Asserts that there is a pause of low to high, counted from begin and from now. */
void settle_fixture_expect_pause(const struct settling *t, uint64_t begin, uint64_t low,
				 uint64_t high);
/* Asserts that the first batch has these numbers and is whole, and delivers it. */
void settle_fixture_deliver(struct settling *t, uint64_t first, uint64_t last, uint32_t n);
bool settle_fixture_is_up(struct settling *t);

static inline uint64_t now_ns(void)
{
	return fffa_clock_mono_ns(&fffa_clock_system);
}

static inline struct fffa_queued_batch *take(struct settling *t)
{
	return queue_fixture_take(t->f);
}

static inline const struct fffa_sink_ledger *ledger(struct settling *t)
{
	return fffa_backlog_ledger(&t->f->q);
}

#define SETTLE_CASE(f)                                                                             \
	cmocka_unit_test_setup_teardown(f, settle_fixture_setup, settle_fixture_teardown)

#endif
