// SPDX-License-Identifier: MIT
/* The queue of a sink: order, memory, what is dropped when it is full, and what is reported. */
#include "tests/unit/pipeline/queue_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "agent/base/clock.h"
#include "tests/stubs/cmocka_all.h"
#include "tests/stubs/failing_alloc.h"

#define EPOCH	  QUEUE_FIXTURE_EPOCH
#define SEQS(...) ((const uint64_t[]){__VA_ARGS__, 0})

static void expect_text(const struct fffa_queued_batch *b, const char *text)
{
	struct fffa_span s = fffa_batch_bytes(b->d.batch);

	assert_int_equal(s.len, strlen(text));
	assert_memory_equal(s.ptr, text, s.len);
}

static void memory_is_held_from_add_to_end(void **state)
{
	struct queue_fixture *f = *state;
	const struct fffa_sink_ledger *l = fffa_backlog_ledger(&f->q);
	size_t one = queue_fixture_footprint(10);
	struct fffa_sink_status s = {.name = NULL};
	struct fffa_queued_batch *b;

	assert_true(fffa_backlog_is_empty(&f->q));
	queue_fixture_add(f, EPOCH, 1, 10);
	queue_fixture_add(f, EPOCH, 11, 10);
	assert_int_equal(fffa_backlog_memory_bytes(&f->q), 2 * one);
	b = queue_fixture_take(f);
	assert_int_equal(fffa_backlog_memory_bytes(&f->q), 2 * one); /* the sink has it */
	fffa_backlog_count_delivered(&f->q, b, 7);
	fffa_backlog_count_rejected(&f->q, b, 3);
	fffa_backlog_end(&f->q, b);
	assert_int_equal(fffa_backlog_memory_bytes(&f->q), one);
	assert_int_equal(l->delivered, 7);
	assert_int_equal(l->rejected, 3);
	fffa_backlog_count_retry(&f->q);
	fffa_backlog_status(&f->q, &s);
	assert_int_equal(s.in_flight, 10);
	assert_int_equal(s.retries, 1);
	assert_int_equal(s.queue_bytes, one);
	assert_int_equal(s.spool_bytes, 0);
	assert_int_equal(s.spool_errors, 0);
	assert_ptr_equal(s.ledger, l);
	assert_false(fffa_backlog_is_empty(&f->q));
	b = queue_fixture_take(f);
	assert_true(fffa_backlog_is_empty(&f->q));
	fffa_backlog_put_first(&f->q, b);
}

static void batches_stand_by_epoch_and_number(void **state)
{
	struct queue_fixture *f = *state;
	struct fffa_queued_batch *b;

	queue_fixture_add(f, EPOCH, 21, 5);
	queue_fixture_add(f, EPOCH, 11, 5);
	queue_fixture_add(f, EPOCH - 1, 31, 5);
	queue_fixture_add(f, EPOCH, 41, 5);
	queue_fixture_add(f, EPOCH + 1, 1, 5);
	queue_fixture_expect(f, SEQS(31, 11, 21, 41, 1));
	b = queue_fixture_take(f);
	queue_fixture_expect(f, SEQS(11, 21, 41, 1));
	fffa_backlog_put(&f->q, b);
	queue_fixture_expect(f, SEQS(31, 11, 21, 41, 1));
	b = queue_fixture_take(f);
	fffa_backlog_put_first(&f->q, b);
	queue_fixture_expect(f, SEQS(31, 11, 21, 41, 1));
}

