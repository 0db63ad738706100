// SPDX-License-Identifier: MIT
/* Each signal is one event, also one that came before somebody could take it. */
#include "agent/daemon/signals.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "tests/stubs/cmocka_all.h"

#define LIMIT_S 60

struct fixture {
	uv_loop_t loop;
	struct fffa_signals s;
	char seen[16]; /* a letter for each event */
};

static void add(void *arg, char letter)
{
	struct fixture *x = arg;

	assert_true(strlen(x->seen) < sizeof(x->seen) - 1);
	x->seen[strlen(x->seen)] = letter;
}

static void on_stop(void *arg)
{
	add(arg, 's');
}

static void on_reload(void *arg)
{
	add(arg, 'r');
}

static void on_report(void *arg)
{
	add(arg, 'u');
}

static void open_signals(struct fixture *x)
{
	const struct fffa_signals_events ev = {
		.stop = on_stop, .reload = on_reload, .report = on_report, .arg = x};

	fffa_signals_open(&x->s, &x->loop, &ev);
}

static int setup(void **state)
{
	struct fixture *x = calloc(1, sizeof(*x));

	*state = x;
	(void)alarm(LIMIT_S); /* for an event that does not come */
	return x ? uv_loop_init(&x->loop) : -1;
}

static int teardown(void **state)
{
	struct fixture *x = *state;

	fffa_signals_close(&x->s);
	assert_int_equal(uv_run(&x->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&x->loop), 0);
	(void)alarm(0);
	free(x);
	return 0;
}

static void await_events(struct fixture *x, size_t n)
{
	while (strlen(x->seen) < n)
		(void)uv_run(&x->loop, UV_RUN_ONCE);
}

static void test_each_signal(void **state)
{
	static const int signals[] = {SIGTERM, SIGHUP, SIGINT, SIGUSR1};
	struct fixture *x = *state;

	open_signals(x);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(raise(signals[i]), 0);
		await_events(x, i + 1);
	}
	assert_string_equal(x->seen, "srsu");
}

/* These would end the process. */
static void test_what_is_ignored(void **state)
{
	static const int signals[] = {SIGPIPE, SIGXFSZ, SIGUSR2};
	struct fixture *x = *state;

	for (size_t i = 0; i < 3; i++)
		(void)signal(signals[i], SIG_DFL);
	open_signals(x);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(raise(signals[i]), 0);
	assert_int_equal(raise(SIGHUP), 0);
	await_events(x, 1);
	assert_string_equal(x->seen, "r");
}

static void test_what_came_too_soon(void **state)
{
	static const int held[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2};
	struct fixture *x = *state;
	sigset_t set;

	for (size_t i = 0; i < 5; i++)
		(void)signal(held[i], SIG_DFL);
	fffa_signals_hold();
	(void)pthread_sigmask(SIG_SETMASK, NULL, &set);
	for (size_t i = 0; i < 5; i++) {
		assert_true(sigismember(&set, held[i]));
		assert_int_equal(raise(held[i]), 0); /* ends nobody */
	}
	assert_false(sigismember(&set, SIGALRM));
	open_signals(x);
	(void)pthread_sigmask(SIG_SETMASK, NULL, &set);
	for (size_t i = 0; i < 5; i++)
		assert_true(sigismember(&set, held[i])); /* the start goes on */
	fffa_signals_release();
	(void)pthread_sigmask(SIG_SETMASK, NULL, &set);
	for (size_t i = 0; i < 5; i++)
		assert_false(sigismember(&set, held[i]));
	await_events(x, 4);
	assert_int_equal(strlen(x->seen), 4);
	assert_true(strchr(x->seen, 's') != strrchr(x->seen, 's'));
	assert_true(strchr(x->seen, 'r') && strchr(x->seen, 'u'));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_each_signal),
		T(test_what_is_ignored),
		T(test_what_came_too_soon),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
