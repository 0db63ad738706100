// SPDX-License-Identifier: MIT
/* Rotation of a real file: every record is there once, in whole batches; retention of old files. */
#include "tests/stubs/cmocka_all.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "sinks/file/plain/rotated_name.h"
#include "sinks/file/plain/retention.h"
#include "tests/stubs/make_batch.h"
#include "tests/stubs/sink_fixture.h"
#include "tests/unit/sinks/file_fixture.h"

#define HEAD "h\n"
/* 31 years: none ends during a test. */
#define INTERVAL_NS (INT64_C(1000000000) * INT64_C(1000000000))

static int setup(void **state)
{
	struct file_fixture *p;

	if (file_fixture_setup(state))
		return -1;
	p = *state;
	p->conf.rotate.size_bytes = 1000;
	return 0;
}

/* Reads the names in the folder, sorted; the caller frees each and the list. */
static int names(const struct file_fixture *p, struct dirent ***out)
{
	int n = scandir(p->dir, out, NULL, alphasort), kept = 0;

	assert_true(n >= 2);
	for (int i = 0; i < n; i++) {
		if ((*out)[i]->d_name[0] == '.')
			free((*out)[i]);
		else
			(*out)[kept++] = (*out)[i];
	}
	return kept;
}

static void free_names(struct dirent **list, int n)
{
	for (int i = 0; i < n; i++)
		free(list[i]);
	free(list);
}

