// SPDX-License-Identifier: MIT
/*
 * A sink beside its writes: what it reports and logs, its timer, a path that opens later, and its
 * end at any time. Linked with --wrap of the two functions below.
 */
#include "tests/stubs/cmocka_all.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "agent/base/format.h"
#include "agent/loop/worker.h"
#include "sinks/file/writer.h"
#include "tests/stubs/files.h"
#include "tests/stubs/make_batch.h"
#include "tests/stubs/sink_fixture.h"
#include "tests/unit/sinks/file_fixture.h"
#include "tests/stubs/log_fixture.h"

#define TURNS	    20000					/* of 1 ms each */
#define INTERVAL_NS (INT64_C(1000000000) * INT64_C(1000000000)) /* 31 years */

static struct {
	unsigned int opened;
	unsigned int fails_at; /* the n-th open fails; 0: none */
} workers;

int __real_fffa_worker_open(struct uv_loop_s *loop, const char *name, struct fffa_worker **out);
int __wrap_fffa_worker_open(struct uv_loop_s *loop, const char *name, struct fffa_worker **out);

int __wrap_fffa_worker_open(struct uv_loop_s *loop, const char *name, struct fffa_worker **out)
{
	if (++workers.opened == workers.fails_at)
		return -EAGAIN;
	return __real_fffa_worker_open(loop, name, out);
}

/* The disk stands still: start does not see the file open. */
static bool is_stuck;

int __real_fffa_file_writer_await_files(struct fffa_file_writer *w, uint64_t timeout_ns,
					struct fffa_err *err);
int __wrap_fffa_file_writer_await_files(struct fffa_file_writer *w, uint64_t timeout_ns,
					struct fffa_err *err);

int __wrap_fffa_file_writer_await_files(struct fffa_file_writer *w, uint64_t timeout_ns,
					struct fffa_err *err)
{
	assert_int_equal(timeout_ns, UINT64_C(10000000000));
	return is_stuck ? -ETIMEDOUT : __real_fffa_file_writer_await_files(w, timeout_ns, err);
}

static void put_fact(void *arg, const char *key, const char *value)
{
	char(*facts)[512] = arg;
	size_t n = strlen(*facts);

	(void)snprintf(*facts + n, sizeof(*facts) - n, "%s=%s ", key, value);
}

/* The report is this text; %s in it is the path. */
static void expect_report(const struct sink_fixture *r, const char *fmt, const char *path)
{
	char facts[512] = "", want[512];

	fffa_sink_file_ops.report(r->sink, put_fact, &facts);
	(void)snprintf(want, sizeof(want), fmt, path);
	assert_string_equal(facts, want);
}

static void start(struct sink_fixture *r, const struct file_fixture *p, const char *head)
{
	sink_fixture_create(r, &fffa_sink_file_ops, &p->conf, head);
	assert_int_equal(sink_fixture_start(r), 0);
}

static enum fffa_verdict send_one(struct sink_fixture *r, uint64_t seq)
{
	struct fixture_delivery d = {0};
	enum fffa_verdict v = sink_fixture_send(r, &d, make_batch(seq, 1, 100)).verdict;

	fixture_delivery_fini(&d);
	return v;
}

/* Runs the loop until the path is there. */
static void await_file(struct sink_fixture *r, const char *path)
{
	struct stat st;

	for (int turns = 0; stat(path, &st); turns++) {
		assert_true(turns < TURNS);
		(void)uv_run(&r->loop, UV_RUN_NOWAIT);
		(void)usleep(1000);
	}
}

static void the_report_counts_failures(void **state)
{
	struct file_fixture *p = *state;
	struct sink_fixture r;

	start(&r, p, "h\n");
	assert_int_equal(send_one(&r, 1), FFFA_V_DELIVERED);
	expect_report(&r, "path=%s file_bytes=102 errors=0 ", p->path);
	files_limit_size(150);
	assert_int_equal(send_one(&r, 2), FFFA_V_RETRY);
	assert_int_equal(send_one(&r, 3), FFFA_V_RETRY);
	files_limit_size(RLIM_INFINITY);
	expect_report(&r, "path=%s file_bytes=102 errors=2 last_error=File too large ", p->path);
	assert_int_equal(send_one(&r, 4), FFFA_V_DELIVERED);
	expect_report(&r, "path=%s file_bytes=202 errors=2 last_error=File too large ", p->path);
	sink_fixture_close(&r);
	p->conf.path = (char[]){"/dev/null"};
	start(&r, p, "h\n"); /* it has no size */
	assert_int_equal(send_one(&r, 1), FFFA_V_DELIVERED);
	expect_report(&r, "path=%s errors=0 ", "/dev/null");
	sink_fixture_close(&r);
}

