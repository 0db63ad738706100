// SPDX-License-Identifier: MIT
/* The epoch rises whatever the clock says, one agent has a directory, a kill leaves the last number. */
#include "agent/spool/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/stubs/cmocka_all.h"

/* The system call below, which the linker puts in place of that of the C library. */
static struct {
	unsigned int calls, error_at; /* the call of that number fails */
	bool folder;		      /* the last one was of a folder */
} syncs;

int __real_fsync(int fd);
int __wrap_fsync(int fd);

int __wrap_fsync(int fd)
{
	struct stat st;

	syncs.folder = !fstat(fd, &st) && S_ISDIR(st.st_mode);
	if (++syncs.calls != syncs.error_at)
		return __real_fsync(fd);
	errno = EIO;
	return -1;
}

/* The thread that a disk may hold up, which the linker puts in place of the real one. */
static struct {
	int rc;	   /* the disk does not answer, or there is no thread */
	int given; /* the folder that the thread got */
} thread;

int __wrap_fffa_disk_run(int (*work)(void *arg), const void *arg, size_t bytes, uint64_t timeout_ns,
			 int *result);

int __wrap_fffa_disk_run(int (*work)(void *arg), const void *arg, size_t bytes, uint64_t timeout_ns,
			 int *result)
{
	char copy[64];

	assert_true(bytes <= sizeof(copy));
	assert_int_equal(timeout_ns, UINT64_C(10000000000));
	memcpy(copy, arg, bytes);
	if (!thread.rc)
		*result = work(copy);
	else
		thread.given = open("/", O_RDONLY | O_CLOEXEC); /* the next free one */
	return thread.rc;
}

struct place {
	char dir[64], file[128], page[64];
};

static int setup(void **state)
{
	struct place *p = calloc(1, sizeof(*p));
	struct stat st;

	strcpy(p->dir, "/tmp/fffa-stream.XXXXXX");
	*state = p;
	if (!mkdtemp(p->dir) || stat(p->dir, &st))
		return -1;
	(void)snprintf(p->page, sizeof(p->page), "/dev/shm/fffa-%lx-%lx", st.st_dev, st.st_ino);
	return 0;
}

static int teardown(void **state)
{
	static const char *const names[] = {"agent.lock", "agent.epoch", "agent.epoch.new"};
	struct place *p = *state;

	for (size_t i = 0; i < 3; i++) {
		(void)snprintf(p->file, sizeof(p->file), "%s/%s", p->dir, names[i]);
		(void)remove(p->file);
	}
	(void)remove(p->page);
	(void)rmdir(p->dir);
	free(p);
	return 0;
}

static uint64_t run(const struct place *p, uint64_t wanted, uint64_t above)
{
	struct fffa_err err = {""};
	struct fffa_stream s;
	uint64_t epoch;

	assert_int_equal(fffa_stream_open(&s, p->dir, false, &err), 0);
	epoch = fffa_stream_begin(&s, wanted, above, true);
	fffa_stream_close(&s);
	return epoch;
}

static void the_epoch_rises_when_the_clock_falls(void **state)
{
	struct place *p = *state;

	assert_int_equal(run(p, 1000, 0), 1000);
	assert_int_equal(run(p, 1000, 0), 1001);
	assert_int_equal(run(p, 7, 0), 1002);
	assert_int_equal(run(p, 5000, 0), 5000);
	assert_int_equal(run(p, 10, 6000), 6001);
	assert_int_equal(run(p, 10, 0), 6002);
}

/* The file first, then the folder: a power cut leaves the old epoch or the new one. */
static void the_epoch_is_synced(void **state)
{
	struct place *p = *state;
	struct stat st;

	syncs.calls = syncs.error_at = 0;
	assert_int_equal(run(p, 1000, 0), 1000);
	assert_int_equal(syncs.calls, 2);
	assert_true(syncs.folder);
	(void)snprintf(p->file, sizeof(p->file), "%s/agent.epoch", p->dir);
	assert_int_equal(stat(p->file, &st), 0);
	assert_int_equal(st.st_size, 5); /* "1000\n" */
	assert_int_equal(st.st_mode & 0777, 0600);
	for (unsigned int at = 1; at <= 2; at++) {
		syncs.calls = 0;
		syncs.error_at = at;
		assert_true(run(p, 2000 * at, 0) >= UINT64_C(1) << 52); /* it is not sure */
		assert_int_equal(syncs.calls, at);
	}
	syncs.error_at = 0;
}

/*
 * A disk that takes its time must not keep the agent from its packets: then the epoch is one that
 * needs no disk. The folder's descriptor stays the thread's.
 */
