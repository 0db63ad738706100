// SPDX-License-Identifier: MIT
/* A sink that is added while the agent runs: its spool is opened by a thread, and may not open at all. */
#include "tests/component/pipeline/spool_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/stubs/log_fixture.h"

#define MIB (1 << 20)

/* The system call below, with which each spool is locked. */
static struct {
	_Atomic bool is_slow;
	sem_t entered, answer;
} disk;

int __real_flock(int fd, int how);
int __wrap_flock(int fd, int how);

int __wrap_flock(int fd, int how)
{
	if (disk.is_slow) {
		(void)sem_post(&disk.entered);
		while (sem_wait(&disk.answer)) {
		}
	}
	return __real_flock(fd, how);
}

/* A pipeline without sinks, to which sink a with a spool is added. */
static struct fixture *add_sink(struct spool_fixture *r, bool is_slow, bool refuses)
{
	struct fixture *f = spool_fixture_life(r, MIB);
	struct fffa_sink_conf c = fixture_copy_conf(&f->sinks[0]);
	struct fffa_err err = {""};

	fixture_open(f, 0);
	disk.is_slow = is_slow;
	if (refuses)
		f->peers[0].judge = spool_fixture_refuse;
	assert_int_equal(fffa_pipeline_add(f->p, &c, &err), 0);
	f->conf.sink_count = 1;
	return f;
}

static void await_open(struct fixture *f)
{
	struct fffa_sink_status s = {.spool_bytes = 0};

	while (!s.spool_bytes) {
		fixture_turn(f);
		fffa_pipeline_sink_status(f->p, 0, &s);
	}
}

/* Ends r's pipeline and asserts that the next start finds so many records, and none missing. */
static void expect_kept(struct spool_fixture *r, uint64_t records)
{
	struct fixture *f = spool_fixture_life(r, MIB);

	fixture_open(f, 1);
	assert_int_equal(fixture_ledger(f, 0)->resumed, records);
	assert_int_equal(fffa_ledger_sink_lost(fixture_ledger(f, 0)), 0);
	fixture_settle(f);
	fixture_close(f, 0);
}

static void records_wait_until_it_is_open(void **state)
{
	struct spool_fixture *r = *state;
	struct fixture *f = add_sink(r, true, false);
	struct stream_epoch e;

	assert_int_equal(sem_wait(&disk.entered), 0);
	fixture_feed(f, 40);
	fixture_run_for(f, 50);
	assert_int_equal(fixture_ledger(f, 0)->in_flight, 40);
	assert_int_equal(f->peers[0].accepted, 0);
	disk.is_slow = false;
	assert_int_equal(sem_post(&disk.answer), 0);
	fixture_settle(f);
	fixture_close(f, 0);
	assert_int_equal(f->last[0].delivered, 40);
	assert_int_equal(spool_fixture_read(f, 0, &e, 1), 1);
	assert_int_equal(e.records, 40);
	assert_true(e.in_order);
	expect_kept(r, 0);
}

/* Leaves 50 records in the spool, then damages the head of its first frame, or removes it all. */
static void leave_damaged(struct spool_fixture *r, bool removes)
{
	struct fixture *f = add_sink(r, false, true);
	char path[256];
	int fd;

	fixture_feed(f, 50);
	fixture_run_for(f, 60);
	fixture_close(f, 5 * MS);
	assert_int_equal(f->last[0].spooled, 50);
	(void)spool_fixture_segment(r, 0, path, sizeof(path));
	if (removes) {
		assert_int_equal(unlink(path), 0);
		return;
	}
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, "?", 1, 128 + 30), 1);
	assert_int_equal(close(fd), 0);
}

static void what_an_earlier_run_left_comes_first(void **state)
{
	struct spool_fixture *r = *state;
	struct stream_epoch e[3];

	for (int removes = 0; removes < 2; removes++) {
		uint64_t lost = removes ? 50 : 10;
		struct fixture *f;

		leave_damaged(r, removes);
		f = add_sink(r, true, false);
		assert_int_equal(sem_wait(&disk.entered), 0);
		fixture_feed(f, 20);
		fixture_run_for(f, 50);
		assert_int_equal(fixture_ledger(f, 0)->resumed, 0);
		disk.is_slow = false;
		assert_int_equal(sem_post(&disk.answer), 0);
		await_open(f);
		assert_int_equal(fixture_ledger(f, 0)->resumed, 50);
		fixture_settle(f);
		fixture_feed(f, 10);
		fixture_close(f, 0);
		assert_int_equal(f->last[0].lost[FFFA_RL_SPOOL_DAMAGED], lost);
		assert_int_equal(spool_fixture_read(f, 0, e, 3), 2);
		assert_int_equal(e[0].records + e[1].records, 50 + 30 - lost);
		if (!removes) /* else what the new sink was given may come first */
			assert_int_equal(e[0].records, 40);
		assert_int_equal(e[0].lost + e[1].lost, lost);
		assert_string_equal(e[e[1].lost > 0].reason, "spool_damaged");
	}
	expect_kept(r, 0);
}

/* Locks the directory as another agent does. Returns its descriptor. */
static int lock_spool(const struct spool_fixture *r)
{
	char path[256];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/a/lock", r->dir);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(__real_flock(fd, LOCK_EX | LOCK_NB), 0);
	return fd;
}

