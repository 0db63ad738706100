// SPDX-License-Identifier: MIT
/* What the next job of a spooler removes and reads, and when it writes the account. */
#include "tests/unit/pipeline/plan_fixture.h"

static void a_full_spool_drops_the_oldest(void **state)
{
	struct planning *p = *state;
	struct fffa_spooler_segment *old = plan_fixture_segment(p, 10);
	uint64_t left;

	old->read.records = 4;
	p->s.unread = 6;
	(void)plan_fixture_segment(p, 10);
	left = p->s.disk_bytes - old->disk_bytes;
	p->s.conf.bound_bytes = p->s.disk_bytes + FFFA_STORE_ACK_BYTES;
	plan_fixture_wait(p, 0, 1);
	p->s.closing = true;
	p->s.conf.drops_oldest = true;
	assert_true(fffa_spooler__plan(&p->s)); /* the account */
	assert_int_equal(p->s.job.write_count, 0);
	assert_true(p->s.full);
	p->s.closing = false;
	p->s.conf.drops_oldest = false;
	(void)fffa_spooler__plan(&p->s);
	assert_int_equal(p->lost_segments, 0);
	p->s.conf.drops_oldest = true;
	assert_true(fffa_spooler__plan(&p->s));
	assert_int_equal(p->s.job.write_count, 1);
	assert_int_equal(p->lost_segments, 1);
	assert_int_equal(p->lost_unread, 6);
	assert_int_equal(p->why, FFFA_RL_SPOOL_FULL);
	assert_int_equal(p->s.unread, 0);
	assert_int_equal(p->s.job.remove_count, 1);
	assert_int_equal(p->s.job.removes[0], 1);
	assert_int_equal(p->s.disk_bytes, left + HEAD + p->frame);
	assert_false(p->s.full);
	assert_true(p->s.job.acks && p->s.job.syncs_ack); /* before the segment goes */
}

static void settled_segments_are_removed(void **state)
{
	struct planning *p = *state;
	struct fffa_spooler_segment *seg[4];

	for (unsigned int i = 0; i < 4; i++)
		seg[i] = plan_fixture_segment(p, 10);
	settle(seg[0]);
	settle(seg[2]);
	settle(seg[3]);
	seg[1]->settled = 9;
	seg[2]->begin_records = 3; /* which an earlier run settled */
	seg[2]->settled = 7;
	p->s.writing = seg[3];
	p->s.segment_bytes = 4 * seg[3]->end.at + 4;
	assert_true(fffa_spooler__plan(&p->s));
	assert_int_equal(p->s.job.remove_count, 2);
	assert_int_equal(p->s.job.removes[0], 1);
	assert_int_equal(p->s.job.removes[1], 3);
	/* The one that is written goes with a quarter of its size. */
	p->s.segment_bytes = 4 * seg[3]->end.at;
	assert_true(fffa_spooler__plan(&p->s));
	assert_int_equal(p->s.job.remove_count, 1);
	assert_int_equal(p->s.job.removes[0], 4);
	assert_null(p->s.writing);
	assert_int_equal(p->s.disk_bytes, seg[1]->disk_bytes);
}

static void removals_at_the_end_and_behind_unread_frames(void **state)
{
	struct planning *p = *state;
	struct fffa_spooler_segment *a = plan_fixture_segment(p, 10),
				    *b = plan_fixture_segment(p, 10);

	settle(a);
	settle(b);
	p->s.writing = b;
	a->read.records = 9;
	p->s.unread = 1;
	p->s.closing = true;
	(void)fffa_spooler__plan(&p->s);
	assert_int_equal(p->s.job.remove_count, 0);
	a->read.records = 10;
	p->s.unread = 0;
	assert_true(fffa_spooler__plan(&p->s));
	assert_int_equal(p->s.job.remove_count, 2);
	assert_null(p->s.writing);
}

static void empty_segments_at_the_end_are_removed(void **state)
{
	struct planning *p = *state;
	struct fffa_spooler_segment *full = plan_fixture_segment(p, 10);

	full->read.records = 5; /* stops the other removals */
	p->s.unread = 5;
	p->s.read_again_ns = UINT64_MAX;
	(void)plan_fixture_segment(p, 0);
	(void)plan_fixture_segment(p, 0);
	assert_true(fffa_spooler__plan(&p->s));
	assert_int_equal(p->s.job.remove_count, 2);
	assert_int_equal(p->s.job.removes[0], 3);
	assert_int_equal(p->s.job.removes[1], 2);
	p->s.writing = plan_fixture_segment(p, 0);
	(void)fffa_spooler__plan(&p->s);
	assert_int_equal(p->s.job.remove_count, 0);
}

static void removals_are_bounded(void **state)
{
	struct planning *p = *state;

	for (unsigned int i = 0; i < FFFA_SPOOLER_REMOVES + 1; i++)
		settle(plan_fixture_segment(p, 1));
	assert_true(fffa_spooler__plan(&p->s));
	assert_int_equal(p->s.job.remove_count, FFFA_SPOOLER_REMOVES);
}

