// SPDX-License-Identifier: MIT
/* What a job of the spooler asks of the disk, step by step. The disk is the test's own. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "agent/pipeline/spooler/spooler_internal.h"
#include "tests/stubs/cmocka_all.h"
#include "tests/stubs/make_batch.h"

#define FRAME_BODY 100 /* bytes of each frame that is read */

static struct {
	char steps[1024];
	int begin_rc, append_rc, sync_rc, source_rc, load_rc;
	unsigned int good_appends, good_syncs, good_loads; /* before those fail */
	unsigned int frames;				   /* in the segment that is read */
	int next_rc;					   /* behind them */
	uint64_t size, seen_size;			   /* of that segment */
	bool has_stream;
	char stream[sizeof(
		((struct fffa_batch_origin *)0)->stream)]; /* that the last frame was loaded with */
} disk;

__attribute__((format(printf, 1, 2))) static void step(const char *fmt, ...)
{
	size_t n = strlen(disk.steps);
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(disk.steps + n, sizeof(disk.steps) - n, fmt, ap);
	va_end(ap);
}

/* NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): the linker's names */
int __wrap_fffa_store_write_begin(struct fffa_store *s, const struct fffa_spool_segment *head);
int __wrap_fffa_store_write_append(struct fffa_store *s, uint64_t at, struct fffa_spool_frame *f,
				   const struct fffa_batch *b);
int __wrap_fffa_store_write_sync(struct fffa_store *s);
void __wrap_fffa_store_write_end(struct fffa_store *s);
int __wrap_fffa_store_cut(struct fffa_store *s, uint64_t id, uint64_t size);
int __wrap_fffa_store_remove(struct fffa_store *s, uint64_t id);
int __wrap_fffa_store_ack_write(struct fffa_store *s, const struct fffa_spool_account *account,
				bool sync);
int __wrap_fffa_store_source(struct fffa_store *s, uint64_t id, struct fffa_spool_source *src);
int __wrap_fffa_spool_walk_next(const struct fffa_spool_source *src,
				const struct fffa_spool_pos *pos, struct fffa_spool_found *out);
int __wrap_fffa_spool_walk_load(const struct fffa_spool_source *src,
				const struct fffa_spool_found *found, struct fffa_batch **out);

int __wrap_fffa_store_write_begin(struct fffa_store *s, const struct fffa_spool_segment *head)
{
	(void)s;
	step("begin %d ", (int)head->id);
	return disk.begin_rc;
}

int __wrap_fffa_store_write_append(struct fffa_store *s, uint64_t at, struct fffa_spool_frame *f,
				   const struct fffa_batch *b)
{
	(void)s;
	assert_int_equal(f->count, fffa_batch_count(b)); /* it was described */
	step("write %d ", (int)at);
	if (disk.good_appends) {
		disk.good_appends--;
		return 0;
	}
	return disk.append_rc;
}

int __wrap_fffa_store_write_sync(struct fffa_store *s)
{
	(void)s;
	step("sync ");
	if (disk.good_syncs) {
		disk.good_syncs--;
		return 0;
	}
	return disk.sync_rc;
}

void __wrap_fffa_store_write_end(struct fffa_store *s)
{
	(void)s;
	step("end ");
}

int __wrap_fffa_store_cut(struct fffa_store *s, uint64_t id, uint64_t size)
{
	(void)s;
	step("cut %d at %d ", (int)id, (int)size);
	return 0;
}

int __wrap_fffa_store_remove(struct fffa_store *s, uint64_t id)
{
	(void)s;
	step("remove %d ", (int)id);
	return -EIO; /* which changes nothing */
}

int __wrap_fffa_store_ack_write(struct fffa_store *s, const struct fffa_spool_account *account,
				bool sync)
{
	(void)s;
	(void)account;
	step(sync ? "ack and sync " : "ack ");
	return -EIO; /* which changes nothing */
}

int __wrap_fffa_store_source(struct fffa_store *s, uint64_t id, struct fffa_spool_source *src)
{
	(void)s;
	step("open %d ", (int)id);
	src->size = disk.size;
	return disk.source_rc;
}

int __wrap_fffa_spool_walk_next(const struct fffa_spool_source *src,
				const struct fffa_spool_pos *pos, struct fffa_spool_found *out)
{
	disk.seen_size = src->size;
	if (pos->at >= disk.frames)
		return disk.next_rc;
	*out = (struct fffa_spool_found){
		.frame = {.has_stream = disk.has_stream, .bytes_len = FRAME_BODY}};
	out->begin.at = pos->at;
	out->end.at = pos->at + 1;
	return 1;
}

int __wrap_fffa_spool_walk_load(const struct fffa_spool_source *src,
				const struct fffa_spool_found *found, struct fffa_batch **out)
{
	(void)src;
	step("load %d ", (int)found->begin.at);
	(void)snprintf(disk.stream, sizeof(disk.stream), "%s", found->frame.origin.stream);
	if (!disk.good_loads && disk.load_rc)
		return disk.load_rc;
	disk.good_loads -= disk.good_loads > 0;
	*out = make_batch(1, 1, 40);
	return 0;
}
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */

