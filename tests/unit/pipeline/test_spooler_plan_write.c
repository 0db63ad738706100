// SPDX-License-Identifier: MIT
/* What the next job of a spooler writes, and when nothing is written. */
#include <errno.h>
#include <string.h>

#include "tests/unit/pipeline/plan_fixture.h"

static void nothing_to_do(void **state)
{
	struct planning *p = *state;

	assert_false(fffa_spooler__plan(&p->s));
	assert_int_equal(p->s.wake_ms, 200); /* numbers may be given meanwhile */
	assert_int_equal(p->puts + p->pumps + p->losses, 0);
}

static void frames_stand_one_behind_the_other(void **state)
{
	struct planning *p = *state;
	const struct fffa_spooler_write *w = p->s.job.writes;

	plan_fixture_wait(p, 0, 3);
	p->b[1].is_skipdata = true;
	p->b[1].why = FFFA_RL_SPOOL_FULL;
	p->b[1].skipped.records = 500;
	assert_true(fffa_spooler__plan(&p->s));
	assert_int_equal(p->s.job.write_count, 3);
	assert_int_equal(p->s.in_job, 3);
	assert_int_equal(p->s.disk_bytes, HEAD + 3 * p->frame);
	assert_int_equal(p->s.writing->disk_bytes, HEAD + 3 * p->frame);
	for (unsigned int i = 0; i < 3; i++) {
		assert_ptr_equal(w[i].b, &p->b[i]);
		assert_ptr_equal(w[i].seg, p->s.writing);
		assert_int_equal(w[i].begins, i == 0);
		assert_int_equal(w[i].head.id, 1);
		assert_int_equal(w[i].head.identity, 5);
		assert_string_equal(w[i].head.format, "json");
		assert_int_equal(w[i].begin.at, HEAD + i * p->frame);
		assert_int_equal(w[i].end.at, HEAD + (i + 1) * p->frame);
		assert_int_equal(w[i].frame.records_before, i * RECORDS);
		assert_int_equal(w[i].end.records, (i + 1) * RECORDS);
		assert_int_equal(w[i].frame.identity, 5);
		assert_int_equal(w[i].frame.seq_before, i * RECORDS);
		assert_int_equal(w[i].end.seq, (i + 1) * RECORDS);
		assert_int_equal(w[i].frame.is_skipdata, i == 1);
		assert_int_equal(w[i].frame.numbers, i == 1 ? 500 : RECORDS);
		assert_int_equal(w[i].frame.numbers_before, i == 0 ? 0 : i == 1 ? 10 : 510);
		assert_string_equal(w[i].frame.reason,
				    i == 1 ? fffa_ledger_record_loss_name(FFFA_RL_SPOOL_FULL) : "");
	}
	/* The next job goes on there. */
	TAILQ_INIT(&p->s.waiting);
	plan_fixture_wait(p, 3, 1);
	assert_true(fffa_spooler__plan(&p->s));
	assert_int_equal(p->s.job.write_count, 1);
	assert_false(w[0].begins);
	assert_int_equal(w[0].begin.at, HEAD + 3 * p->frame);
}

static void a_frame_has_its_time(void **state)
{
	struct planning *p = *state;
	int64_t before = (int64_t)(fffa_clock_unix_ns(&fffa_clock_system) / FFFA_NS_PER_MS), ms;

	plan_fixture_wait(p, 0, 1);
	p->b[0].born_ns = now_ns() - 100 * FFFA_NS_PER_S;
	assert_true(fffa_spooler__plan(&p->s));
	ms = p->s.job.writes[0].frame.sealed_ms;
	assert_true(ms >= before - 100000 - 1);
	assert_true(ms <=
		    (int64_t)(fffa_clock_unix_ns(&fffa_clock_system) / FFFA_NS_PER_MS) - 100000);
}

static void what_begins_a_segment(void **state)
{
	struct planning *p = *state;
	const struct fffa_spooler_write *w = p->s.job.writes;
	const struct fffa_batch_origin other = {.epoch = 9};

	plan_fixture_wait(p, 0, 2);
	p->b[1].encoding.identity = 6; /* another encoding */
	plan_fixture_wait(p, 3, 1);
	p->b[3].encoding.identity = 6;
	plan_fixture_wait(p, 2, 1); /* a number that does not rise */
	p->b[2].encoding.identity = 6;
	plan_fixture_wait(p, 4, 1); /* another epoch */
	p->b[4].encoding.identity = 6;
	fffa_batch_unref(p->b[4].d.batch);
	p->b[4].d.batch = fffa_batch_new(1000, 1);
	memset(fffa_batch_room(p->b[4].d.batch, 40), 'x', 40);
	fffa_batch_commit(p->b[4].d.batch, 40, &(struct fffa_record_info){.seq = 900});
	fffa_batch_set_origin(p->b[4].d.batch, &other);
	fffa_batch_seal(p->b[4].d.batch);
	assert_true(fffa_spooler__plan(&p->s));
	assert_int_equal(p->s.job.write_count, 5);
	assert_true(w[0].begins && w[1].begins && !w[2].begins && w[3].begins && w[4].begins);
	assert_int_equal(w[4].seg->epoch, 9);
	assert_int_equal(w[4].seg->id, 4);
	assert_int_equal(w[4].head.epoch, 9);
}

