// SPDX-License-Identifier: MIT
/* The sink's thread: files that open late or never, results, and the wait for a slow reader. */
#include "sinks/file/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "tests/stubs/cmocka_all.h"

#define LONG_NS UINT64_C(60000000000)

struct fffa_file_layout {
	int fd; /* what work waits for */
	const int *results;
	int works;
};

/* One layout at a time: the table of functions has no place for more. */
static struct {
	struct fffa_file_layout layout;
	uv_sem_t go; /* open waits for it */
	int open_rc; /* of the next open */
	int opens, frees;
	int reopen_rc;
} fake;

struct stage {
	uv_loop_t loop;
	struct fffa_file_writer w;
	struct fffa_sink_file_conf conf;
	struct fffa_file_layout_env env;
	int opened, written, reopened, closed;
	int rc;
	struct fffa_err err;
};

static int open_fake(const struct fffa_file_layout_env *env, struct fffa_file_layout **out,
		     struct fffa_err *err)
{
	(void)env;
	uv_sem_wait(&fake.go);
	fake.opens++;
	if (fake.open_rc)
		return fffa_fail(err, -fake.open_rc, "fake: cannot be opened");
	*out = &fake.layout;
	return 0;
}

static void free_fake(struct fffa_file_layout *l)
{
	assert_ptr_equal(l, &fake.layout);
	fake.frees++;
}

static int work_fake(struct fffa_file_layout *l)
{
	return l->results[l->works++];
}

static int reopen_fake(struct fffa_file_layout *l, struct fffa_err *err)
{
	(void)l;
	return fake.reopen_rc ? fffa_fail(err, -fake.reopen_rc, "fake: no new file") : 0;
}

static int wait_fd_fake(const struct fffa_file_layout *l)
{
	return l->fd;
}

static const struct fffa_file_layout_ops waiting = {.open = open_fake,
						    .free = free_fake,
						    .work = work_fake,
						    .reopen = reopen_fake,
						    .wait_fd = wait_fd_fake};
static const struct fffa_file_layout_ops never_waiting = {
	.open = open_fake, .free = free_fake, .work = work_fake};

static void on_opened(void *arg, int rc, const struct fffa_err *err)
{
	struct stage *s = arg;

	assert_int_equal(s->w.phase, FFFA_FILE_WRITER_IDLE);
	s->opened++;
	s->rc = rc;
	if (rc)
		s->err = *err;
}

static void on_written(void *arg, int rc)
{
	struct stage *s = arg;

	assert_int_equal(s->w.phase, FFFA_FILE_WRITER_IDLE);
	s->written++;
	s->rc = rc;
}

static void on_reopened(void *arg, int rc, const struct fffa_err *err)
{
	struct stage *s = arg;

	assert_int_equal(s->w.phase, FFFA_FILE_WRITER_IDLE);
	s->reopened++;
	s->rc = rc;
	if (rc)
		s->err = *err;
}

static void on_closed(void *arg)
{
	struct stage *s = arg;

	s->closed++;
}

static void make_stage(struct stage *s, const struct fffa_file_layout_ops *ops)
{
	const struct fffa_file_writer_events events = {
		.written = on_written, .reopened = on_reopened, .opened = on_opened, .arg = s};

	memset(s, 0, sizeof(*s));
	memset(&fake, 0, sizeof(fake));
	fake.layout.fd = -1;
	assert_int_equal(uv_sem_init(&fake.go, 0), 0);
	assert_int_equal(uv_loop_init(&s->loop), 0);
	s->env.conf = &s->conf;
	assert_int_equal(fffa_file_writer_open(&s->w, &s->loop, ops, &events), 0);
}

static void open_stage(struct stage *s, const struct fffa_file_layout_ops *ops, const int *results)
{
	struct fffa_err err;

	make_stage(s, ops);
	fake.layout.results = results;
	uv_sem_post(&fake.go);
	fffa_file_writer_open_files(&s->w, &s->env);
	assert_int_equal(fffa_file_writer_await_files(&s->w, LONG_NS, &err), 0);
	assert_int_equal(s->opened, 1);
}

