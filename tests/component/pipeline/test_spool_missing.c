// SPDX-License-Identifier: MIT
/* Segments that are gone, cut or exchanged between two starts: what they held is reported. */
#include "tests/component/pipeline/spool_fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/spool/frame.h"
#include "agent/spool/segment.h"

#define FED	    400
#define SPOOL_BYTES 65536 /* segments of 8 KiB */
#define TERABYTE    ((off_t)1 << 40)
#define LIMIT_S	    120

/* A run whose sink takes nothing. Returns the number of its segments. */
static size_t fill(struct spool_fixture *r, size_t records)
{
	struct fixture *f = spool_fixture_life(r, SPOOL_BYTES);

	f->peers[0].judge = spool_fixture_refuse;
	f->sinks[0].common.queue_memory = 16384;
	fixture_open(f, 1);
	while (records) {
		size_t n = records < 50 ? records : 50;

		fixture_feed(f, n);
		records -= n;
		do {
			fixture_turn(f);
		} while (!fffa_pipeline_has_room(f->p));
	}
	fixture_close(f, 5 * MS);
	assert_int_equal(fffa_ledger_sink_lost(&f->last[0]), 0);
	return spool_fixture_files(r, ".seg");
}

/* Runs until all is delivered, and checks that nothing is missing without a report. */
static struct stream_epoch drain(struct spool_fixture *r, uint64_t lost)
{
	struct fixture *f = spool_fixture_life(r, SPOOL_BYTES);
	struct stream_epoch e[2];

	fixture_open(f, 1);
	assert_int_equal(fixture_ledger(f, 0)->resumed, FED);
	assert_int_equal(fixture_ledger(f, 0)->lost[FFFA_RL_SPOOL_DAMAGED], lost);
	fffa_pipeline_report_missing(f->p);
	fixture_settle(f);
	fixture_close(f, 0);
	assert_int_equal(spool_fixture_read(f, 0, e, 2), 1);
	assert_int_equal(e[0].epoch, 100);
	assert_int_equal(e[0].records + e[0].lost, FED);
	assert_int_equal(e[0].repeats, 0);
	assert_int_equal(f->last[0].lost[FFFA_RL_SPOOL_DAMAGED], e[0].lost);
	assert_int_equal(fffa_ledger_sink_lost(&f->last[0]), e[0].lost);
	assert_int_equal(f->last[0].spooled, 0);
	assert_int_equal(spool_fixture_files(r, ".seg"), 0);
	/* All is said: the next start has nothing to report. */
	f = spool_fixture_life(r, SPOOL_BYTES);
	fixture_open(f, 1);
	assert_int_equal(fixture_ledger(f, 0)->resumed, 0);
	fixture_close(f, 0);
	return e[0];
}

static uint64_t records_in(const char *path, off_t *first_frame_end)
{
	uint8_t head[FFFA_SPOOL_FRAME_HEAD];
	struct fffa_spool_frame frame;
	off_t at = FFFA_SPOOL_SEGMENT_HEAD;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint64_t n = 0;

	assert_true(fd >= 0);
	while (pread(fd, head, sizeof(head), at) == (ssize_t)sizeof(head)) {
		assert_int_equal(fffa_spool_frame_get(&frame, head), 0);
		n += frame.count;
		at += (off_t)(sizeof(head) + fffa_spool_frame_body_len(&frame));
		if (n == frame.count)
			*first_frame_end = at;
	}
	(void)close(fd);
	return n;
}

enum damage { REMOVED, CUT, FOLDER, LINK, FIFO, RENUMBERED, COPIED_OVER, EMPTIED };

static void damage(const struct spool_fixture *r, const char *path, enum damage how)
{
	char away[300], first[256];
	off_t border;

	(void)snprintf(away, sizeof(away), "%s.away", path);
	(void)records_in(path, &border);
	if (how == CUT || how == EMPTIED) {
		assert_int_equal(truncate(path, how == CUT ? border : 0), 0);
		return;
	}
	if (how == RENUMBERED)
		(void)snprintf(away, sizeof(away), "%s/a/0000000000000fff.seg", r->dir);
	assert_int_equal(rename(path, away), 0);
	if (how == FOLDER)
		assert_int_equal(mkdir(path, 0700), 0);
	if (how == LINK)
		assert_int_equal(symlink(away, path), 0);
	if (how == FIFO)
		assert_int_equal(mkfifo(path, 0600), 0);
	if (how == COPIED_OVER)
		assert_int_equal(link(spool_fixture_segment(r, 0, first, sizeof(first)), path), 0);
}

/* Damages the i-th segment of a new spool. Returns how many segments it had. */
static size_t damage_one(size_t i, enum damage how)
{
	struct spool_fixture *r;
	struct stream_epoch e;
	char path[256];
	uint64_t want;
	off_t border;
	void *state;
	size_t n;

	assert_int_equal(spool_fixture_setup(&state), 0);
	r = state;
	n = fill(r, FED);
	assert_uint_in_range(n, 3, 8);
	want = records_in(spool_fixture_segment(r, i, path, sizeof(path)), &border);
	damage(r, path, how);
	if (how == CUT)
		want -= records_in(path, &border);
	assert_true(want > 0);
	e = drain(r, want);
	assert_int_equal(e.lost, want);
	assert_int_equal(e.skips, 1);
	assert_string_equal(e.reason, "spool_damaged");
	assert_int_equal(spool_fixture_teardown(&state), 0);
	return n;
}

