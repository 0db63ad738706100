// SPDX-License-Identifier: MIT
/*
 * Plain files when the system says no once, at each place where it can: what is there stays as it
 * is, and the log says what was not done.
 */
#include "tests/stubs/cmocka_all.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/format.h"
#include "sinks/file/aws/aws_layout.h"
#include "sinks/file/plain/compress.h"
#include "sinks/file/plain/inspect.h"
#include "sinks/file/plain/plain.h"
#include "sinks/file/plain/retention.h"
#include "tests/stubs/failing_alloc.h"
#include "tests/stubs/files.h"
#include "tests/unit/sinks/fault.h"
#include "tests/unit/sinks/file_fixture.h"
#include "tests/stubs/log_fixture.h"

#define LARGE ((size_t)400000)

static const atomic_bool never;

/* A record is a line that begins with r; one without its newline is whole when it ends in a dot. */
static enum fffa_found recognize(const void *recognizer, const uint8_t *p, size_t n, size_t *len)
{
	const uint8_t *end = memchr(p, '\n', n);

	(void)recognizer;
	*len = 0;
	if (!n || p[0] != 'r')
		return FFFA_FOUND_FOREIGN;
	if (!end)
		return p[n - 1] == '.' ? FFFA_FOUND_UNTERMINATED : FFFA_FOUND_TORN;
	*len = (size_t)(end - p) + 1;
	return FFFA_FOUND_RECORD;
}

struct inspected {
	struct log_fixture log;
	struct fffa_plain_target t;
	bool unfit;
};

/* Inspects a file with this text; the path in a log line is p->path. */
static void inspect(const struct file_fixture *p, const char *text, struct inspected *out)
{
	const struct fffa_sink_env sink = {
		.tag = "sink.test", .recognize = recognize, .format = FFFA_FORMAT_JSON};
	struct fffa_file_layout_env env = {.sink = &sink, .conf = &p->conf};
	struct fffa_err err;

	files_write(p->path, text, strlen(text));
	assert_int_equal(fffa_file_access_read(&p->conf, &env.access, &err), 0);
	assert_int_equal(fffa_plain_open(p->path, &env.access, false, &out->t, &err), 0);
	log_fixture_begin(&out->log);
	out->unfit = fffa_plain_inspect(&env, &out->t);
	log_fixture_end(&out->log);
	(void)close(out->t.fd);
}

static void expect_text(const struct file_fixture *p, const char *want)
{
	char *text = files_read(p->path, NULL);

	assert_string_equal(text, want);
	free(text);
}

/* What is found at the end of a file, what is done with it and said of it. */
static void the_end_of_a_file_is_logged(void **state)
{
	static const struct {
		const char *text, *then, *before, *log;
	} rows[] = {
		{"r1.\n", "r1.\n", "", ""},
		{"r1.\nr2", "r1.\n", "",
		 "%s ended within a record after a crash, cut back by 2 bytes"},
		{"r1.\nr2.", "r1.\nr2.", "\n",
		 "%s ended in a record without its newline; it gets one"},
		{"r1.\nx", "r1.\nx", "\n",
		 "%s ends in a line that is not a record of this sink; it gets a newline, and "
		 "records follow"},
		{"x\nr2", "x\nr2", "\n", "%s ends in a line that is not a record of this sink"},
		{"r1.\n\nr", "r1.\n\nr", "\n", "%s ends in a line that is not a record"},
	};
	struct file_fixture *p = *state;
	struct inspected in;
	char want[300];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		inspect(p, rows[i].text, &in);
		assert_false(in.unfit);
		expect_text(p, rows[i].then);
		assert_int_equal(in.t.size, strlen(rows[i].then));
		assert_int_equal(in.t.before.len, strlen(rows[i].before));
		if (in.t.before.len)
			assert_int_equal(*in.t.before.ptr, '\n');
		(void)snprintf(want, sizeof(want), rows[i].log, p->path);
		if (*want)
			assert_int_equal(log_fixture_count(&in.log, want), 1);
		else
			assert_string_equal(in.log.text, "");
	}
}