static void run_loop(struct stage *s)
{
	assert_int_equal(uv_run(&s->loop, UV_RUN_DEFAULT), 0);
}

static void close_stage(struct stage *s, int frees)
{
	fffa_file_writer_close(&s->w, on_closed, s);
	assert_int_equal(s->closed, 0);
	run_loop(s);
	assert_int_equal(s->closed, 1);
	assert_int_equal(fake.frees, frees);
	assert_int_equal(uv_loop_close(&s->loop), 0);
	uv_sem_destroy(&fake.go);
}

static void a_disk_that_stands_still_is_not_waited_for(void **state)
{
	struct stage s;
	struct fffa_err err;
	uint64_t before;

	(void)state;
	make_stage(&s, &waiting);
	fffa_file_writer_open_files(&s.w, &s.env);
	before = uv_hrtime();
	assert_int_equal(fffa_file_writer_await_files(&s.w, 20000000, &err), -ETIMEDOUT);
	assert_true(uv_hrtime() - before >= 20000000);
	assert_int_equal(s.opened, 0);
	assert_int_equal(s.w.phase, FFFA_FILE_WRITER_WORKING);
	uv_sem_post(&fake.go); /* now it answers */
	run_loop(&s);
	assert_int_equal(s.opened, 1);
	assert_int_equal(s.rc, 0);
	assert_ptr_equal(s.w.layout, &fake.layout);
	close_stage(&s, 1);
}

static void a_failure_to_open_is_said_and_may_be_tried_again(void **state)
{
	struct stage s;
	struct fffa_err err;

	(void)state;
	make_stage(&s, &waiting);
	fake.open_rc = -ENOENT;
	uv_sem_post(&fake.go);
	fffa_file_writer_open_files(&s.w, &s.env);
	assert_int_equal(fffa_file_writer_await_files(&s.w, LONG_NS, &err), -ENOENT);
	assert_string_equal(err.text, "fake: cannot be opened");
	assert_int_equal(s.opened, 1);
	assert_int_equal(s.rc, -ENOENT);
	assert_string_equal(s.err.text, "fake: cannot be opened");
	run_loop(&s);
	assert_int_equal(s.opened, 1);
	assert_null(s.w.layout);
	fake.open_rc = 0;
	uv_sem_post(&fake.go);
	fffa_file_writer_open_files(&s.w, &s.env);
	run_loop(&s);
	assert_int_equal(s.opened, 2);
	assert_int_equal(s.rc, 0);
	close_stage(&s, 1);
}

/* What its files are to be like is read first. */
static void a_wrong_mode_opens_nothing(void **state)
{
	struct stage s;

	(void)state;
	make_stage(&s, &waiting);
	s.conf.mode = (char[]){"0999"};
	fffa_file_writer_open_files(&s.w, &s.env);
	run_loop(&s);
	assert_int_equal(s.opened, 1);
	assert_int_equal(s.rc, -EINVAL);
	assert_int_equal(strncmp(s.err.text, "mode: 0999", 10), 0);
	assert_int_equal(fake.opens, 0);
	close_stage(&s, 0);
}

static void results_are_passed_on(void **state)
{
	static const int results[] = {0, -ENOSPC, -EAGAIN};
	struct stage s;

	(void)state;
	open_stage(&s, &never_waiting, results);
	for (int i = 0; i < 3; i++) { /* without a descriptor there is nothing to wait for */
		fffa_file_writer_start(&s.w);
		assert_int_equal(s.w.phase, FFFA_FILE_WRITER_WORKING);
		run_loop(&s);
		assert_int_equal(s.written, i + 1);
		assert_int_equal(s.rc, results[i]);
	}
	close_stage(&s, 1);
	open_stage(&s, &waiting, results);
	fffa_file_writer_reopen(&s.w);
	run_loop(&s);
	assert_int_equal(s.reopened, 1);
	assert_int_equal(s.rc, 0);
	fake.reopen_rc = -EACCES;
	fffa_file_writer_reopen(&s.w);
	run_loop(&s);
	assert_int_equal(s.reopened, 2);
	assert_int_equal(s.rc, -EACCES);
	assert_string_equal(s.err.text, "fake: no new file");
	close_stage(&s, 1);
}

