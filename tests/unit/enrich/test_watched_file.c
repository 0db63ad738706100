// SPDX-License-Identifier: MIT
/* A file of names: when it is read, what of it stays in use, and what is counted and logged. */
#include "agent/enrich/input/watched_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/clock.h"
#include "agent/loop/worker.h"
#include "tests/stubs/cmocka_all.h"
#include "tests/stubs/failing_alloc.h"
#include "tests/unit/enrich/worker_fake.h"
#include "tests/unit/enrich/fake_loop.h"

#define BYTES_MAX 32
#define LOOK_MS	  700

/* What is made of a text: the text, unless it begins with a "!". */
static int parse(const char *text, size_t len, void **out, struct fffa_err *err)
{
	char *made;

	if (text[0] == '!')
		return fffa_fail(err, EINVAL, "bad text %c", text[1]);
	made = calloc(1, len + 1);
	assert_non_null(made);
	memcpy(made, text, len);
	worker_fake.alive++;
	*out = made;
	return 0;
}

static void destroy(void *made)
{
	worker_fake.alive -= made ? 1 : 0;
	free(made);
}

static void log_use(const void *made, const char *path)
{
	(void)snprintf(fake_loop.log + strlen(fake_loop.log), 128, "uses %s of %s\n",
		       (const char *)made, path);
}

static const struct fffa_watched_kind kind = {
	.key = "metadata.names",
	.thread = "names",
	.missing = "names stay unknown",
	.bytes_max = BYTES_MAX,
	.parse = parse,
	.destroy = destroy,
	.log_use = log_use,
};

struct fixture {
	char path[64], other[80];
	struct fffa_watched_file *file;
	unsigned int changes, closed;
};

static void on_changed(void *arg)
{
	struct fixture *x = arg;

	x->changes++;
}

static void on_closed(void *arg)
{
	struct fixture *x = arg;

	x->closed++;
}

static int setup(void **state)
{
	struct fixture *x = calloc(1, sizeof(*x));

	if (!x)
		return -1;
	*state = x;
	memset(&worker_fake, 0, sizeof(worker_fake));
	fake_loop_reset();
	(void)snprintf(x->path, sizeof(x->path), "/tmp/fffa-watched-%d", (int)getpid());
	(void)snprintf(x->other, sizeof(x->other), "%s.new", x->path);
	return 0;
}

static int teardown(void **state)
{
	struct fixture *x = *state;

	(void)unlink(x->path);
	(void)rmdir(x->path);
	free(x);
	return 0;
}

