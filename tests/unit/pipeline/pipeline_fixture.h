/* SPDX-License-Identifier: MIT */
/* A pipeline with up to four scripted sinks; checks the ledger of every sink after every step. */
#ifndef FFFA_TESTS_UNIT_PIPELINE_FIXTURE_H
#define FFFA_TESTS_UNIT_PIPELINE_FIXTURE_H

#include "agent/pipeline/pipeline.h"
#include "tests/stubs/cmocka_all.h"
#include "tests/stubs/spy_sink.h"

#define FIXTURE_SINKS 4

struct fixture {
	uv_loop_t loop;
	struct fffa_config conf;
	struct fffa_pipeline_env env; /* the host below */
	struct fffa_sink_conf sinks[FIXTURE_SINKS];
	struct spy_conf spies[FIXTURE_SINKS];
	struct spy_peer peers[FIXTURE_SINKS];
	struct fffa_ident_host host;
	struct fffa_ident ident;
	struct fffa_pipeline *p; /* NULL once closed */
	uint64_t fed;
	uint64_t epoch; /* 77 */
	bool closed;
	struct fffa_sink_ledger last[FIXTURE_SINKS]; /* their values when the pipeline was closed */
};

/*
 * Set-up and tear-down for cmocka: sinks that get JSON lines {"seq":N}. The pipeline is not open.
 */
int fixture_setup(void **state);
int fixture_teardown(void **state);

/* Uses the first n sinks and opens the pipeline. */
void fixture_open(struct fixture *f, size_t n);
/* A configuration on the heap, as a reload makes it: for fffa_pipeline_add, which takes it. */
struct fffa_sink_conf fixture_copy_conf(const struct fffa_sink_conf *from);
/* Feeds n records, one step each. */
void fixture_feed(struct fixture *f, size_t n);
/* Runs the loop for one turn, which may wait for a timer. */
void fixture_turn(struct fixture *f);
/*
 * Runs once what is due, and waits for a moment. A late loop does more within fixture_turn: it looks at
 * its timers twice, so that a retry may follow what a test is to see.
 */
void fixture_step(struct fixture *f);
/* When the loop's turn began, from which its timers count: at or before uv_hrtime(). */
uint64_t fixture_turn_ns(const struct fixture *f);
/* Runs the loop until in_flight is 0 in every ledger. */
void fixture_settle(struct fixture *f);
/* Runs the loop for at least ms. */
void fixture_run_for(struct fixture *f, uint64_t ms);
/* Asserts that the ledger of every sink balances, and that each sink was offered every record. */
void fixture_check(const struct fixture *f);
const struct fffa_sink_ledger *fixture_ledger(const struct fixture *f, size_t i);

void fixture_close_begin(struct fixture *f, uint64_t deadline_ns);
/* Runs the loop to its end and asserts that nothing is left in it. */
void fixture_close_end(struct fixture *f);
void fixture_close(struct fixture *f, uint64_t deadline_ns);

/* Asserts that the peer of sink i has exactly the records first to last, in order, once each. */
void fixture_expect(const struct fixture *f, size_t i, uint64_t first, uint64_t last);
/* Asserts that the peer's bytes begin with these records; returns where they end. */
const char *fixture_expect_begin(const struct fixture *f, size_t i, uint64_t first, uint64_t last);
/* Asserts the same in any order, for several open deliveries. */
void fixture_expect_any_order(const struct fixture *f, size_t i, uint64_t first, uint64_t last);

/*
 * Reads the numbers 1 to last, none of them twice, from what peer i has. The sink's fields must
 * be FIXTURE_LOSS_FIELDS.
 */
#define FIXTURE_LOSS_FIELDS "seq lost_records lost_reason"
struct fixture_stream {
	uint64_t records; /* without SKIPDATA */
	uint64_t skips;
	uint64_t lost;	 /* numbers that SKIPDATA records stand for */
	char reason[64]; /* lost_reason":"NAME"} of the last one */
};
struct fixture_stream fixture_stream(const struct fixture *f, size_t i, uint64_t last);

static inline struct fffa_outcome outcome(enum fffa_verdict v, int cause)
{
	return (struct fffa_outcome){.verdict = v, .cause = cause};
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)
#define MS	(INT64_C(1000000))

#endif
