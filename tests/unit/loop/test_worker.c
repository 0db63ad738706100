// SPDX-License-Identifier: MIT
#include "tests/stubs/cmocka_all.h"

#include <stdatomic.h>
#include <unistd.h>
#include <uv.h>

#include "agent/loop/worker.h"

#define JOBS 50

struct order {
	struct fffa_worker *worker;
	struct fffa_worker_job jobs[JOBS];
	int worked[JOBS], done[JOBS]; /* by position: the number of the job */
	int work_count, done_count;
	bool closed;
};

struct numbered {
	struct order *order;
	int number;
};

static void work_number(void *arg)
{
	const struct numbered *n = arg;

	n->order->worked[n->order->work_count++] = n->number;
}

static void done_number(void *arg)
{
	const struct numbered *n = arg;

	n->order->done[n->order->done_count++] = n->number;
}

static void on_order_closed(void *arg)
{
	((struct order *)arg)->closed = true;
}

static void run_and_close(uv_loop_t *loop)
{
	assert_int_equal(uv_run(loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(loop), 0);
}

/* What was submitted before close is still done, in order, and only then closed comes. */
static void test_in_order_then_closed(void **state)
{
	struct numbered numbers[JOBS];
	struct order o = {.closed = false};
	uv_loop_t loop;

	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(fffa_worker_open(&loop, "test", &o.worker), 0);
	for (int i = 0; i < JOBS; i++) {
		numbers[i] = (struct numbered){&o, i};
		o.jobs[i] = (struct fffa_worker_job){
			.work = work_number, .done = done_number, .arg = &numbers[i]};
		fffa_worker_submit(o.worker, &o.jobs[i]);
	}
	fffa_worker_close(o.worker, on_order_closed, &o);
	assert_int_equal(o.done_count, 0); /* never from inside */
	assert_false(o.closed);
	run_and_close(&loop);
	assert_int_equal(o.done_count, JOBS);
	for (int i = 0; i < JOBS; i++) {
		assert_int_equal(o.worked[i], i);
		assert_int_equal(o.done[i], i);
	}
	assert_true(o.closed);
}

struct again {
	struct fffa_worker *worker;
	struct fffa_worker_job job;
	int left;
};

static void work_nothing(void *arg)
{
	(void)arg;
}

static void done_again(void *arg)
{
	struct again *a = arg;

	if (--a->left)
		fffa_worker_submit(a->worker, &a->job);
}

static void test_done_submits_while_closing(void **state)
{
	struct again a = {.left = 20};
	uv_loop_t loop;

	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(fffa_worker_open(&loop, "test", &a.worker), 0);
	a.job = (struct fffa_worker_job){.work = work_nothing, .done = done_again, .arg = &a};
	fffa_worker_submit(a.worker, &a.job);
	fffa_worker_close(a.worker, NULL, NULL);
	run_and_close(&loop);
	assert_int_equal(a.left, 0);
}

static void done_closes(void *arg)
{
	struct again *a = arg;

	fffa_worker_close(a->worker, NULL, NULL);
}

static void test_done_closes(void **state)
{
	struct again a = {.left = 1};
	uv_loop_t loop;

	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	assert_int_equal(fffa_worker_open(&loop, "test", &a.worker), 0);
	a.job = (struct fffa_worker_job){.work = work_nothing, .done = done_closes, .arg = &a};
	fffa_worker_submit(a.worker, &a.job);
	run_and_close(&loop);
}

/* A job that is stuck until somebody writes to the pipe. */
struct stuck {
	struct fffa_worker *worker;
	struct fffa_worker_job job;
	int fds[2];
	bool closed;
};

static void work_until_byte(void *arg)
{
	const struct stuck *s = arg;
	char byte;

	(void)!read(s->fds[0], &byte, 1);
}

static void on_stuck_closed(void *arg)
{
	((struct stuck *)arg)->closed = true;
}

struct free_one {
	struct fffa_worker *worker;
	struct fffa_worker_job job;
	struct stuck *stuck;
	int stuck_count;
	bool done;
};

/* The healthy worker's job ends although all others are stuck, and frees those. */
static void done_frees_others(void *arg)
{
	struct free_one *f = arg;

	f->done = true;
	fffa_worker_close(f->worker, NULL, NULL);
	for (int i = 0; i < f->stuck_count; i++) {
		assert_false(f->stuck[i].closed);
		assert_int_equal(write(f->stuck[i].fds[1], "x", 1), 1);
	}
}

/* More of them than libuv's pool has threads. */
static void test_stuck_ones_hold_up_nobody(void **state)
{
	struct stuck stuck[8];
	struct free_one f = {.stuck = stuck, .stuck_count = 8};
	uv_loop_t loop;

	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	for (int i = 0; i < 8; i++) {
		struct stuck *s = &stuck[i];

		*s = (struct stuck){.closed = false};
		assert_int_equal(pipe(s->fds), 0);
		assert_int_equal(fffa_worker_open(&loop, "stuck", &s->worker), 0);
		s->job = (struct fffa_worker_job){
			.work = work_until_byte, .done = work_nothing, .arg = s};
		fffa_worker_submit(s->worker, &s->job);
		fffa_worker_close(s->worker, on_stuck_closed, s); /* does not block */
	}
	assert_int_equal(fffa_worker_open(&loop, "healthy", &f.worker), 0);
	f.job = (struct fffa_worker_job){
		.work = work_nothing, .done = done_frees_others, .arg = &f};
	fffa_worker_submit(f.worker, &f.job);
	run_and_close(&loop);
	assert_true(f.done);
	for (int i = 0; i < 8; i++) {
		assert_true(stuck[i].closed);
		assert_int_equal(close(stuck[i].fds[0]), 0);
		assert_int_equal(close(stuck[i].fds[1]), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in_order_then_closed),
		cmocka_unit_test(test_done_submits_while_closing),
		cmocka_unit_test(test_done_closes),
		cmocka_unit_test(test_stuck_ones_hold_up_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