static void what_is_read(void **state)
{
	struct planning *p = *state;
	struct fffa_spooler_segment *seg;

	(void)plan_fixture_segment(p, 3);
	seg = plan_fixture_segment(p, 10);
	seg->read = (struct fffa_spool_pos){.at = HEAD + 400, .records = 4};
	p->s.unread = 6;
	assert_true(fffa_spooler__plan(&p->s));
	assert_ptr_equal(p->s.job.read_seg, seg);
	assert_int_equal(p->s.job.read_id, seg->id);
	assert_int_equal(p->s.job.read_from.at, HEAD + 400);
	assert_int_equal(p->s.job.read_limit, HEAD + 1000);
	assert_int_equal(p->s.job.read_budget, 1 << 19); /* half of the memory */
	assert_int_equal(p->s.reserved_bytes, 1 << 19);
	p->held = (1 << 19) - (1 << 17); /* a quarter of that half is free */
	assert_true(fffa_spooler__plan(&p->s));
	assert_int_equal(p->s.job.read_budget, 1 << 17);
	p->held++;
	(void)fffa_spooler__plan(&p->s);
	assert_null(p->s.job.read_seg);
	p->held = 1 << 20;
	(void)fffa_spooler__plan(&p->s);
	assert_null(p->s.job.read_seg);
	p->held = 0;
	p->s.conf.memory_bytes = 1 << 24;
	assert_true(fffa_spooler__plan(&p->s));
	assert_int_equal(p->s.job.read_budget, 1 << 22);
}

static void when_nothing_is_read(void **state)
{
	struct planning *p = *state;
	struct fffa_spooler_segment *seg = plan_fixture_segment(p, 10);

	seg->read.records = 4;
	p->s.unread = 6;
	p->s.stopped = true;
	(void)fffa_spooler__plan(&p->s);
	assert_null(p->s.job.read_seg);
	p->s.stopped = false;
	p->s.closing = true;
	(void)fffa_spooler__plan(&p->s);
	assert_null(p->s.job.read_seg);
	p->s.closing = false;
	p->s.read_again_ns = now_ns() + 100 * FFFA_NS_PER_S; /* after an error */
	p->s.wake_ms = 0;
	(void)fffa_spooler__plan(&p->s);
	assert_null(p->s.job.read_seg);
	p->s.read_again_ns = now_ns();
	assert_true(fffa_spooler__plan(&p->s));
	assert_ptr_equal(p->s.job.read_seg, seg);
}

static void up_to_where_all_is_settled(void **state)
{
	struct planning *p = *state;
	struct fffa_spooler_segment *a = plan_fixture_segment(p, 10),
				    *b = plan_fixture_segment(p, 10);
	const struct fffa_spool_pos begin = {.at = HEAD + 300};
	const struct fffa_spool_account *account = &p->s.job.account;

	assert_true(fffa_spooler__plan(&p->s));
	assert_true(p->s.job.acks);
	assert_false(p->s.job.syncs_ack);
	assert_int_equal(account->ack.segment, b->id);
	assert_int_equal(account->ack.pos.at, b->end.at);
	b->read = (struct fffa_spool_pos){.at = HEAD + 700, .records = 7};
	p->s.unread = 3;
	p->s.read_again_ns = UINT64_MAX;
	p->s.ack_ns = 0;
	assert_true(fffa_spooler__plan(&p->s));
	assert_int_equal(account->ack.segment, b->id);
	assert_int_equal(account->ack.pos.at, HEAD + 700);
	assert_true(fffa_spooler__add_ref(&p->s, &p->b[0], a, &begin));
	p->s.ack_ns = 0;
	assert_true(fffa_spooler__plan(&p->s));
	assert_int_equal(account->ack.segment, a->id);
	assert_int_equal(account->ack.pos.at, HEAD + 300);
	assert_false(fffa_spooler__plan(&p->s)); /* it is written */
	assert_false(p->s.job.acks);
	assert_int_equal(p->s.wake_ms, 200);
}

static void accounts_are_not_written_too_often(void **state)
{
	struct planning *p = *state;
	struct fffa_spooler_segment *seg = plan_fixture_segment(p, 10);

	p->s.ack_ns = now_ns();
	plan_fixture_ns = p->s.ack_ns + 5 * FFFA_NS_PER_MS - 1;
	assert_false(fffa_spooler__plan(&p->s));
	assert_int_equal(p->s.wake_ms, 5);
	p->s.closing = true;
	assert_true(fffa_spooler__plan(&p->s));
	assert_true(p->s.job.acks);
	p->s.closing = false;
	p->s.account_changed = true;
	p->s.ack_ns = plan_fixture_ns;
	plan_fixture_ns += 5 * FFFA_NS_PER_MS;
	assert_true(fffa_spooler__plan(&p->s));
	assert_true(p->s.job.acks);
	p->s.account_changed = true;
	settle(seg);
	assert_true(fffa_spooler__plan(&p->s));
	assert_true(p->s.job.acks && p->s.job.syncs_ack);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLAN_CASE(a_full_spool_drops_the_oldest),
		PLAN_CASE(settled_segments_are_removed),
		PLAN_CASE(removals_at_the_end_and_behind_unread_frames),
		PLAN_CASE(empty_segments_at_the_end_are_removed),
		PLAN_CASE(removals_are_bounded),
		PLAN_CASE(what_is_read),
		PLAN_CASE(when_nothing_is_read),
		PLAN_CASE(up_to_where_all_is_settled),
		PLAN_CASE(accounts_are_not_written_too_often),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