static void a_file_that_cannot_be_read_stays(void **state)
{
	static const struct {
		unsigned int turn;
		int error;
		const char *says;
	} rows[] = {{1, EIO, "Input/output error"},
		    {2, EISDIR, "Is a directory"},
		    {1, 0, "Input/output error"}, /* somebody has cut it meanwhile */
		    {2, 0, "Input/output error"}};
	struct file_fixture *p = *state;
	struct inspected in;
	char want[300];

	for (size_t i = 0; i <= sizeof(rows) / sizeof(rows[0]); i++) {
		bool memory = i == sizeof(rows) / sizeof(rows[0]);

		if (memory)
			failing_alloc_arm(1);
		else
			fault_arm(FAULT_PREAD, rows[i].turn, rows[i].error);
		inspect(p, "r1.\nr2", &in);
		assert_true(memory ? failing_alloc_fired() : fault.fired);
		failing_alloc_arm(0);
		fault_arm(FAULT_NONE, 0, 0);
		assert_false(in.unfit);
		expect_text(p, "r1.\nr2");
		assert_int_equal(in.t.before.len, 0);
		(void)snprintf(want, sizeof(want), "cannot check what is in %s: %s", p->path,
			       memory ? "Cannot allocate memory" : rows[i].says);
		assert_int_equal(log_fixture_count(&in.log, want), 1);
	}
}

static void a_torn_record_that_cannot_be_cut_off(void **state)
{
	struct file_fixture *p = *state;
	struct inspected in;
	char want[300];

	fault_arm(FAULT_FTRUNCATE, 1, EPERM);
	inspect(p, "r1.\nr2", &in);
	fault_arm(FAULT_NONE, 0, 0);
	expect_text(p, "r1.\nr2");
	assert_int_equal(in.t.size, 6);
	assert_int_equal(in.t.before.len, 1);
	(void)snprintf(want, sizeof(want),
		       "cannot cut off the torn record at the end of %s: Operation not permitted",
		       p->path);
	assert_int_equal(log_fixture_count(&in.log, want), 1);
	assert_int_equal(log_fixture_count(&in.log, "cut back"), 0);
}

