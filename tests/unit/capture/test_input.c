// SPDX-License-Identifier: MIT
/* Plain, gzip and zstd input: the same bytes, whatever the reads and the parts are. */
#include "agent/capture/replay/input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "tests/stubs/cmocka_all.h"
#include "tests/stubs/files.h"

#define TEXT_BYTES ((size_t)700 * 1000) /* several times what is read at once */
#define ROOM	   (2 * TEXT_BYTES)

/* The linker puts this in place of the C library's function. */
static int read_error; /* of the next read; 0: none */
ssize_t __real_read(int fd, void *buf, size_t n);
ssize_t __wrap_read(int fd, void *buf, size_t n);

ssize_t __wrap_read(int fd, void *buf, size_t n)
{
	if (!read_error)
		return __real_read(fd, buf, n);
	errno = read_error;
	read_error = 0;
	return -1;
}

struct fixture {
	char path[64];
	uint8_t *text, *packed, *got;
	size_t packed_bytes;
};

static int setup(void **state)
{
	struct fixture *x = calloc(1, sizeof(*x));
	uint32_t v = 1;

	if (!x)
		return -1;
	(void)snprintf(x->path, sizeof(x->path), "/tmp/fffa-input-%d", (int)getpid());
	x->text = malloc(TEXT_BYTES);
	x->packed = malloc(ROOM);
	x->got = malloc(ROOM);
	if (!x->text || !x->packed || !x->got)
		return -1;
	for (size_t i = 0; i < TEXT_BYTES; i++) {
		v = v * 1664525 + 1013904223;
		x->text[i] = (uint8_t)(v >> 30); /* compresses, but not to nothing */
	}
	*state = x;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *x = *state;

	(void)unlink(x->path);
	free(x->text);
	free(x->packed);
	free(x->got);
	free(x);
	return 0;
}

/* Appends text's bytes from..to as a gzip member or zstd frame. */
static void pack(struct fixture *x, bool gzip, size_t from, size_t to)
{
	uint8_t *dst = x->packed + x->packed_bytes;
	size_t room = ROOM - x->packed_bytes, n;
	z_stream z;

	if (!gzip) {
		n = ZSTD_compress(dst, room, x->text + from, to - from, 1);
		assert_false(ZSTD_isError(n));
		x->packed_bytes += n;
		return;
	}
	memset(&z, 0, sizeof(z));
	assert_int_equal(deflateInit2(&z, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = x->text + from;
	z.avail_in = (uInt)(to - from);
	z.next_out = dst;
	z.avail_out = (uInt)room;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	x->packed_bytes += room - z.avail_out;
	assert_int_equal(deflateEnd(&z), Z_OK);
}

/* Reads the file in pieces; every third is passed over. The result of the read that is the last. */
static ssize_t read_all(struct fixture *x, size_t piece, size_t *total, struct fffa_err *err)
{
	struct fffa_input *in = NULL;
	ssize_t n;

	assert_int_equal(fffa_input_open(x->path, &in, err), 0);
	*total = 0;
	for (int i = 1; (n = fffa_input_read(in, i % 3 ? x->got + *total : NULL, piece, err)) > 0;
	     i++) {
		if (i % 3 == 0)
			memcpy(x->got + *total, x->text + *total, (size_t)n);
		*total += (size_t)n;
		if ((size_t)n < piece)
			break;
	}
	if (n >= 0) /* the end stays the end */
		assert_int_equal(fffa_input_read(in, x->got + *total, piece, err), 0);
	fffa_input_close(in);
	return n;
}

static void expect_text(struct fixture *x, const void *bytes, size_t n)
{
	static const size_t pieces[] = {1000,	4096,	    131071,	   131072,
					131073, TEXT_BYTES, TEXT_BYTES + 1};
	struct fffa_err err = {""};

	files_write(x->path, bytes, n);
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		size_t total;

		memset(x->got, 0xee, ROOM);
		assert_true(read_all(x, pieces[i], &total, &err) >= 0);
		assert_int_equal(total, TEXT_BYTES);
		assert_memory_equal(x->got, x->text, TEXT_BYTES);
	}
}

static void test_plain(void **state)
{
	struct fixture *x = *state;

	expect_text(x, x->text, TEXT_BYTES);
}

static void test_compressed(void **state)
{
	struct fixture *x = *state;

	for (int gzip = 0; gzip < 2; gzip++) {
		x->packed_bytes = 0;
		pack(x, gzip, 0, TEXT_BYTES);
		expect_text(x, x->packed, x->packed_bytes);
		/* Parts follow each other, also empty ones. */
		x->packed_bytes = 0;
		pack(x, gzip, 0, 1);
		pack(x, gzip, 1, 1);
		pack(x, gzip, 1, 300000);
		pack(x, gzip, 300000, TEXT_BYTES);
		pack(x, gzip, TEXT_BYTES, TEXT_BYTES);
		expect_text(x, x->packed, x->packed_bytes);
	}
}

/* Much output from few bytes: the decompressor holds what found no room. */
static void test_what_compresses_well(void **state)
{
	struct fixture *x = *state;

	memset(x->text, 'a', TEXT_BYTES);
	for (int gzip = 0; gzip < 2; gzip++) {
		x->packed_bytes = 0;
		pack(x, gzip, 0, TEXT_BYTES);
		assert_true(x->packed_bytes < 10000);
		expect_text(x, x->packed, x->packed_bytes);
	}
}

static void expect_error(struct fixture *x, size_t n, const char *what)
{
	struct fffa_err err = {""};
	size_t total;

	files_write(x->path, x->packed, n);
	assert_int_equal(read_all(x, 4096, &total, &err), -EIO);
	assert_memory_equal(err.text, what, strlen(what));
}

static void test_what_is_cut_off_or_damaged(void **state)
{
	struct fixture *x = *state;

	for (int gzip = 0; gzip < 2; gzip++) {
		x->packed_bytes = 0;
		pack(x, gzip, 0, TEXT_BYTES);
		expect_error(x, x->packed_bytes - 1, "the compressed data is cut off");
		expect_error(x, x->packed_bytes / 2, "the compressed data is cut off");
		expect_error(x, 4, "the compressed data is cut off");
		memset(x->packed + x->packed_bytes / 2, 0xff, 100);
		expect_error(x, x->packed_bytes,
			     gzip ? "damaged gzip data" : "damaged zstd data: ");
	}
}

/* Two bytes are the magic of gzip, four that of zstd; with fewer a file is plain. */
static void test_short_files_are_plain(void **state)
{
	static const char *const texts[] = {"\x1f", "\x28\xb5\x2f", "\x28\xb5\x2f\xfe", "\x1f\x8a"};
	struct fixture *x = *state;
	struct fffa_err err = {""};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		size_t n = strlen(texts[i]), total;

		files_write(x->path, texts[i], n);
		assert_int_equal(read_all(x, 100, &total, &err), n);
		assert_int_equal(total, n);
		assert_memory_equal(x->got, texts[i], n);
	}
	files_write(x->path, "", 0);
	assert_int_equal(read_all(x, 100, &(size_t){0}, &err), 0);
}