static struct fffa_outcome trouble; /* the last one; its detail is gone */

static void on_trouble(void *pipe, const struct fffa_outcome *o)
{
	struct sink_fixture *r = pipe;

	r->troubles++;
	trouble = *o;
	(void)snprintf(r->trouble, sizeof(r->trouble), "%s", o->detail);
}

/* One that was added to a running agent: start never fails, and the sink tries every two seconds. */
static void a_running_sink_tries_again(void **state)
{
	struct file_fixture *p = *state;
	struct fixture_delivery d = {0};
	struct sink_fixture r;
	char sub[96], file[128], want[300];
	uint64_t began;

	(void)snprintf(sub, sizeof(sub), "%s/sub", p->dir);
	(void)snprintf(file, sizeof(file), "%s/flows.log", sub);
	(void)snprintf(want, sizeof(want),
		       "path: the directory %s does not exist; create it or change path", sub);
	p->conf.path = file;
	sink_fixture_create(&r, &fffa_sink_file_ops, &p->conf, "h\n");
	r.env.running = true;
	r.env.trouble = on_trouble;
	began = uv_now(&r.loop);
	assert_int_equal(sink_fixture_start(&r), 0);
	assert_int_equal(sink_fixture_submit(&r, &d, make_batch(1, 1, 100)), -EAGAIN);
	sink_fixture_reopen(&r); /* there is nothing yet */
	while (r.troubles < 1)
		(void)uv_run(&r.loop, UV_RUN_ONCE);
	assert_string_equal(r.trouble, want);
	assert_int_equal(trouble.cause, -ENOENT);
	assert_int_equal(trouble.reason, -ENOENT);
	assert_true(trouble.repair);
	expect_report(&r, "path=%s errors=1 last_error=No such file or directory ", file);
	assert_int_equal(r.readies, 0);
	assert_int_equal(mkdir(sub, 0700), 0);
	while (!r.readies)
		(void)uv_run(&r.loop, UV_RUN_ONCE);
	assert_true(uv_now(&r.loop) - began >= 2000);
	assert_int_equal(r.troubles, 1);
	assert_int_equal(sink_fixture_again(&r, &d), 0);
	sink_fixture_wait(&r, &d);
	assert_int_equal(d.outcome.verdict, FFFA_V_DELIVERED);
	file_fixture_expect(file, "h\n", &d, NULL);
	assert_int_equal(r.readies, 1);
	sink_fixture_close(&r);
	fixture_delivery_fini(&d);
}

/* Nobody asks for it again when the sink ends at once. */
static void an_end_before_the_path_is_open(void **state)
{
	struct file_fixture *p = *state;
	struct fixture_delivery d = {0};
	struct sink_fixture r;
	char none[] = "no-such-folder/x";

	for (int missing = 0; missing < 2; missing++) {
		p->conf.path = missing ? none : p->path;
		sink_fixture_create(&r, &fffa_sink_file_ops, &p->conf, "h\n");
		r.env.running = true;
		assert_int_equal(sink_fixture_start(&r), 0);
		sink_fixture_close_begin(&r);
		assert_int_equal(sink_fixture_submit(&r, &d, make_batch(1, 1, 100)), -ECANCELED);
		fixture_delivery_fini(&d);
		sink_fixture_reopen(&r);
		sink_fixture_close_end(&r);
		assert_int_equal(r.troubles, 0);
		assert_int_equal(r.readies, 0);
	}
	sink_fixture_create(&r, &fffa_sink_file_ops, &p->conf, "h\n");
	sink_fixture_close(&r); /* never started */
}