static void damage_each(enum damage how)
{
	size_t n = how == COPIED_OVER ? 2 : 1;

	for (size_t i = n - 1; i < n; i++)
		n = damage_one(i, how);
}

#define DAMAGE_CASE(name, how)                                                                     \
	static void name(void **state)                                                             \
	{                                                                                          \
		(void)state;                                                                       \
		damage_each(how);                                                                  \
	}

DAMAGE_CASE(a_removed_segment_is_reported, REMOVED)
DAMAGE_CASE(a_segment_cut_between_frames_is_reported, CUT)
DAMAGE_CASE(a_folder_in_its_place_is_reported, FOLDER)
DAMAGE_CASE(a_link_in_its_place_is_reported, LINK)
DAMAGE_CASE(a_fifo_in_its_place_is_reported, FIFO)
DAMAGE_CASE(a_segment_with_another_number_is_reported, RENUMBERED)
DAMAGE_CASE(a_copy_of_another_segment_is_reported, COPIED_OVER)
DAMAGE_CASE(an_empty_file_in_its_place_is_reported, EMPTIED)

/* All segments of two epochs are gone: each epoch has a report of its own. */
static void each_epoch_without_a_segment_is_reported(void **state)
{
	struct spool_fixture *r = *state;
	struct stream_epoch e[3];
	struct fixture *f;
	char path[256];

	(void)fill(r, 100);
	(void)fill(r, 200);
	while (spool_fixture_files(r, ".seg"))
		assert_int_equal(unlink(spool_fixture_segment(r, 0, path, sizeof(path))), 0);
	f = spool_fixture_life(r, SPOOL_BYTES);
	fixture_open(f, 1);
	fixture_feed(f, 10);
	fixture_settle(f);
	fixture_close(f, 0);
	assert_int_equal(spool_fixture_read(f, 0, e, 3), 3);
	assert_int_equal(e[0].epoch, 100);
	assert_int_equal(e[0].lost, 100);
	assert_int_equal(e[0].last_seq, 100);
	assert_int_equal(e[1].epoch, 101);
	assert_int_equal(e[1].lost, 200);
	assert_int_equal(e[1].last_seq, 200);
	assert_int_equal(e[2].records, 10);
}

/* The report itself is on disk when the next damage comes. */
static void damage_after_a_report_is_reported_too(void **state)
{
	struct spool_fixture *r = *state;
	uint64_t first, second;
	struct stream_epoch e[3];
	struct fixture *f;
	char path[256];
	off_t border;

	(void)fill(r, FED);
	first = records_in(spool_fixture_segment(r, 2, path, sizeof(path)), &border);
	assert_int_equal(unlink(path), 0);
	f = spool_fixture_life(r, SPOOL_BYTES);
	f->peers[0].judge = spool_fixture_refuse;
	fixture_open(f, 1);
	fffa_pipeline_report_missing(f->p);
	fixture_run_for(f, 50);
	fixture_close(f, 5 * MS);
	second = records_in(spool_fixture_segment(r, 1, path, sizeof(path)), &border);
	assert_int_equal(unlink(path), 0);
	f = spool_fixture_life(r, SPOOL_BYTES);
	fixture_open(f, 1);
	fffa_pipeline_report_missing(f->p);
	fixture_settle(f);
	fixture_close(f, 0);
	assert_int_equal(spool_fixture_read(f, 0, e, 3), 1);
	assert_int_equal(e[0].lost, first + second);
	assert_int_equal(e[0].records + e[0].lost, FED);
	assert_int_equal(e[0].repeats, 0);
}

/* A file with the name of a settled segment is kept when it is another one. */
static void flip(const char *path, off_t at)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	uint8_t byte;

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= 0x55;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	assert_int_equal(close(fd), 0);
}