static void refused_batches_are_probed_least_refused_first(void **state)
{
	struct queue_fixture *f = *state;
	struct fffa_queued_batch *v[3] = {NULL}, *b;
	size_t n = 0;

	assert_null(fffa_backlog_next_probe(&f->q));
	assert_null(fffa_backlog_find_refused(&f->q));
	assert_false(fffa_backlog_has_other(&f->q));
	for (uint64_t seq = 1; seq < 30; seq += 10)
		queue_fixture_add(f, EPOCH, seq, 5);
	TAILQ_FOREACH(b, &f->q.queue, link)
	{
		v[n++] = b;
	}
	assert_int_equal(n, 3);
	assert_ptr_equal(fffa_backlog_next_probe(&f->q), v[0]);
	assert_null(fffa_backlog_find_refused(&f->q));
	v[0]->refusals = 2;
	assert_ptr_equal(fffa_backlog_next_probe(&f->q), v[1]);
	assert_ptr_equal(fffa_backlog_find_refused(&f->q), v[0]);
	v[1]->refusals = 1;
	assert_true(fffa_backlog_has_other(&f->q));
	assert_ptr_equal(fffa_backlog_next_probe(&f->q), v[2]);
	v[2]->refusals = 1;
	assert_false(fffa_backlog_has_other(&f->q));
	assert_ptr_equal(fffa_backlog_next_probe(&f->q), v[1]); /* of equal ones the oldest */
	v[0]->refusals = 0;
	assert_ptr_equal(fffa_backlog_find_refused(&f->q), v[1]);
	v[0]->refusals = v[1]->refusals = v[2]->refusals = 3;
	assert_ptr_equal(fffa_backlog_next_probe(&f->q), v[0]);
}

/* A source that can wait fills a quarter of the memory, and never more than all of it. */
static void there_is_room_up_to_a_quarter(void **state)
{
	struct queue_fixture *f = *state;
	size_t one = queue_fixture_footprint(10);

	queue_fixture_begin(f, 8 * one, false);
	assert_true(fffa_backlog_has_room(&f->q, 100 * one)); /* an empty queue takes any */
	queue_fixture_add(f, EPOCH, 1, 10);
	assert_true(fffa_backlog_has_room(&f->q, 7 * one));
	assert_false(fffa_backlog_has_room(&f->q, 7 * one + 1));
	queue_fixture_add(f, EPOCH, 11, 10);
	assert_true(fffa_backlog_has_room(&f->q, one));
	queue_fixture_add(f, EPOCH, 21, 10);
	assert_false(fffa_backlog_has_room(&f->q, 1));
	assert_true(fffa_backlog_moves(&f->q, true, 0));
	assert_false(fffa_backlog_moves(&f->q, false, UINT64_MAX));
}

static void a_full_queue_drops_the_newest(void **state)
{
	struct queue_fixture *f = *state;
	const struct fffa_sink_ledger *l = fffa_backlog_ledger(&f->q);
	const struct fffa_missing *m = &f->q.skipdata.missing[FFFA_RL_QUEUE_FULL];
	size_t one = queue_fixture_footprint(10);

	queue_fixture_begin(f, 2 * one, false);
	for (uint64_t seq = 1; seq < 50; seq += 10)
		queue_fixture_add(f, EPOCH, seq, 10);
	queue_fixture_expect(f, SEQS(1, 11)); /* exactly full */
	assert_int_equal(l->lost[FFFA_RL_QUEUE_FULL], 30);
	assert_int_equal(l->in_flight, 20);
	assert_int_equal(m->records, 30);
	assert_int_equal(m->epoch, EPOCH);
	assert_int_equal(m->last_seq, 50);
	assert_int_equal(m->first_ms, QUEUE_FIXTURE_BASE_MS + 210);
	assert_int_equal(m->last_ms, QUEUE_FIXTURE_BASE_MS + 500);
	queue_fixture_begin(f, 2 * one - 1, false);
	queue_fixture_add(f, EPOCH, 1, 10);
	queue_fixture_add(f, EPOCH, 11, 10);
	queue_fixture_expect(f, SEQS(1));
	queue_fixture_begin(f, 1, false); /* an empty queue takes one, whatever its size */
	queue_fixture_add(f, EPOCH, 1, 10);
	queue_fixture_add(f, EPOCH, 11, 10);
	queue_fixture_expect(f, SEQS(1));
}

