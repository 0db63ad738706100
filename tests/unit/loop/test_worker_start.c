// SPDX-License-Identifier: MIT
/* A worker's thread and its loop, a start that fails at each step, and how nobody may use it. */
#include "tests/stubs/cmocka_all.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <uv.h>

#include "agent/loop/worker.h"
#include "tests/stubs/death.h"
#include "tests/stubs/failing_alloc.h"

/* What of libuv fails; worker.c is linked with --wrap of each. */
static struct {
	bool lock, cond, wake, thread;
	unsigned int locks, conds; /* that are initialised, and not destroyed */
} libuv;

/* NOLINTBEGIN(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): the linker's names */
int __real_uv_mutex_init(uv_mutex_t *m);
int __wrap_uv_mutex_init(uv_mutex_t *m);
void __real_uv_mutex_destroy(uv_mutex_t *m);
void __wrap_uv_mutex_destroy(uv_mutex_t *m);
int __real_uv_cond_init(uv_cond_t *c);
int __wrap_uv_cond_init(uv_cond_t *c);
void __real_uv_cond_destroy(uv_cond_t *c);
void __wrap_uv_cond_destroy(uv_cond_t *c);
int __real_uv_async_init(uv_loop_t *loop, uv_async_t *a, uv_async_cb run);
int __wrap_uv_async_init(uv_loop_t *loop, uv_async_t *a, uv_async_cb run);
int __real_pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*run)(void *), void *arg);
int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*run)(void *), void *arg);

int __wrap_uv_mutex_init(uv_mutex_t *m)
{
	if (libuv.lock)
		return UV_ENOMEM;
	libuv.locks++;
	return __real_uv_mutex_init(m);
}

void __wrap_uv_mutex_destroy(uv_mutex_t *m)
{
	libuv.locks--;
	__real_uv_mutex_destroy(m);
}

int __wrap_uv_cond_init(uv_cond_t *c)
{
	if (libuv.cond)
		return UV_EBUSY;
	libuv.conds++;
	return __real_uv_cond_init(c);
}

void __wrap_uv_cond_destroy(uv_cond_t *c)
{
	libuv.conds--;
	__real_uv_cond_destroy(c);
}

int __wrap_uv_async_init(uv_loop_t *loop, uv_async_t *a, uv_async_cb run)
{
	return libuv.wake ? UV_EMFILE : __real_uv_async_init(loop, a, run);
}

int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*run)(void *), void *arg)
{
	return libuv.thread ? EAGAIN : __real_pthread_create(t, a, run, arg);
}
/* NOLINTEND(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp) */

static void run_and_close(uv_loop_t *loop)
{
	assert_int_equal(uv_run(loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(loop), 0);
}

static void expect_no_worker(int rc)
{
	struct fffa_worker *w = NULL;
	sigset_t before, after;
	uv_loop_t loop;

	assert_int_equal(uv_loop_init(&loop), 0);
	libuv.locks = libuv.conds = 0;
	assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &before), 0);
	assert_int_equal(fffa_worker_open(&loop, "test", &w), rc);
	assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &after), 0);
	assert_null(w);
	assert_int_equal(sigismember(&after, SIGTERM), sigismember(&before, SIGTERM));
	run_and_close(&loop);
	assert_int_equal(libuv.locks, 0);
	assert_int_equal(libuv.conds, 0);
	memset(&libuv, 0, sizeof(libuv));
}

static void a_start_that_fails_leaves_nothing(void **state)
{
	(void)state;
	failing_alloc_arm(1);
	expect_no_worker(-ENOMEM);
	assert_true(failing_alloc_fired());
	libuv.lock = true;
	expect_no_worker(UV_ENOMEM);
	libuv.cond = true;
	expect_no_worker(UV_EBUSY);
	libuv.wake = true;
	expect_no_worker(UV_EMFILE);
	libuv.thread = true;
	expect_no_worker(UV_EAGAIN);
}

