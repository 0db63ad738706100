// SPDX-License-Identifier: MIT
/*
 * The plain layout between writes: what is due, what it says of its file, and a batch in pieces.
 * Linked with --wrap=time.
 */
#include "sinks/file/plain/plain.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "sinks/file/plain/open.h"
#include "tests/stubs/files.h"
#include "tests/stubs/make_batch.h"
#include "tests/unit/sinks/file_fixture.h"
#include "tests/stubs/log_fixture.h"

#define LONG_S INT64_C(1000000000) /* 31 years */
#define NOW_S  INT64_C(4000000123) /* behind the times of all files here */

/* What the layout takes for the time. */
static time_t now_s;

time_t __wrap_time(time_t *out);

time_t __wrap_time(time_t *out)
{
	if (out)
		*out = now_s;
	return now_s;
}

static const struct fffa_file_layout_ops *const ops = &fffa_file_plain_layout;

struct stage {
	struct fffa_sink_env sink;
	struct fffa_file_layout_env env;
	struct fffa_file_layout *l;
};

/* "old" begins a record with other fields. */
static enum fffa_found recognize(const void *recognizer, const uint8_t *p, size_t n, size_t *len)
{
	(void)recognizer;
	*len = 0;
	return n >= 3 && !memcmp(p, "old", 3) ? FFFA_FOUND_OTHER : FFFA_FOUND_FOREIGN;
}

static void open_stage(struct stage *s, const struct file_fixture *p, const char *head)
{
	struct fffa_err err;

	now_s = NOW_S;
	*s = (struct stage){.sink = {.tag = "sink.test",
				     .recognize = recognize,
				     .preamble = {(const uint8_t *)head, strlen(head)}}};
	s->env.sink = &s->sink;
	s->env.conf = &p->conf;
	assert_int_equal(fffa_file_access_read(&p->conf, &s->env.access, &err), 0);
	assert_int_equal(ops->open(&s->env, &s->l, &err), 0);
}

static int write_batch(struct stage *s, struct fffa_batch *b, struct fffa_outcome *o)
{
	int rc;

	ops->begin(s->l, b);
	rc = ops->work(s->l);
	*o = (struct fffa_outcome){.verdict = rc ? FFFA_V_RETRY : FFFA_V_DELIVERED, .cause = rc};
	ops->end(s->l, o);
	return rc;
}

static struct fffa_file_layout_status status(const struct stage *s)
{
	struct fffa_file_layout_status st;

	ops->status(s->l, &st);
	return st;
}

static void set_mtime(const struct file_fixture *p, int64_t s)
{
	const struct timespec then[2] = {{.tv_sec = s}, {.tv_sec = s}};

	assert_int_equal(utimensat(AT_FDCWD, p->path, then, 0), 0);
}

/* A file that is full waits for a batch, one whose interval is over does not. */
static void only_time_makes_a_file_due(void **state)
{
	struct file_fixture *p = *state;
	struct stage s;

	p->conf.rotate.size_bytes = 4;
	p->conf.rotate.interval_ns = LONG_S * 1000000000;
	files_write(p->path, "h\n12345\n", 8);
	set_mtime(p, NOW_S);
	open_stage(&s, p, "h\n");
	assert_false(ops->is_due(s.l));
	assert_true(status(&s).maintenance_due);
	ops->free(s.l);
	set_mtime(p, 7); /* of the first interval since 1970 */
	open_stage(&s, p, "h\n");
	assert_true(ops->is_due(s.l));
	ops->free(s.l);
	files_write(p->path, "h\n", 2); /* no record */
	set_mtime(p, 7);
	open_stage(&s, p, "h\n");
	assert_false(ops->is_due(s.l));
	ops->free(s.l);
	files_write(p->path, "h\nx", 3); /* the rest of a line comes before all else */
	set_mtime(p, 7);
	open_stage(&s, p, "h\n");
	assert_true(status(&s).preamble_due);
	assert_false(ops->is_due(s.l));
	ops->free(s.l);
}

