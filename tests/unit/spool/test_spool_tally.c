// SPDX-License-Identifier: MIT
/* What is missing of an epoch, by its account and the frames that are there. */
#include "agent/spool/tally.h"

#include "tests/stubs/cmocka_all.h"

#define EPOCH	   9
#define FRAMES_MAX 4

/* A frame that accounts for so many numbers. With hidden, damage lies before it. */
struct frame {
	uint64_t first, last, numbers;
	uint64_t hidden_numbers, hidden_seq;
};

struct row {
	const char *what;
	struct fffa_spool_epoch account;
	struct frame frames[FRAMES_MAX]; /* up to the first with last 0 */
	struct fffa_spool_missing want;
};

static void add_frame(struct fffa_spool_tally *t, struct fffa_spool_pos *pos, const struct frame *f,
		      uint64_t epoch)
{
	struct fffa_spool_found found = {
		.frame = {.first_seq = f->first,
			  .last_seq = f->last,
			  .numbers = f->numbers,
			  .origin = {.epoch = epoch}},
		.begin = *pos,
	};

	if (f->hidden_numbers) {
		found.begin.numbers += f->hidden_numbers;
		found.begin.seq = f->hidden_seq;
	}
	found.end = found.begin;
	found.end.numbers += f->numbers;
	found.end.seq = f->last;
	fffa_spool_tally_add(t, pos, &found);
	*pos = found.end;
}