static void a_disk_that_stands_still_at_the_start(void **state)
{
	struct file_fixture *p = *state;
	struct sink_fixture r;
	char want[200];

	is_stuck = true;
	sink_fixture_create(&r, &fffa_sink_file_ops, &p->conf, "h\n");
	assert_int_equal(sink_fixture_start(&r), -ETIMEDOUT);
	is_stuck = false;
	(void)snprintf(want, sizeof(want),
		       "%s: cannot be opened within 10 s; its disk stands still", p->path);
	assert_string_equal(r.err.text, want);
	sink_fixture_close(&r);
}

/* A delivery that is written while the sink ends is done first, as is the whole file of it. */
static void an_end_during_a_write(void **state)
{
	struct file_fixture *p = *state;
	struct fixture_delivery d = {0};
	struct sink_fixture r;

	start(&r, p, "");
	while (sink_fixture_submit(&r, &d, make_batch(1, 2000, 100)) == -EAGAIN) {
		fixture_delivery_fini(&d);
		(void)uv_run(&r.loop, UV_RUN_ONCE);
	}
	sink_fixture_reopen(&r); /* of no use any more */
	sink_fixture_close(&r);
	assert_int_equal(d.outcome.verdict, FFFA_V_DELIVERED);
	file_fixture_expect(p->path, "", &d, NULL);
	fixture_delivery_fini(&d);
}

/* Starts the sink and ends it. least, most: when its timer wakes the loop; 0 for most: never. */
static void check_timer(const struct file_fixture *p, uint64_t least_ms, uint64_t most_ms)
{
	struct sink_fixture r;
	uint64_t began;
	int wait_ms;

	sink_fixture_create(&r, &fffa_sink_file_ops, &p->conf, "");
	began = uv_now(&r.loop);
	assert_int_equal(sink_fixture_start(&r), 0);
	(void)uv_run(&r.loop, UV_RUN_NOWAIT); /* the loop tells it after a turn only */
	wait_ms = uv_backend_timeout(&r.loop);
	if (most_ms) {
		assert_true(wait_ms >= 0 && (uint64_t)wait_ms <= most_ms);
		assert_true(uv_now(&r.loop) + (uint64_t)wait_ms >= began + least_ms);
	} else {
		assert_true(wait_ms <= 0);
	}
	sink_fixture_reopen(&r); /* it is the same file, or objects that are not reopened */
	sink_fixture_close(&r);
}

static void the_timer_asks_when_something_may_be_due(void **state)
{
	struct file_fixture *p = *state;

	check_timer(p, 0, 0);
	p->conf.rotate.interval_ns = INTERVAL_NS;
	check_timer(p, 60000, 60000); /* before it is due: somebody may set the clock */
	p->conf.rotate.interval_ns = INT64_C(30000000000);
	check_timer(p, 1000, 30000);
	p->conf.layout = FFFA_FILE_LAYOUT_AWS;
	p->conf.path = p->dir;
	check_timer(p, 10000, 10000);
}

/* Only what rotates or has objects needs a second thread. */
static void threads_are_started_where_they_are_needed(void **state)
{
	static const struct {
		int layout;
		int64_t size, interval;
		unsigned int threads;
	} rows[] = {{FFFA_FILE_LAYOUT_PLAIN, 0, 0, 1},
		    {FFFA_FILE_LAYOUT_PLAIN, 1000, 0, 2},
		    {FFFA_FILE_LAYOUT_PLAIN, 0, INTERVAL_NS, 2},
		    {FFFA_FILE_LAYOUT_AWS, 0, 0, 2}};
	struct file_fixture *p = *state;
	struct sink_fixture r;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		p->conf.layout = rows[i].layout;
		p->conf.path = rows[i].layout ? p->dir : p->path;
		p->conf.rotate.size_bytes = rows[i].size;
		p->conf.rotate.interval_ns = rows[i].interval;
		workers.opened = 0;
		start(&r, p, "");
		assert_int_equal(workers.opened, rows[i].threads);
		sink_fixture_close(&r);
	}
}