/* Another file in the place of the one before. */
static void put(const struct fixture *x, const char *text)
{
	FILE *f = fopen(x->other, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(rename(x->other, x->path), 0);
}

static void set_time(const struct fixture *x, time_t s, long ns)
{
	struct timespec times[2] = {{.tv_sec = s, .tv_nsec = ns}, {.tv_sec = s, .tv_nsec = ns}};

	assert_int_equal(utimensat(AT_FDCWD, x->path, times, 0), 0);
}

static void watch_ns(struct fixture *x, uint64_t refresh_ns)
{
	assert_int_equal(fffa_watched_file_open(&fake_loop.loop, &kind, x->path, refresh_ns,
						on_changed, x, &x->file),
			 0);
}

static void watch(struct fixture *x)
{
	watch_ns(x, LOOK_MS * FFFA_NS_PER_MS);
}

/* The reading under way ends. */
static void end_reading(void)
{
	struct fffa_worker_job *job = worker_fake.job;

	assert_non_null(job);
	worker_fake.job = NULL;
	job->work(job->arg);
	job->done(job->arg);
}

/* The next look at the file, to its end. */
static void look(void)
{
	assert_null(worker_fake.job);
	assert_int_equal(fake_loop_due_in_ms(), LOOK_MS);
	fake_loop_fire();
	end_reading();
}

static void unwatch(struct fixture *x)
{
	fffa_watched_file_close(x->file, on_closed, x);
	assert_int_equal(x->closed, 0);
	fake_loop_close();
	assert_int_equal(x->closed, 0);
	worker_fake.closed(worker_fake.closed_arg);
	assert_int_equal(x->closed, 1);
	assert_int_equal(worker_fake.alive, 0);
}

static void expect(const struct fixture *x, const char *made, unsigned int changes, uint64_t errors)
{
	const char *got = fffa_watched_file_made(x->file);

	if (made)
		assert_string_equal(got, made);
	else
		assert_null(got);
	assert_int_equal(x->changes, changes);
	assert_int_equal(fffa_watched_file_errors(x->file), errors);
}

static void it_is_read_at_once_and_when_it_has_changed(void **state)
{
	struct fixture *x = *state;

	put(x, "one");
	set_time(x, 1000, 5);
	watch(x);
	assert_false(fffa_watched_file_settled(x->file));
	expect(x, NULL, 0, 0);
	assert_int_equal(fake_loop_due_in_ms(), FAKE_LOOP_NEVER);
	end_reading();
	assert_true(fffa_watched_file_settled(x->file));
	expect(x, "one", 1, 0);
	look();
	look();
	expect(x, "one", 1, 0);
	put(x, "two"); /* another file, as large and as old */
	set_time(x, 1000, 5);
	look();
	expect(x, "two", 2, 0);
	set_time(x, 1000, 6);
	look();
	expect(x, "two", 3, 0);
	set_time(x, 1001, 6);
	look();
	expect(x, "two", 4, 0);
	assert_int_equal(truncate(x->path, 2), 0);
	set_time(x, 1001, 6);
	look();
	expect(x, "tw", 5, 0);
	assert_int_equal(fake_loop_logged("uses one of /tmp/fffa-watched-"), 1);
	assert_int_equal(fake_loop_logged("uses two of"), 3);
	assert_int_equal(fake_loop_logged("uses tw of"), 1);
	assert_int_equal(worker_fake.alive, 1);
	unwatch(x);
}

static void the_last_good_one_stays(void **state)
{
	struct fixture *x = *state;

	put(x, "one");
	watch(x);
	end_reading();
	put(x, "!a");
	look();
	expect(x, "one", 1, 1);
	assert_int_equal(fake_loop_logged("W metadata.names: /tmp/"), 1);
	assert_int_equal(fake_loop_logged(": bad text a; the last good file stays in use"), 1);
	look(); /* the same file with the same problem */
	expect(x, "one", 1, 1);
	put(x, "!a"); /* another file with the same problem: counted, not logged */
	look();
	expect(x, "one", 1, 2);
	assert_int_equal(fake_loop_logged("W metadata.names"), 1);
	put(x, "!b");
	look();
	expect(x, "one", 1, 3);
	assert_int_equal(fake_loop_logged(": bad text b; the last good file stays in use"), 1);
	assert_int_equal(unlink(x->path), 0);
	look();
	look(); /* it is missed once */
	expect(x, "one", 1, 4);
	assert_int_equal(
		fake_loop_logged(": No such file or directory; the last good file stays in use"),
		1);
	put(x, "two");
	look();
	expect(x, "two", 2, 4);
	put(x, "!b"); /* a problem that was gone meanwhile is news */
	look();
	expect(x, "two", 2, 5);
	assert_int_equal(fake_loop_logged(": bad text b; "), 2);
	unwatch(x);
}

static void it_settles_without_a_file(void **state)
{
	struct fixture *x = *state;

	watch(x);
	end_reading();
	assert_true(fffa_watched_file_settled(x->file));
	expect(x, NULL, 1, 1);
	assert_int_equal(fake_loop_logged(": No such file or directory; names stay unknown"), 1);
	look();
	expect(x, NULL, 1, 1);
	assert_int_equal(mkdir(x->path, 0700), 0);
	look();
	expect(x, NULL, 1, 2);
	assert_int_equal(fake_loop_logged(": Is a directory; names stay unknown"), 1);
	assert_int_equal(rmdir(x->path), 0);
	put(x, "one");
	look();
	expect(x, "one", 2, 2);
	unwatch(x);
}

static void how_large_it_may_be(void **state)
{
	char text[BYTES_MAX + 2];
	struct fixture *x = *state;

	put(x, "");
	watch(x);
	end_reading();
	expect(x, NULL, 1, 1);
	assert_int_equal(fake_loop_logged(": is empty; names stay unknown"), 1);
	memset(text, 'x', sizeof(text));
	text[BYTES_MAX + 1] = '\0';
	put(x, text);
	look();
	expect(x, NULL, 1, 2);
	assert_int_equal(fake_loop_logged(": larger than 32 bytes; names stay unknown"), 1);
	text[BYTES_MAX] = '\0';
	put(x, text);
	look();
	expect(x, text, 2, 2);
	unwatch(x);
}

static void reads_that_are_short_and_interrupted(void **state)
{
	struct fixture *x = *state;

	put(x, "abcdefgh");
	worker_fake.bytewise = true;
	worker_fake.interrupted = 3;
	watch(x);
	end_reading();
	expect(x, "abcdefgh", 1, 0);
	assert_int_equal(worker_fake.interrupted, 0);
	unwatch(x);
}

/* What could not be read is read again, although it is the same file. */
static void reads_that_fail(void **state)
{
	struct fixture *x = *state;

	put(x, "one");
	watch(x);
	worker_fake.read_error = EIO;
	end_reading();
	expect(x, NULL, 1, 1);
	assert_int_equal(fake_loop_logged(": Input/output error; names stay unknown"), 1);
	look();
	look();
	expect(x, NULL, 1, 1); /* a disk that stays broken counts once */
	worker_fake.read_error = 0;
	look();
	expect(x, "one", 2, 1);
	unwatch(x);
}

static void no_memory_for_the_text(void **state)
{
	struct fixture *x = *state;

	put(x, "one");
	watch(x);
	failing_alloc_arm(1);
	end_reading();
	assert_true(failing_alloc_fired());
	failing_alloc_arm(0);
	expect(x, NULL, 1, 1);
	assert_int_equal(fake_loop_logged(": Cannot allocate memory; names stay unknown"), 1);
	look();
	expect(x, "one", 2, 1);
	unwatch(x);
}

static void how_often_it_is_looked_at(void **state)
{
	static const struct {
		uint64_t refresh_ns, want_ms;
	} rows[] = {
		{20 * FFFA_NS_PER_MS, 20},
		{9999 * FFFA_NS_PER_MS, 9999},
		{10 * FFFA_NS_PER_S, 10000},
		{600 * FFFA_NS_PER_S, 10000},
	};
	struct fixture *x = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		watch_ns(x, rows[i].refresh_ns);
		end_reading();
		assert_int_equal(fake_loop_due_in_ms(), rows[i].want_ms);
		unwatch(x);
		x->closed = 0;
	}
}

