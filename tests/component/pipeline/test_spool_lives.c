// SPDX-License-Identifier: MIT
/* What the next life makes of the last one: an old account, reports lost again, a thread that is stuck. */
#include "tests/component/pipeline/spool_fixture.h"

#include <errno.h>
#include <inttypes.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/stubs/files.h"

#define MIB (1 << 20)

/* The system call below, which the linker puts in place of that of the C library. */
static struct {
	_Atomic bool stuck;
	sem_t entered;
} disk;

int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);

int __wrap_fdatasync(int fd)
{
	if (disk.stuck) {
		(void)sem_post(&disk.entered);
		for (;;)
			(void)pause();
	}
	return __real_fdatasync(fd);
}

static struct fixture *open_refused(struct spool_fixture *r)
{
	struct fixture *f = spool_fixture_life(r, MIB);

	f->peers[0].judge = spool_fixture_refuse;
	fixture_open(f, 1);
	return f;
}

/* The account is as it was long before a power cut, but the frames of its epoch are all there. */
static void frames_younger_than_the_account_count(void **state)
{
	struct spool_fixture *r = *state;
	struct fixture *f = open_refused(r);
	struct stream_epoch e[2];
	char path[256], *old;
	size_t len;

	(void)snprintf(path, sizeof(path), "%s/a/ack", r->dir);
	fixture_feed(f, 10);
	fixture_run_for(f, 30);
	old = files_read(path, &len);
	fixture_feed(f, 200);
	fixture_run_for(f, 30);
	fixture_close(f, 5 * MS);
	files_write(path, old, len);
	free(old);
	f = open_refused(r);
	assert_int_equal(fixture_ledger(f, 0)->resumed, 210);
	assert_int_equal(fffa_ledger_sink_lost(fixture_ledger(f, 0)), 0);
	fixture_close(f, 5 * MS);
	/* Now the account knows of them: when they are gone, all are missing. */
	while (spool_fixture_files(r, ".seg"))
		assert_int_equal(unlink(spool_fixture_segment(r, 0, path, sizeof(path))), 0);
	f = spool_fixture_life(r, MIB);
	fixture_open(f, 1);
	assert_int_equal(fixture_ledger(f, 0)->lost[FFFA_RL_SPOOL_DAMAGED], 210);
	fixture_feed(f, 10);
	fixture_settle(f);
	fixture_close(f, 0);
	assert_int_equal(spool_fixture_read(f, 0, e, 2), 2);
	assert_int_equal(e[0].epoch, 100);
	assert_int_equal(e[0].lost, 210);
	assert_int_equal(e[0].last_seq, 210);
}

static void give_up_all(struct spool_fixture *r, size_t records)
{
	struct fixture *f = spool_fixture_life(r, MIB);

	f->peers[0].judge = spool_fixture_refuse;
	f->sinks[0].common.retry_give_up_ns = 10 * MS;
	fixture_open(f, 1);
	fixture_feed(f, records);
	do {
		fixture_turn(f);
	} while (fixture_ledger(f, 0)->in_flight);
	fixture_close(f, 5 * MS);
	assert_int_equal(f->last[0].spooled, 1); /* the report of the loss */
}

/* A report that is lost itself is made again, for the epoch and the reason that it had. */
static void a_report_that_is_lost_comes_again(void **state)
{
	struct spool_fixture *r = *state;
	struct stream_epoch e[2];
	struct fixture *f;

	give_up_all(r, 60);
	give_up_all(r, 0);
	f = spool_fixture_life(r, MIB);
	fixture_open(f, 1);
	assert_int_equal(fixture_ledger(f, 0)->resumed, 1);
	fixture_settle(f);
	fixture_close(f, 0);
	assert_int_equal(spool_fixture_read(f, 0, e, 2), 1);
	assert_int_equal(e[0].epoch, 100);
	assert_int_equal(e[0].skips, 1);
	assert_int_equal(e[0].lost, 60);
	assert_int_equal(e[0].last_seq, 60);
	assert_string_equal(e[0].reason, "gave_up");
}

