// SPDX-License-Identifier: MIT
#include "tests/unit/capture/capture_text.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/stubs/cmocka_all.h"
#include "tests/stubs/files.h"

struct text text;
static char path[64];

void text_put(const void *bytes, size_t n)
{
	assert_true(text.n + n <= sizeof(text.b));
	memcpy(text.b + text.n, bytes, n);
	text.n += n;
}

void text_put16(uint16_t v)
{
	v = text.swapped ? __builtin_bswap16(v) : v;
	text_put(&v, sizeof(v));
}

void text_put32(uint32_t v)
{
	v = text.swapped ? __builtin_bswap32(v) : v;
	text_put(&v, sizeof(v));
}

void text_put64(uint64_t v)
{
	v = text.swapped ? __builtin_bswap64(v) : v;
	text_put(&v, sizeof(v));
}

void text_start(bool swapped)
{
	text.n = 0;
	text.swapped = swapped;
}

struct fffa_capture_file *text_open(void)
{
	struct fffa_capture_file *f = NULL;
	struct fffa_err err = {""};

	files_write(path, text.b, text.n);
	if (fffa_capture_file_open(path, &f, &err))
		fail_msg("%s", err.text);
	return f;
}

struct fffa_capture_packet text_next(struct fffa_capture_file *f)
{
	struct fffa_capture_packet p;
	struct fffa_err err = {""};

	memset(&p, 0xff, sizeof(p));
	if (fffa_capture_file_next(f, &p, &err) != 1)
		fail_msg("no packet: %s", err.text);
	return p;
}

void text_expect_end(struct fffa_capture_file *f)
{
	struct fffa_capture_packet p;
	struct fffa_err err = {""};

	assert_int_equal(fffa_capture_file_next(f, &p, &err), 0);
	fffa_capture_file_close(f);
}

/* The error begins with the path. */
static void expect_text(const struct fffa_err *err, const char *what)
{
	assert_memory_equal(err->text, path, strlen(path));
	assert_string_equal(err->text + strlen(path), what);
}

void text_expect_refused(int error, const char *what)
{
	struct fffa_capture_file *f = NULL;
	struct fffa_err err = {""};

	files_write(path, text.b, text.n);
	assert_int_equal(fffa_capture_file_open(path, &f, &err), -error);
	assert_null(f);
	expect_text(&err, what);
}

void text_expect_damaged(int error, const char *what)
{
	struct fffa_capture_file *f = text_open();
	struct fffa_capture_packet p;
	struct fffa_err err = {""};

	assert_int_equal(fffa_capture_file_next(f, &p, &err), -error);
	expect_text(&err, what);
	fffa_capture_file_close(f);
}

int text_group_setup(void **state)
{
	(void)state;
	(void)snprintf(path, sizeof(path), "/tmp/fffa-capture-%d", (int)getpid());
	return 0;
}

int text_group_teardown(void **state)
{
	(void)state;
	(void)unlink(path);
	return 0;
}