/* Settings were replaced: the new reader takes what the old one has, if it has nothing itself. */
static void what_it_takes_from_the_one_before(void **state)
{
	struct fixture *x = *state, old = {.file = NULL};

	put(x, "old");
	memcpy(old.path, x->path, sizeof(old.path));
	watch(&old);
	end_reading();
	watch(x);
	fffa_watched_file_inherit(x->file, old.file);
	assert_string_equal(fffa_watched_file_made(x->file), "old");
	assert_null(fffa_watched_file_made(old.file));
	assert_int_equal(fake_loop_logged("W metadata.names: what was read before stays in use"),
			 1);
	fffa_watched_file_inherit(x->file, old.file); /* it has something */
	assert_string_equal(fffa_watched_file_made(x->file), "old");
	fffa_watched_file_inherit(old.file, old.file); /* there is nothing to take */
	assert_null(fffa_watched_file_made(old.file));
	assert_int_equal(fake_loop_logged("stays in use"), 1);
	put(x, "new");
	end_reading();
	assert_string_equal(fffa_watched_file_made(x->file), "new");
	assert_int_equal(worker_fake.alive, 1);
	unwatch(x);
	fffa_watched_file_close(old.file, on_closed, &old);
	fake_loop_close();
	worker_fake.closed(worker_fake.closed_arg);
	assert_int_equal(old.closed, 1);
}

static void closing_while_it_is_read(void **state)
{
	struct fixture *x = *state;

	put(x, "one");
	watch(x);
	fffa_watched_file_close(x->file, on_closed, x);
	end_reading(); /* nobody hears of it */
	assert_int_equal(x->changes, 0);
	assert_int_equal(fake_loop_due_in_ms(), FAKE_LOOP_NEVER);
	assert_int_equal(worker_fake.alive, 1);
	worker_fake.closed(worker_fake.closed_arg);
	fake_loop_close();
	assert_int_equal(x->closed, 1);
	assert_int_equal(worker_fake.alive, 0);
}

static void a_start_that_fails_leaves_nothing(void **state)
{
	struct fixture *x = *state;

	worker_fake.open_error = -EAGAIN;
	assert_int_equal(
		fffa_watched_file_open(&fake_loop.loop, &kind, x->path, 1, on_changed, x, &x->file),
		-EAGAIN);
	assert_int_equal(fake_loop.n, 0);
	worker_fake.open_error = 0;
	failing_alloc_arm(1);
	assert_int_equal(
		fffa_watched_file_open(&fake_loop.loop, &kind, x->path, 1, on_changed, x, &x->file),
		-ENOMEM);
	failing_alloc_arm(0);
	assert_null(x->file);
	assert_null(worker_fake.job);
}

static void read_once_for_a_check(void **state)
{
	struct fixture *x = *state;
	struct fffa_err err = {"before"};
	void *made = x;

	assert_int_equal(fffa_watched_file_read(&kind, x->path, &made, &err), -ENOENT);
	assert_null(made);
	assert_string_equal(err.text, "No such file or directory");
	put(x, "!a");
	assert_int_equal(fffa_watched_file_read(&kind, x->path, &made, &err), -EINVAL);
	assert_null(made);
	assert_string_equal(err.text, "bad text a");
	put(x, "one");
	assert_int_equal(fffa_watched_file_read(&kind, x->path, &made, &err), 0);
	assert_string_equal(made, "one");
	assert_string_equal(err.text, "");
	destroy(made);
	for (int i = 0; i < 2000; i++) { /* more often than there are descriptors */
		assert_int_equal(fffa_watched_file_read(&kind, x->path, &made, &err), 0);
		destroy(made);
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(it_is_read_at_once_and_when_it_has_changed),
		T(the_last_good_one_stays),
		T(it_settles_without_a_file),
		T(how_large_it_may_be),
		T(reads_that_are_short_and_interrupted),
		T(reads_that_fail),
		T(no_memory_for_the_text),
		T(how_often_it_is_looked_at),
		T(what_it_takes_from_the_one_before),
		T(closing_while_it_is_read),
		T(a_start_that_fails_leaves_nothing),
		T(read_once_for_a_check),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
