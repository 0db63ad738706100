// SPDX-License-Identifier: MIT
/* Old files: which go, what a compressed one is like, and what does not end the rest of the work. */
#include "sinks/file/plain/retention.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "sinks/file/plain/compress.h"
#include "tests/stubs/cmocka_all.h"
#include "tests/stubs/files.h"
#include "tests/unit/sinks/file_fixture.h"

#define LARGE ((size_t)700000) /* several chunks of the compressors */

/* The system call below, which the linker puts in place of that of the C library. */
static struct {
	unsigned int files, folders;
	int error; /* of the next sync of a file */
} syncs;

int __real_fsync(int fd);
int __wrap_fsync(int fd);

int __wrap_fsync(int fd)
{
	struct stat st;
	int error = syncs.error;

	assert_int_equal(fstat(fd, &st), 0);
	if (S_ISDIR(st.st_mode)) {
		syncs.folders++;
		return __real_fsync(fd);
	}
	syncs.files++;
	syncs.error = 0;
	errno = error;
	return error ? -1 : 0;
}

static const char *in(const struct file_fixture *p, const char *name)
{
	static _Thread_local char path[4][400];
	static _Thread_local unsigned int turn;
	char *dst = path[turn++ % 4];

	(void)snprintf(dst, sizeof(path[0]), "%s/%s", p->dir, name);
	return dst;
}

static bool has(const struct file_fixture *p, const char *name)
{
	struct stat st;

	return !lstat(in(p, name), &st);
}

static size_t count(const struct file_fixture *p)
{
	DIR *d = opendir(p->dir);
	const struct dirent *e;
	size_t n = 0;

	assert_non_null(d);
	while ((e = readdir(d)))
		n += e->d_name[0] != '.';
	(void)closedir(d);
	return n;
}

static int apply(const char *path, int64_t max_files, enum fffa_file_compression c)
{
	const atomic_bool cancel = false;

	return fffa_plain_retention_apply(path, max_files, c, &cancel);
}

static void the_newest_stay(void **state)
{
	const struct file_fixture *p = *state;
	char name[64];

	files_write(p->path, "x", 1);
	for (unsigned int i = 0; i < 300; i++) { /* in no order */
		(void)snprintf(name, sizeof(name), "flows.log.20260511T1015%02uZ-%u",
			       i * 37 % 300 / 10, i * 37 % 10 + 1);
		files_write(in(p, name), "x", 1);
	}
	assert_int_equal(apply(p->path, 0, FFFA_FILE_COMPRESS_NONE), 0);
	assert_int_equal(count(p), 301);
	assert_int_equal(apply(p->path, 13, FFFA_FILE_COMPRESS_NONE), 0);
	assert_int_equal(count(p), 14);
	for (unsigned int i = 1; i <= 10; i++) {
		(void)snprintf(name, sizeof(name), "flows.log.20260511T101529Z-%u", i);
		assert_true(has(p, name));
		(void)snprintf(name, sizeof(name), "flows.log.20260511T101528Z-%u", i);
		assert_int_equal(has(p, name), i >= 8);
	}
	assert_int_equal(apply(p->path, 1, FFFA_FILE_COMPRESS_NONE), 0);
	assert_int_equal(count(p), 2);
	assert_true(has(p, "flows.log.20260511T101529Z-10"));
}

/* Whoever moved the file away: its folder is known from the path. A folder that is gone is said. */
static void the_file_itself_need_not_be_there(void **state)
{
	const struct file_fixture *p = *state;
	char here[256];

	files_write(in(p, "flows.log.20260511T101500Z"), "x", 1);
	files_write(in(p, "flows.log.20260511T101501Z"), "x", 1);
	assert_int_equal(apply(p->path, 1, FFFA_FILE_COMPRESS_NONE), 0);
	assert_int_equal(count(p), 1);
	files_write(in(p, "flows.log.20260511T101502Z"), "x", 1);
	assert_non_null(getcwd(here, sizeof(here)));
	assert_int_equal(chdir(p->dir), 0);
	assert_int_equal(apply("flows.log", 1, FFFA_FILE_COMPRESS_NONE), 0);
	assert_int_equal(chdir(here), 0);
	assert_int_equal(count(p), 1);
	assert_true(has(p, "flows.log.20260511T101502Z"));
	assert_int_equal(apply("no-such-folder/flows.log", 1, FFFA_FILE_COMPRESS_NONE), -ENOENT);
}

