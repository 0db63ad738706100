// SPDX-License-Identifier: MIT
/* The next start completes what a crash has left of an object in the AWS layout. */
#include "tests/stubs/cmocka_all.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sinks/file/aws/aws_recover.h"
#include "tests/stubs/files.h"
#include "tests/unit/sinks/aws_fixture.h"

#define ZEROS ((size_t)4096) /* a page */

static void recover_staging(const struct aws_fixture *p)
{
	atomic_bool cancel = false;

	assert_int_equal(fffa_aws_recover(&p->conf, &cancel), 0);
}

/* A crash may cut the file at any byte: all whole batches before the cut are there. */
static void torn_at_every_byte(void **state)
{
	struct aws_fixture *p = *state;
	const int64_t t = T0_S * 1000;
	size_t borders[5] = {0}, len;
	char *path, *whole;

	aws_fixture_open(p);
	for (uint64_t i = 0; i < 4; i++) {
		assert_int_equal(aws_fixture_work(p, aws_fixture_batch(1 + 10 * i, 10, &t, 1)), 0);
		borders[i + 1] = (size_t)p->job.open_bytes;
	}
	fffa_aws_free(p->aws); /* now the file is as a crash leaves it */
	p->aws = NULL;
	path = aws_fixture_find(p, "-path '*.part*'");
	path[strcspn(path, "\n")] = '\0';
	whole = files_read(path, &len);
	assert_int_equal(len, borders[4]);
	for (size_t cut = 0; cut <= len; cut++) {
		uint64_t batches = 0;
		char *done;

		while (batches < 4 && borders[batches + 1] <= cut)
			batches++;
		files_write(path, whole, cut);
		recover_staging(p);
		assert_int_equal(aws_fixture_count(p, "-path '*.part*'"), 0);
		assert_int_equal(aws_fixture_count(p, "-path '*AWSLogs*'"), batches ? 1 : 0);
		if (batches)
			aws_fixture_expect_once(p, 1, 10 * batches);
		done = aws_fixture_find(p, "-path '*AWSLogs*'");
		done[strcspn(done, "\n")] = '\0';
		(void)unlink(done);
		free(done);
	}
	free(whole);
	free(path);
}

/* The file is cut in the end of its stream, or has zeros behind it as some file systems do. */
static void torn_in_the_end_of_the_stream(void **state)
{
	struct aws_fixture *p = *state;
	const int64_t t = T0_S * 1000;
	size_t border, len;
	char *path, *whole, *padded, staged[300];

	aws_fixture_open(p);
	assert_int_equal(aws_fixture_work(p, aws_fixture_batch(1, 30, &t, 1)), 0);
	border = (size_t)p->job.open_bytes;
	aws_fixture_complete_all(p);
	path = aws_fixture_find(p, "-path '*AWSLogs*'");
	path[strcspn(path, "\n")] = '\0';
	whole = files_read(path, &len);
	assert_int_equal(len, border + 10);
	(void)snprintf(staged, sizeof(staged), "%s/.part/%s", p->dir, strrchr(path, '/') + 1);
	for (size_t cut = border; cut <= len; cut++) {
		files_write(staged, whole, cut);
		recover_staging(p);
		aws_fixture_expect_once(p, 1, 30);
	}
	padded = calloc(1, border + ZEROS);
	assert_non_null(padded);
	memcpy(padded, whole, border);
	files_write(staged, padded, border + ZEROS);
	recover_staging(p);
	aws_fixture_expect_once(p, 1, 30);
	free(padded);
	free(whole);
	free(path);
}

static void damage_ends_at_the_last_good_batch(void **state)
{
	struct aws_fixture *p = *state;
	const int64_t t = T0_S * 1000;
	size_t first, len;
	char *path, *whole;

	aws_fixture_open(p);
	assert_int_equal(aws_fixture_work(p, aws_fixture_batch(1, 30, &t, 1)), 0);
	first = (size_t)p->job.open_bytes;
	assert_int_equal(aws_fixture_work(p, aws_fixture_batch(31, 30, &t, 1)), 0);
	fffa_aws_free(p->aws);
	p->aws = NULL;
	path = aws_fixture_find(p, "-path '*.part*'");
	path[strcspn(path, "\n")] = '\0';
	whole = files_read(path, &len);
	whole[first] = (char)0xff; /* deflate has no block of this kind */
	files_write(path, whole, len);
	recover_staging(p);
	aws_fixture_expect_once(p, 1, 30);
	free(whole);
	free(path);
}

/* An object that this process or another one still writes is left alone. */
static void open_objects_are_not_recovered(void **state)
{
	struct aws_fixture *p = *state;
	const int64_t t = T0_S * 1000;

	aws_fixture_open(p);
	assert_int_equal(aws_fixture_work(p, aws_fixture_batch(1, 10, &t, 1)), 0);
	recover_staging(p);
	assert_int_equal(aws_fixture_count(p, "-path '*.part*'"), 1);
	assert_int_equal(aws_fixture_work(p, aws_fixture_batch(11, 10, &t, 1)), 0);
	aws_fixture_complete_all(p);
	aws_fixture_expect_once(p, 1, 20);
}

/* What cannot be recovered is reported, and does not keep the others from it. */
static void one_that_cannot_be_recovered(void **state)
{
	struct aws_fixture *p = *state;
	const int64_t t = T0_S * 1000;
	char *object;
	atomic_bool cancel = false;

	aws_fixture_open(p);
	assert_int_equal(aws_fixture_work(p, aws_fixture_batch(1, 10, &t, 1)), 0);
	object = aws_fixture_find(p, "-path '*.part*'");
	fffa_aws_free(p->aws); /* as a crash */
	p->aws = NULL;
	object[strcspn(object, "\n")] = '\0';
	for (int digit = '0'; digit < '8'; digit++) { /* before and behind it in the folder */
		memset(strrchr(object, '_') + 1, digit, 16);
		assert_int_equal(mkdir(object, 0700), 0);
	}
	free(object);
	assert_int_equal(fffa_aws_recover(&p->conf, &cancel), -EISDIR);
	aws_fixture_expect_once(p, 1, 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(torn_at_every_byte),
		CASE(torn_in_the_end_of_the_stream),
		CASE(damage_ends_at_the_last_good_batch),
		CASE(open_objects_are_not_recovered),
		CASE(one_that_cannot_be_recovered),
	};

	(void)signal(SIGXFSZ, SIG_IGN); /* as main does */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