static void feed_slowly(struct fixture *f, size_t batches)
{
	while (batches--) {
		fixture_feed(f, 10);
		fixture_turn(f);
	}
}

/* The highest number up to last that the peer has, or 0. */
static uint64_t newest_arrived(const struct fixture *f, uint64_t last)
{
	char text[48];

	for (; last; last--) {
		(void)snprintf(text, sizeof(text), "{\"seq\":%" PRIu64 ",\"epoch\":100}", last);
		if (memmem(f->peers[0].bytes, f->peers[0].len, text, strlen(text)))
			break;
	}
	return last;
}

/* Neither disk nor sink takes anything: of what waits for the disk the oldest go, too. */
static void the_oldest_that_wait_for_the_disk_go(void **state)
{
	struct spool_fixture *r = *state;
	struct fixture *f = spool_fixture_life(r, MIB);
	struct stream_epoch e[1];

	(void)signal(SIGXFSZ, SIG_IGN);
	f->peers[0].judge = spool_fixture_refuse;
	f->sinks[0].common.queue_memory = 32768;
	f->sinks[0].common.queue_when_full = FFFA_WHEN_FULL_DROP_OLDEST;
	fixture_open(f, 1);
	feed_slowly(f, 20);
	files_limit_size(1000);
	feed_slowly(f, 400);
	files_limit_size(RLIM_INFINITY);
	assert_true(fixture_ledger(f, 0)->lost[FFFA_RL_QUEUE_FULL] > 1000);
	f->peers[0].judge = NULL;
	fixture_settle(f);
	fixture_close(f, 0);
	assert_int_equal(spool_fixture_read(f, 0, e, 1), 1);
	assert_int_equal(e[0].records + e[0].lost, f->fed);
	/* Of the last 200, those go that come while the disk's thread holds all the others. */
	assert_true(newest_arrived(f, f->fed) > f->fed - 200);
}

static void on_closed(void *arg, struct fffa_pipeline *p)
{
	(void)arg;
	(void)p;
	_exit(3); /* the thread is stuck: nothing can be closed */
}

/* In a process of its own, whose threads and memory end with it. */
static void end_with_a_stuck_disk(struct spool_fixture *r)
{
	struct fixture *f = open_refused(r);
	const struct fffa_sink_ledger *l = fixture_ledger(f, 0);

	f->peers[0].hold = true;
	fixture_feed(f, 40);
	while (f->peers[0].accepted < 4) /* batches, which are on disk before a sink has them */
		fixture_turn(f);
	disk.stuck = true;
	fixture_feed(f, 10);
	/*
	 * The thread may be at a job from before, whose end is the loop's to see. Once it is stuck
	 * nothing wakes the loop any more, so no turn may wait.
	 */
	while (sem_trywait(&disk.entered))
		fixture_step(f);
	fixture_feed(f, 20);
	fffa_pipeline_close(f->p, 1, on_closed, NULL);
	fffa_pipeline_abandon(f->p);
	if (!fffa_ledger_sink_balances(l) || l->in_flight != l->spooled)
		_exit(2);
	_exit(l->spooled == 40 && l->lost[FFFA_RL_SHUTDOWN] == 30 ? 0 : 1);
}

static void what_a_stuck_disk_has_not_taken_is_lost(void **state)
{
	struct spool_fixture *r = *state;
	int status;
	pid_t pid;

	assert_int_equal(sem_init(&disk.entered, 0, 0), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		end_with_a_stuck_disk(r);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SPOOL_CASE(what_a_stuck_disk_has_not_taken_is_lost),
		SPOOL_CASE(frames_younger_than_the_account_count),
		SPOOL_CASE(a_report_that_is_lost_comes_again),
		SPOOL_CASE(the_oldest_that_wait_for_the_disk_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