struct working {
	struct fffa_spooler_job j;
	struct fffa_spooler_segment segments[3];
	struct fffa_queued_batch b;
};

static int setup(void **state)
{
	struct working *w = calloc(1, sizeof(*w));

	if (!w)
		return -1;
	memset(&disk, 0, sizeof(disk));
	disk.size = 1000;
	w->b.d.batch = make_batch(1, 3, 40);
	for (unsigned int i = 0; i < 3; i++)
		w->segments[i].id = 10 + i;
	w->j.name = "own";
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct working *w = *state;

	for (size_t i = 0; i < w->j.read_count; i++)
		fffa_batch_unref(w->j.reads[i].batch);
	fffa_batch_unref(w->b.d.batch);
	free(w);
	return 0;
}

/* Two frames for each of three segments; the first segment has begun before. */
static void plan_writes(struct working *w)
{
	w->j.write_count = 6;
	for (unsigned int i = 0; i < 6; i++) {
		w->j.writes[i] = (struct fffa_spooler_write){
			.b = &w->b,
			.seg = &w->segments[i / 2],
			.begins = i == 2 || i == 4,
			.head = {.id = 10 + i / 2},
			.begin = {.at = 10 * (i + 1)},
			.rc = 77,
		};
	}
}

static void expect_results(const struct working *w, const int *rc)
{
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(w->j.writes[i].rc, rc[i]);
}

#define RESULTS(...) ((const int[6]){__VA_ARGS__})

/* One sync for all that goes into the same segment, before the next one begins. */
static void each_segment_is_synced_once(void **state)
{
	struct working *w = *state;

	plan_writes(w);
	for (int i = 0; i < 6; i++)
		w->j.writes[i].rc = 0;
	fffa_spooler__work(&w->j);
	assert_string_equal(disk.steps, "write 10 write 20 sync begin 11 write 30 write 40 sync "
					"begin 12 write 50 write 60 sync ");
	expect_results(w, RESULTS(0, 0, 0, 0, 0, 0));
}

static void nothing_is_asked_for_nothing(void **state)
{
	struct working *w = *state;

	fffa_spooler__work(&w->j);
	assert_string_equal(disk.steps, "");
}

static void run_writes(struct working *w)
{
	plan_writes(w);
	for (int i = 0; i < 6; i++)
		w->j.writes[i].rc = 0;
	fffa_spooler__work(&w->j);
}

/* What came before it in its segment is synced, and counts. */
static void a_write_that_fails(void **state)
{
	struct working *w = *state;

	disk.good_appends = 3;
	disk.append_rc = -ENOSPC;
	run_writes(w);
	assert_string_equal(disk.steps,
			    "write 10 write 20 sync begin 11 write 30 write 40 sync end ");
	expect_results(w, RESULTS(0, 0, 0, -ENOSPC, -ENOSPC, -ENOSPC));
}

static void the_first_write_that_fails(void **state)
{
	struct working *w = *state;

	disk.append_rc = -ENOSPC;
	run_writes(w);
	assert_string_equal(disk.steps, "write 10 end ");
	expect_results(w, RESULTS(-ENOSPC, -ENOSPC, -ENOSPC, -ENOSPC, -ENOSPC, -ENOSPC));
}

static void a_segment_that_cannot_begin(void **state)
{
	struct working *w = *state;

	disk.begin_rc = -EIO;
	run_writes(w);
	assert_string_equal(disk.steps, "write 10 write 20 sync begin 11 end ");
	expect_results(w, RESULTS(0, 0, -EIO, -EIO, -EIO, -EIO));
}

/* What is not synced is cut off, as it is written again to another segment. */
static void a_sync_that_fails(void **state)
{
	struct working *w = *state;

	disk.good_syncs = 1;
	disk.sync_rc = -EIO;
	run_writes(w);
	assert_string_equal(disk.steps, "write 10 write 20 sync begin 11 write 30 write 40 sync "
					"end cut 11 at 30 end ");
	expect_results(w, RESULTS(0, 0, -EIO, -EIO, -EIO, -EIO));
}

static void the_last_sync_that_fails(void **state)
{
	struct working *w = *state;

	disk.good_syncs = 2;
	disk.sync_rc = -EIO;
	run_writes(w);
	assert_string_equal(disk.steps, "write 10 write 20 sync begin 11 write 30 write 40 sync "
					"begin 12 write 50 write 60 sync end cut 12 at 50 ");
	expect_results(w, RESULTS(0, 0, 0, 0, -EIO, -EIO));
}

