// SPDX-License-Identifier: MIT
/* What a start that waits says, and that it ends when it is asked to. */
#include "agent/service/start_watch.h"

#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include "tests/stubs/cmocka_all.h"

#define MS	UINT64_C(1000000)
#define LONG_NS (60000 * MS)
#define LIMIT_S 60

struct start {
	pid_t pid;
	int fd; /* what it writes to standard error */
	size_t n;
	char said[4096];
};

/* Runs body in a process of its own, whose signals are held as those of an agent. */
static void begin(struct start *s, void (*body)(void))
{
	int out[2];

	*s = (struct start){0};
	assert_int_equal(pipe(out), 0);
	s->pid = fork();
	if (!s->pid) {
		sigset_t held;

		(void)alarm(LIMIT_S);
		(void)dup2(out[1], STDERR_FILENO);
		(void)close(out[0]);
		(void)close(out[1]);
		(void)sigemptyset(&held);
		(void)sigaddset(&held, SIGTERM);
		(void)sigaddset(&held, SIGINT);
		(void)pthread_sigmask(SIG_BLOCK, &held, NULL);
		body();
		_exit(0);
	}
	(void)close(out[1]);
	s->fd = out[0];
}

/* False: it has ended. */
static bool read_more(struct start *s)
{
	ssize_t got = read(s->fd, s->said + s->n, sizeof(s->said) - 1 - s->n);

	s->n += got > 0 ? (size_t)got : 0;
	return got > 0;
}

/* Returns the status. */
static int end(struct start *s)
{
	int status;

	while (read_more(s)) {
	}
	(void)close(s->fd);
	assert_int_equal(waitpid(s->pid, &status, 0), s->pid);
	return status;
}

static void stand_still(void)
{
	for (;;)
		(void)pause();
}

static void begin_and_stand_still(int sig)
{
	struct fffa_start_watch *w = fffa_start_watch_begin(LONG_NS, 300 * MS);

	fffa_start_watch_note(w, "the test waits");
	(void)kill(getpid(), sig); /* the process, as others do */
	stand_still();
}

static void stopped_by_term(void)
{
	begin_and_stand_still(SIGTERM);
}

static void stopped_by_int(void)
{
	begin_and_stand_still(SIGINT);
}

static void test_it_ends_when_asked(void **state)
{
	void (*const starts[])(void) = {stopped_by_term, stopped_by_int};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		uint64_t began = uv_hrtime();
		struct start s;
		int status;

		begin(&s, starts[i]);
		status = end(&s);
		assert_true(uv_hrtime() - began >= 300 * MS);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 1);
		assert_non_null(strstr(s.said, "asked to stop, but the start still waits"));
		assert_non_null(strstr(s.said, "while the test waits; ending without it\n"));
	}
}

/* Asked to stop, but over in time: whoever handles the signal then decides. */
static void over_in_time(void)
{
	struct fffa_start_watch *w = fffa_start_watch_begin(LONG_NS, LONG_NS);
	sigset_t pending;

	(void)kill(getpid(), SIGTERM);
	fffa_start_watch_end(w);
	(void)sigpending(&pending);
	_exit(sigismember(&pending, SIGTERM) ? 5 : 6);
}

static void test_a_start_that_is_over_in_time(void **state)
{
	struct start s;
	int status;

	(void)state;
	begin(&s, over_in_time);
	status = end(&s);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 5);
	assert_string_equal(s.said, "");
}

static void takes_long(void)
{
	(void)fffa_start_watch_begin(10 * MS, LONG_NS);
	stand_still();
}

/* Nobody asks it to stop: it says so again and again, and waits. */
static void test_what_it_says(void **state)
{
	static const char line[] = "the start still waits, perhaps for a disk that stands still, "
				   "while it begins: seconds=";
	const char *first, *second = NULL;
	struct start s;

	(void)state;
	begin(&s, takes_long);
	while (!second) {
		assert_true(read_more(&s));
		first = strstr(s.said, line);
		second = first ? strstr(first + 1, line) : NULL;
	}
	assert_int_equal(kill(s.pid, SIGKILL), 0);
	assert_true(WIFSIGNALED(end(&s)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_ends_when_asked),
		cmocka_unit_test(test_a_start_that_is_over_in_time),
		cmocka_unit_test(test_what_it_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