static const struct row rows[] = {
	{.what = "nothing was given"},
	{.what = "all is settled", .account = {.given = 10, .settled = 10, .low = 10, .seq = 10}},
	{.what = "the open batch was not saved",
	 .account = {.given = 10, .settled = 4, .low = 4, .seq = 4},
	 .want = {.unsaved = 6, .unsaved_seq = 10}},
	{.what = "all segments are gone",
	 .account = {.given = 10, .settled = 4, .stored = 6, .low = 4, .seq = 4},
	 .want = {.damaged = 6, .damaged_seq = 10}},
	{.what = "all frames are there",
	 .account = {.given = 10, .settled = 4, .stored = 6, .low = 4, .seq = 4},
	 .frames = {{.first = 5, .last = 6, .numbers = 2}, {.first = 7, .last = 10, .numbers = 4}}},
	{.what = "a frame in the middle is gone",
	 .account = {.given = 10, .settled = 4, .stored = 6, .low = 4, .seq = 4},
	 .frames = {{.first = 5, .last = 6, .numbers = 2}, {.first = 9, .last = 10, .numbers = 2}},
	 .want = {.damaged = 2, .damaged_seq = 8}},
	{.what = "the first frame is gone",
	 .account = {.given = 10, .settled = 4, .stored = 6, .low = 4, .seq = 4},
	 .frames = {{.first = 7, .last = 10, .numbers = 4}},
	 .want = {.damaged = 2, .damaged_seq = 6}},
	{.what = "the last frame is gone",
	 .account = {.given = 10, .settled = 4, .stored = 6, .low = 4, .seq = 4},
	 .frames = {{.first = 5, .last = 6, .numbers = 2}},
	 .want = {.damaged = 4, .damaged_seq = 10}},
	{.what = "a hole among frames younger than the account",
	 .account = {.given = 4, .settled = 4, .low = 4, .seq = 4},
	 .frames = {{.first = 5, .last = 6, .numbers = 2}, {.first = 9, .last = 10, .numbers = 2}},
	 .want = {.damaged = 2, .damaged_seq = 8}},
	{.what = "a loss that no frame reports",
	 .account = {.given = 10, .settled = 8, .low = 5, .seq = 10, .lost_seq = 7},
	 .want = {.unsaved = 2, .unsaved_seq = 7}},
	{.what = "a loss that a frame reports",
	 .account = {.given = 10, .settled = 8, .low = 5, .seq = 10, .lost_seq = 7},
	 .frames = {{.first = 7, .last = 7, .numbers = 2}}},
	{.what = "a loss at the begin of a frame's numbers",
	 .account = {.given = 10, .settled = 6, .low = 5, .seq = 10, .lost_seq = 7},
	 .frames = {{.first = 7, .last = 8, .numbers = 2}},
	 .want = {.damaged = 2, .damaged_seq = 6}},
	{.what = "segments are gone, and the open batch was not saved",
	 .account = {.given = 20, .settled = 5, .stored = 10, .low = 5, .seq = 5},
	 .frames = {{.first = 6, .last = 10, .numbers = 5}},
	 .want = {.damaged = 5, .damaged_seq = 15, .unsaved = 5, .unsaved_seq = 20}},
	{.what = "the account counts more stored numbers than are missing",
	 .account = {.given = 10, .settled = 8, .stored = 6, .low = 4, .seq = 4},
	 .want = {.damaged = 2, .damaged_seq = 6}},
	{.what = "a report accounts for the end of a hole",
	 .account = {.given = 10, .settled = 0, .stored = 10},
	 .frames = {{.first = 1, .last = 3, .numbers = 3},
		    {.first = 8, .last = 10, .numbers = 3},
		    {.first = 7, .last = 7, .numbers = 2}},
	 .want = {.damaged = 2, .damaged_seq = 5}},
	{.what = "a report accounts for a whole hole",
	 .account = {.given = 12, .settled = 0, .stored = 12},
	 .frames = {{.first = 1, .last = 3, .numbers = 3},
		    {.first = 8, .last = 10, .numbers = 3},
		    {.first = 7, .last = 7, .numbers = 4}},
	 .want = {.damaged = 2, .damaged_seq = 12}},
	{.what = "a report accounts for the begin of a hole",
	 .account = {.given = 14, .settled = 3, .stored = 11, .low = 3, .seq = 3},
	 .frames = {{.first = 4, .last = 6, .numbers = 3},
		    {.first = 13, .last = 14, .numbers = 2},
		    {.first = 9, .last = 9, .numbers = 3}},
	 .want = {.damaged = 3, .damaged_seq = 8}},
	{.what = "the reports seem to account for everything that is not there",
	 .account = {.given = 18, .stored = 18},
	 .frames = {{.first = 3, .last = 8, .numbers = 6},
		    {.first = 13, .last = 13, .numbers = 1},
		    {.first = 18, .last = 18, .numbers = 10}},
	 .want = {.damaged = 1, .damaged_seq = 17}},
	{.what = "a report with more numbers than there are before it",
	 .account = {.given = 10, .settled = 0, .stored = 10},
	 .frames = {{.first = 4, .last = 4, .numbers = 9}},
	 .want = {.damaged = 1, .damaged_seq = 5}},
	{.what = "damage in a segment is the reader's to report",
	 .account = {.given = 11, .settled = 5, .stored = 6, .low = 5, .seq = 5},
	 .frames = {{10, 11, 2, .hidden_numbers = 4, .hidden_seq = 9}}},
	{.what = "a frame is gone, and a loss behind it was not reported",
	 .account = {.given = 14, .stored = 11, .lost_seq = 12},
	 .frames = {{.first = 4, .last = 9, .numbers = 6}, {.first = 13, .last = 14, .numbers = 2}},
	 .want = {.damaged = 3, .damaged_seq = 11, .unsaved = 3, .unsaved_seq = 12}},
	{.what = "a loss of one number was not reported, and a frame behind it is gone",
	 .account = {.given = 14, .stored = 13, .lost_seq = 7},
	 .frames = {{.first = 1, .last = 6, .numbers = 6}, {.first = 9, .last = 14, .numbers = 6}},
	 .want = {.damaged = 1, .damaged_seq = 8, .unsaved = 1, .unsaved_seq = 7}},
	{.what = "a loss was not reported, and the frame before it is gone",
	 .account = {.given = 14, .stored = 12, .lost_seq = 8},
	 .frames = {{.first = 1, .last = 4, .numbers = 4}, {.first = 9, .last = 14, .numbers = 6}},
	 .want = {.damaged = 2, .damaged_seq = 6, .unsaved = 2, .unsaved_seq = 8}},
	{.what = "a loss was not reported, and frames on both sides of it are gone",
	 .account = {.given = 14, .stored = 13, .lost_seq = 7},
	 .frames = {{.first = 1, .last = 4, .numbers = 4}, {.first = 9, .last = 14, .numbers = 6}},
	 .want = {.damaged = 3, .damaged_seq = 6, .unsaved = 1, .unsaved_seq = 7}},
	{.what = "a number settled behind a hole that was left to a frame",
	 .account = {.given = 10, .settled = 5, .stored = 5, .low = 2, .seq = 10},
	 .frames = {{.first = 3, .last = 4, .numbers = 2}},
	 .want = {.damaged = 3, .damaged_seq = 7}},
};

