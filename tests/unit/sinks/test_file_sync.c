// SPDX-License-Identifier: MIT
/*
 * What `sync: batch` promises: a batch is on disk before it is delivered, and one that could not be
 * put there is written again. Linked with --wrap=fdatasync and --wrap=fsync.
 */
#include "tests/stubs/cmocka_all.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sinks/file/layout/sync_dir.h"
#include "sinks/file/plain/open.h"
#include "tests/stubs/files.h"
#include "tests/stubs/make_batch.h"
#include "tests/stubs/sink_fixture.h"
#include "tests/unit/sinks/aws_fixture.h"
#include "tests/unit/sinks/file_fixture.h"

static int datasyncs, syncs;
static int error; /* what the next calls fail with; 0: they succeed */

int __wrap_fdatasync(int fd);
int __wrap_fsync(int fd);

int __wrap_fdatasync(int fd)
{
	(void)fd;
	datasyncs++;
	errno = error;
	return error ? -1 : 0;
}

int __wrap_fsync(int fd)
{
	(void)fd;
	syncs++;
	errno = error;
	return error ? -1 : 0;
}

static void send_three_batches(struct file_fixture *p)
{
	struct sink_fixture r;

	datasyncs = 0;
	sink_fixture_create(&r, &fffa_sink_file_ops, &p->conf, "");
	assert_int_equal(sink_fixture_start(&r), 0);
	for (uint64_t i = 0; i < 3; i++) {
		struct fixture_delivery a = {0};

		assert_int_equal(sink_fixture_send(&r, &a, make_batch(1 + 3 * i, 3, 40)).verdict,
				 FFFA_V_DELIVERED);
		assert_int_equal(datasyncs, p->conf.sync == FFFA_FILE_SYNC_BATCH ? i + 1 : 0);
		fixture_delivery_fini(&a);
	}
	sink_fixture_close(&r);
}

static void each_batch_is_synced(void **state)
{
	struct file_fixture *p = *state;

	send_three_batches(p);
	p->conf.sync = FFFA_FILE_SYNC_BATCH;
	send_three_batches(p);
}

static void a_batch_that_is_not_on_disk_comes_again(void **state)
{
	struct file_fixture *p = *state;
	struct sink_fixture r;
	struct fixture_delivery a = {0};
	struct fffa_span want;
	char *text;

	p->conf.sync = FFFA_FILE_SYNC_BATCH;
	sink_fixture_create(&r, &fffa_sink_file_ops, &p->conf, "");
	assert_int_equal(sink_fixture_start(&r), 0);
	error = EIO;
	assert_int_equal(sink_fixture_send(&r, &a, make_batch(1, 3, 40)).verdict, FFFA_V_RETRY);
	assert_int_equal(a.outcome.cause, -EIO);
	error = 0;
	assert_int_equal(sink_fixture_again(&r, &a), 0);
	sink_fixture_wait(&r, &a);
	assert_int_equal(a.outcome.verdict, FFFA_V_DELIVERED);
	text = files_read(p->path, NULL);
	want = fffa_batch_bytes(a.d.batch);
	assert_int_equal(strlen(text), want.len);
	assert_memory_equal(text, want.ptr, want.len);
	free(text);
	sink_fixture_close(&r);
	fixture_delivery_fini(&a);
}

static void objects_are_synced(void **state)
{
	struct aws_fixture *p = *state;
	const int64_t t = T0_S * 1000;

	aws_fixture_open(p);
	datasyncs = syncs = 0;
	assert_int_equal(aws_fixture_work(p, aws_fixture_batch(1, 10, &t, 1)), 0);
	aws_fixture_complete_all(p);
	assert_int_equal(datasyncs + syncs, 0);
	p->conf.sync = true;
	assert_int_equal(aws_fixture_work(p, aws_fixture_batch(11, 10, &t, 1)), 0);
	assert_int_equal(datasyncs, 1);
	assert_int_equal(syncs, 1); /* the folder that the object is made in */
	assert_int_equal(aws_fixture_work(p, aws_fixture_batch(21, 10, &t, 1)), 0);
	assert_int_equal(datasyncs, 2);
	assert_int_equal(syncs, 1);
	aws_fixture_complete_all(p);
	assert_int_equal(datasyncs, 2);
	assert_true(syncs >= 3); /* the whole object, and the folder that it is moved to */
	aws_fixture_expect_once(p, 1, 30);
}

static void an_object_that_is_not_on_disk_is_written_again(void **state)
{
	struct aws_fixture *p = *state;
	const int64_t t = T0_S * 1000;

	p->conf.sync = true;
	aws_fixture_open(p);
	assert_int_equal(aws_fixture_work(p, aws_fixture_batch(1, 10, &t, 1)), 0);
	error = EIO;
	assert_int_equal(aws_fixture_work(p, aws_fixture_batch(11, 10, &t, 1)), -EIO);
	p->job.complete_all = true;
	(void)aws_fixture_work(p, NULL);
	p->job.complete_all = false;
	assert_int_equal(p->job.completed, 0);
	assert_int_equal(p->job.completion_error, -EIO);
	error = 0;
	assert_int_equal(aws_fixture_work(p, aws_fixture_batch(11, 10, &t, 1)), 0);
	aws_fixture_complete_all(p);
	assert_int_equal(p->job.completed, 1);
	aws_fixture_expect_once(p, 1, 20);
}

/* A file system that cannot sync a folder is no reason to write nothing; a disk that fails is. */
static void only_a_disk_that_fails_counts(void **state)
{
	struct file_fixture *p = *state;
	struct fffa_file_access access;
	struct fffa_plain_target t = {.fd = -7};
	struct fffa_err err;
	struct stat st;
	int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	error = EINVAL;
	assert_int_equal(fffa_sync_dir(-1), 0);
	error = EIO;
	assert_int_equal(fffa_sync_dir(-1), -EIO);
	assert_int_equal(fffa_file_access_read(&p->conf, &access, &err), 0);
	assert_int_equal(fffa_plain_open(p->path, &access, true, &t, &err), -EIO);
	assert_int_equal(t.fd, -7);
	assert_int_equal(stat(p->path, &st), -1); /* the next try makes it anew */
	syncs = 0;
	assert_int_equal(fffa_plain_open(p->path, &access, false, &t, &err), 0);
	assert_int_equal(syncs, 0);
	(void)close(t.fd);
	assert_int_equal(unlink(p->path), 0);
	error = EINVAL;
	assert_int_equal(fffa_plain_open(p->path, &access, true, &t, &err), 0);
	assert_int_equal(syncs, 1);
	(void)close(t.fd);
	error = 0;
	assert_int_equal(chdir(p->dir), 0);
	syncs = 0;
	assert_int_equal(fffa_plain_open("bare.log", &access, true, &t, &err), 0);
	assert_int_equal(syncs, 1); /* the folder that this process is in */
	(void)close(t.fd);
	assert_int_equal(fchdir(here), 0);
	(void)close(here);
}

#define PLAIN(f) cmocka_unit_test_setup_teardown(f, file_fixture_setup, file_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLAIN(each_batch_is_synced),
		PLAIN(a_batch_that_is_not_on_disk_comes_again),
		PLAIN(only_a_disk_that_fails_counts),
		CASE(objects_are_synced),
		CASE(an_object_that_is_not_on_disk_is_written_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
