// SPDX-License-Identifier: MIT
/* The thread that writes the log, while the reader of standard error stands still. */
#include "tests/stubs/cmocka_all.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/log.h"

#define LINES 5000

static bool not_woken;

int __real_pthread_cond_signal(pthread_cond_t *cond);
int __wrap_pthread_cond_signal(pthread_cond_t *cond);

/* A thread that is not woken stands for one that gets no time. */
int __wrap_pthread_cond_signal(pthread_cond_t *cond)
{
	return not_woken ? 0 : __real_pthread_cond_signal(cond);
}

static bool no_threads;

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *),
			  void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *),
			  void *arg);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *),
			  void *arg)
{
	return no_threads ? EAGAIN : __real_pthread_create(thread, attr, run, arg);
}

struct place {
	int stderr_fd; /* the real one */
	int reader;
};

static int setup(void **state)
{
	struct place *p = calloc(1, sizeof(*p));
	int ends[2];

	assert_non_null(p);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	/* Smaller than what waits for the thread, whoever runs first. */
	assert_true(fcntl(ends[1], F_SETPIPE_SZ, 4096) >= 4096);
	p->reader = ends[0];
	p->stderr_fd = dup(STDERR_FILENO);
	assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
	assert_int_equal(close(ends[1]), 0);
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct place *p = *state;

	(void)dup2(p->stderr_fd, STDERR_FILENO);
	(void)close(p->stderr_fd);
	(void)close(p->reader);
	free(p);
	return 0;
}

/* Reads until LINES lines have come or are said to be lost. Returns how many are lost. */
static uint64_t read_lines(int fd)
{
	FILE *in = fdopen(dup(fd), "r");
	uint64_t lost = 0, others = 0;
	char line[4096];

	assert_non_null(in);
	while (lost + others < LINES) {
		const char *at;

		assert_non_null(fgets(line, sizeof(line), in));
		at = strstr(line, "stood still: lines=");
		if (at)
			lost += strtoull(at + strlen("stood still: lines="), NULL, 10);
		else
			others++;
	}
	assert_int_equal(lost + others, LINES);
	(void)fclose(in);
	return lost;
}

static void lost_lines_are_counted(void **state)
{
	const struct place *p = *state;
	uint64_t before = fffa_log_lost(), lost;

	assert_int_equal(fffa_log_start_thread(), 0);
	for (int i = 0; i < LINES; i++) /* does not block */
		fffa_warn("test", "line %d of many, with some text to fill the pipe", i);
	assert_false(fffa_log_flush(1));
	assert_true(fffa_log_lost() > before);
	lost = read_lines(p->reader);
	assert_true(fffa_log_flush(10000));
	assert_int_equal(lost, fffa_log_lost() - before);
	fffa_log_stop_thread(10000);
}

/* A stopped thread leaves nothing behind, and lines are written at once again. */
static void lines_before_and_after(void **state)
{
	const struct place *p = *state;
	char text[1024] = "";
	const char *a, *b, *c;
	ssize_t n;

	fffa_warn("test", "first");
	assert_int_equal(fffa_log_start_thread(), 0);
	fffa_warn("test", "second");
	fffa_log_stop_thread(10000);
	fffa_warn("test", "third");
	n = read(p->reader, text, sizeof(text) - 1);
	assert_true(n > 0);
	a = strstr(text, "first\n");
	b = strstr(text, "second\n");
	c = strstr(text, "third\n");
	assert_true(a && b && c && a < b && b < c);
}

static void a_thread_without_a_turn_costs_no_line(void **state)
{
	const struct place *p = *state;
	char text[1024] = "";

	assert_true(fcntl(p->reader, F_SETPIPE_SZ, 65536) >= 65536);
	assert_int_equal(fffa_log_start_thread(), 0);
	fffa_warn("test", "first");
	assert_true(fffa_log_flush(10000));
	not_woken = true;
	fffa_warn("test", "second");
	fffa_warn("test", "third");
	assert_true(fffa_log_flush(1));
	not_woken = false;
	assert_true(read(p->reader, text, sizeof(text) - 1) > 0);
	assert_non_null(strstr(text, "third\n"));
	fffa_log_stop_thread(10000);
}

/* The end of the agent does not wait for a reader of standard error that stands still. */
static void the_end_waits_for_no_reader(void **state)
{
	const struct place *p = *state;

	assert_int_equal(fffa_log_start_thread(), 0);
	for (int i = 0; i < LINES; i++)
		fffa_warn("test", "line %d of many, with some text to fill the pipe", i);
	fffa_log_stop_thread(1);
	(void)read_lines(p->reader);
	fffa_log_stop_thread(10000);
}

static void without_a_thread_the_caller_writes(void **state)
{
	const struct place *p = *state;
	char text[1024] = "";

	no_threads = true;
	assert_int_equal(fffa_log_start_thread(), -EAGAIN);
	no_threads = false;
	fffa_warn("test", "first");
	assert_true(read(p->reader, text, sizeof(text) - 1) > 0);
	assert_non_null(strstr(text, "first\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(lost_lines_are_counted, setup, teardown),
		cmocka_unit_test_setup_teardown(lines_before_and_after, setup, teardown),
		cmocka_unit_test_setup_teardown(a_thread_without_a_turn_costs_no_line, setup,
						teardown),
		cmocka_unit_test_setup_teardown(the_end_waits_for_no_reader, setup, teardown),
		cmocka_unit_test_setup_teardown(without_a_thread_the_caller_writes, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