/* A receiver that knows a batch by its numbers would take one report for the other. */
static void a_report_that_is_damaged_gets_no_number_of_another(void **state)
{
	struct spool_fixture *r = *state;
	size_t n = fill(r, FED);
	struct stream_epoch e[2];
	struct fixture *f;
	struct stat st;
	char path[256];

	/* The last segment is missed at the start, the first frame when it is read. */
	assert_int_equal(unlink(spool_fixture_segment(r, n - 1, path, sizeof(path))), 0);
	flip(spool_fixture_segment(r, 0, path, sizeof(path)),
	     FFFA_SPOOL_SEGMENT_HEAD + FFFA_SPOOL_FRAME_HEAD + 20);
	f = spool_fixture_life(r, SPOOL_BYTES);
	f->peers[0].judge = spool_fixture_refuse;
	fixture_open(f, 1);
	for (uint64_t lost = 0; lost<2; lost += fixture_ledger(f, 0)->skipdata_records> lost) {
		fffa_pipeline_report_missing(f->p);
		fixture_turn(f);
	}
	fixture_close(f, 5 * MS);
	/* The body of the report that was written last. */
	n = spool_fixture_files(r, ".seg");
	assert_int_equal(stat(spool_fixture_segment(r, n - 1, path, sizeof(path)), &st), 0);
	flip(path, st.st_size - 3);
	f = spool_fixture_life(r, SPOOL_BYTES);
	fixture_open(f, 1);
	while (fixture_ledger(f, 0)->in_flight || !fixture_ledger(f, 0)->skipdata_records) {
		fffa_pipeline_report_missing(f->p);
		fixture_turn(f);
	}
	fixture_close(f, 0);
	assert_int_equal(spool_fixture_read(f, 0, e, 2), 1);
	assert_int_equal(e[0].repeats, 0);
	assert_int_equal(e[0].skips, 2);
	assert_int_equal(e[0].records + e[0].lost, FED);
}

static void an_alien_segment_with_a_low_number_is_kept(void **state)
{
	struct spool_fixture *r = *state;
	struct fixture *f;
	char path[256], low[300];

	(void)fill(r, FED);
	f = spool_fixture_life(r, SPOOL_BYTES);
	fixture_open(f, 1);
	fixture_settle(f);
	fixture_close(f, 0);
	(void)fill(r, FED);
	(void)snprintf(low, sizeof(low), "%s/a/0000000000000001.seg", r->dir);
	assert_int_equal(link(spool_fixture_segment(r, 0, path, sizeof(path)), low), 0);
	f = spool_fixture_life(r, SPOOL_BYTES);
	fixture_open(f, 1);
	assert_int_equal(spool_fixture_files(r, ".aside"), 1);
	fixture_settle(f);
	fixture_close(f, 0);
	assert_int_equal(f->last[0].delivered, FED);
}

/* It is as far as names go: segments that follow it would not be found again. */
static void an_alien_segment_with_the_last_number_is_not_followed(void **state)
{
	static const char *const names[] = {"7ffffffffffffffe", "4000000000000000"};
	struct spool_fixture *r = *state;
	struct fixture *f;
	char path[256];
	int fd;

	for (size_t i = 0; i < 2; i++) {
		(void)snprintf(path, sizeof(path), "%s/a/%s.seg", r->dir, names[i]);
		(void)fill(r, FED / 2);
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		assert_true(fd >= 0);
		assert_int_equal(close(fd), 0);
		(void)fill(r, FED / 2);
		assert_int_equal(spool_fixture_files(r, ".aside"), i + 1);
		f = spool_fixture_life(r, SPOOL_BYTES);
		fixture_open(f, 1);
		fixture_settle(f);
		fixture_close(f, 0);
		assert_int_equal(f->last[0].delivered, FED);
		assert_int_equal(spool_fixture_files(r, ".seg"), 0);
	}
}

/*
 * To search a terabyte of zeros would take minutes. Where it is one of ours, the records before them
 * are delivered. Where there is none at all, it is set aside.
 */
static void what_is_too_large_is_not_searched(void **state)
{
	struct spool_fixture *r = *state;
	char path[256], alien[300];
	struct fixture *f;
	int fd;

	(void)fill(r, FED);
	assert_int_equal(truncate(spool_fixture_segment(r, 1, path, sizeof(path)), TERABYTE), 0);
	(void)snprintf(alien, sizeof(alien), "%s/a/00000000000fffff.seg", r->dir);
	fd = open(alien, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, TERABYTE), 0);
	assert_int_equal(close(fd), 0);
	(void)alarm(LIMIT_S);
	f = spool_fixture_life(r, SPOOL_BYTES);
	fixture_open(f, 1);
	(void)alarm(0);
	assert_int_equal(spool_fixture_files(r, ".aside"), 1);
	fixture_settle(f);
	fixture_close(f, 0);
	assert_int_equal(f->last[0].delivered, FED);
	assert_int_equal(fffa_ledger_sink_lost(&f->last[0]), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_removed_segment_is_reported),
		cmocka_unit_test(a_segment_cut_between_frames_is_reported),
		cmocka_unit_test(a_folder_in_its_place_is_reported),
		cmocka_unit_test(a_link_in_its_place_is_reported),
		cmocka_unit_test(a_fifo_in_its_place_is_reported),
		cmocka_unit_test(a_segment_with_another_number_is_reported),
		cmocka_unit_test(a_copy_of_another_segment_is_reported),
		cmocka_unit_test(an_empty_file_in_its_place_is_reported),
		SPOOL_CASE(each_epoch_without_a_segment_is_reported),
		SPOOL_CASE(damage_after_a_report_is_reported_too),
		SPOOL_CASE(a_report_that_is_damaged_gets_no_number_of_another),
		SPOOL_CASE(an_alien_segment_with_a_low_number_is_kept),
		SPOOL_CASE(an_alien_segment_with_the_last_number_is_not_followed),
		SPOOL_CASE(what_is_too_large_is_not_searched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