/* A folder has the name of a rotated file: it stays, is said, and does not keep the others. */
static void what_cannot_be_done_does_not_stop_the_rest(void **state)
{
	const struct file_fixture *p = *state;

	files_write(p->path, "x", 1);
	assert_int_equal(mkdir(in(p, "flows.log.20260511T101501Z"), 0700), 0);
	files_write(in(p, "flows.log.20260511T101500Z"), "x", 1);
	files_write(in(p, "flows.log.20260511T101502Z"), "x", 1);
	assert_int_equal(apply(p->path, 0, FFFA_FILE_COMPRESS_GZIP), -EISDIR);
	assert_true(has(p, "flows.log.20260511T101500Z.gz"));
	assert_true(has(p, "flows.log.20260511T101501Z"));
	assert_true(has(p, "flows.log.20260511T101502Z.gz"));
	assert_int_equal(count(p), 4);
	assert_int_equal(apply(p->path, 1, FFFA_FILE_COMPRESS_NONE), -EISDIR);
	assert_false(has(p, "flows.log.20260511T101500Z.gz"));
	assert_true(has(p, "flows.log.20260511T101502Z.gz"));
}

/* What only has the name of the compressed file is not the records of the rotated one. */
static void what_is_no_file_does_not_replace_one(void **state)
{
	const struct file_fixture *p = *state;
	const enum fffa_file_compression modes[] = {FFFA_FILE_COMPRESS_NONE,
						    FFFA_FILE_COMPRESS_GZIP};

	files_write(p->path, "x", 1);
	files_write(in(p, "flows.log.20260511T101500Z"), "x", 1);
	assert_int_equal(mkdir(in(p, "flows.log.20260511T101500Z.gz"), 0700), 0);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(apply(p->path, 1, modes[i]), -EISDIR);
		assert_true(has(p, "flows.log.20260511T101500Z"));
		assert_int_equal(count(p), 3);
	}
	assert_int_equal(rmdir(in(p, "flows.log.20260511T101500Z.gz")), 0);
	assert_int_equal(symlink("nowhere", in(p, "flows.log.20260511T101500Z.gz")), 0);
	assert_int_equal(apply(p->path, 1, FFFA_FILE_COMPRESS_NONE), -EMEDIUMTYPE);
	assert_true(has(p, "flows.log.20260511T101500Z"));
	assert_int_equal(count(p), 3);
}

/* The oldest first: what is due to go is not there to be compressed. */
static void compressed_ones_are_whole_and_durable(void **state)
{
	const struct file_fixture *p = *state;

	files_write(p->path, "x", 1);
	files_write(in(p, "flows.log.20260511T101500Z"), "x", 1);
	files_write(in(p, "flows.log.20260511T101501Z"), "x", 1);
	files_write(in(p, "flows.log.20260511T101502Z"), "x", 1);
	memset(&syncs, 0, sizeof(syncs));
	assert_int_equal(apply(p->path, 2, FFFA_FILE_COMPRESS_ZSTD), 0);
	assert_int_equal(syncs.files, 2);
	assert_int_equal(syncs.folders, 2);
	assert_int_equal(count(p), 3);
	assert_true(has(p, "flows.log.20260511T101501Z.zst"));
	assert_true(has(p, "flows.log.20260511T101502Z.zst"));
	files_write(in(p, "flows.log.20260511T101503Z"), "x", 1);
	syncs.error = ENOSPC;
	assert_int_equal(apply(p->path, 0, FFFA_FILE_COMPRESS_ZSTD), -ENOSPC);
	assert_true(has(p, "flows.log.20260511T101503Z"));
	assert_int_equal(count(p), 4);
}

/* Bytes that do not compress, so that all buffers are filled. */
static uint8_t *noise(void)
{
	uint8_t *b = malloc(LARGE);
	uint64_t x = 88172645463325252u;

	assert_non_null(b);
	for (size_t i = 0; i < LARGE; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		b[i] = (uint8_t)x;
	}
	return b;
}

static size_t expand(enum fffa_file_compression c, const char *path, uint8_t *dst)
{
	size_t len, n;
	uint8_t *bytes = (uint8_t *)files_read(path, &len);
	z_stream z = {.next_in = bytes,
		      .avail_in = (uInt)len,
		      .next_out = dst,
		      .avail_out = (uInt)LARGE + 1};

	if (c == FFFA_FILE_COMPRESS_ZSTD) {
		n = ZSTD_decompress(dst, LARGE + 1, bytes, len);
		assert_false(ZSTD_isError(n));
		assert_int_equal(bytes[4] & 4, 4); /* the frame has a checksum */
	} else {
		assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
		assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
		n = z.total_out;
		assert_int_equal(z.avail_in, 0);
		assert_int_equal(inflateEnd(&z), Z_OK);
	}
	free(bytes);
	return n;
}

