/* SPDX-License-Identifier: MIT */
/* A spooler that only plans: batches that wait, segments that are not there, and a clock that can be set. */
#ifndef FFFA_TESTS_UNIT_PIPELINE_PLAN_FIXTURE_H
#define FFFA_TESTS_UNIT_PIPELINE_PLAN_FIXTURE_H

#include "agent/base/clock.h"
#include "agent/pipeline/spooler/spooler_internal.h"
#include "tests/stubs/cmocka_all.h"

#define HEAD	FFFA_SPOOL_SEGMENT_HEAD
#define BATCHES 70
#define RECORDS 10

struct planning {
	struct fffa_spooler s;
	struct fffa_queued_batch b[BATCHES];
	uint64_t given;
	uint64_t frame; /* the length of one */
	size_t held;
	unsigned int puts, pumps, losses, lost_segments;
	uint64_t lost_unread;
	enum fffa_record_loss why;
};

/* The monotonic clock, with -Wl,--wrap=clock_gettime; 0: the host's. */
extern uint64_t plan_fixture_ns;

/* Set-up and tear-down for cmocka. */
int plan_fixture_setup(void **state);
int plan_fixture_teardown(void **state);
/* The batches from first wait to be written. */
void plan_fixture_wait(struct planning *p, unsigned int first, unsigned int n);
/* A segment on disk of so many frames with one record each, all loaded and none settled. */
struct fffa_spooler_segment *plan_fixture_segment(struct planning *p, uint64_t frames);

static inline uint64_t now_ns(void)
{
	return fffa_clock_mono_ns(&fffa_clock_system);
}

static inline void settle(struct fffa_spooler_segment *seg)
{
	seg->settled = seg->end.records;
}

#define PLAN_CASE(f) cmocka_unit_test_setup_teardown(f, plan_fixture_setup, plan_fixture_teardown)

#endif