static void a_full_queue_drops_the_oldest(void **state)
{
	struct queue_fixture *f = *state;
	const struct fffa_sink_ledger *l = fffa_backlog_ledger(&f->q);
	const struct fffa_missing *m = &f->q.skipdata.missing[FFFA_RL_QUEUE_FULL];
	size_t one = queue_fixture_footprint(10);
	struct fffa_queued_batch *b;

	queue_fixture_begin(f, 2 * one, true);
	for (uint64_t seq = 1; seq < 50; seq += 10)
		queue_fixture_add(f, EPOCH, seq, 10);
	queue_fixture_expect(f, SEQS(31, 41));
	assert_int_equal(l->lost[FFFA_RL_QUEUE_FULL], 30);
	assert_int_equal(m->last_seq, 30);
	assert_int_equal(m->first_ms, QUEUE_FIXTURE_BASE_MS + 10);
	assert_int_equal(m->last_ms, QUEUE_FIXTURE_BASE_MS + 300);
	queue_fixture_add(f, EPOCH, 51, 30); /* larger than both, and than the queue */
	queue_fixture_expect(f, SEQS(51));
	b = queue_fixture_take(f);
	queue_fixture_add(f, EPOCH, 81, 10); /* what the sink holds is not dropped */
	queue_fixture_expect(f, (const uint64_t[]){0});
	assert_int_equal(m->last_seq, 90);
	fffa_backlog_put_first(&f->q, b);
}

/* A number of 1 to 10 is missing; the record of 10 says that there are ten of them. */
static void what_is_missing_becomes_one_record(void **state)
{
	struct queue_fixture *f = *state;
	const struct fffa_sink_ledger *l = fffa_backlog_ledger(&f->q);
	struct fffa_queued_batch *b;

	queue_fixture_add(f, EPOCH, 1, 10);
	b = queue_fixture_take(f);
	fffa_backlog_lose(&f->q, b, FFFA_RL_GAVE_UP);
	assert_int_equal(fffa_backlog_memory_bytes(&f->q), 0);
	assert_int_equal(l->lost[FFFA_RL_GAVE_UP], 10);
	fffa_backlog_report_missing(&f->q, false);
	b = fffa_backlog_first(&f->q);
	expect_text(b, "{\"seq\":10,\"epoch\":77,\"lost_records\":10,"
		       "\"lost_reason\":\"gave_up\"}\n");
	assert_true(b->is_skipdata);
	assert_int_equal(b->why, FFFA_RL_GAVE_UP);
	assert_int_equal(b->skipped.records, 10);
	assert_int_equal(b->skipped.last_seq, 10);
	assert_int_equal(fffa_batch_origin(b->d.batch)->epoch, EPOCH);
	assert_int_equal(fffa_batch_record_info(b->d.batch, 0).time_ms,
			 QUEUE_FIXTURE_BASE_MS + 100);
	assert_true(b->born_ns > 0);
	assert_int_equal(l->skipdata_records, 1);
	assert_int_equal(l->in_flight, 1);
	assert_true(fffa_ledger_sink_balances(l));
	fffa_backlog_report_missing(&f->q, true); /* it is said */
	queue_fixture_expect(f, SEQS(10));
	fffa_backlog_take(&f->q, b);
	fffa_backlog_lose(&f->q, b, FFFA_RL_QUEUE_FULL);
	assert_int_equal(l->lost[FFFA_RL_QUEUE_FULL], 1);
	fffa_backlog_report_missing(&f->q, true); /* what it stood for is said again */
	expect_text(fffa_backlog_first(&f->q), "{\"seq\":10,\"epoch\":77,\"lost_records\":10,"
					       "\"lost_reason\":\"gave_up\"}\n");
	assert_int_equal(l->skipdata_records, 2);
}

static void lose_batch_of(struct queue_fixture *f, uint64_t epoch, uint64_t seq,
			  enum fffa_record_loss why)
{
	queue_fixture_add(f, epoch, seq, 10);
	fffa_backlog_lose(&f->q, queue_fixture_take(f), why);
}

static void lose_record(struct queue_fixture *f, uint64_t seq)
{
	const struct fffa_record r = {.seq = seq, .epoch = EPOCH, .end_ms = (int64_t)(100 - seq)};

	fffa_backlog_count_record(&f->q);
	fffa_backlog_lose_record(&f->q, &r, FFFA_RL_NO_MEMORY);
}

