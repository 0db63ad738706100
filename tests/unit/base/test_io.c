// SPDX-License-Identifier: MIT
/* Writes that the kernel cuts short, interrupts or refuses; files that are no regular ones. */
#include "tests/stubs/cmocka_all.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/io.h"
#include "tests/stubs/files.h"

ssize_t __wrap_writev(int fd, const struct iovec *v, int n);
ssize_t __wrap_pwritev(int fd, const struct iovec *v, int n, off_t at);
ssize_t __wrap_pwritev64(int fd, const struct iovec *v, int n, off_t at);

/* What the next calls do: bytes to take at most, or -errno; after the last all is taken. */
static const int *answers;
static size_t answer_count;
static size_t calls;

static ssize_t answer(int fd, const struct iovec *v, int n, off_t at)
{
	size_t most = SIZE_MAX, put = 0;

	if (calls++ < answer_count) {
		int a = answers[calls - 1];

		if (a < 0) {
			errno = -a;
			return -1;
		}
		most = (size_t)a;
	}
	for (int i = 0; i < n && most; i++) {
		size_t len = v[i].iov_len < most ? v[i].iov_len : most;
		ssize_t w = at == FFFA_IO_APPEND ? write(fd, v[i].iov_base, len)
						 : pwrite(fd, v[i].iov_base, len, at + (off_t)put);

		assert_int_equal(w, len);
		put += len;
		most -= len;
	}
	return (ssize_t)put;
}

ssize_t __wrap_writev(int fd, const struct iovec *v, int n)
{
	return answer(fd, v, n, FFFA_IO_APPEND);
}

ssize_t __wrap_pwritev(int fd, const struct iovec *v, int n, off_t at)
{
	return answer(fd, v, n, at);
}

ssize_t __wrap_pwritev64(int fd, const struct iovec *v, int n, off_t at)
{
	return answer(fd, v, n, at);
}

/* Writes "0123456789" as spans of 3, 0, 6 and 1; checks rc, what was done, and the file. */
static void check_write(const int *a, size_t n, off_t at, int rc, size_t done)
{
	char text[] = "0123456789", got[32];
	struct iovec v[] = {{text, 3}, {text + 3, 0}, {text + 3, 6}, {text + 9, 1}};
	size_t counted = 100, shift = at == FFFA_IO_APPEND ? 4 : (size_t)at;
	int fd = memfd_create("test_io", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "abcd", 4), 4);
	answers = a;
	answer_count = n;
	calls = 0;
	assert_int_equal(fffa_io_write_all(fd, v, 4, at, &counted), rc);
	assert_int_equal(counted, 100 + done);
	assert_int_equal(pread(fd, got, sizeof(got), 0), done || shift < 4 ? shift + done : 4);
	assert_memory_equal(got + shift, text, done);
	(void)close(fd);
}

static void one_write_is_enough(void **state)
{
	(void)state;
	check_write(NULL, 0, FFFA_IO_APPEND, 0, 10);
	assert_int_equal(calls, 1);
	check_write(NULL, 0, 4, 0, 10);
	assert_int_equal(calls, 1);
}

static void goes_on_after_a_short_write(void **state)
{
	static const int at_borders[] = {3, 6, 1}, within[] = {1, 1, 4, 3};

	(void)state;
	check_write(at_borders, 3, FFFA_IO_APPEND, 0, 10);
	assert_int_equal(calls, 3);
	check_write(within, 4, 4, 0, 10);
	assert_int_equal(calls, 5);
}

static void the_count_may_be_left_out(void **state)
{
	struct iovec v = {(char[]){"abc"}, 3};
	int fd = memfd_create("test_io", MFD_CLOEXEC);

	(void)state;
	answer_count = 0;
	assert_int_equal(fffa_io_write_all(fd, &v, 1, FFFA_IO_APPEND, NULL), 0);
	assert_int_equal(lseek(fd, 0, SEEK_END), 3);
	(void)close(fd);
}

static void goes_on_after_a_signal(void **state)
{
	static const int a[] = {-EINTR, 5, -EINTR, -EINTR};

	(void)state;
	check_write(a, 4, FFFA_IO_APPEND, 0, 10);
	check_write(a, 4, 4, 0, 10);
}

static void reports_what_was_written_before_a_failure(void **state)
{
	static const int none[] = {-ENOSPC}, some[] = {7, -ENOSPC}, silent[] = {2, 0};

	(void)state;
	check_write(none, 1, FFFA_IO_APPEND, -ENOSPC, 0);
	check_write(some, 2, FFFA_IO_APPEND, -ENOSPC, 7);
	check_write(some, 2, 4, -ENOSPC, 7);
	check_write(silent, 2, 4, -EIO, 2);
}

static void nothing_to_write_is_no_call(void **state)
{
	struct iovec v[] = {{NULL, 0}, {NULL, 0}};

	(void)state;
	calls = 0;
	assert_int_equal(fffa_io_write_all(-1, v, 2, FFFA_IO_APPEND, NULL), 0);
	assert_int_equal(fffa_io_write_all(-1, NULL, 0, 0, NULL), 0);
	assert_int_equal(calls, 0);
}

static void reads_regular_files_only(void **state)
{
	char dir[] = "fffa-io-XXXXXX", path[64], *text = NULL;
	size_t len = 0;

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/x", dir);
	files_write(path, "a\0b", 3);
	assert_int_equal(fffa_io_read_regular(path, 3, &text, &len), 0);
	assert_int_equal(len, 3);
	assert_memory_equal(text, "a\0b", 4);
	free(text);
	assert_int_equal(fffa_io_read_regular(path, 2, &text, &len), -EFBIG);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(fffa_io_read_regular(path, 3, &text, &len), -ENOENT);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(fffa_io_open_regular(AT_FDCWD, path, O_RDONLY), -EMEDIUMTYPE);
	assert_int_equal(fffa_io_open_regular(AT_FDCWD, path, O_WRONLY), -EMEDIUMTYPE);
	assert_int_equal(fffa_io_open_regular(AT_FDCWD, "/dev/zero", O_RDONLY), -EMEDIUMTYPE);
	assert_int_equal(fffa_io_open_regular(AT_FDCWD, dir, O_RDONLY), -EISDIR);
	assert_string_equal(fffa_io_strerror(-EMEDIUMTYPE), "not a regular file");
	files_remove(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_write_is_enough),
		cmocka_unit_test(goes_on_after_a_short_write),
		cmocka_unit_test(the_count_may_be_left_out),
		cmocka_unit_test(goes_on_after_a_signal),
		cmocka_unit_test(reports_what_was_written_before_a_failure),
		cmocka_unit_test(nothing_to_write_is_no_call),
		cmocka_unit_test(reads_regular_files_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
