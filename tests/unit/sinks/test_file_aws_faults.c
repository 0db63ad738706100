// SPDX-License-Identifier: MIT
/*
 * Objects of the AWS layout when the system says no once, at each place where it can: nothing that
 * counted is lost, nothing comes twice.
 */
#include "tests/stubs/cmocka_all.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sinks/file/aws/aws_recover.h"
#include "sinks/file/aws/gzip_member.h"
#include "sinks/sink.h"
#include "tests/stubs/failing_alloc.h"
#include "tests/stubs/files.h"
#include "tests/unit/sinks/aws_fixture.h"
#include "tests/unit/sinks/fault.h"

/* Leaves an object as a crash does: one batch is in it, and the begin of another. */
static char *leave_object(struct aws_fixture *p)
{
	const int64_t t = T0_S * 1000;
	size_t len;
	char *path, *text;

	aws_fixture_open(p);
	assert_int_equal(aws_fixture_work(p, aws_fixture_batch(1, 30, &t, 1)), 0);
	assert_int_equal(aws_fixture_work(p, aws_fixture_batch(31, 30, &t, 1)), 0);
	fffa_aws_free(p->aws);
	p->aws = NULL;
	path = aws_fixture_find(p, "-path '*.part*'");
	path[strcspn(path, "\n")] = '\0';
	text = files_read(path, &len);
	files_write(path, text, len - 20);
	free(text);
	return path;
}

/* Whatever fails while an object is recovered, the next start does it. */
static void a_recovery_that_fails_is_done_again(void **state)
{
	static const struct {
		enum fault_call call;
		unsigned int turn;
		int error, want;
	} rows[] = {
		{FAULT_PREAD, 1, EIO, -EIO},	    {FAULT_PREAD, 2, EIO, -EIO},
		{FAULT_PWRITE, 1, ENOSPC, -ENOSPC}, {FAULT_PWRITE, 1, 0, -EIO},
		{FAULT_FTRUNCATE, 1, EIO, -EIO},    {FAULT_FSYNC, 1, EIO, -EIO},
		{FAULT_PREAD, 1, EINTR, 0},	    {FAULT_PREAD, 1, 0, 0},
	};
	struct aws_fixture *p = *state;
	const atomic_bool cancel = false;
	char *path = leave_object(p), *text;
	size_t len;

	text = files_read(path, &len);
	p->conf.sync = true;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *done;

		files_write(path, text, len);
		fault_arm(rows[i].call, rows[i].turn, rows[i].error);
		errno = EPERM; /* of something else */
		assert_int_equal(fffa_aws_recover(&p->conf, &cancel), rows[i].want);
		assert_true(fault.fired);
		fault_arm(FAULT_NONE, 0, 0);
		assert_int_equal(aws_fixture_count(p, "-path '*AWSLogs*'"), rows[i].want ? 0 : 1);
		assert_int_equal(fffa_aws_recover(&p->conf, &cancel), 0);
		aws_fixture_expect_once(p, 1, 30);
		done = aws_fixture_find(p, "-path '*AWSLogs*'");
		done[strcspn(done, "\n")] = '\0';
		assert_int_equal(unlink(done), 0);
		free(done);
	}
	free(text);
	free(path);
}

static void a_recovery_without_memory(void **state)
{
	struct aws_fixture *p = *state;
	const atomic_bool cancel = false;

	free(leave_object(p));
	failing_alloc_arm(1);
	assert_int_equal(fffa_aws_recover(&p->conf, &cancel), -ENOMEM);
	failing_alloc_arm(0);
	assert_int_equal(aws_fixture_count(p, "-path '*.part*'"), 1);
	assert_int_equal(fffa_aws_recover(&p->conf, &cancel), 0);
	aws_fixture_expect_once(p, 1, 30);
}

/* Only with sync is anything brought to the disk. */
static void a_recovery_is_synced_if_wanted(void **state)
{
	struct aws_fixture *p = *state;
	const atomic_bool cancel = false;
	char *path = leave_object(p);
	int fd = open(path, O_RDWR | O_CLOEXEC);

	fault_arm(FAULT_NONE, 0, 0);
	assert_int_equal(fffa_gzip_member_recover(fd, false, &cancel), 1);
	assert_int_equal(fault.seen[FAULT_FSYNC], 0);
	assert_int_equal(ftruncate(fd, lseek(fd, 0, SEEK_END) - 5), 0);
	assert_int_equal(fffa_gzip_member_recover(fd, true, &cancel), 1);
	assert_int_equal(fault.seen[FAULT_FSYNC], 1);
	(void)close(fd);
	free(path);
}