static void compressed_bytes_are_the_same(void **state)
{
	static const size_t sizes[] = {0, 1, 131072, 131073, LARGE};
	const struct file_fixture *p = *state;
	const atomic_bool cancel = false;
	const struct timespec then[2] = {{.tv_sec = 1000000}, {.tv_sec = 2000000, .tv_nsec = 3}};
	uint8_t *bytes = noise(), *back = malloc(LARGE + 1);
	int dir = open(p->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	for (int c = FFFA_FILE_COMPRESS_GZIP; c <= FFFA_FILE_COMPRESS_ZSTD; c++) {
		for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
			files_write(in(p, "from"), bytes, sizes[i]);
			assert_int_equal(chmod(in(p, "from"), 0641), 0);
			assert_int_equal(utimensat(dir, "from", then, 0), 0);
			assert_int_equal(fffa_plain_compress(dir, "from", "to",
							     (enum fffa_file_compression)c,
							     &cancel),
					 0);
			assert_int_equal(expand((enum fffa_file_compression)c, in(p, "to"), back),
					 sizes[i]);
			assert_memory_equal(back, bytes, sizes[i]);
			assert_int_equal(stat(in(p, "to"), &st), 0);
			assert_int_equal(st.st_mode & 07777, 0641);
			assert_int_equal(st.st_mtim.tv_sec, 2000000);
			assert_int_equal(st.st_mtim.tv_nsec, 3);
			assert_int_equal(unlink(in(p, "to")), 0);
		}
	}
	(void)close(dir);
	free(bytes);
	free(back);
}

/* A rotated name as long as a name may be is deleted; one that has no room for .gz.tmp stays plain. */
static void names_as_long_as_they_may_be(void **state)
{
	const struct file_fixture *p = *state;
	char path[400], name[300];

	memset(name, 'n', 238);
	strcpy(name + 238, ".20260511T101500Z");
	files_write(in(p, name), "x", 1);
	name[238] = '\0';
	strcpy(path, in(p, name));
	assert_int_equal(apply(path, 0, FFFA_FILE_COMPRESS_GZIP), -ENAMETOOLONG);
	strcpy(name + 238, ".20260511T101501Z");
	files_write(in(p, name), "x", 1);
	assert_int_equal(count(p), 2);
	assert_int_equal(apply(path, 1, FFFA_FILE_COMPRESS_NONE), 0);
	assert_int_equal(count(p), 1);
	assert_int_equal(unlink(in(p, name)), 0);
	strcpy(name + 231, ".20260511T101500Z");
	files_write(in(p, name), "x", 1);
	name[231] = '\0';
	strcpy(path, in(p, name));
	assert_int_equal(apply(path, 1, FFFA_FILE_COMPRESS_GZIP), 0);
	strcpy(name + 231, ".20260511T101500Z.gz");
	assert_true(has(p, name));
	assert_int_equal(count(p), 1);
}

static void a_failed_compression_leaves_nothing(void **state)
{
	const struct file_fixture *p = *state;
	const atomic_bool cancel = false, cancelled = true;
	const enum fffa_file_compression gzip = FFFA_FILE_COMPRESS_GZIP;
	int dir = open(p->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_int_equal(fffa_plain_compress(dir, "from", "to", gzip, &cancel), -ENOENT);
	files_write(in(p, "from"), "x", 1);
	assert_int_equal(fffa_plain_compress(dir, "from", "to", gzip, &cancelled), -ECANCELED);
	assert_int_equal(count(p), 1);
	syncs.error = EIO;
	assert_int_equal(fffa_plain_compress(dir, "from", "to", gzip, &cancel), -EIO);
	assert_int_equal(count(p), 1);
	assert_int_equal(symlink("from", in(p, "link")), 0);
	assert_int_equal(fffa_plain_compress(dir, "link", "to", gzip, &cancel), -ELOOP);
	files_write(in(p, "to"), "theirs", 6);
	assert_int_equal(fffa_plain_compress(dir, "from", "to", gzip, &cancel), -EEXIST);
	assert_true(has(p, "to")); /* it is not ours */
	(void)close(dir);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, file_fixture_setup, file_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(the_newest_stay),
		CASE(the_file_itself_need_not_be_there),
		CASE(what_cannot_be_done_does_not_stop_the_rest),
		CASE(what_is_no_file_does_not_replace_one),
		CASE(compressed_ones_are_whole_and_durable),
		CASE(compressed_bytes_are_the_same),
		CASE(a_failed_compression_leaves_nothing),
		CASE(names_as_long_as_they_may_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