/* The account says that the records of the removed segments are settled, so it comes first. */
static void the_order_of_a_job(void **state)
{
	struct working *w = *state;

	plan_writes(w);
	w->j.write_count = 1;
	w->j.acks = w->j.syncs_ack = true;
	w->j.remove_count = 2;
	w->j.removes[0] = 3;
	w->j.removes[1] = 4;
	w->j.read_seg = &w->segments[0];
	w->j.read_id = 10;
	fffa_spooler__work(&w->j);
	assert_string_equal(disk.steps, "ack and sync remove 3 remove 4 write 10 sync open 10 ");
	disk.steps[0] = '\0';
	w->j.syncs_ack = false;
	w->j.remove_count = w->j.write_count = 0;
	w->j.read_seg = NULL;
	fffa_spooler__work(&w->j);
	assert_string_equal(disk.steps, "ack ");
}

/* Reads the segment; read_limit and the size are above all frames. */
static void run_read(struct working *w, unsigned int frames, size_t budget)
{
	disk.steps[0] = '\0';
	disk.frames = frames;
	for (size_t i = 0; i < w->j.read_count; i++)
		fffa_batch_unref(w->j.reads[i].batch);
	w->j.read_count = 0;
	w->j.read_ended = false;
	w->j.read_seg = &w->segments[0];
	w->j.read_limit = 500;
	w->j.read_budget = budget;
	fffa_spooler__work(&w->j);
}

static void reading_goes_on_to_the_end(void **state)
{
	struct working *w = *state;

	run_read(w, 3, 100000);
	assert_string_equal(disk.steps, "open 0 load 0 load 1 load 2 ");
	assert_int_equal(w->j.read_count, 3);
	assert_int_equal(w->j.read_rc, 0);
	assert_true(w->j.read_ended);
	for (size_t i = 0; i < 3; i++) {
		assert_non_null(w->j.reads[i].batch);
		assert_int_equal(w->j.reads[i].found.begin.at, i);
	}
	assert_int_equal(disk.seen_size, 500); /* what is written meanwhile is left out */
	disk.size = 499;
	run_read(w, 0, 100000);
	assert_int_equal(disk.seen_size, 499);
	assert_int_equal(w->j.read_count, 0);
	assert_true(w->j.read_ended);
	w->j.read_from.at = 2;
	run_read(w, 3, 100000);
	assert_string_equal(disk.steps, "open 0 load 2 ");
}

/* The first frame is read however large it is. */
static void reading_keeps_to_its_budget(void **state)
{
	struct working *w = *state;

	run_read(w, 5, 1);
	assert_int_equal(w->j.read_count, 1);
	assert_false(w->j.read_ended);
	run_read(w, 5, 3 * FRAME_BODY);
	assert_int_equal(w->j.read_count, 3);
	run_read(w, 5, 3 * FRAME_BODY - 1);
	assert_int_equal(w->j.read_count, 2);
	run_read(w, FFFA_SPOOLER_READS + 1, 100000);
	assert_int_equal(w->j.read_count, FFFA_SPOOLER_READS);
	assert_false(w->j.read_ended);
}

static void reading_that_fails(void **state)
{
	struct working *w = *state;

	disk.next_rc = -EIO;
	run_read(w, 2, 100000);
	assert_int_equal(w->j.read_count, 2); /* those before it count */
	assert_int_equal(w->j.read_rc, -EIO);
	assert_false(w->j.read_ended);
	disk.next_rc = 0;
	disk.load_rc = -ENOMEM;
	disk.good_loads = 1;
	run_read(w, 3, 100000);
	assert_int_equal(w->j.read_count, 1);
	assert_int_equal(w->j.read_rc, -ENOMEM);
	assert_false(w->j.read_ended);
	disk.source_rc = -ENOENT;
	run_read(w, 3, 100000);
	assert_string_equal(disk.steps, "open 0 ");
	assert_int_equal(w->j.read_rc, -ENOENT);
	assert_int_equal(w->j.read_count, 0);
}

static void a_damaged_body_is_no_batch(void **state)
{
	struct working *w = *state;

	disk.load_rc = -EBADMSG;
	run_read(w, 2, 100000);
	assert_int_equal(w->j.read_rc, 0);
	assert_int_equal(w->j.read_count, 2);
	assert_null(w->j.reads[0].batch);
	assert_null(w->j.reads[1].batch);
	assert_true(w->j.read_ended);
}

/* The disk does not have the name of a sink's own stream. */
static void the_stream_of_a_frame(void **state)
{
	struct working *w = *state;

	disk.has_stream = true;
	run_read(w, 1, 100000);
	assert_string_equal(disk.stream, "own");
	disk.has_stream = false;
	run_read(w, 1, 100000);
	assert_string_equal(disk.stream, "");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(each_segment_is_synced_once), T(nothing_is_asked_for_nothing),
		T(a_write_that_fails),		T(the_first_write_that_fails),
		T(a_segment_that_cannot_begin), T(a_sync_that_fails),
		T(the_last_sync_that_fails),	T(the_order_of_a_job),
		T(reading_goes_on_to_the_end),	T(reading_keeps_to_its_budget),
		T(reading_that_fails),		T(a_damaged_body_is_no_batch),
		T(the_stream_of_a_frame),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