static void a_disk_that_stands_still_is_not_waited_for(void **state)
{
	struct place *p = *state;

	assert_int_equal(run(p, 1000, 0), 1000);
	thread.rc = -ETIMEDOUT;
	assert_true(run(p, 2000, 0) >= UINT64_C(1) << 52);
	assert_int_equal(close(thread.given), 0);
	assert_int_equal(close(thread.given - 1), 0); /* as the thread does in the end */
	thread.rc = 0;
	assert_int_equal(run(p, 1000, 0), 1001); /* the old one was not touched */
}

/* Others will say that there is none. */
static void without_a_thread_the_disk_is_waited_for(void **state)
{
	struct place *p = *state;

	thread.rc = -EAGAIN;
	assert_int_equal(run(p, 1000, 0), 1000);
	assert_int_equal(close(thread.given), 0);
	assert_int_equal(close(thread.given - 1), -1);
	thread.rc = 0;
	assert_int_equal(run(p, 1000, 0), 1001);
}

static void a_second_agent_is_refused(void **state)
{
	struct place *p = *state;
	struct fffa_err err = {""};
	struct fffa_stream a, b;
	char want[128];

	assert_int_equal(fffa_stream_open(&a, p->dir, false, &err), 0);
	assert_int_equal(fffa_stream_open(&b, p->dir, false, &err), -EBUSY);
	(void)snprintf(want, sizeof(want), "spool_dir %s: another agent uses it", p->dir);
	assert_string_equal(err.text, want);
	fffa_stream_close(&b);
	fffa_stream_close(&a);
	assert_int_equal(fffa_stream_open(&b, p->dir, false, &err), 0);
	fffa_stream_close(&b);
}

static uint64_t epoch_without_a_place(const char *dir, bool boot)
{
	struct fffa_err err = {""};
	struct fffa_stream s;
	uint64_t epoch, last_epoch, last;

	assert_int_equal(fffa_stream_open(&s, dir, false, &err), 0);
	fffa_stream_last(&s, "sink", &last_epoch, &last);
	assert_int_equal(last_epoch + last, 0);
	epoch = fffa_stream_begin(&s, 1000, 0, boot);
	assert_int_equal(fffa_stream_next(&s), 1);
	assert_int_equal(fffa_stream_next(&s), 2);
	fffa_stream_close(&s);
	return epoch;
}

static void expect_boot_epochs(const char *dir)
{
	const struct timespec ms = {.tv_nsec = 2000000};
	uint64_t first = epoch_without_a_place(dir, true), second;

	(void)nanosleep(&ms, NULL); /* the epochs are as fine as this */
	second = epoch_without_a_place(dir, true);
	assert_true(first >= UINT64_C(1) << 52);
	assert_true(second > first && second < UINT64_C(1) << 53);
	assert_true(second - first < 60000);
}

/* Nothing can be kept: no directory is named, it is missing, or its files cannot be made. */
static void without_a_place_it_is_of_the_boot(void **state)
{
	struct place *p = *state;

	expect_boot_epochs(NULL);
	expect_boot_epochs("");
	expect_boot_epochs("/tmp/fffa-no-such-directory");
	(void)snprintf(p->file, sizeof(p->file), "%s/agent.lock", p->dir);
	assert_int_equal(mkdir(p->file, 0700), 0);
	expect_boot_epochs(p->dir);
	assert_int_equal(rmdir(p->file), 0);
	(void)snprintf(p->file, sizeof(p->file), "%s/agent.epoch.new", p->dir);
	assert_int_equal(mkdir(p->file, 0700), 0);
	expect_boot_epochs(p->dir);
	assert_int_equal(epoch_without_a_place(NULL, false), 1000);
}

static void die_with_numbers(const char *dir, uint64_t numbers)
{
	struct fffa_err err = {""};
	struct fffa_stream s;

	if (fffa_stream_open(&s, dir, false, &err))
		_exit(1);
	(void)fffa_stream_begin(&s, 42, 0, true);
	while (numbers--)
		(void)fffa_stream_next(&s);
	(void)kill(getpid(), SIGKILL);
}