static void a_segment_is_bounded(void **state)
{
	struct planning *p = *state;
	const struct fffa_spooler_write *w = p->s.job.writes;

	p->s.segment_bytes = HEAD + 2 * p->frame;
	plan_fixture_wait(p, 0, 3);
	assert_true(fffa_spooler__plan(&p->s));
	assert_true(w[0].begins && !w[1].begins && w[2].begins);
	p->s.segment_bytes = 1;
	plan_fixture_wait(p, 3, 2);
	assert_true(fffa_spooler__plan(&p->s));
	assert_true(w[3].begins && w[4].begins);
}

static void a_job_is_bounded(void **state)
{
	struct planning *p = *state;

	plan_fixture_wait(p, 0, BATCHES);
	assert_true(fffa_spooler__plan(&p->s));
	assert_int_equal(p->s.job.write_count, FFFA_SPOOLER_WRITES);
	assert_int_equal(p->s.in_job, FFFA_SPOOLER_WRITES);
	assert_ptr_equal(fffa_spooler_next_waiting(&p->s, NULL), &p->b[FFFA_SPOOLER_WRITES]);
}

static void the_spool_is_bounded(void **state)
{
	struct planning *p = *state;

	p->s.conf.bound_bytes = 2 * p->frame + 2 * HEAD + FFFA_STORE_ACK_BYTES;
	plan_fixture_wait(p, 0, 3);
	assert_true(fffa_spooler__plan(&p->s));
	assert_int_equal(p->s.job.write_count, 2);
	assert_true(fffa_spooler_is_full(&p->s));
	assert_int_equal(p->losses, 0); /* it waits */
	p->s.conf.bound_bytes += p->frame;
	p->s.disk_bytes = HEAD + 2 * p->frame;
	TAILQ_REMOVE(&p->s.waiting, &p->b[0], link);
	TAILQ_REMOVE(&p->s.waiting, &p->b[1], link);
	assert_true(fffa_spooler__plan(&p->s));
	assert_int_equal(p->s.job.write_count, 1);
	assert_false(fffa_spooler_is_full(&p->s));
}

static void a_batch_that_never_fits(void **state)
{
	struct planning *p = *state;

	p->s.conf.bound_bytes = p->frame + HEAD + FFFA_STORE_ACK_BYTES - 1;
	plan_fixture_wait(p, 0, 2);
	(void)fffa_spooler__plan(&p->s);
	assert_int_equal(p->losses, 2);
	assert_int_equal(p->why, FFFA_RL_SPOOL_FULL);
	assert_int_equal(p->s.waiting_bytes, 0);
	assert_true(TAILQ_EMPTY(&p->s.waiting));
	p->s.conf.bound_bytes++;
	plan_fixture_wait(p, 0, 1);
	assert_true(fffa_spooler__plan(&p->s));
	assert_int_equal(p->losses, 2);
	assert_int_equal(p->s.job.write_count, 1);
}

static void a_disk_that_fails_is_passed_by(void **state)
{
	struct planning *p = *state;

	plan_fixture_wait(p, 0, 2);
	p->s.error = -EIO;
	p->s.write_again_ns = now_ns() + 100 * FFFA_NS_PER_S;
	p->s.unread = 1;
	(void)fffa_spooler__plan(&p->s);
	assert_int_equal(p->puts, 0);
	p->s.unread = 0;
	p->s.stopped = true;
	(void)fffa_spooler__plan(&p->s);
	assert_int_equal(p->puts + p->pumps, 0);
	p->s.stopped = false;
	(void)fffa_spooler__plan(&p->s);
	assert_int_equal(p->puts, 2);
	assert_int_equal(p->pumps, 1);
	assert_int_equal(p->s.waiting_bytes, 0);
	assert_int_equal(p->s.job.write_count, 0);
	/* It is time to try again; at the end it is always. */
	plan_fixture_wait(p, 2, 1);
	p->s.write_again_ns = now_ns();
	assert_true(fffa_spooler__plan(&p->s));
	assert_int_equal(p->s.job.write_count, 1);
	p->s.write_again_ns = now_ns() + 100 * FFFA_NS_PER_S;
	p->s.closing = true;
	assert_true(fffa_spooler__plan(&p->s));
	assert_int_equal(p->s.job.write_count, 1);
	assert_int_equal(p->puts, 2);
}

static void the_next_try_is_awaited(void **state)
{
	struct planning *p = *state;

	plan_fixture_ns = p->s.ack_ns + FFFA_NS_PER_S;
	p->s.error = -EIO;
	p->s.write_again_ns = plan_fixture_ns + 150 * FFFA_NS_PER_MS;
	(void)fffa_spooler__plan(&p->s);
	assert_int_equal(p->s.wake_ms, 151);
	p->s.write_again_ns = plan_fixture_ns;
	(void)fffa_spooler__plan(&p->s);
	assert_int_equal(p->s.wake_ms, 200); /* of the account */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLAN_CASE(nothing_to_do),
		PLAN_CASE(frames_stand_one_behind_the_other),
		PLAN_CASE(a_frame_has_its_time),
		PLAN_CASE(what_begins_a_segment),
		PLAN_CASE(a_segment_is_bounded),
		PLAN_CASE(a_job_is_bounded),
		PLAN_CASE(the_spool_is_bounded),
		PLAN_CASE(a_batch_that_never_fits),
		PLAN_CASE(a_disk_that_fails_is_passed_by),
		PLAN_CASE(the_next_try_is_awaited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