static void what_is_missing(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *r = &rows[i];
		struct fffa_spool_account a = {.n = 1, .v = {r->account}};
		struct fffa_spool_pos pos = {.at = 0};
		struct fffa_spool_tally t;
		struct fffa_spool_missing m;

		a.v[0].epoch = EPOCH;
		fffa_spool_tally_init(&t, &a);
		for (size_t k = 0; k < FRAMES_MAX && r->frames[k].last; k++)
			add_frame(&t, &pos, &r->frames[k], EPOCH);
		m = fffa_spool_tally_missing(&t, 0);
		if (m.damaged != r->want.damaged || m.unsaved != r->want.unsaved)
			print_message("%s: %lu damaged, %lu unsaved\n", r->what, m.damaged,
				      m.unsaved);
		assert_int_equal(m.damaged, r->want.damaged);
		assert_int_equal(m.unsaved, r->want.unsaved);
		if (m.damaged && m.damaged_seq != r->want.damaged_seq)
			print_message("%s: the last of them is %lu\n", r->what, m.damaged_seq);
		if (m.damaged)
			assert_int_equal(m.damaged_seq, r->want.damaged_seq);
		if (m.unsaved)
			assert_int_equal(m.unsaved_seq, r->want.unsaved_seq);
	}
}

/* Frames count for their own epoch; those of an epoch that has no account do not count. */
static void each_epoch_for_itself(void **state)
{
	struct fffa_spool_account a = {
		.n = 3,
		.v = {{.epoch = 3, .given = 10, .stored = 10},
		      {.epoch = 5, .given = 20, .settled = 5, .stored = 15, .low = 5, .seq = 5},
		      {.epoch = 8, .given = 30, .settled = 30, .low = 30, .seq = 30}},
	};
	static const struct frame frames[] = {{.first = 1, .last = 10, .numbers = 10},
					      {.first = 6, .last = 15, .numbers = 10},
					      {.first = 1, .last = 30, .numbers = 30}};
	static const uint64_t epochs[] = {3, 5, 7};
	struct fffa_spool_tally t;

	(void)state;
	fffa_spool_tally_init(&t, &a);
	for (size_t i = 0; i < 3; i++) {
		struct fffa_spool_pos pos = {.at = 0};

		add_frame(&t, &pos, &frames[i], epochs[i]);
	}
	assert_int_equal(fffa_spool_tally_missing(&t, 0).damaged, 0);
	assert_int_equal(fffa_spool_tally_missing(&t, 1).damaged, 5);
	assert_int_equal(fffa_spool_tally_missing(&t, 1).damaged_seq, 20);
	assert_int_equal(fffa_spool_tally_missing(&t, 2).damaged, 0);
	assert_int_equal(t.v[0].top, 10);
	assert_int_equal(t.v[1].top, 15);
	assert_int_equal(t.v[2].top, 30);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_missing),
		cmocka_unit_test(each_epoch_for_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