/* Each write of a batch fails once, or each allocation: the batch comes again, whole. */
static void a_batch_of_objects_that_fails_is_written_again(void **state)
{
	const int64_t times[] = {T0_S * 1000, T0_S * 1000 + SLOT_MS};
	struct aws_fixture *p = *state;
	uint8_t verdicts[2];
	uint64_t seq = 1;
	bool fired = true;

	p->conf.size_bytes = 600; /* each second batch completes what is there */
	aws_fixture_open(p);
	for (unsigned int n = 1; fired; n++) {
		struct fffa_batch *b = aws_fixture_batch(seq, 2, times, 1);
		int rc;

		fault_arm(FAULT_WRITE, n, EIO);
		rc = aws_fixture_work(p, fffa_batch_ref(b));
		fired = fault.fired;
		fault_arm(FAULT_NONE, 0, 0);
		assert_int_equal(rc, fired ? -EIO : 0);
		assert_null(p->job.verdicts);
		if (fired)
			assert_int_equal(aws_fixture_work(p, fffa_batch_ref(b)), 0);
		assert_true(p->job.open_bytes <= 600);
		fffa_batch_unref(b);
		seq += 2;
	}
	assert_true(seq > 2 * 3); /* records, their flush, the end of a full object */
	fired = true;
	for (unsigned int n = 1; fired; n++) {
		struct fffa_batch *b = aws_fixture_batch(seq, 2, times, 2);
		int rc;

		failing_alloc_arm(n);
		rc = aws_fixture_work(p, fffa_batch_ref(b));
		fired = failing_alloc_fired();
		failing_alloc_arm(0);
		assert_int_equal(rc, fired ? -ENOMEM : 0);
		if (p->job.verdicts)
			memcpy(verdicts, p->job.verdicts, sizeof(verdicts));
		else
			memset(verdicts, FFFA_V_RETRY, sizeof(verdicts));
		for (uint32_t i = 0; fired && i < 2; i++)
			if (verdicts[i] != FFFA_V_DELIVERED)
				assert_int_equal(
					aws_fixture_work(
						p, aws_fixture_batch(seq + i, 1, &times[i], 1)),
					0);
		fffa_batch_unref(b);
		seq += 2;
	}
	aws_fixture_complete_all(p);
	aws_fixture_expect_once(p, 1, seq - 1);
}

/* It stays the only one of its slot, and takes nothing more until it is complete. */
static void a_full_object_that_cannot_be_completed(void **state)
{
	const int64_t t = T0_S * 1000;
	struct aws_fixture *p = *state;

	p->conf.size_bytes = 150;
	aws_fixture_open(p);
	assert_int_equal(aws_fixture_work(p, aws_fixture_batch(1, 2, &t, 1)), 0);
	for (int i = 0; i < 2; i++) {
		fault_arm(FAULT_WRITE, 1, EIO);
		assert_int_equal(aws_fixture_work(p, aws_fixture_batch(3, 2, &t, 1)), -EIO);
		assert_true(fault.fired);
		assert_int_equal(p->job.completed, 0);
		assert_int_equal(aws_fixture_count(p, "-path '*.part*'"), 1);
	}
	fault_arm(FAULT_NONE, 0, 0);
	assert_int_equal(aws_fixture_work(p, aws_fixture_batch(3, 2, &t, 1)), 0);
	assert_int_equal(p->job.completed, 1);
	assert_int_equal(aws_fixture_count(p, "-path '*.part*'"), 1);
	aws_fixture_expect_once(p, 1, 2);
	aws_fixture_complete_all(p);
	aws_fixture_expect_once(p, 1, 4);
}

/* The object stays in the staging folder, and the next write moves it. */
static void an_object_that_cannot_be_moved(void **state)
{
	const int64_t t = T0_S * 1000;
	struct aws_fixture *p = *state;

	aws_fixture_open(p);
	assert_int_equal(aws_fixture_work(p, aws_fixture_batch(1, 2, &t, 1)), 0);
	p->job.complete_all = true;
	fault_arm(FAULT_RENAMEAT, 1, EDQUOT);
	assert_int_equal(aws_fixture_work(p, NULL), 0);
	fault_arm(FAULT_NONE, 0, 0);
	assert_int_equal(p->job.completion_error, -EDQUOT);
	assert_int_equal(p->job.completed, 0);
	assert_int_equal(aws_fixture_count(p, "-path '*.part*'"), 1);
	p->job.complete_all = false;
	assert_int_equal(aws_fixture_work(p, NULL), 0); /* its end is written: it is due */
	assert_int_equal(p->job.completion_error, 0);
	assert_int_equal(p->job.completed, 1);
	aws_fixture_expect_once(p, 1, 2);
}