static void the_next_question_comes_at_the_end_of_the_interval(void **state)
{
	struct file_fixture *p = *state;
	struct stage s;

	open_stage(&s, p, "");
	assert_int_equal(ops->check_in_s(s.l), 0);
	assert_false(ops->is_due(s.l));
	ops->free(s.l);
	p->conf.rotate.interval_ns = LONG_S * 1000000000;
	open_stage(&s, p, "");
	assert_int_equal(ops->check_in_s(s.l), LONG_S - 123);
	now_s = 5 * LONG_S - 1;
	assert_int_equal(ops->check_in_s(s.l), 1);
	now_s++;
	assert_int_equal(ops->check_in_s(s.l), LONG_S);
	ops->free(s.l);
}

static void the_status_is_that_of_the_file(void **state)
{
	struct file_fixture *p = *state;
	struct fffa_batch *b = make_batch(1, 2, 100);
	struct fffa_file_layout_status st;
	struct fffa_outcome o;
	struct stage s;

	open_stage(&s, p, "h\n");
	st = status(&s);
	assert_int_equal(st.file_bytes, 0);
	assert_int_equal(st.rotated_at_s, 0);
	assert_true(st.preamble_due);
	assert_false(st.maintenance_due); /* nothing is ever rotated */
	assert_int_equal(write_batch(&s, NULL, &o), 0);
	assert_int_equal(status(&s).file_bytes, 2);
	assert_false(status(&s).preamble_due);
	ops->free(s.l);
	p->conf.rotate.size_bytes = 300;
	open_stage(&s, p, "h\n");
	assert_int_equal(status(&s).file_bytes, 2);
	assert_int_equal(write_batch(&s, b, &o), 0);
	assert_int_equal(status(&s).file_bytes, 202);
	assert_false(status(&s).maintenance_due);
	now_s += 7;
	assert_int_equal(write_batch(&s, b, &o), 0); /* into a new file */
	st = status(&s);
	assert_int_equal(st.file_bytes, 202);
	assert_int_equal(st.rotated_at_s, NOW_S + 7);
	assert_true(st.maintenance_due);
	assert_int_equal(write_batch(&s, NULL, &o), 0);
	assert_false(status(&s).maintenance_due);
	assert_int_equal(status(&s).rotated_at_s, st.rotated_at_s);
	ops->free(s.l);
	fffa_batch_unref(b);
}

static void a_reopen_changes_only_what_was_moved(void **state)
{
	struct file_fixture *p = *state;
	struct fffa_batch *b = make_batch(1, 1, 100);
	struct fffa_outcome o;
	struct fffa_err err;
	struct stage s;
	char old[128];
	int fd;

	(void)snprintf(old, sizeof(old), "%s.1", p->path);
	open_stage(&s, p, "h\n");
	assert_int_equal(write_batch(&s, b, &o), 0);
	fd = ops->wait_fd(s.l);
	assert_int_equal(ops->reopen(s.l, &err), 0);
	assert_int_equal(ops->wait_fd(s.l), fd);
	assert_int_equal(rename(p->path, old), 0);
	assert_int_equal(mkdir(p->path, 0700), 0);
	assert_int_equal(ops->reopen(s.l, &err), -EISDIR);
	assert_int_equal(status(&s).file_bytes, 102);
	assert_int_equal(rmdir(p->path), 0);
	assert_int_equal(ops->reopen(s.l, &err), 0);
	assert_int_equal(status(&s).file_bytes, 0);
	assert_true(status(&s).preamble_due);
	assert_true(fffa_plain_open_is_same(p->path, ops->wait_fd(s.l)));
	ops->free(s.l);
	fffa_batch_unref(b);
}

/* Opens the layout while standard output is fd. */
static void open_on_stdout(struct stage *s, struct file_fixture *p, int fd)
{
	int saved = dup(STDOUT_FILENO);

	(void)fflush(stdout);
	assert_int_equal(dup2(fd, STDOUT_FILENO), STDOUT_FILENO);
	p->conf.path = (char[]){"-"};
	open_stage(s, p, "");
	p->conf.path = p->path;
	assert_int_equal(dup2(saved, STDOUT_FILENO), STDOUT_FILENO);
	(void)close(saved);
}