static void touch(const struct file_fixture *p, const char *name, const char *text)
{
	char path[400];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", p->dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

/* The folder holds exactly these names. want: each behind a space, in the order of strcmp. */
static void expect_names(const struct file_fixture *p, const char *want)
{
	struct dirent **list;
	int n = names(p, &list);
	char all[1024] = "";
	size_t len = 0;

	for (int i = 0; i < n; i++) {
		len += (size_t)snprintf(all + len, sizeof(all) - len, " %s", list[i]->d_name);
		assert_true(len < sizeof(all));
	}
	assert_string_equal(all, want);
	free_names(list, n);
}

struct reading {
	uint64_t seq; /* the next one */
	size_t files;
};

/* The file begins with the header and goes on in the sequence. */
static void read_file(const struct file_fixture *p, const char *name, long most, struct reading *r)
{
	char path[400], line[256];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", p->dir, name);
	f = fopen(path, "r");
	assert_non_null(f);
	assert_non_null(fgets(line, sizeof(line), f));
	assert_string_equal(line, HEAD);
	while (fgets(line, sizeof(line), f))
		assert_int_equal(strtoull(line, NULL, 10), r->seq++);
	assert_true(ftell(f) <= most);
	(void)fclose(f);
	r->files++;
}

static int by_number(const struct dirent **a, const struct dirent **b)
{
	struct fffa_rotated_name ra, rb;
	bool a_old = fffa_rotated_name_parse("flows.log", (*a)->d_name, &ra);
	bool b_old = fffa_rotated_name_parse("flows.log", (*b)->d_name, &rb);

	if (!a_old || !b_old)
		return b_old - a_old; /* the file that is written to is the newest */
	return fffa_rotated_name_compare(&ra, &rb);
}

static int no_dots(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

/* Reads all files, from the oldest on; none is larger than most bytes. */
static struct reading read_some(const struct file_fixture *p, long most)
{
	struct reading r = {.seq = 1};
	struct dirent **list;
	int n = scandir(p->dir, &list, no_dots, by_number);

	for (int i = 0; i < n; i++)
		read_file(p, list[i]->d_name, most, &r);
	free_names(list, n);
	return r;
}

static struct reading read_all(const struct file_fixture *p)
{
	return read_some(p, 1000);
}

static void send_some(struct sink_fixture *r, uint64_t *seq, int batches)
{
	for (int i = 0; i < batches; i++) {
		struct fixture_delivery d = {0};

		assert_int_equal(sink_fixture_send(r, &d, make_batch(*seq, 3, 100)).verdict,
				 FFFA_V_DELIVERED);
		*seq += 3;
		fixture_delivery_fini(&d);
	}
}

static void apply_retention(struct file_fixture *p, int64_t max_files,
			    enum fffa_file_compression kind)
{
	const atomic_bool cancel = false;

	assert_int_equal(fffa_plain_retention_apply(p->path, max_files, kind, &cancel), 0);
}

static void every_record_once_over_all_files(void **state)
{
	struct file_fixture *p = *state;
	struct sink_fixture r;
	struct reading got;
	uint64_t seq = 1;

	p->conf.sync = FFFA_FILE_SYNC_BATCH;
	sink_fixture_create(&r, &fffa_sink_file_ops, &p->conf, HEAD);
	assert_int_equal(sink_fixture_start(&r), 0);
	send_some(&r, &seq, 40);
	sink_fixture_close(&r);
	got = read_all(p);
	assert_int_equal(got.seq, seq);
	assert_int_equal(got.files, 14); /* three batches of 300 bytes in each */

	/* After a start the sink goes on with what is there. */
	sink_fixture_create(&r, &fffa_sink_file_ops, &p->conf, HEAD);
	assert_int_equal(sink_fixture_start(&r), 0);
	send_some(&r, &seq, 2);
	got = read_all(p);
	assert_int_equal(got.seq, seq);
	assert_int_equal(got.files, 14);
	send_some(&r, &seq, 1);
	sink_fixture_close(&r);
	got = read_all(p);
	assert_int_equal(got.seq, seq);
	assert_int_equal(got.files, 15);
}

static void last_interval_is_put_aside(void **state)
{
	struct file_fixture *p = *state;
	const struct timespec then[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
	struct sink_fixture r;
	struct reading got;
	uint64_t seq = 3;

	p->conf.rotate.size_bytes = 0;
	p->conf.rotate.interval_ns = INTERVAL_NS;
	touch(p, "flows.log", HEAD "1 \n2 \n");
	assert_int_equal(utimensat(AT_FDCWD, p->path, then, 0), 0);
	sink_fixture_create(&r, &fffa_sink_file_ops, &p->conf, HEAD);
	assert_int_equal(sink_fixture_start(&r), 0);
	send_some(&r, &seq, 1);
	sink_fixture_close(&r);
	got = read_all(p);
	assert_int_equal(got.seq, seq);
	assert_int_equal(got.files, 2);
}

/* A file that was written to in this interval goes on after a restart. */
static void this_interval_goes_on(void **state)
{
	struct file_fixture *p = *state;
	struct sink_fixture r;
	struct reading got;
	uint64_t seq = 3;

	p->conf.rotate.size_bytes = 0;
	p->conf.rotate.interval_ns = INTERVAL_NS;
	touch(p, "flows.log", HEAD "1 \n2 \n");
	sink_fixture_create(&r, &fffa_sink_file_ops, &p->conf, HEAD);
	assert_int_equal(sink_fixture_start(&r), 0);
	send_some(&r, &seq, 1);
	sink_fixture_close(&r);
	got = read_all(p);
	assert_int_equal(got.seq, seq);
	assert_int_equal(got.files, 1);
}

/* The timer rotates a file without a batch; here after a second. */
static void an_idle_file_is_put_aside(void **state)
{
	struct file_fixture *p = *state;
	struct dirent **list;
	struct sink_fixture r;
	uint64_t seq = 1;
	int n = 0;

	p->conf.rotate.interval_ns = 1000000000;
	sink_fixture_create(&r, &fffa_sink_file_ops, &p->conf, HEAD);
	assert_int_equal(sink_fixture_start(&r), 0);
	send_some(&r, &seq, 1);
	for (int turns = 0; n != 2; turns++) {
		assert_true(turns < 20000);
		(void)uv_run(&r.loop, UV_RUN_NOWAIT);
		(void)usleep(1000);
		n = names(p, &list);
		free_names(list, n);
	}
	sink_fixture_close(&r);
	assert_int_equal(read_all(p).seq, seq);
}

/* If the file cannot be renamed, the sink goes on with it and loses nothing. */
static void failed_rotation_goes_on_in_the_old_file(void **state)
{
	struct file_fixture *p = *state;
	char moved[128], old[400];
	struct dirent **list;
	struct sink_fixture r;
	uint64_t seq = 1;
	struct stat st;
	int n;

	sink_fixture_create(&r, &fffa_sink_file_ops, &p->conf, HEAD);
	assert_int_equal(sink_fixture_start(&r), 0);
	send_some(&r, &seq, 3);
	(void)snprintf(moved, sizeof(moved), "%s-moved", p->dir);
	assert_int_equal(rename(p->dir, moved), 0);
	send_some(&r, &seq, 2);
	assert_int_equal(rename(moved, p->dir), 0);
	n = names(p, &list);
	assert_int_equal(n, 1); /* the next try comes after some seconds */
	free_names(list, n);
	sink_fixture_close(&r);
	(void)snprintf(old, sizeof(old), "%s/flows.log", p->dir);
	assert_int_equal(stat(old, &st), 0);
	assert_int_equal(st.st_size, 2 + 1500);
}

/*
 * The file is renamed, then no descriptor can be had for a new one: it gets its name back. The limit
 * lies below all that the sink has open, so it also holds while the other thread closes a folder.
 */
static void no_new_file_no_rotation(void **state)
{
	struct file_fixture *p = *state;
	struct rlimit old, none;
	struct sink_fixture r;
	struct reading got;
	uint64_t seq = 1;

	sink_fixture_create(&r, &fffa_sink_file_ops, &p->conf, HEAD);
	assert_int_equal(sink_fixture_start(&r), 0);
	send_some(&r, &seq, 3);
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		assert_true(fcntl(fd, F_GETFD) >= 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	none = (struct rlimit){.rlim_cur = STDERR_FILENO + 1, .rlim_max = old.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	send_some(&r, &seq, 2);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	sink_fixture_close(&r);
	expect_names(p, " flows.log");
	got = read_some(p, 2000);
	assert_int_equal(got.seq, seq);
}

/* After the clock was set back a rotated file still sorts as the newest, the last to be deleted. */
static void names_rise_whatever_the_clock_does(void **state)
{
	static const char want[] = " flows.log"
				   " flows.log.20990101T000000Z-10"
				   " flows.log.20990101T000000Z-11";
	struct file_fixture *p = *state;
	struct sink_fixture r;
	uint64_t seq = 1;

	touch(p, "flows.log.20990101T000000Z-9.gz", "x");
	p->conf.rotate.max_files = 2;
	sink_fixture_create(&r, &fffa_sink_file_ops, &p->conf, HEAD);
	assert_int_equal(sink_fixture_start(&r), 0);
	send_some(&r, &seq, 7);
	sink_fixture_close(&r);
	apply_retention(p, 2, FFFA_FILE_COMPRESS_NONE);
	expect_names(p, want);
}

/* logrotate has moved the file: the sink opens a new one and renames nothing. */
static void a_file_that_was_moved_is_only_opened_again(void **state)
{
	static const char want[] = " flows.log"
				   " flows.log.1";
	struct file_fixture *p = *state;
	char moved[128];
	struct sink_fixture r;
	uint64_t seq = 1;

	sink_fixture_create(&r, &fffa_sink_file_ops, &p->conf, HEAD);
	assert_int_equal(sink_fixture_start(&r), 0);
	send_some(&r, &seq, 3);
	(void)snprintf(moved, sizeof(moved), "%s.1", p->path);
	assert_int_equal(rename(p->path, moved), 0);
	send_some(&r, &seq, 3);
	sink_fixture_close(&r);
	expect_names(p, want);
}

static void through_a_symbolic_link(void **state)
{
	struct file_fixture *p = *state;
	char real[128];
	struct sink_fixture r;
	struct stat st;
	uint64_t seq = 1;

	(void)snprintf(real, sizeof(real), "%s/real.log", p->dir);
	assert_int_equal(symlink("real.log", p->path), 0);
	sink_fixture_create(&r, &fffa_sink_file_ops, &p->conf, HEAD);
	assert_int_equal(sink_fixture_start(&r), 0);
	send_some(&r, &seq, 4);
	sink_fixture_close(&r);
	assert_int_equal(lstat(p->path, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(stat(real, &st), 0);
	assert_int_equal(st.st_size, 2 + 300);
}

static void the_oldest_go_and_others_stay(void **state)
{
	static const char want[] = " flows.log"
				   " flows.log.1"
				   " flows.log.20260511T101500Z-10"
				   " flows.log.20260511T101501Z.zst"
				   " flows.log.20260511T101502Z"
				   " other.20200101T000000Z";
	struct file_fixture *p = *state;

	touch(p, "flows.log", "x");
	touch(p, "flows.log.1", "x");
	touch(p, "other.20200101T000000Z", "x");
	touch(p, "flows.log.20260511T101500Z", "x");
	touch(p, "flows.log.20260511T101500Z-9.gz", "x");
	touch(p, "flows.log.20260511T101500Z-10", "x");
	touch(p, "flows.log.20260511T101501Z", "x"); /* a crash came before this was deleted */
	touch(p, "flows.log.20260511T101501Z.zst", "x");
	touch(p, "flows.log.20260511T101502Z.zst.tmp", "x");
	touch(p, "flows.log.20260511T101502Z", "x");
	apply_retention(p, 3, FFFA_FILE_COMPRESS_NONE);
	expect_names(p, want);
	apply_retention(p, 0, FFFA_FILE_COMPRESS_NONE);
	expect_names(p, want);
}

static void run_tool(const char *fmt, const struct file_fixture *p)
{
	char command[400];

	(void)snprintf(command, sizeof(command), fmt, p->dir);
	assert_int_equal(system(command), 0); /* NOLINT: a fixed command on a folder of ours */
}

static void old_ones_are_compressed(void **state)
{
	static const char gzip[] = " flows.log"
				   " flows.log.20260511T101500Z.gz"
				   " flows.log.20260511T101501Z-2.gz";
	static const char zstd[] = " flows.log"
				   " flows.log.20260511T101500Z.gz"
				   " flows.log.20260511T101501Z-2.gz"
				   " flows.log.20260511T101502Z.zst";
	struct file_fixture *p = *state;
	struct stat st;
	char path[400];

	touch(p, "flows.log", "x");
	touch(p, "flows.log.20260511T101500Z", "hello\n");
	touch(p, "flows.log.20260511T101501Z-2", "");
	(void)snprintf(path, sizeof(path), "%s/flows.log.20260511T101500Z", p->dir);
	assert_int_equal(chmod(path, 0604), 0);
	apply_retention(p, 24, FFFA_FILE_COMPRESS_GZIP);
	expect_names(p, gzip);
	(void)snprintf(path, sizeof(path), "%s/flows.log.20260511T101500Z.gz", p->dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0604);
	run_tool("gzip -t %s/*.gz", p);
	run_tool("test \"$(gzip -dc %s/*Z.gz)\" = hello", p);
	touch(p, "flows.log.20260511T101502Z", "again\n");
	apply_retention(p, 24, FFFA_FILE_COMPRESS_ZSTD);
	expect_names(p, zstd);
	run_tool("zstd -qt %s/*.zst", p);
	run_tool("test \"$(zstd -dcq %s/*.zst)\" = again", p);
}

static void cancelled_compression_leaves_the_source(void **state)
{
	static const char want[] = " flows.log.20260511T101500Z";
	struct file_fixture *p = *state;
	const atomic_bool cancel = true;

	touch(p, "flows.log.20260511T101500Z", "hello\n");
	assert_int_equal(fffa_plain_retention_apply(p->path, 0, FFFA_FILE_COMPRESS_ZSTD, &cancel),
			 0);
	expect_names(p, want);
}

static void mode_is_exact(void **state)
{
	struct file_fixture *p = *state;
	struct sink_fixture r;
	struct stat st;
	mode_t old = umask(077);

	p->conf.mode = (char[]){"0664"};
	sink_fixture_create(&r, &fffa_sink_file_ops, &p->conf, "");
	assert_int_equal(sink_fixture_start(&r), 0);
	sink_fixture_close(&r);
	(void)umask(old);
	assert_int_equal(stat(p->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0664);
}

static void put_fact(void *arg, const char *key, const char *value)
{
	char(*facts)[512] = arg;
	size_t n = strlen(*facts);

	(void)snprintf(*facts + n, sizeof(*facts) - n, "%s=%s ", key, value);
}

static void report_shows_the_file(void **state)
{
	struct file_fixture *p = *state;
	char facts[512] = "";
	struct sink_fixture r;
	uint64_t seq = 1;

	sink_fixture_create(&r, &fffa_sink_file_ops, &p->conf, HEAD);
	assert_int_equal(sink_fixture_start(&r), 0);
	send_some(&r, &seq, 4);
	fffa_sink_file_ops.report(r.sink, put_fact, &facts);
	sink_fixture_close(&r);
	assert_non_null(strstr(facts, p->path));
	assert_non_null(strstr(facts, "file_bytes=302 "));
	assert_non_null(strstr(facts, "rotated_at=2"));
	assert_non_null(strstr(facts, "errors=0 "));
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, file_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(every_record_once_over_all_files),
		CASE(last_interval_is_put_aside),
		CASE(this_interval_goes_on),
		CASE(an_idle_file_is_put_aside),
		CASE(failed_rotation_goes_on_in_the_old_file),
		CASE(no_new_file_no_rotation),
		CASE(a_file_that_was_moved_is_only_opened_again),
		CASE(names_rise_whatever_the_clock_does),
		CASE(through_a_symbolic_link),
		CASE(the_oldest_go_and_others_stay),
		CASE(old_ones_are_compressed),
		CASE(cancelled_compression_leaves_the_source),
		CASE(mode_is_exact),
		CASE(report_shows_the_file),
	};

	(void)signal(SIGPIPE, SIG_IGN); /* as main does */
	(void)signal(SIGXFSZ, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