/* Fills the pipe behind fd, which stays full until somebody reads. */
static void fill(int fd)
{
	static const char bytes[PIPE_BUF];

	while (write(fd, bytes, sizeof(bytes)) > 0) {
	}
	assert_int_equal(errno, EAGAIN);
}

static void empty(int fd)
{
	char bytes[PIPE_BUF];

	while (read(fd, bytes, sizeof(bytes)) > 0) {
	}
	assert_int_equal(errno, EAGAIN);
}

static void run_until(struct stage *s, enum fffa_file_writer_phase phase)
{
	while (s->w.phase != phase)
		(void)uv_run(&s->loop, UV_RUN_ONCE);
}

static void a_slow_reader_is_waited_for(void **state)
{
	static const int results[] = {-EAGAIN, 0, -EAGAIN, -EAGAIN, -EIO};
	struct stage s;
	int fds[2];

	(void)state;
	assert_int_equal(pipe2(fds, O_NONBLOCK | O_CLOEXEC), 0);
	open_stage(&s, &waiting, results);
	fake.layout.fd = fds[1];
	for (int i = 0; i < 2; i++) {
		fill(fds[1]);
		fffa_file_writer_start(&s.w);
		run_until(&s, FFFA_FILE_WRITER_WAITING);
		(void)uv_run(&s.loop, UV_RUN_NOWAIT);
		assert_int_equal(s.w.phase, FFFA_FILE_WRITER_WAITING);
		assert_int_equal(s.written, i);
		empty(fds[0]);
		run_until(&s, FFFA_FILE_WRITER_IDLE);
		assert_int_equal(s.written, i + 1);
		assert_int_equal(s.rc, i ? -EIO : 0);
	}
	assert_int_equal(fake.layout.works, 5);
	close_stage(&s, 1);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

static void a_stop_ends_the_wait(void **state)
{
	static const int results[] = {-EAGAIN, -EAGAIN};
	struct stage s;
	int fds[2];

	(void)state;
	assert_int_equal(pipe2(fds, O_NONBLOCK | O_CLOEXEC), 0);
	open_stage(&s, &waiting, results);
	fake.layout.fd = fds[1];
	fill(fds[1]);
	fffa_file_writer_start(&s.w);
	run_until(&s, FFFA_FILE_WRITER_WAITING);
	fffa_file_writer_stop(&s.w);
	assert_int_equal(s.w.phase, FFFA_FILE_WRITER_IDLE);
	empty(fds[0]);
	run_loop(&s);
	assert_int_equal(s.written, 0);
	assert_int_equal(fake.layout.works, 1);
	fffa_file_writer_start(&s.w);
	run_loop(&s);
	assert_int_equal(s.written, 1);
	assert_int_equal(s.rc, -ECANCELED);
	close_stage(&s, 1);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

/* A file is always writable, so that epoll refuses it: the write fails, and nothing waits. */
static void what_cannot_be_waited_for_fails(void **state)
{
	static const int results[] = {-EAGAIN, -EAGAIN};
	struct stage s;

	(void)state;
	open_stage(&s, &waiting, results);
	fake.layout.fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	for (int i = 0; i < 2; i++) {
		fffa_file_writer_start(&s.w);
		run_loop(&s);
		assert_int_equal(s.written, i + 1);
		assert_int_equal(s.rc, -EPERM);
	}
	(void)close(fake.layout.fd);
	close_stage(&s, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_disk_that_stands_still_is_not_waited_for),
		cmocka_unit_test(a_failure_to_open_is_said_and_may_be_tried_again),
		cmocka_unit_test(a_wrong_mode_opens_nothing),
		cmocka_unit_test(results_are_passed_on),
		cmocka_unit_test(a_slow_reader_is_waited_for),
		cmocka_unit_test(a_stop_ends_the_wait),
		cmocka_unit_test(what_cannot_be_waited_for_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