static void each_reason_has_a_record_of_its_own(void **state)
{
	struct queue_fixture *f = *state;

	lose_batch_of(f, EPOCH, 1, FFFA_RL_GAVE_UP);
	lose_batch_of(f, EPOCH, 11, FFFA_RL_QUEUE_FULL);
	lose_batch_of(f, EPOCH, 21, FFFA_RL_GAVE_UP);
	lose_batch_of(f, EPOCH, 31, FFFA_RL_SHUTDOWN); /* the stream ends: nobody would read it */
	fffa_backlog_report_missing(&f->q, true);
	queue_fixture_expect(f, SEQS(20, 30));
	assert_int_equal(fffa_backlog_first(&f->q)->skipped.records, 10);
	assert_int_equal(TAILQ_NEXT(fffa_backlog_first(&f->q), link)->skipped.records, 20);
	assert_int_equal(fffa_backlog_ledger(&f->q)->lost[FFFA_RL_SHUTDOWN], 10);
}

/* A record reports one epoch: the numbers of the one before come first, by themselves. */
static void each_epoch_has_a_record_of_its_own(void **state)
{
	struct queue_fixture *f = *state;
	struct fffa_queued_batch *b;

	queue_fixture_begin(f, queue_fixture_footprint(10), false);
	lose_batch_of(f, EPOCH - 1, 101, FFFA_RL_GAVE_UP);
	lose_batch_of(f, EPOCH - 1, 111, FFFA_RL_GAVE_UP);
	queue_fixture_expect(f, (const uint64_t[]){0});
	lose_batch_of(f, EPOCH, 1, FFFA_RL_GAVE_UP);
	b = fffa_backlog_first(&f->q);
	expect_text(b, "{\"seq\":120,\"epoch\":76,\"lost_records\":20,"
		       "\"lost_reason\":\"gave_up\"}\n");
	assert_int_equal(fffa_batch_origin(b->d.batch)->epoch, EPOCH - 1);
	assert_int_equal(f->q.skipdata.missing[FFFA_RL_GAVE_UP].records, 10);
	assert_int_equal(f->q.skipdata.missing[FFFA_RL_GAVE_UP].epoch, EPOCH);
	assert_int_equal(f->q.ledger.untold, 0);
}

/* Numbers that no record can report, for lack of memory, are counted. */
static void without_memory_numbers_stay_untold(void **state)
{
	struct queue_fixture *f = *state;
	struct fffa_queued_batch *b;

	for (uint64_t i = 0; i < 2; i++) {
		lose_batch_of(f, EPOCH - 2 + i, 101, FFFA_RL_GAVE_UP);
		queue_fixture_add(f, EPOCH - 1 + i, 1, 10);
		b = queue_fixture_take(f);
		failing_alloc_arm(1);
		fffa_backlog_lose(&f->q, b, FFFA_RL_GAVE_UP);
		assert_true(failing_alloc_fired());
		failing_alloc_arm(0);
		assert_int_equal(f->q.ledger.untold, i ? 30 : 10);
		assert_int_equal(f->q.skipdata.missing[FFFA_RL_GAVE_UP].epoch, EPOCH - 1 + i);
	}
}

/* A batch that finds no memory for its entry is lost, and said to be. */
static void without_memory_a_batch_is_lost(void **state)
{
	struct queue_fixture *f = *state;
	struct fffa_batch *b = queue_fixture_batch(EPOCH, 1, 10);

	for (int i = 0; i < 10; i++)
		fffa_backlog_count_record(&f->q);
	failing_alloc_arm(1);
	fffa_backlog_add(&f->q, b);
	failing_alloc_arm(0);
	fffa_batch_unref(b);
	assert_int_equal(f->q.ledger.lost[FFFA_RL_NO_MEMORY], 10);
	assert_int_equal(f->q.skipdata.missing[FFFA_RL_NO_MEMORY].last_seq, 10);
	queue_fixture_expect(f, (const uint64_t[]){0});
	assert_int_equal(fffa_backlog_memory_bytes(&f->q), 0);
}