/* Each read, write and allocation of a compression fails once: nothing is left of it. */
static void a_compression_that_fails_leaves_nothing(void **state)
{
	static const enum fault_call calls[] = {FAULT_READ, FAULT_WRITE};
	struct file_fixture *p = *state;
	int dir = open(p->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char *bytes = malloc(LARGE), to[128];
	struct stat st;
	uint64_t x = 88172645463325252u;

	for (size_t i = 0; i < LARGE; i++) {
		x = x * 6364136223846793005u + 1442695040888963407u;
		bytes[i] = (char)(x >> 56);
	}
	files_write(p->path, bytes, LARGE);
	free(bytes);
	(void)snprintf(to, sizeof(to), "%s/to", p->dir);
	for (int c = FFFA_FILE_COMPRESS_GZIP; c <= FFFA_FILE_COMPRESS_ZSTD; c++) {
		const enum fffa_file_compression kind = (enum fffa_file_compression)c;

		failing_alloc_arm(1);
		assert_int_equal(fffa_plain_compress(dir, "flows.log", "to", kind, &never),
				 -ENOMEM);
		failing_alloc_arm(0);
		for (size_t i = 0; i < 2; i++) {
			bool fired = true;
			unsigned int n = 0;

			while (fired) {
				int rc;

				fault_arm(calls[i], ++n, ENOSPC);
				rc = fffa_plain_compress(dir, "flows.log", "to", kind, &never);
				fired = fault.fired;
				assert_int_equal(rc, fired ? -ENOSPC : 0);
				assert_int_equal(stat(to, &st), fired ? -1 : 0);
			}
			assert_true(n > 3); /* it takes several */
			assert_int_equal(unlink(to), 0);
		}
		fault_arm(FAULT_READ, 2, EINTR); /* of no account */
		assert_int_equal(fffa_plain_compress(dir, "flows.log", "to", kind, &never), 0);
		assert_true(fault.fired);
		fault_arm(FAULT_NONE, 0, 0);
		assert_int_equal(unlink(to), 0);
	}
	(void)close(dir);
}

static void retention_without_memory_loses_nothing(void **state)
{
	struct file_fixture *p = *state;
	char old[128], compressed[160];
	bool fired = true;
	struct stat st;

	(void)snprintf(old, sizeof(old), "%s.20260511T101500Z", p->path);
	(void)snprintf(compressed, sizeof(compressed), "%s.gz", old);
	files_write(old, "x", 1);
	for (unsigned long n = 1; fired; n++) {
		int rc;

		failing_alloc_arm(n);
		rc = fffa_plain_retention_apply(p->path, 1, FFFA_FILE_COMPRESS_GZIP, &never);
		fired = failing_alloc_fired();
		failing_alloc_arm(0);
		assert_int_equal(rc, fired ? -ENOMEM : 0);
		assert_int_equal(stat(old, &st), fired ? 0 : -1);
		assert_int_equal(stat(compressed, &st), fired ? -1 : 0);
		assert_true(fired || n == 3); /* the list, the compressor */
	}
}

/* Each step of a compression fails once: the source stays, and no half of a file is left. */
static void retention_that_fails_is_done_again(void **state)
{
	static const struct {
		enum fault_call call;
		unsigned int turn;
		int error, want;
	} rows[] = {
		{FAULT_RENAMEAT, 1, EIO, -EIO}, {FAULT_UNLINKAT, 1, EROFS, -EROFS},
		{FAULT_FSYNC, 1, EIO, -EIO},	{FAULT_FSYNC, 2, EIO, -EIO},
		{FAULT_FCHMOD, 1, EIO, -EIO},	{FAULT_FCHOWN, 1, EIO, -EIO},
		{FAULT_CLOSE, 1, EIO, -EIO},
	};
	struct file_fixture *p = *state;
	char old[128], other[160];
	struct stat st;

	(void)snprintf(old, sizeof(old), "%s.20260511T101500Z", p->path);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		files_write(old, "x", 1);
		fault_arm(rows[i].call, rows[i].turn, rows[i].error);
		assert_int_equal(
			fffa_plain_retention_apply(p->path, 1, FFFA_FILE_COMPRESS_GZIP, &never),
			rows[i].want);
		assert_true(fault.fired);
		fault_arm(FAULT_NONE, 0, 0);
		assert_int_equal(stat(old, &st), 0);
		(void)snprintf(other, sizeof(other), "%s.gz.tmp", old);
		assert_int_equal(stat(other, &st), -1);
		assert_int_equal(
			fffa_plain_retention_apply(p->path, 1, FFFA_FILE_COMPRESS_GZIP, &never), 0);
		assert_int_equal(stat(old, &st), -1);
		(void)snprintf(other, sizeof(other), "%s.gz", old);
		assert_int_equal(unlink(other), 0);
	}
	files_write(old, "x", 1);
	fault_arm(FAULT_FCHOWN, 1, EPERM); /* it stays this user's own */
	assert_int_equal(fffa_plain_retention_apply(p->path, 1, FFFA_FILE_COMPRESS_GZIP, &never),
			 0);
	assert_true(fault.fired);
	fault_arm(FAULT_UNLINKAT, 1, ENOENT); /* somebody else was first */
	(void)snprintf(other, sizeof(other), "%s.20260511T101501Z", p->path);
	files_write(other, "x", 1);
	assert_int_equal(fffa_plain_retention_apply(p->path, 1, FFFA_FILE_COMPRESS_NONE, &never),
			 0);
	assert_true(fault.fired);
	fault_arm(FAULT_NONE, 0, 0);
}

/* Nothing is compressed in vain, time after time. */
static void a_folder_with_the_name_of_the_compressed_file(void **state)
{
	struct file_fixture *p = *state;
	char old[128], folder[160];
	struct stat st;

	(void)snprintf(old, sizeof(old), "%s.20260511T101500Z", p->path);
	(void)snprintf(folder, sizeof(folder), "%s.gz", old);
	files_write(old, "x", 1);
	assert_int_equal(mkdir(folder, 0700), 0);
	fault_arm(FAULT_NONE, 0, 0);
	assert_int_equal(fffa_plain_retention_apply(p->path, 1, FFFA_FILE_COMPRESS_GZIP, &never),
			 -EISDIR);
	assert_int_equal(fault.seen[FAULT_READ], 0);
	assert_int_equal(stat(old, &st), 0);
	assert_int_equal(rmdir(folder), 0);
	assert_int_equal(fffa_plain_retention_apply(p->path, 1, FFFA_FILE_COMPRESS_GZIP, &never),
			 0);
	assert_true(fault.seen[FAULT_READ] > 0);
	assert_int_equal(stat(old, &st), -1);
}

/* A new file that cannot be given its owner or mode is not left behind. */
static void a_file_that_cannot_be_made(void **state)
{
	struct file_fixture *p = *state;
	struct fffa_file_access access;
	struct fffa_plain_target t;
	struct fffa_err err;
	struct stat st;

	assert_int_equal(fffa_file_access_read(&p->conf, &access, &err), 0);
	for (int i = 0; i < 2; i++) {
		fault_arm(i ? FAULT_FCHMOD : FAULT_FCHOWN, 1, EPERM);
		assert_int_equal(fffa_plain_open(p->path, &access, false, &t, &err), -EPERM);
		assert_non_null(strstr(err.text, "no permission to write"));
		fault_arm(FAULT_NONE, 0, 0);
		assert_int_equal(stat(p->path, &st), -1);
	}
}