/* A new object that cannot be given its owner or mode, or has no descriptor, leaves nothing. */
static void an_object_that_cannot_be_made(void **state)
{
	const int64_t t = T0_S * 1000;
	struct aws_fixture *p = *state;
	struct fffa_batch *b;

	p->conf.sync = true;
	aws_fixture_open(p);
	fault_arm(FAULT_FCHMOD, 1, EPERM);
	assert_int_equal(aws_fixture_work(p, aws_fixture_batch(1, 2, &t, 1)), -EPERM);
	assert_int_equal(aws_fixture_count(p, ""), 0);
	fault_arm(FAULT_FCHOWN, 1, EPERM);
	assert_int_equal(aws_fixture_work(p, aws_fixture_batch(1, 2, &t, 1)), -EPERM);
	assert_int_equal(aws_fixture_count(p, ""), 0);
	fault_arm(FAULT_FSYNC, 1, EIO);
	assert_int_equal(aws_fixture_work(p, aws_fixture_batch(1, 2, &t, 1)), -EIO);
	assert_int_equal(aws_fixture_count(p, ""), 0);
	fault_arm(FAULT_NONE, 0, 0);
	b = aws_fixture_batch(1, 2, &t, 1);
	failing_alloc_arm(1);
	assert_int_equal(aws_fixture_work(p, b), -ENOMEM);
	failing_alloc_arm(0);
	assert_int_equal(aws_fixture_count(p, ""), 0);
	fault_no_descriptors(true);
	assert_int_equal(aws_fixture_work(p, aws_fixture_batch(1, 2, &t, 1)), -EMFILE);
	fault_no_descriptors(false);
	assert_int_equal(p->job.open_bytes, 0);
	assert_int_equal(aws_fixture_work(p, aws_fixture_batch(1, 2, &t, 1)), 0);
	fault_no_descriptors(true); /* what is open goes on, but cannot be moved */
	assert_int_equal(aws_fixture_work(p, aws_fixture_batch(3, 2, &t, 1)), 0);
	p->job.complete_all = true;
	assert_int_equal(aws_fixture_work(p, NULL), 0);
	fault_no_descriptors(false);
	assert_int_equal(p->job.completion_error, -EMFILE);
	aws_fixture_complete_all(p);
	aws_fixture_expect_once(p, 1, 4);
}

/* Others recover the folder between the moments when a new object is made and when it is locked. */
static void recover_now(void *arg)
{
	const atomic_bool cancel = false;

	assert_int_equal(fffa_aws_recover(arg, &cancel), 0);
}

/* A new object that was deleted or locked as a leftover is made again, and the batch arrives. */
static void a_new_object_that_is_taken_for_a_leftover(void **state)
{
	const int64_t t = T0_S * 1000;
	struct aws_fixture *p = *state;

	aws_fixture_open(p);
	fault_arm(FAULT_FLOCK, 1, EWOULDBLOCK);
	assert_int_equal(aws_fixture_work(p, aws_fixture_batch(1, 2, &t, 1)), 0);
	assert_true(fault.fired);
	assert_int_equal(aws_fixture_count(p, ""), 1);
	aws_fixture_complete_all(p);
	fault_arm(FAULT_NONE, 0, 0);
	fault.before_flock = recover_now;
	fault.arg = &p->conf;
	assert_int_equal(aws_fixture_work(p, aws_fixture_batch(3, 2, &t, 1)), 0);
	assert_int_equal(fault.seen[FAULT_FLOCK], 3);
	aws_fixture_complete_all(p);
	assert_int_equal(aws_fixture_count(p, ""), 2);
	aws_fixture_expect_once(p, 1, 4);
}

static void complete_now(void *arg)
{
	aws_fixture_complete_all(arg);
}

static void stage_empty_object(struct aws_fixture *p)
{
	char *path = aws_fixture_find(p, "-path '*AWSLogs*'"), staged[400];

	path[strcspn(path, "\n")] = '\0';
	(void)snprintf(staged, sizeof(staged), "%s/.part/%s", p->dir, strrchr(path, '/') + 1);
	files_write(staged, "", 0);
	free(path);
}

static void remove_staged(void *arg)
{
	struct aws_fixture *p = arg;
	char *path = aws_fixture_find(p, "-path '*.part*'");

	path[strcspn(path, "\n")] = '\0';
	assert_int_equal(unlink(path), 0);
	free(path);
}

/* A writer that completes its object, or deletes it, while it is looked at: nothing to say. */
static void a_leftover_that_its_writer_still_moves(void **state)
{
	const int64_t t = T0_S * 1000;
	struct aws_fixture *p = *state;
	const atomic_bool cancel = false;

	aws_fixture_open(p);
	assert_int_equal(aws_fixture_work(p, aws_fixture_batch(1, 2, &t, 1)), 0);
	fault_arm(FAULT_NONE, 0, 0);
	fault.before_flock = complete_now;
	fault.arg = p;
	assert_int_equal(fffa_aws_recover(&p->conf, &cancel), 0);
	assert_null(fault.before_flock);
	aws_fixture_expect_once(p, 1, 2);
	stage_empty_object(p);
	fault.before_flock = remove_staged;
	assert_int_equal(fffa_aws_recover(&p->conf, &cancel), 0);
	assert_null(fault.before_flock);
	assert_int_equal(aws_fixture_count(p, ""), 1);
}