static void a_thread_that_cannot_be_started(void **state)
{
	struct file_fixture *p = *state;
	struct fffa_sink *none = NULL;
	struct sink_fixture r;

	p->conf.rotate.size_bytes = 1000;
	sink_fixture_create(&r, &fffa_sink_file_ops, &p->conf, "");
	for (unsigned int n = 1; n <= 2; n++) {
		workers.opened = 0;
		workers.fails_at = n;
		assert_int_equal(fffa_sink_file_ops.create(&r.env, &p->conf, &none, &r.err),
				 -EAGAIN);
		assert_int_equal(workers.opened, n);
		assert_string_equal(r.err.text,
				    "cannot start a thread: Resource temporarily unavailable");
		assert_null(none);
	}
	workers.fails_at = 0;
	sink_fixture_close(&r);
}

/* What cannot be rotated, reopened or made anew is logged when it begins, not with each batch. */
static void lasting_failures_are_logged_once(void **state)
{
	struct file_fixture *p = *state;
	char moved[128], want[300];
	struct log_fixture log;
	struct sink_fixture r;

	p->conf.rotate.size_bytes = 250;
	start(&r, p, "h\n");
	log_fixture_begin(&log);
	for (uint64_t i = 1; i <= 2; i++)
		assert_int_equal(send_one(&r, i), FFFA_V_DELIVERED);
	assert_string_equal(log_fixture_read(&log), "");
	(void)snprintf(moved, sizeof(moved), "%s-moved", p->dir);
	assert_int_equal(rename(p->dir, moved), 0);
	for (uint64_t i = 3; i <= 5; i++)
		assert_int_equal(send_one(&r, i), FFFA_V_DELIVERED);
	sink_fixture_reopen(&r);
	assert_int_equal(send_one(&r, 6), FFFA_V_DELIVERED);
	assert_int_equal(rename(moved, p->dir), 0);
	log_fixture_end(&log);
	(void)snprintf(want, sizeof(want),
		       "cannot rotate the file, it stays in use: %s: No such file or directory",
		       p->path);
	assert_int_equal(log_fixture_count(&log, want), 1);
	assert_int_equal(log_fixture_count(&log, "cannot rotate"), 1);
	(void)snprintf(want, sizeof(want),
		       "cannot reopen, the old file stays in use: path: the directory %s does not "
		       "exist",
		       p->dir);
	assert_int_equal(log_fixture_count(&log, want), 1);
	sink_fixture_close(&r);
}

static void a_removed_file_is_logged(void **state)
{
	struct file_fixture *p = *state;
	struct log_fixture log;
	struct sink_fixture r;
	char want[300];

	start(&r, p, "h\n");
	log_fixture_begin(&log);
	assert_int_equal(unlink(p->path), 0);
	assert_int_equal(mkdir(p->path, 0700), 0);
	for (uint64_t i = 1; i <= 3; i++)
		assert_int_equal(send_one(&r, i), FFFA_V_RETRY);
	assert_int_equal(rmdir(p->path), 0);
	assert_int_equal(send_one(&r, 4), FFFA_V_DELIVERED);
	assert_int_equal(unlink(p->path), 0);
	assert_int_equal(mkdir(p->path, 0700), 0);
	assert_int_equal(send_one(&r, 5), FFFA_V_RETRY); /* another time, another line */
	assert_int_equal(rmdir(p->path), 0);
	log_fixture_end(&log);
	(void)snprintf(want, sizeof(want),
		       "%s was removed and cannot be made anew: path: %s is a directory", p->path,
		       p->path);
	assert_int_equal(log_fixture_count(&log, want), 2);
	(void)snprintf(want, sizeof(want), "%s was removed; it is made anew", p->path);
	assert_int_equal(log_fixture_count(&log, want), 1);
	sink_fixture_close(&r);
}