static void nothing_goes_without_descriptors(void **state)
{
	struct file_fixture *p = *state;
	struct fffa_plain_target t = {.regular = true, .named = true, .size = 6};
	const struct fffa_sink_env sink = {.tag = "sink.test", .recognize = recognize};
	struct fffa_file_layout_env env = {.sink = &sink, .conf = &p->conf};
	struct log_fixture log;
	struct fffa_err err;
	char want[300];
	int dir = open(p->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	files_write(p->path, "r1.\nr2", 6);
	assert_int_equal(fffa_file_access_read(&p->conf, &env.access, &err), 0);
	t.fd = open(p->path, O_WRONLY | O_APPEND | O_CLOEXEC);
	log_fixture_begin(&log);
	fault_no_descriptors(true);
	assert_int_equal(fffa_plain_open(p->path, &env.access, false, &t, &err), -EMFILE);
	assert_int_equal(
		fffa_plain_compress(dir, "flows.log", "to", FFFA_FILE_COMPRESS_ZSTD, &never),
		-EMFILE);
	assert_int_equal(fffa_plain_retention_apply(p->path, 1, FFFA_FILE_COMPRESS_NONE, &never),
			 -EMFILE);
	assert_false(fffa_plain_inspect(&env, &t));
	fault_no_descriptors(false);
	log_fixture_end(&log);
	expect_text(p, "r1.\nr2");
	(void)snprintf(want, sizeof(want), "path: cannot open %s: Too many open files", p->path);
	assert_string_equal(err.text, want);
	(void)snprintf(want, sizeof(want), "cannot check what is in %s: Too many open files",
		       p->path);
	assert_int_equal(log_fixture_count(&log, want), 1);
	(void)close(t.fd);
	(void)close(dir);
}

static void open_without_memory(const struct file_fixture *p,
				const struct fffa_file_layout_ops *ops, unsigned long allocations)
{
	const struct fffa_sink_env sink = {.tag = "sink.test", .format = FFFA_FORMAT_VPC};
	struct fffa_file_layout_env env = {.sink = &sink, .conf = &p->conf};
	struct fffa_err err;

	assert_int_equal(fffa_file_access_read(&p->conf, &env.access, &err), 0);
	for (unsigned long n = 1; n <= allocations; n++) {
		struct fffa_file_layout *l = NULL;

		failing_alloc_arm(n);
		assert_int_equal(ops->open(&env, &l, &err), -ENOMEM);
		failing_alloc_arm(0);
		assert_string_equal(err.text, "no memory for the sink");
		assert_null(l);
		assert_int_equal(files_open(), p->open);
	}
}

static void layouts_without_memory(void **state)
{
	struct file_fixture *p = *state;

	open_without_memory(p, &fffa_file_plain_layout, 1);
	p->conf.path = p->dir;
	open_without_memory(p, &fffa_file_aws_layout, 2);
}

static void a_sink_without_memory(void **state)
{
	struct file_fixture *p = *state;
	struct fffa_sink *none = NULL;
	struct sink_fixture r;

	sink_fixture_create(&r, &fffa_sink_file_ops, &p->conf, "");
	for (unsigned long n = 1; n <= 2; n++) {
		failing_alloc_arm(n);
		assert_int_equal(fffa_sink_file_ops.create(&r.env, &p->conf, &none, &r.err),
				 -ENOMEM);
		failing_alloc_arm(0);
		assert_string_equal(r.err.text,
				    n == 1 ? "no memory for the sink"
					   : "cannot start a thread: Cannot allocate memory");
		assert_null(none);
	}
	sink_fixture_close(&r);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, file_fixture_setup, file_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(the_end_of_a_file_is_logged),
		CASE(a_file_that_cannot_be_read_stays),
		CASE(a_torn_record_that_cannot_be_cut_off),
		CASE(a_compression_that_fails_leaves_nothing),
		CASE(retention_without_memory_loses_nothing),
		CASE(retention_that_fails_is_done_again),
		CASE(a_folder_with_the_name_of_the_compressed_file),
		CASE(a_file_that_cannot_be_made),
		CASE(nothing_goes_without_descriptors),
		CASE(layouts_without_memory),
		CASE(a_sink_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