/* One without a record that cannot be deleted stays open; gone already is as good as deleted. */
static void an_empty_object_that_cannot_be_deleted(void **state)
{
	const int64_t t = T0_S * 1000;
	struct aws_fixture *p = *state;

	aws_fixture_open(p);
	fault_arm(FAULT_WRITE, 1, ENOSPC);
	assert_int_equal(aws_fixture_work(p, aws_fixture_batch(1, 2, &t, 1)), -ENOSPC);
	p->job.complete_all = true;
	fault_arm(FAULT_UNLINKAT, 1, EROFS);
	assert_int_equal(aws_fixture_work(p, NULL), 0);
	assert_int_equal(p->job.completion_error, -EROFS);
	assert_int_equal(aws_fixture_count(p, "-path '*.part*'"), 1);
	fault_arm(FAULT_NONE, 0, 0);
	fault_no_descriptors(true);
	assert_int_equal(aws_fixture_work(p, NULL), 0);
	fault_no_descriptors(false);
	assert_int_equal(p->job.completion_error, -EMFILE);
	fault_arm(FAULT_UNLINKAT, 1, ENOENT);
	assert_int_equal(aws_fixture_work(p, NULL), 0);
	assert_true(fault.fired);
	assert_int_equal(p->job.completion_error, 0);
	assert_int_equal(p->job.completed, 0);
	fault_arm(FAULT_NONE, 0, 0);
}

static void folders_without_descriptors(void **state)
{
	struct aws_fixture *p = *state;
	const atomic_bool cancel = false;
	struct fffa_aws *none = NULL;
	struct fffa_err err;
	char want[200];

	fault_no_descriptors(true);
	assert_int_equal(fffa_aws_new(&p->conf, &none, &err), -EMFILE);
	assert_int_equal(fffa_aws_recover(&p->conf, &cancel), -EMFILE);
	fault_no_descriptors(false);
	assert_null(none);
	(void)snprintf(want, sizeof(want), "path: cannot make folders in %s: Too many open files",
		       p->dir);
	assert_int_equal(strncmp(err.text, want, strlen(want)), 0);
}

/* A leftover without a record, and one whose close fails, are said; the next start looks again. */
static void a_leftover_that_cannot_be_deleted(void **state)
{
	struct aws_fixture *p = *state;
	const atomic_bool cancel = false;
	char *path = leave_object(p), staged[400];
	bool said = false;

	fault_arm(FAULT_NONE, 0, 0);
	for (unsigned int n = 1; n < 20; n++) {
		int rc;

		fault_arm(FAULT_CLOSE, n, ENOSPC);
		rc = fffa_aws_recover(&p->conf, &cancel);
		assert_true(rc == 0 || rc == -ENOSPC);
		said = said || rc;
		fault_arm(FAULT_NONE, 0, 0);
		aws_fixture_expect_once(p, 1, 30);
		free(path);
		path = aws_fixture_find(p, "-path '*AWSLogs*'");
		path[strcspn(path, "\n")] = '\0';
		(void)snprintf(staged, sizeof(staged), "%s/.part/%s", p->dir,
			       strrchr(path, '/') + 1);
		assert_int_equal(rename(path, staged), 0);
	}
	assert_true(said);
	files_write(staged, "x", 1);
	fault_arm(FAULT_UNLINKAT, 1, EROFS);
	assert_int_equal(fffa_aws_recover(&p->conf, &cancel), -EROFS);
	fault_arm(FAULT_NONE, 0, 0);
	assert_int_equal(aws_fixture_count(p, ""), 1);
	assert_int_equal(fffa_aws_recover(&p->conf, &cancel), 0);
	assert_int_equal(aws_fixture_count(p, ""), 0);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_recovery_that_fails_is_done_again),
		CASE(a_recovery_without_memory),
		CASE(a_recovery_is_synced_if_wanted),
		CASE(a_batch_of_objects_that_fails_is_written_again),
		CASE(a_full_object_that_cannot_be_completed),
		CASE(an_object_that_cannot_be_moved),
		CASE(an_object_that_cannot_be_made),
		CASE(a_new_object_that_is_taken_for_a_leftover),
		CASE(a_leftover_that_its_writer_still_moves),
		CASE(an_empty_object_that_cannot_be_deleted),
		CASE(folders_without_descriptors),
		CASE(a_leftover_that_cannot_be_deleted),
	};

	(void)signal(SIGXFSZ, SIG_IGN); /* as main does */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