/* While the queue is crowded, at most one report in a second takes room in it. */
static void a_crowded_queue_reports_once_a_second(void **state)
{
	struct queue_fixture *f = *state;
	size_t one = queue_fixture_footprint(10);

	queue_fixture_begin(f, 8 * one, false);
	lose_batch_of(f, EPOCH, 1, FFFA_RL_GAVE_UP);
	fffa_backlog_report_missing(&f->q, false);
	queue_fixture_expect(f, SEQS(10));
	for (uint64_t seq = 11; seq < 50; seq += 10)
		queue_fixture_add(f, EPOCH, seq, 10); /* more than half of it */
	lose_record(f, 9);
	fffa_backlog_report_missing(&f->q, false);
	assert_int_equal(f->q.ledger.skipdata_records, 1);
	f->q.skipdata.last_ns = fffa_clock_mono_ns(&fffa_clock_system) - FFFA_NS_PER_S / 2;
	fffa_backlog_report_missing(&f->q, false);
	assert_int_equal(f->q.ledger.skipdata_records, 1);
	f->q.skipdata.last_ns -= FFFA_NS_PER_S / 2;
	fffa_backlog_report_missing(&f->q, false);
	assert_int_equal(f->q.ledger.skipdata_records, 2);
	lose_record(f, 8);
	fffa_backlog_report_missing(&f->q, true);
	assert_int_equal(f->q.ledger.skipdata_records, 3);
}

/* Without room the report waits, and is tried again. */
static void a_report_without_room_comes_later(void **state)
{
	struct queue_fixture *f = *state;
	struct fffa_queued_batch *b;

	queue_fixture_begin(f, queue_fixture_footprint(10), false);
	queue_fixture_add(f, EPOCH, 1, 10);
	queue_fixture_add(f, EPOCH, 11, 10);
	fffa_backlog_report_missing(&f->q, true);
	queue_fixture_expect(f, SEQS(1));
	assert_int_equal(f->q.ledger.skipdata_records, 0);
	b = queue_fixture_take(f);
	fffa_backlog_count_delivered(&f->q, b, 10);
	fffa_backlog_end(&f->q, b);
	fffa_backlog_report_missing(&f->q, true);
	queue_fixture_expect(f, SEQS(20));
	assert_int_equal(fffa_backlog_first(&f->q)->skipped.records, 10);
}

/* A SKIPDATA record is not dropped for the sake of itself, but is with others of its reason. */
static void a_report_is_dropped_only_for_others_of_its_epoch(void **state)
{
	struct queue_fixture *f = *state;
	struct fffa_skipdata_records *s = &f->q.skipdata;
	struct fffa_queued_batch b = {.is_skipdata = true,
				      .why = FFFA_RL_QUEUE_FULL,
				      .skipped = {.records = 3, .epoch = 5}};

	assert_true(fffa_skipdata_records_may_lose(s, &b));
	fffa_skipdata_records_add(s, FFFA_RL_QUEUE_FULL,
				  &(struct fffa_missing){.records = 1, .epoch = 5});
	assert_true(fffa_skipdata_records_may_lose(s, &b));
	b.skipped.epoch = 4;
	assert_false(fffa_skipdata_records_may_lose(s, &b));
	b.is_skipdata = false;
	assert_true(fffa_skipdata_records_may_lose(s, &b));
	b.is_skipdata = true;
	b.why = FFFA_RL_GAVE_UP;
	assert_true(fffa_skipdata_records_may_lose(s, &b));
	assert_false(fffa_skipdata_records_clash(s, FFFA_RL_QUEUE_FULL,
						 &(struct fffa_missing){.epoch = 5}));
	assert_true(fffa_skipdata_records_clash(s, FFFA_RL_QUEUE_FULL,
						&(struct fffa_missing){.epoch = 6}));
	assert_false(fffa_skipdata_records_clash(s, FFFA_RL_GAVE_UP,
						 &(struct fffa_missing){.epoch = 6}));
}

static void single_records_are_missing_too(void **state)
{
	struct queue_fixture *f = *state;
	const struct fffa_missing *m = &f->q.skipdata.missing[FFFA_RL_NO_MEMORY];

	for (uint64_t seq = 4; seq < 7; seq++)
		lose_record(f, seq);
	assert_int_equal(m->records, 3);
	assert_int_equal(m->last_seq, 6);
	assert_int_equal(m->epoch, EPOCH);
	assert_int_equal(m->first_ms, 94);
	assert_int_equal(m->last_ms, 96);
	assert_int_equal(f->q.ledger.lost[FFFA_RL_NO_MEMORY], 3);
	assert_int_equal(f->q.ledger.in_flight, 0);
}

