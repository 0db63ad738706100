// SPDX-License-Identifier: MIT
/* An object of the AWS layouts as a stream: what counts, what a failure takes back, what is left. */
#include "sinks/file/aws/gzip_member.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sinks/file/aws/aws_slots.h"
#include "tests/stubs/cmocka_all.h"
#include "tests/stubs/files.h"

#define NOISE ((size_t)200000) /* bytes that do not compress: more than all buffers */

static const struct fffa_file_access access_0640 = {
	.mode = 0640, .uid = (uid_t)-1, .gid = (gid_t)-1};

struct place {
	char dir[64], path[128];
	int dir_fd;
	size_t open; /* descriptors at the begin */
	struct fffa_gzip_member *m;
	uint8_t noise[NOISE], back[4 * NOISE];
};

static int setup(void **state)
{
	struct place *p = calloc(1, sizeof(*p));
	uint64_t x = 88172645463325252u;

	*state = p;
	if (!p)
		return -1;
	for (size_t i = 0; i < NOISE; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		p->noise[i] = (uint8_t)x;
	}
	p->open = files_open();
	strcpy(p->dir, "/tmp/fffa-member.XXXXXX");
	if (!mkdtemp(p->dir))
		return -1;
	(void)snprintf(p->path, sizeof(p->path), "%s/x.gz", p->dir);
	p->dir_fd = open(p->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fffa_gzip_member_open(p->dir_fd, "x.gz", &access_0640, true, &p->m);
}

static int teardown(void **state)
{
	struct place *p = *state;

	fffa_gzip_member_close(p->m);
	(void)close(p->dir_fd);
	assert_int_equal(files_open(), p->open);
	files_remove(p->dir);
	free(p);
	return 0;
}

static int add(struct place *p, const void *bytes, size_t n)
{
	return fffa_gzip_member_add(p->m, (struct fffa_span){bytes, n});
}

static int add_text(struct place *p, const char *text)
{
	return add(p, text, strlen(text));
}

static int64_t file_size(const struct place *p)
{
	struct stat st;

	assert_int_equal(stat(p->path, &st), 0);
	return st.st_size;
}

/* Expands the file into p->back and returns the length. whole: the stream has its end. */
static size_t expand(struct place *p, bool whole)
{
	size_t len;
	uint8_t *bytes = (uint8_t *)files_read(p->path, &len);
	z_stream z = {.next_in = bytes,
		      .avail_in = (uInt)len,
		      .next_out = p->back,
		      .avail_out = sizeof(p->back)};

	assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
	assert_int_equal(inflate(&z, Z_SYNC_FLUSH), whole ? Z_STREAM_END : Z_OK);
	assert_int_equal(z.avail_in, 0);
	(void)inflateEnd(&z);
	free(bytes);
	return z.total_out;
}

static void expect_text(struct place *p, const char *text, bool whole)
{
	assert_int_equal(expand(p, whole), strlen(text));
	assert_memory_equal(p->back, text, strlen(text));
}

static void what_is_committed_is_in_the_file(void **state)
{
	struct place *p = *state;
	struct stat st;

	assert_int_equal(p->m->committed.bytes, 0);
	assert_int_equal(file_size(p), 0);
	assert_int_equal(stat(p->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(add_text(p, "one\n"), 0);
	assert_int_equal(add_text(p, "two\n"), 0);
	assert_int_equal(p->m->committed.bytes, 0);
	assert_int_equal(fffa_gzip_member_commit(p->m), 0);
	assert_int_equal(p->m->committed.bytes, file_size(p));
	assert_int_equal(p->m->committed.size, 8);
	assert_int_equal(p->m->committed.crc, crc32(0, (const Bytef *)"one\ntwo\n", 8));
	expect_text(p, "one\ntwo\n", false);
	assert_int_equal(add(p, p->noise, NOISE), 0);
	assert_int_equal(fffa_gzip_member_commit(p->m), 0);
	assert_int_equal(fffa_gzip_member_finish(p->m), 0);
	assert_int_equal(expand(p, true), 8 + NOISE);
	assert_memory_equal(p->back + 8, p->noise, NOISE);
}

static void a_rollback_takes_back_what_was_added(void **state)
{
	struct place *p = *state;

	assert_int_equal(add(p, p->noise, NOISE), 0); /* before anything was committed */
	fffa_gzip_member_rollback(p->m);
	assert_int_equal(file_size(p), 0);
	assert_int_equal(add_text(p, "one\n"), 0);
	assert_int_equal(fffa_gzip_member_commit(p->m), 0);
	assert_int_equal(add(p, p->noise, NOISE), 0);
	assert_true(file_size(p) > p->m->committed.bytes);
	fffa_gzip_member_rollback(p->m);
	assert_int_equal(file_size(p), p->m->committed.bytes);
	assert_int_equal(add_text(p, "two\n"), 0);
	assert_int_equal(fffa_gzip_member_commit(p->m), 0);
	assert_int_equal(add(p, p->noise, NOISE), 0);
	assert_int_equal(fffa_gzip_member_finish(p->m), 0); /* without what is not committed */
	expect_text(p, "one\ntwo\n", true);
}

static void a_full_disk_can_be_tried_again(void **state)
{
	struct place *p = *state;
	int64_t before;

	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(add_text(p, "one\n"), 0);
	assert_int_equal(fffa_gzip_member_commit(p->m), 0);
	before = file_size(p);
	files_limit_size((rlim_t)before + 1000);
	assert_int_equal(add(p, p->noise, NOISE), -EFBIG);
	fffa_gzip_member_rollback(p->m);
	assert_int_equal(file_size(p), before);
	files_limit_size((rlim_t)before + 5);
	assert_int_equal(fffa_gzip_member_finish(p->m), -EFBIG);
	assert_int_equal(file_size(p), before);
	files_limit_size(RLIM_INFINITY);
	assert_int_equal(add_text(p, "two\n"), 0);
	assert_int_equal(fffa_gzip_member_commit(p->m), 0);
	assert_int_equal(fffa_gzip_member_finish(p->m), 0);
	expect_text(p, "one\ntwo\n", true);
}

/* The file cannot be cut back at once: that is done before the next byte, or nothing is written. */
static void a_cut_that_fails_comes_first_next_time(void **state)
{
	struct place *p = *state;
	int fd = p->m->fd;

	assert_int_equal(add_text(p, "one\n"), 0);
	assert_int_equal(fffa_gzip_member_commit(p->m), 0);
	assert_int_equal(add(p, p->noise, NOISE), 0);
	p->m->fd = open(p->path, O_RDONLY | O_CLOEXEC);
	fffa_gzip_member_rollback(p->m);
	assert_int_equal(add_text(p, "two\n"), -EINVAL);
	assert_int_equal(fffa_gzip_member_finish(p->m), -EINVAL);
	assert_true(file_size(p) > p->m->committed.bytes);
	(void)close(p->m->fd);
	p->m->fd = fd;
	assert_int_equal(add_text(p, "two\n"), 0);
	assert_int_equal(fffa_gzip_member_commit(p->m), 0);
	expect_text(p, "one\ntwo\n", false);
}

static void a_file_that_is_there_is_not_taken(void **state)
{
	struct place *p = *state;
	struct fffa_gzip_member *m = NULL;
	char *name = calloc(1, 300);

	assert_int_equal(fffa_gzip_member_open(p->dir_fd, "x.gz", &access_0640, true, &m), -EEXIST);
	assert_int_equal(file_size(p), 0); /* and stays */
	assert_int_equal(fffa_gzip_member_open(-1, "x.gz", &access_0640, true, &m), -EBADF);
	memset(name, 'n', 299);
	assert_int_equal(fffa_gzip_member_open(p->dir_fd, name, &access_0640, true, &m),
			 -ENAMETOOLONG);
	assert_null(m);
	free(name);
	fffa_gzip_member_close(NULL);
}

/* Ends the writer as a crash does, and recovers. */
static int recover(struct place *p, bool cancel)
{
	const atomic_bool cancelled = cancel;
	int fd, rc;

	fffa_gzip_member_close(p->m);
	p->m = NULL;
	fd = open(p->path, O_RDWR | O_CLOEXEC);
	rc = fffa_gzip_member_recover(fd, true, &cancelled);
	(void)close(fd);
	return rc;
}

static void a_torn_object_ends_with_its_last_line(void **state)
{
	struct place *p = *state;

	assert_int_equal(add_text(p, "one\n"), 0);
	assert_int_equal(fffa_gzip_member_commit(p->m), 0);
	assert_int_equal(add_text(p, "two\nthre"), 0);
	assert_int_equal(fffa_gzip_member_commit(p->m), 0);
	assert_int_equal(recover(p, false), 1);
	expect_text(p, "one\n", true);
}

/* A letter, which is above the newline, and a byte below it: neither ends a line. */
static void bytes_that_end_no_line_are_no_record(void **state)
{
	struct place *p = *state;

	assert_int_equal(add_text(p, "one\x07"), 0);
	assert_int_equal(fffa_gzip_member_commit(p->m), 0);
	assert_int_equal(add_text(p, "abc"), 0);
	assert_int_equal(fffa_gzip_member_commit(p->m), 0);
	assert_int_equal(recover(p, false), 0);
}

static void a_complete_object_stays_as_it_is(void **state)
{
	struct place *p = *state;
	int64_t size;

	assert_int_equal(add_text(p, "one\n"), 0);
	assert_int_equal(add(p, p->noise, NOISE), 0);
	assert_int_equal(add_text(p, "\n"), 0);
	assert_int_equal(fffa_gzip_member_commit(p->m), 0);
	assert_int_equal(fffa_gzip_member_finish(p->m), 0);
	size = file_size(p);
	assert_int_equal(recover(p, false), 1);
	assert_int_equal(file_size(p), size);
	assert_int_equal(expand(p, true), 4 + NOISE + 1);
}

static void a_cancelled_recovery_changes_nothing(void **state)
{
	struct place *p = *state;
	int64_t size;

	assert_int_equal(add_text(p, "one\n"), 0);
	assert_int_equal(fffa_gzip_member_commit(p->m), 0);
	assert_int_equal(add_text(p, "two"), 0);
	assert_int_equal(fffa_gzip_member_commit(p->m), 0);
	size = file_size(p);
	assert_int_equal(recover(p, true), -ECANCELED);
	assert_int_equal(file_size(p), size);
}

static void an_object_without_a_byte_holds_no_record(void **state)
{
	assert_int_equal(recover(*state, false), 0);
}

/* The slots rise; within a slot the records stand as in the batch. */
static void rows_stand_by_slot_then_record(void **state)
{
	static const int64_t slots[] = {5, 3, 5, 9, 1, 3, 3, 9, 1, 7, 5, 1};
	static const uint32_t want[] = {4, 8, 11, 1, 5, 6, 0, 2, 10, 9, 3, 7};
	const uint32_t n = sizeof(slots) / sizeof(slots[0]);
	struct fffa_batch *b = fffa_batch_new(100, n);
	struct fffa_aws_slots s;

	(void)state;
	for (uint32_t i = 0; i < n; i++) {
		const struct fffa_record_info info = {
			.seq = i + 1, .time_ms = slots[i] * FFFA_AWS_SLOT_S * 1000 + 7};

		*fffa_batch_room(b, 1) = '\n';
		fffa_batch_commit(b, 1, &info);
	}
	fffa_batch_seal(b);
	assert_int_equal(fffa_aws_slots_init(&s, b), 0);
	for (uint32_t i = 0; i < n; i++) {
		assert_int_equal(fffa_aws_slots_record(&s, i), want[i]);
		assert_int_equal(fffa_aws_slots_slot(&s, i), slots[want[i]]);
	}
	fffa_aws_slots_fini(&s);
	fffa_batch_unref(b);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(what_is_committed_is_in_the_file),
		CASE(a_rollback_takes_back_what_was_added),
		CASE(a_full_disk_can_be_tried_again),
		CASE(a_cut_that_fails_comes_first_next_time),
		CASE(a_file_that_is_there_is_not_taken),
		CASE(a_torn_object_ends_with_its_last_line),
		CASE(bytes_that_end_no_line_are_no_record),
		CASE(a_complete_object_stays_as_it_is),
		CASE(a_cancelled_recovery_changes_nothing),
		CASE(an_object_without_a_byte_holds_no_record),
		cmocka_unit_test(rows_stand_by_slot_then_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