struct look {
	struct fffa_worker *worker;
	struct fffa_worker_job job;
	uv_loop_t loop;
	char name[32];
	sigset_t blocked;
	bool was_submitted; /* when work ran */
	bool was_alive;	    /* the loop, when done ran */
	unsigned int dones;
	bool submits_again;
};

static void look_around(void *arg)
{
	struct look *l = arg;

	(void)pthread_getname_np(pthread_self(), l->name, sizeof(l->name));
	(void)pthread_sigmask(SIG_SETMASK, NULL, &l->blocked);
	l->was_submitted = l->job.submitted;
}

static void on_looked(void *arg)
{
	struct look *l = arg;

	l->dones++;
	l->was_alive = uv_loop_alive(&l->loop);
	assert_false(l->job.submitted);
	if (l->submits_again) {
		l->submits_again = false;
		fffa_worker_submit(l->worker, &l->job);
	}
}

static void open_look(struct look *l)
{
	*l = (struct look){.job = {.work = look_around, .done = on_looked, .arg = l}};
	assert_int_equal(uv_loop_init(&l->loop), 0);
	assert_int_equal(fffa_worker_open(&l->loop, "test", &l->worker), 0);
}

static void the_thread_has_a_name_and_no_signals(void **state)
{
	sigset_t after;
	struct look l;

	(void)state;
	open_look(&l);
	assert_int_equal(pthread_sigmask(SIG_SETMASK, NULL, &after), 0);
	assert_false(sigismember(&after, SIGTERM));
	fffa_worker_submit(l.worker, &l.job);
	fffa_worker_close(l.worker, NULL, NULL);
	run_and_close(&l.loop);
	assert_string_equal(l.name, "test");
	assert_true(l.was_submitted);
	assert_true(sigismember(&l.blocked, SIGTERM));
	assert_true(sigismember(&l.blocked, SIGCHLD));
}

/* A worker without a job keeps nobody running; the loop ends when the last job is done. */
static void only_jobs_keep_the_loop_alive(void **state)
{
	struct look l;

	(void)state;
	open_look(&l);
	assert_false(uv_loop_alive(&l.loop));
	assert_int_equal(uv_run(&l.loop, UV_RUN_DEFAULT), 0);
	for (unsigned int n = 2; n < 7; n += 2) { /* also after it was idle */
		fffa_worker_submit(l.worker, &l.job);
		l.submits_again = true;
		assert_true(uv_loop_alive(&l.loop));
		assert_int_equal(uv_run(&l.loop, UV_RUN_DEFAULT), 0);
		assert_int_equal(l.dones, n);
		assert_true(l.was_alive);
		assert_false(uv_loop_alive(&l.loop));
	}
	fffa_worker_close(l.worker, NULL, NULL);
	assert_true(uv_loop_alive(&l.loop));
	run_and_close(&l.loop);
}

/* In a process that has no other thread yet. */
static void close_twice(void *arg)
{
	struct look *l = arg;

	open_look(l);
	fffa_worker_close(l->worker, NULL, NULL);
	fffa_worker_close(l->worker, NULL, NULL);
}

static void submit_twice(void *arg)
{
	struct look *l = arg;

	open_look(l);
	fffa_worker_submit(l->worker, &l->job);
	fffa_worker_submit(l->worker, &l->job);
}

static void what_a_user_may_not_do(void **state)
{
	char said[512];
	struct look l;

	(void)state;
	death_expect(submit_twice, &l, said, sizeof(said));
	assert_non_null(strstr(said, "submitted"));
	death_expect(close_twice, &l, said, sizeof(said));
	assert_non_null(strstr(said, "closing"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_start_that_fails_leaves_nothing),
		cmocka_unit_test(the_thread_has_a_name_and_no_signals),
		cmocka_unit_test(only_jobs_keep_the_loop_alive),
		cmocka_unit_test(what_a_user_may_not_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