static void a_sub_batch_keeps_what_became_of_the_whole(void **state)
{
	struct queue_fixture *f = *state;
	struct fffa_queued_batch *b, *sub = calloc(1, sizeof(*sub));

	queue_fixture_add(f, EPOCH, 1, 10);
	b = queue_fixture_take(f);
	b->tries = 4;
	b->first_fail_ns = 11;
	b->born_ns = 12;
	b->refusals = 13;
	b->refused_after = 14;
	fffa_backlog_split_off(&f->q, sub, b, queue_fixture_batch(EPOCH, 1, 4));
	assert_int_equal(sub->first_fail_ns, 11);
	assert_int_equal(sub->born_ns, 12);
	assert_int_equal(sub->refusals, 13);
	assert_int_equal(sub->refused_after, 14);
	assert_int_equal(sub->tries, 0);
	fffa_backlog_replace(&f->q, b, queue_fixture_batch(EPOCH, 5, 6));
	assert_int_equal(fffa_backlog_memory_bytes(&f->q),
			 queue_fixture_footprint(4) + queue_fixture_footprint(6));
	assert_int_equal(b->tries, 0); /* it is another delivery */
	assert_int_equal(b->first_fail_ns, 11);
	fffa_backlog_put(&f->q, b);
	fffa_backlog_put(&f->q, sub);
	queue_fixture_expect(f, SEQS(1, 5));
}

static void the_end_loses_what_no_spool_keeps(void **state)
{
	struct queue_fixture *f = *state;
	const struct fffa_sink_ledger *l = fffa_backlog_ledger(&f->q);

	queue_fixture_add(f, EPOCH, 1, 10);
	queue_fixture_add(f, EPOCH, 11, 10);
	lose_batch_of(f, EPOCH, 21, FFFA_RL_GAVE_UP);
	assert_false(fffa_backlog_is_ending(&f->q));
	fffa_backlog_stop(&f->q);
	assert_true(fffa_backlog_is_ending(&f->q));
	fffa_backlog_report_missing(&f->q, true);
	assert_int_equal(l->skipdata_records, 0);
	fffa_backlog_store_or_lose(&f->q, queue_fixture_take(f));
	assert_int_equal(l->lost[FFFA_RL_SHUTDOWN], 10);
	assert_int_equal(fffa_backlog_abandon(&f->q), 10);
	assert_int_equal(l->lost[FFFA_RL_SHUTDOWN], 20);
	assert_int_equal(l->in_flight, 0);
}

static void note_closed(void *arg)
{
	++*(int *)arg;
}

static void without_a_spool_it_is_closed_at_once(void **state)
{
	struct queue_fixture *f = *state;
	int closed = 0;

	assert_int_equal(fffa_backlog_epoch(&f->q), 0);
	fffa_backlog_start_spool(&f->q, 1, NULL);
	fffa_backlog_close_spool(&f->q, note_closed, &closed);
	assert_int_equal(closed, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		QUEUE_CASE(memory_is_held_from_add_to_end),
		QUEUE_CASE(batches_stand_by_epoch_and_number),
		QUEUE_CASE(refused_batches_are_probed_least_refused_first),
		QUEUE_CASE(there_is_room_up_to_a_quarter),
		QUEUE_CASE(a_full_queue_drops_the_newest),
		QUEUE_CASE(a_full_queue_drops_the_oldest),
		QUEUE_CASE(what_is_missing_becomes_one_record),
		QUEUE_CASE(each_reason_has_a_record_of_its_own),
		QUEUE_CASE(each_epoch_has_a_record_of_its_own),
		QUEUE_CASE(without_memory_numbers_stay_untold),
		QUEUE_CASE(without_memory_a_batch_is_lost),
		QUEUE_CASE(a_crowded_queue_reports_once_a_second),
		QUEUE_CASE(a_report_without_room_comes_later),
		QUEUE_CASE(a_report_is_dropped_only_for_others_of_its_epoch),
		QUEUE_CASE(single_records_are_missing_too),
		QUEUE_CASE(a_sub_batch_keeps_what_became_of_the_whole),
		QUEUE_CASE(the_end_loses_what_no_spool_keeps),
		QUEUE_CASE(without_a_spool_it_is_closed_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