/* It is tried again and again, and one line says so. */
static void while_it_cannot_be_opened_records_go_without(void **state)
{
	struct spool_fixture *r = *state;
	struct fixture *f = add_sink(r, false, false);
	struct fffa_sink_status s;
	struct log_fixture log;
	uint64_t more;
	int fd;

	fixture_feed(f, 10);
	fixture_settle(f);
	fixture_close(f, 0);
	fd = lock_spool(r);
	log_fixture_begin(&log);
	f = add_sink(r, false, false);
	fixture_feed(f, 30);
	fixture_settle(f);
	do {
		fixture_turn(f);
		fffa_pipeline_sink_status(f->p, 0, &s);
	} while (s.spool_errors < 2);
	assert_int_equal(s.spool_bytes, 0);
	assert_int_equal(close(fd), 0);
	f->peers[0].judge = spool_fixture_refuse;
	for (more = 0; !s.spool_bytes; more++) {
		fixture_feed(f, 1);
		fixture_run_for(f, 30);
		fffa_pipeline_sink_status(f->p, 0, &s);
	}
	fixture_close(f, 5 * MS);
	log_fixture_end(&log);
	assert_int_equal(log_fixture_count(
				 &log, "; will try again, records go without the spool until then"),
			 1);
	assert_int_equal(log_fixture_count(&log, "sink.a: the spool is open"), 1);
	assert_int_equal(f->last[0].delivered, 30);
	assert_int_equal(f->last[0].spooled, more);
	expect_kept(r, more);
}

static void the_end_tries_once_more(void **state)
{
	struct spool_fixture *r = *state;
	struct fixture *f = add_sink(r, false, false);
	int fd;

	fixture_feed(f, 10);
	fixture_settle(f);
	fixture_close(f, 0);
	fd = lock_spool(r);
	for (int can_open = 0; can_open < 2; can_open++) {
		f = add_sink(r, false, true);
		fixture_feed(f, 20);
		fixture_run_for(f, 60);
		if (can_open)
			assert_int_equal(close(fd), 0);
		fixture_close(f, 5 * MS);
		assert_int_equal(f->last[0].spooled, can_open ? 20 : 0);
		assert_int_equal(f->last[0].lost[FFFA_RL_SHUTDOWN], can_open ? 0 : 20);
	}
	expect_kept(r, 20);
}

static void the_end_waits_for_the_thread(void **state)
{
	struct spool_fixture *r = *state;
	struct fixture *f = add_sink(r, true, true);

	assert_int_equal(sem_wait(&disk.entered), 0);
	fixture_feed(f, 20);
	fixture_close_begin(f, 1 * MS);
	for (int i = 0; i < 100; i++) {
		(void)uv_run(&f->loop, UV_RUN_NOWAIT);
		(void)usleep(1000);
	}
	assert_false(f->closed);
	disk.is_slow = false;
	assert_int_equal(sem_post(&disk.answer), 0);
	fixture_close_end(f);
	assert_int_equal(f->last[0].spooled, 20);
	expect_kept(r, 20);
}

/* At the start it must open, else the agent ends: with nothing left, which the sanitizer sees. */
static void a_start_without_it_fails(void **state)
{
	struct spool_fixture *r = *state;
	struct fixture *f = add_sink(r, false, true);
	struct fffa_err err = {""};
	char dir[256];
	int fd;

	fixture_feed(f, 20);
	fixture_run_for(f, 60);
	fixture_close(f, 5 * MS);
	fd = lock_spool(r);
	f = spool_fixture_life(r, MIB);
	f->conf.sink_count = 2;
	assert_int_equal(fffa_pipeline_open(&f->loop, &f->conf, f->epoch, &f->env, &f->p, &err),
			 -EBUSY);
	assert_non_null(strstr(err.text, "another agent uses it"));
	assert_int_equal(close(fd), 0);
	assert_null(f->p);
	while (uv_run(&f->loop, UV_RUN_ONCE)) {
	}
	assert_int_equal(uv_loop_close(&f->loop), 0);
	/* The account is a folder: the directory opens, but cannot be read. */
	(void)snprintf(dir, sizeof(dir), "%s/a/ack", r->dir);
	assert_int_equal(unlink(dir), 0);
	assert_int_equal(mkdir(dir, 0700), 0);
	f = spool_fixture_life(r, MIB);
	f->conf.sink_count = 1;
	assert_int_not_equal(fffa_pipeline_open(&f->loop, &f->conf, f->epoch, &f->env, &f->p, &err),
			     0);
	while (uv_run(&f->loop, UV_RUN_ONCE)) {
	}
	assert_int_equal(uv_loop_close(&f->loop), 0);
}

static int begin(void **state)
{
	disk.is_slow = false;
	if (sem_init(&disk.entered, 0, 0) || sem_init(&disk.answer, 0, 0))
		return -1;
	return spool_fixture_setup(state);
}

#define LATER_CASE(f) cmocka_unit_test_setup_teardown(f, begin, spool_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LATER_CASE(records_wait_until_it_is_open),
		LATER_CASE(what_an_earlier_run_left_comes_first),
		LATER_CASE(while_it_cannot_be_opened_records_go_without),
		LATER_CASE(the_end_tries_once_more),
		LATER_CASE(the_end_waits_for_the_thread),
		LATER_CASE(a_start_without_it_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