/*
 * Standard output is never cut. However much of a batch is in it: the same batch goes on there, and
 * before another one the record that was begun is completed.
 */
static void a_batch_that_stops_anywhere(void **state)
{
	static const rlim_t stops[] = {1, 29, 30, 31, 59, 60, 75, 120, 149, 150, 151, 179};
	struct file_fixture *p = *state;
	struct fffa_batch *a = make_batch(1, 6, 30), *b = make_batch(7, 2, 30);
	const uint8_t *bytes_a = fffa_batch_bytes(a).ptr, *bytes_b = fffa_batch_bytes(b).ptr;

	for (size_t i = 0; i < 2 * sizeof(stops) / sizeof(stops[0]); i++) {
		rlim_t stop = stops[i / 2];
		bool same = i % 2;
		size_t kept = same ? 180 : (stop + 29) / 30 * 30, len;
		int fd = open(p->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		struct fffa_outcome o;
		struct stage s;
		char *text;

		open_on_stdout(&s, p, fd);
		assert_int_equal(status(&s).file_bytes, -1);
		files_limit_size(stop);
		assert_int_equal(write_batch(&s, a, &o), -EFBIG);
		assert_false(status(&s).preamble_due); /* it waits for a batch */
		assert_int_equal(write_batch(&s, same ? a : b, &o), -EFBIG);
		files_limit_size(RLIM_INFINITY);
		assert_int_equal(write_batch(&s, same ? a : b, &o), 0);
		assert_int_equal(write_batch(&s, b, &o), 0);
		text = files_read(p->path, &len);
		assert_int_equal(len, kept + (same ? 60 : 120));
		assert_memory_equal(text, bytes_a, kept);
		assert_memory_equal(text + len - 60, bytes_b, 60);
		if (!same)
			assert_memory_equal(text + kept, bytes_b, 60);
		free(text);
		ops->free(s.l);
		(void)close(fd);
	}
	fffa_batch_unref(a);
	fffa_batch_unref(b);
}

/* The highest number is taken: the file goes on, and the next try comes after some seconds. */
static void no_name_is_left(void **state)
{
	struct file_fixture *p = *state;
	struct fffa_batch *b = make_batch(1, 2, 100);
	struct fffa_outcome o;
	struct stage s;
	char last[128];

	(void)snprintf(last, sizeof(last), "%s.20990101T000000Z-99998", p->path);
	files_write(last, "x", 1);
	p->conf.rotate.size_bytes = 300;
	open_stage(&s, p, "h\n");
	for (int i = 0; i < 2; i++)
		assert_int_equal(write_batch(&s, b, &o), 0);
	assert_int_equal(status(&s).file_bytes, 202); /* it got the last name */
	assert_int_equal(write_batch(&s, b, &o), 0);
	assert_int_equal(status(&s).rotation_error, -EEXIST);
	assert_int_equal(status(&s).file_bytes, 402);
	assert_false(status(&s).maintenance_due);
	assert_int_equal(write_batch(&s, NULL, &o), 0);
	assert_int_equal(status(&s).rotation_error, -EEXIST);
	ops->free(s.l);
	fffa_batch_unref(b);
}

/* After five seconds, with a batch, as if nothing had been. */
static void a_rotation_that_failed_is_tried_again(void **state)
{
	struct file_fixture *p = *state;
	struct fffa_batch *b = make_batch(1, 2, 100);
	struct fffa_outcome o;
	struct stage s;
	char moved[128];

	(void)snprintf(moved, sizeof(moved), "%s-moved", p->dir);
	p->conf.rotate.size_bytes = 300;
	open_stage(&s, p, "h\n");
	assert_int_equal(write_batch(&s, b, &o), 0);
	assert_int_equal(rename(p->dir, moved), 0);
	assert_int_equal(write_batch(&s, b, &o), 0);
	assert_int_equal(rename(moved, p->dir), 0);
	assert_int_equal(status(&s).rotation_error, -ENOENT);
	now_s += 4;
	assert_int_equal(write_batch(&s, b, &o), 0);
	assert_int_equal(status(&s).file_bytes, 602);
	assert_int_equal(status(&s).rotation_error, -ENOENT);
	now_s++;
	assert_int_equal(write_batch(&s, NULL, &o), 0); /* nothing is to be written */
	assert_int_equal(status(&s).file_bytes, 602);
	assert_int_equal(write_batch(&s, b, &o), 0);
	assert_int_equal(status(&s).file_bytes, 202);
	assert_int_equal(status(&s).rotation_error, 0);
	assert_int_equal(status(&s).rotated_at_s, NOW_S + 5);
	ops->free(s.l);
	fffa_batch_unref(b);
}

/* At its end, also without a batch; the next one begins with the first record after it. */
static void an_interval_ends(void **state)
{
	struct file_fixture *p = *state;
	struct fffa_batch *b = make_batch(1, 1, 100);
	struct fffa_outcome o;
	struct stage s;

	p->conf.rotate.interval_ns = INT64_C(100) * 1000000000;
	open_stage(&s, p, "h\n");
	assert_int_equal(write_batch(&s, NULL, &o), 0); /* the header */
	now_s = 4000000199;
	assert_int_equal(write_batch(&s, b, &o), 0);
	assert_false(ops->is_due(s.l));
	now_s++;
	assert_true(ops->is_due(s.l));
	assert_int_equal(write_batch(&s, NULL, &o), 0);
	assert_int_equal(status(&s).file_bytes, 2);
	assert_int_equal(status(&s).rotated_at_s, 4000000200);
	assert_false(ops->is_due(s.l));
	now_s = 4000000350; /* an interval without a record goes by */
	assert_false(ops->is_due(s.l));
	assert_int_equal(write_batch(&s, b, &o), 0);
	assert_int_equal(status(&s).rotated_at_s, 4000000200);
	now_s = 4000000399;
	assert_false(ops->is_due(s.l));
	now_s++;
	assert_int_equal(write_batch(&s, b, &o), 0); /* into the next file */
	assert_int_equal(status(&s).file_bytes, 102);
	assert_int_equal(status(&s).rotated_at_s, 4000000400);
	assert_false(ops->is_due(s.l));
	ops->free(s.l);
	fffa_batch_unref(b);
}

/* What is put aside at the start is logged, also when it cannot be. */
static void an_unfit_file_is_logged(void **state)
{
	struct file_fixture *p = *state;
	struct log_fixture log;
	char last[128], want[300];
	struct stage s;

	(void)snprintf(last, sizeof(last), "%s.20990101T000000Z-99998", p->path);
	files_write(last, "x", 1);
	log_fixture_begin(&log);
	for (int i = 0; i < 2; i++) {
		files_write(p->path, "old\n", 4);
		open_stage(&s, p, "h\n");
		assert_int_equal(status(&s).file_bytes, i ? 4 : 0); /* the second finds no name */
		ops->free(s.l);
	}
	log_fixture_end(&log);
	(void)snprintf(want, sizeof(want),
		       "%s held records of another format or other fields; it was rotated",
		       p->path);
	assert_int_equal(log_fixture_count(&log, want), 1);
	(void)snprintf(want, sizeof(want),
		       "%s holds records of another format or other fields and cannot be rotated; "
		       "records follow in it: File exists",
		       p->path);
	assert_int_equal(log_fixture_count(&log, want), 1);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, file_fixture_setup, file_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(only_time_makes_a_file_due),
		CASE(the_next_question_comes_at_the_end_of_the_interval),
		CASE(the_status_is_that_of_the_file),
		CASE(a_reopen_changes_only_what_was_moved),
		CASE(a_batch_that_stops_anywhere),
		CASE(no_name_is_left),
		CASE(an_unfit_file_is_logged),
		CASE(a_rotation_that_failed_is_tried_again),
		CASE(an_interval_ends),
	};

	(void)signal(SIGXFSZ, SIG_IGN); /* as main does */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