static void test_what_cannot_be_read(void **state)
{
	struct fffa_input *in = NULL;
	struct fffa_err err = {""};

	(void)state;
	assert_int_equal(fffa_input_open("/nonexistent/file", &in, &err), -ENOENT);
	assert_string_equal(err.text, "/nonexistent/file: No such file or directory");
	assert_int_equal(fffa_input_open("/tmp", &in, &err), -EISDIR);
	assert_string_equal(err.text, "/tmp: Is a directory");
	assert_null(in);
	fffa_input_close(NULL);
}

/* A signal ends a read early, which is read again; an error ends the input, wherever in it that is. */
static void test_reads_that_fail(void **state)
{
	struct fixture *x = *state;
	struct fffa_input *in = NULL;
	struct fffa_err err = {""};

	for (int kind = 0; kind < 3; kind++) {
		x->packed_bytes = 0;
		if (kind)
			pack(x, kind == 1, 0, TEXT_BYTES);
		else
			memcpy(x->packed, x->text, x->packed_bytes = TEXT_BYTES);
		files_write(x->path, x->packed, x->packed_bytes);
		read_error = EINTR;
		assert_int_equal(fffa_input_open(x->path, &in, &err), 0);
		read_error = EINTR;
		assert_int_equal(fffa_input_read(in, x->got, 600000, &err), 600000);
		assert_memory_equal(x->got, x->text, 600000);
		read_error = EIO;
		assert_int_equal(fffa_input_read(in, x->got, 600000, &err), -EIO);
		assert_string_equal(err.text, "Input/output error");
		read_error = 0;
		fffa_input_close(in);
		in = NULL;
	}
	read_error = EIO;
	assert_int_equal(fffa_input_open(x->path, &in, &err), -EIO);
	assert_null(in);
}

/* Nothing is left open, and standard input is not closed. */
static void test_descriptors(void **state)
{
	int before = open("/dev/null", O_RDONLY), saved = dup(STDIN_FILENO), fd, after;
	struct fixture *x = *state;
	struct fffa_err err = {""};
	struct fffa_input *in;
	char byte;

	(void)close(before);
	files_write(x->path, "xyz", 3);
	assert_int_equal(fffa_input_open(x->path, &in, &err), 0);
	fffa_input_close(in);
	fd = open(x->path, O_RDONLY);
	assert_true(fd >= 0 && dup2(fd, STDIN_FILENO) == STDIN_FILENO);
	(void)close(fd);
	assert_int_equal(fffa_input_open("-", &in, &err), 0);
	assert_int_equal(fffa_input_read(in, &byte, 1, &err), 1);
	assert_int_equal(byte, 'x');
	fffa_input_close(in);
	assert_true(fcntl(STDIN_FILENO, F_GETFD) >= 0);
	(void)dup2(saved, STDIN_FILENO);
	(void)close(saved);
	after = open("/dev/null", O_RDONLY);
	assert_int_equal(after, before);
	(void)close(after);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_plain),
		T(test_compressed),
		T(test_what_compresses_well),
		T(test_what_is_cut_off_or_damaged),
		T(test_short_files_are_plain),
		T(test_what_cannot_be_read),
		T(test_reads_that_fail),
		T(test_descriptors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