static void a_kill_leaves_the_last_number(void **state)
{
	struct place *p = *state;
	struct fffa_err err = {""};
	struct fffa_stream s;
	uint64_t epoch, last;
	struct stat st;
	int status;
	pid_t pid = fork();

	if (!pid)
		die_with_numbers(p->dir, 12345);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(stat(p->page, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(fffa_stream_open(&s, p->dir, false, &err), 0);
	fffa_stream_last(&s, "sink", &epoch, &last);
	assert_int_equal(epoch, 42);
	assert_int_equal(last, 12345);
	assert_int_equal(fffa_stream_begin(&s, 42, 0, true), 43);
	fffa_stream_last(&s, "sink", &epoch, &last);
	assert_int_equal(epoch, 0);
	assert_int_equal(last, 0);
	fffa_stream_close(&s);
	assert_int_equal(stat(p->page, &st), -1);
}

static void a_kill_before_the_first_number_leaves_none(void **state)
{
	struct place *p = *state;
	struct fffa_err err = {""};
	struct fffa_stream s;
	uint64_t epoch, last;
	int status;

	for (uint64_t numbers = 3; numbers-- > 1;) { /* the first run leaves two in the page */
		pid_t pid = fork();

		if (!pid)
			die_with_numbers(p->dir, numbers == 2 ? 2 : 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
	}
	assert_int_equal(fffa_stream_open(&s, p->dir, false, &err), 0);
	fffa_stream_last(&s, "sink", &epoch, &last);
	assert_int_equal(epoch, 43);
	assert_int_equal(last, 0);
	fffa_stream_close(&s);
}

/* Killed with five numbers of the common stream, and two of the sink "web". */
static void die_with_own_numbers(const char *dir)
{
	struct fffa_stream s;
	struct fffa_err err = {""};
	struct fffa_stream_own *first, *own;

	if (fffa_stream_open(&s, dir, false, &err))
		_exit(1);
	first = fffa_stream_own(&s, "dns"); /* before the epoch, as at the start */
	(void)fffa_stream_begin(&s, 50, 0, false);
	(void)fffa_stream_next(&s);
	if (fffa_stream_has_own(&s, "web"))
		_exit(1);
	own = fffa_stream_own(&s, "web"); /* as after a reload: behind number 1 */
	if (!fffa_stream_has_own(&s, "web") || !fffa_stream_has_own(&s, "dns"))
		_exit(1);
	for (int i = 0; i < 4; i++)
		(void)fffa_stream_next(&s);
	(void)fffa_stream_own_next(&s, own);
	(void)fffa_stream_own_next(&s, fffa_stream_own(&s, "web"));
	(void)fffa_stream_own_next(&s, first);
	raise(SIGKILL);
}

static void each_own_stream_keeps_its_number(void **state)
{
	static const struct {
		const char *name;
		uint64_t last;
	} rows[] = {{"web", 3}, {"dns", 1}, {"all", 5}};
	struct place *p = *state;
	struct fffa_err err = {""};
	struct fffa_stream s;
	uint64_t epoch, last;
	int status;
	pid_t pid = fork();

	if (!pid)
		die_with_own_numbers(p->dir);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(fffa_stream_open(&s, p->dir, false, &err), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fffa_stream_last(&s, rows[i].name, &epoch, &last);
		assert_int_equal(epoch, 50);
		assert_int_equal(last, rows[i].last);
	}
	(void)fffa_stream_begin(&s, 51, 0, false);
	assert_int_equal(fffa_stream_own_next(&s, fffa_stream_own(&s, "web")), 1);
	fffa_stream_close(&s);
}

/* A start that fails leaves what the last run has left. */
static void a_failed_start_keeps_the_last_number(void **state)
{
	struct place *p = *state;
	struct fffa_err err = {""};
	struct fffa_stream s;
	uint64_t epoch, last;
	int status;
	pid_t pid = fork();

	if (!pid)
		die_with_numbers(p->dir, 5);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(fffa_stream_open(&s, p->dir, false, &err), 0);
		fffa_stream_last(&s, "sink", &epoch, &last);
		assert_int_equal(last, 5);
		fffa_stream_close(&s);
	}
}

/* What is not a file of ours in shared memory is not used, and stays. */
static void an_alien_page_is_left_alone(void **state)
{
	struct place *p = *state;
	struct stat st;

	assert_int_equal(symlink("/dev/null", p->page), 0);
	assert_int_equal(run(p, 1000, 0), 1000);
	assert_int_equal(lstat(p->page, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(unlink(p->page), 0);
	assert_int_equal(mkfifo(p->page, 0600), 0);
	assert_int_equal(run(p, 1000, 0), 1001);
	assert_int_equal(lstat(p->page, &st), 0);
	assert_true(S_ISFIFO(st.st_mode));
}

#define PLACE_CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLACE_CASE(the_epoch_rises_when_the_clock_falls),
		PLACE_CASE(the_epoch_is_synced),
		PLACE_CASE(a_disk_that_stands_still_is_not_waited_for),
		PLACE_CASE(without_a_thread_the_disk_is_waited_for),
		PLACE_CASE(a_second_agent_is_refused),
		PLACE_CASE(without_a_place_it_is_of_the_boot),
		PLACE_CASE(a_kill_leaves_the_last_number),
		PLACE_CASE(a_kill_before_the_first_number_leaves_none),
		PLACE_CASE(each_own_stream_keeps_its_number),
		PLACE_CASE(a_failed_start_keeps_the_last_number),
		PLACE_CASE(an_alien_page_is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