/* Rotated files of an earlier run, and each that comes, are compressed beside the writes. */
static void rotated_files_are_looked_after(void **state)
{
	struct file_fixture *p = *state;
	struct sink_fixture r;
	char old[128], path[160];

	(void)snprintf(old, sizeof(old), "%s.20990101T000000Z", p->path);
	files_write(old, "x", 1);
	p->conf.rotate.size_bytes = 250;
	p->conf.rotate.compress = FFFA_FILE_COMPRESS_GZIP;
	start(&r, p, "");
	(void)snprintf(path, sizeof(path), "%s.gz", old);
	await_file(&r, path);
	for (uint64_t i = 1; i <= 3; i++)
		assert_int_equal(send_one(&r, i), FFFA_V_DELIVERED);
	(void)snprintf(path, sizeof(path), "%s-1.gz", old); /* it sorts behind the other */
	await_file(&r, path);
	sink_fixture_close(&r);
}

/* Finds the only object below the folder. */
static void find_object(const char *folder, char *dst, size_t cap)
{
	char command[300];
	FILE *pipe;

	(void)snprintf(command, sizeof(command), "find %s -name '*.log.gz'", folder);
	pipe = popen(command, "r"); /* NOLINT: a fixed command on a folder of ours */
	assert_non_null(pipe);
	assert_non_null(fgets(dst, (int)cap, pipe));
	dst[strcspn(dst, "\n")] = '\0';
	assert_null(fgets(command, sizeof(command), pipe));
	assert_int_equal(pclose(pipe), 0);
}

/* The options are those of the objects; the end of the sink completes them. */
static void objects_are_as_configured(void **state)
{
	struct file_fixture *p = *state;
	struct fixture_delivery d = {0};
	struct log_fixture log;
	struct sink_fixture r;
	char object[300], text[256], want[300];
	struct stat st;
	gzFile in;

	p->conf = (struct fffa_sink_file_conf){.path = p->dir,
					       .layout = FFFA_FILE_LAYOUT_AWS,
					       .flow_log_id = (char[]){"fl-01234567"},
					       .mode = (char[]){"0604"}};
	start(&r, p, "h\n");
	assert_int_equal(send_one(&r, 1), FFFA_V_DELIVERED);
	find_object(p->dir, object, sizeof(object));
	assert_int_equal(unlink(object), 0);
	log_fixture_begin(&log);
	assert_int_equal(sink_fixture_send(&r, &d, make_batch(2, 1, 100)).verdict,
			 FFFA_V_DELIVERED);
	assert_int_equal(send_one(&r, 3), FFFA_V_DELIVERED);
	log_fixture_end(&log);
	(void)snprintf(want, sizeof(want),
		       "1 open objects in %s were removed; records go into new ones", p->dir);
	assert_int_equal(log_fixture_count(&log, want), 1);
	find_object(p->dir, object, sizeof(object));
	assert_non_null(strstr(object, "/unknown_vpcflowlogs_unknown_fl-01234567_"));
	assert_int_equal(stat(object, &st), 0);
	(void)snprintf(want, sizeof(want), "path=%%s file_bytes=%lld errors=0 ",
		       (long long)st.st_size);
	expect_report(&r, want, p->dir);
	sink_fixture_close(&r);
	find_object(p->dir, object, sizeof(object));
	assert_non_null(strstr(object, "/AWSLogs/"));
	assert_int_equal(stat(object, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0604);
	in = gzopen(object, "rb");
	assert_int_equal(gzread(in, text, sizeof(text)), 2 + 200);
	assert_int_equal(gzclose(in), Z_OK);
	assert_memory_equal(text, "h\n2 x", 5);
	assert_memory_equal(text + 2, fffa_batch_bytes(d.d.batch).ptr, 100);
	fixture_delivery_fini(&d);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, file_fixture_setup, file_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(the_report_counts_failures),
		CASE(a_running_sink_tries_again),
		CASE(an_end_before_the_path_is_open),
		CASE(a_disk_that_stands_still_at_the_start),
		CASE(an_end_during_a_write),
		CASE(the_timer_asks_when_something_may_be_due),
		CASE(threads_are_started_where_they_are_needed),
		CASE(a_thread_that_cannot_be_started),
		CASE(lasting_failures_are_logged_once),
		CASE(a_removed_file_is_logged),
		CASE(rotated_files_are_looked_after),
		CASE(objects_are_as_configured),
	};

	(void)signal(SIGXFSZ, SIG_IGN); /* as main does */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
