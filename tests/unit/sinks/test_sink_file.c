// SPDX-License-Identifier: MIT
#include "tests/stubs/cmocka_all.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/stubs/files.h"
#include "tests/stubs/make_batch.h"
#include "tests/stubs/sink_fixture.h"
#include "tests/unit/sinks/file_fixture.h"

/* Starts the sink with fd as standard output; the sink keeps a duplicate. */
static int start_on_stdout(struct sink_fixture *r, int fd)
{
	int saved = dup(STDOUT_FILENO), rc;

	(void)fflush(stdout);
	assert_int_equal(dup2(fd, STDOUT_FILENO), STDOUT_FILENO);
	rc = sink_fixture_start(r);
	assert_int_equal(dup2(saved, STDOUT_FILENO), STDOUT_FILENO);
	(void)close(saved);
	return rc;
}

static void header_begins_a_new_file_only(void **state)
{
	struct file_fixture *p = *state;
	struct sink_fixture r;
	struct fixture_delivery a = {0}, b = {0};
	struct stat st;

	sink_fixture_create(&r, &fffa_sink_file_ops, &p->conf, "head er\n");
	assert_int_equal(sink_fixture_start(&r), 0);
	sink_fixture_close(&r);
	file_fixture_expect(p->path, "head er\n", NULL, NULL); /* also without a record */
	assert_int_equal(stat(p->path, &st), 0);
	assert_int_equal(st.st_mode & 0777 & ~0640u, 0);

	sink_fixture_create(&r, &fffa_sink_file_ops, &p->conf, "head er\n");
	assert_int_equal(sink_fixture_start(&r), 0);
	assert_int_equal(sink_fixture_send(&r, &a, make_batch(1, 3, 40)).verdict, FFFA_V_DELIVERED);
	sink_fixture_close(&r);
	file_fixture_expect(p->path, "head er\n", &a, NULL);

	p->conf.sync = FFFA_FILE_SYNC_BATCH;
	sink_fixture_create(&r, &fffa_sink_file_ops, &p->conf, "head er\n");
	assert_int_equal(sink_fixture_start(&r), 0);
	assert_int_equal(sink_fixture_send(&r, &b, make_batch(4, 2, 40)).verdict, FFFA_V_DELIVERED);
	sink_fixture_close(&r);
	file_fixture_expect(p->path, "head er\n", &a, &b);
	fixture_delivery_fini(&a);
	fixture_delivery_fini(&b);
}

static void start_says_what_to_do(void **state)
{
	struct file_fixture *p = *state;
	struct sink_fixture r;
	char path[160];

	(void)snprintf(path, sizeof(path), "%s/missing/flows.log", p->dir);
	p->conf.path = path;
	sink_fixture_create(&r, &fffa_sink_file_ops, &p->conf, "");
	assert_int_equal(sink_fixture_start(&r), -ENOENT);
	(void)snprintf(path, sizeof(path), "%s/missing does not exist; create it", p->dir);
	assert_non_null(strstr(r.err.text, path));
	sink_fixture_close(&r);

	p->conf.path = p->dir;
	sink_fixture_create(&r, &fffa_sink_file_ops, &p->conf, "");
	assert_int_equal(sink_fixture_start(&r), -EISDIR);
	assert_non_null(strstr(r.err.text, "is a directory"));
	sink_fixture_close(&r);

	p->conf.path = p->path;
	assert_int_equal(mkfifo(p->path, 0600), 0);
	sink_fixture_create(&r, &fffa_sink_file_ops, &p->conf, "");
	assert_int_equal(sink_fixture_start(&r), -ENXIO);
	assert_non_null(strstr(r.err.text, "start its reader"));
	sink_fixture_close(&r);
}

static void path_is_required(void **state)
{
	struct fffa_sink_file_conf none = {0}, empty = {.path = (char[]){""}};
	struct fffa_err err;

	(void)state;
	assert_int_equal(fffa_sink_file_ops.check(&none, &err), -EINVAL);
	assert_int_equal(strncmp(err.text, "path: ", 6), 0);
	assert_int_equal(fffa_sink_file_ops.check(&empty, NULL), -EINVAL);
}

static void layouts_of_aws_need_its_format(void **state)
{
	struct file_fixture *p = *state;
	struct fffa_sink *none = NULL;
	struct sink_fixture r;

	sink_fixture_create(&r, &fffa_sink_file_ops, &p->conf, "");
	p->conf.layout = FFFA_FILE_LAYOUT_AWS;
	r.env.format = FFFA_FORMAT_JSON;
	assert_int_equal(fffa_sink_file_ops.create(&r.env, &p->conf, &none, &r.err), -EINVAL);
	assert_string_equal(r.err.text, "layout: aws and aws_hive need format vpc");
	assert_null(none);
	p->conf.layout = FFFA_FILE_LAYOUT_PLAIN;
	sink_fixture_close(&r);
}

/* The folders of an object have names of their own, or key=value pairs. */
static void each_layout_has_its_folders(void **state)
{
	static const struct {
		int layout;
		const char *folder;
	} layouts[] = {{FFFA_FILE_LAYOUT_AWS, "AWSLogs/unknown/vpcflowlogs/unknown/2023/11/14"},
		       {FFFA_FILE_LAYOUT_AWS_HIVE,
			"AWSLogs/aws-account-id=unknown/aws-service=vpcflowlogs/"
			"aws-region=unknown/year=2023/month=11/day=14"}};
	struct file_fixture *p = *state;

	for (size_t i = 0; i < 2; i++) {
		struct fixture_delivery a = {0};
		struct sink_fixture r;
		char path[300];
		struct stat st;

		p->conf.path = p->dir;
		p->conf.layout = layouts[i].layout;
		sink_fixture_create(&r, &fffa_sink_file_ops, &p->conf, "h\n");
		assert_int_equal(sink_fixture_start(&r), 0);
		assert_int_equal(sink_fixture_send(&r, &a, make_batch(1, 3, 40)).verdict,
				 FFFA_V_DELIVERED);
		sink_fixture_close(&r);
		(void)snprintf(path, sizeof(path), "%s/%s", p->dir, layouts[i].folder);
		assert_int_equal(stat(path, &st), 0);
		assert_true(S_ISDIR(st.st_mode));
		fixture_delivery_fini(&a);
	}
}

/* The limit lies within a record of b: nothing of b stays in the file, and nothing comes twice. */
static void a_full_file_is_cut_back_and_retried(void **state)
{
	struct file_fixture *p = *state;
	struct sink_fixture r;
	struct fixture_delivery a = {0}, b = {0};
	struct fffa_outcome o;

	sink_fixture_create(&r, &fffa_sink_file_ops, &p->conf, "h\n");
	assert_int_equal(sink_fixture_start(&r), 0);
	assert_int_equal(sink_fixture_send(&r, &a, make_batch(1, 10, 100)).verdict,
			 FFFA_V_DELIVERED);
	files_limit_size(2 + 1000 + 250);
	for (int i = 0; i < 3; i++) {
		o = i ? (sink_fixture_again(&r, &b), sink_fixture_wait(&r, &b), b.outcome)
		      : sink_fixture_send(&r, &b, make_batch(11, 10, 100));
		assert_int_equal(o.verdict, FFFA_V_RETRY);
		assert_int_equal(o.cause, -EFBIG);
		file_fixture_expect(p->path, "h\n", &a, NULL);
	}
	files_limit_size(RLIM_INFINITY);
	assert_int_equal(sink_fixture_again(&r, &b), 0);
	sink_fixture_wait(&r, &b);
	assert_int_equal(b.outcome.verdict, FFFA_V_DELIVERED);
	file_fixture_expect(p->path, "h\n", &a, &b);
	sink_fixture_close(&r);
	fixture_delivery_fini(&a);
	fixture_delivery_fini(&b);
}

static void header_waits_for_room(void **state)
{
	struct file_fixture *p = *state;
	struct sink_fixture r;
	struct fixture_delivery a = {0};

	files_limit_size(3);
	sink_fixture_create(&r, &fffa_sink_file_ops, &p->conf, "header\n");
	assert_int_equal(sink_fixture_start(&r), 0);
	assert_int_equal(sink_fixture_send(&r, &a, make_batch(1, 2, 30)).verdict, FFFA_V_RETRY);
	file_fixture_expect(p->path, "", NULL, NULL);
	files_limit_size(RLIM_INFINITY);
	assert_int_equal(sink_fixture_again(&r, &a), 0);
	sink_fixture_wait(&r, &a);
	assert_int_equal(a.outcome.verdict, FFFA_V_DELIVERED);
	file_fixture_expect(p->path, "header\n", &a, NULL);
	sink_fixture_close(&r);
	fixture_delivery_fini(&a);
}

static void device_without_room_is_retry(void **state)
{
	struct file_fixture *p = *state;
	struct sink_fixture r;
	struct fixture_delivery a = {0};
	struct fffa_outcome o;
	int fd = open("/dev/full", O_WRONLY);

	p->conf.path = (char[]){"-"};
	sink_fixture_create(&r, &fffa_sink_file_ops, &p->conf, "h\n");
	assert_int_equal(start_on_stdout(&r, fd), 0);
	o = sink_fixture_send(&r, &a, make_batch(1, 2, 30));
	assert_int_equal(o.verdict, FFFA_V_RETRY);
	assert_int_equal(o.cause, -ENOSPC);
	sink_fixture_close(&r);
	fixture_delivery_fini(&a);
	(void)close(fd);
}

/* Standard output is shared, so it is never cut. The same batch goes on where it stopped. */
static void shared_output_goes_on_where_it_stopped(void **state)
{
	struct file_fixture *p = *state;
	struct sink_fixture r;
	struct fixture_delivery a = {0};
	int fd = open(p->path, O_WRONLY | O_CREAT, 0600);

	p->conf.path = (char[]){"-"};
	sink_fixture_create(&r, &fffa_sink_file_ops, &p->conf, "h\n");
	files_limit_size(2 + 250);
	assert_int_equal(start_on_stdout(&r, fd), 0);
	assert_int_equal(sink_fixture_send(&r, &a, make_batch(1, 10, 100)).verdict, FFFA_V_RETRY);
	assert_int_equal(sink_fixture_again(&r, &a), 0);
	sink_fixture_wait(&r, &a);
	assert_int_equal(a.outcome.verdict, FFFA_V_RETRY); /* still no room, no progress */
	files_limit_size(2 + 600);
	assert_int_equal(sink_fixture_again(&r, &a), 0);
	sink_fixture_wait(&r, &a);
	assert_int_equal(a.outcome.verdict, FFFA_V_RETRY); /* some of it */
	files_limit_size(RLIM_INFINITY);
	assert_int_equal(sink_fixture_again(&r, &a), 0);
	sink_fixture_wait(&r, &a);
	assert_int_equal(a.outcome.verdict, FFFA_V_DELIVERED);
	file_fixture_expect(p->path, "h\n", &a, NULL);
	sink_fixture_close(&r);
	fixture_delivery_fini(&a);
	(void)close(fd);
}

/* HUP between two tries changes nothing on standard output: the batch goes on where it stopped. */
static void reopen_of_shared_output_repeats_nothing(void **state)
{
	struct file_fixture *p = *state;
	struct sink_fixture r;
	struct fixture_delivery a = {0};
	int fd = open(p->path, O_WRONLY | O_CREAT, 0600);

	p->conf.path = (char[]){"-"};
	sink_fixture_create(&r, &fffa_sink_file_ops, &p->conf, "h\n");
	files_limit_size(2 + 250);
	assert_int_equal(start_on_stdout(&r, fd), 0);
	assert_int_equal(sink_fixture_send(&r, &a, make_batch(1, 10, 100)).verdict, FFFA_V_RETRY);
	files_limit_size(RLIM_INFINITY);
	sink_fixture_reopen(&r);
	while (sink_fixture_again(&r, &a) == -EAGAIN)
		(void)uv_run(&r.loop, UV_RUN_ONCE);
	sink_fixture_wait(&r, &a);
	assert_int_equal(a.outcome.verdict, FFFA_V_DELIVERED);
	file_fixture_expect(p->path, "h\n", &a, NULL);
	sink_fixture_close(&r);
	fixture_delivery_fini(&a);
	(void)close(fd);
}

/* A batch is given up after 250 bytes: its third record is completed, the next batch follows. */
static void a_torn_record_is_completed_before_another_batch(void **state)
{
	struct file_fixture *p = *state;
	struct sink_fixture r;
	struct fixture_delivery a = {0}, b = {0}, front = {0};
	int fd = open(p->path, O_WRONLY | O_CREAT, 0600);

	p->conf.path = (char[]){"-"};
	sink_fixture_create(&r, &fffa_sink_file_ops, &p->conf, "");
	assert_int_equal(start_on_stdout(&r, fd), 0);
	files_limit_size(250);
	assert_int_equal(sink_fixture_send(&r, &a, make_batch(1, 10, 100)).verdict, FFFA_V_RETRY);
	files_limit_size(270);
	assert_int_equal(sink_fixture_send(&r, &b, make_batch(11, 4, 100)).verdict, FFFA_V_RETRY);
	files_limit_size(RLIM_INFINITY);
	assert_int_equal(sink_fixture_again(&r, &b), 0);
	sink_fixture_wait(&r, &b);
	assert_int_equal(b.outcome.verdict, FFFA_V_DELIVERED);
	front.d.batch = make_batch(1, 3, 100);
	file_fixture_expect(p->path, "", &front, &b);
	sink_fixture_close(&r);
	fixture_delivery_fini(&a);
	fixture_delivery_fini(&b);
	fixture_delivery_fini(&front);
	(void)close(fd);
}

/* Runs the loop until the pipe behind reader has no room left. */
static void run_until_full(struct sink_fixture *r, int reader)
{
	struct pollfd writer = {.events = POLLOUT};
	char path[64];
	int turns = 20000; /* of 1 ms each */

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", reader);
	writer.fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	assert_true(writer.fd >= 0);
	do {
		assert_true(turns--);
		(void)uv_run(&r->loop, UV_RUN_NOWAIT);
		(void)usleep(1000);
	} while (poll(&writer, 1, 0));
	(void)close(writer.fd);
}

static size_t read_all(struct sink_fixture *r, int reader, char *dst, size_t want)
{
	size_t got = 0;

	while (got < want) {
		ssize_t n = read(reader, dst + got, want - got);

		if (n > 0)
			got += (size_t)n;
		else
			assert_true(n < 0 && errno == EAGAIN);
		(void)uv_run(&r->loop, UV_RUN_NOWAIT);
	}
	return got;
}

/* A reader that sleeps delays only its own sink, and gets every byte once. */
static void slow_reader(struct sink_fixture *r, int reader)
{
	const size_t total = 2 + 3000 * 100;
	struct fixture_delivery a = {0}, b = {0};
	char *got = calloc(1, total + 1);
	size_t readies;

	assert_int_equal(sink_fixture_send(r, &b, make_batch(1, 1, 100)).verdict, FFFA_V_DELIVERED);
	fixture_delivery_fini(&b);
	assert_int_equal(read_all(r, reader, got, 102), 102);
	assert_memory_equal(got, "h\n1 x", 5);
	assert_int_equal(sink_fixture_submit(r, &a, make_batch(1, 3000, 100)), 0);
	run_until_full(r, reader);
	assert_int_equal(a.outcome.verdict, FFFA_V_NONE);
	readies = r->readies;
	assert_int_equal(sink_fixture_submit(r, &b, make_batch(3001, 1, 100)), -EAGAIN);
	assert_int_equal(read_all(r, reader, got, 300000), 300000);
	sink_fixture_wait(r, &a);
	assert_int_equal(a.outcome.verdict, FFFA_V_DELIVERED);
	assert_int_equal(r->readies, readies + 1);
	assert_memory_equal(got, fffa_batch_bytes(a.d.batch).ptr, 300000);
	fixture_delivery_fini(&a);
	fixture_delivery_fini(&b);
	free(got);
}

static void fifo_with_a_slow_reader(void **state)
{
	struct file_fixture *p = *state;
	struct sink_fixture r;
	int reader;

	assert_int_equal(mkfifo(p->path, 0600), 0);
	reader = open(p->path, O_RDONLY | O_NONBLOCK);
	sink_fixture_create(&r, &fffa_sink_file_ops, &p->conf, "h\n");
	assert_int_equal(sink_fixture_start(&r), 0);
	slow_reader(&r, reader);
	sink_fixture_close(&r);
	(void)close(reader);
}

/* The pipe stays a blocking one: the shell shares its flags. */
static void stdout_pipe_with_a_slow_reader(void **state)
{
	struct file_fixture *p = *state;
	struct sink_fixture r;
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
	p->conf.path = (char[]){"-"};
	sink_fixture_create(&r, &fffa_sink_file_ops, &p->conf, "h\n");
	assert_int_equal(start_on_stdout(&r, fds[1]), 0);
	slow_reader(&r, fds[0]);
	assert_int_equal(fcntl(fds[1], F_GETFL) & O_NONBLOCK, 0);
	sink_fixture_close(&r);
	assert_int_equal(fcntl(fds[1], F_GETFL) & O_NONBLOCK, 0);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

static void note_active_poll(uv_handle_t *h, void *arg)
{
	bool *found = arg;

	*found |= h->type == UV_POLL && uv_is_active(h);
}

/* Its thread has come back, and the loop looks for room. */
static bool waits_for_room(struct sink_fixture *r)
{
	bool found = false;

	uv_walk(&r->loop, note_active_poll, &found);
	return found;
}

static void close_does_not_wait_for_a_reader(void **state)
{
	struct file_fixture *p = *state;
	struct sink_fixture r;
	struct fixture_delivery a = {0};
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	p->conf.path = (char[]){"-"};
	sink_fixture_create(&r, &fffa_sink_file_ops, &p->conf, "h\n");
	assert_int_equal(start_on_stdout(&r, fds[1]), 0);
	while (sink_fixture_submit(&r, &a, make_batch(1, 3000, 100)) == -EAGAIN) {
		fixture_delivery_fini(&a);
		(void)uv_run(&r.loop, UV_RUN_ONCE);
	}
	run_until_full(&r, fds[0]);
	while (!waits_for_room(&r))
		assert_true(uv_run(&r.loop, UV_RUN_ONCE));
	sink_fixture_close(&r);
	assert_int_equal(a.outcome.verdict, FFFA_V_RETRY);
	assert_int_equal(a.outcome.cause, -ECANCELED);
	fixture_delivery_fini(&a);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

/* `fffa replay FILE | head`: no other reader can open a pipe without a name. */
static void reader_gone_for_ever_is_rejected(void **state)
{
	struct file_fixture *p = *state;
	struct sink_fixture r;
	struct fixture_delivery a = {0};
	struct fffa_outcome o;
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	p->conf.path = (char[]){"-"};
	sink_fixture_create(&r, &fffa_sink_file_ops, &p->conf, "");
	assert_int_equal(start_on_stdout(&r, fds[1]), 0);
	(void)close(fds[0]);
	o = sink_fixture_send(&r, &a, make_batch(1, 2, 30));
	assert_int_equal(o.verdict, FFFA_V_REJECTED);
	assert_int_equal(o.cause, -EPIPE);
	sink_fixture_close(&r);
	fixture_delivery_fini(&a);
	(void)close(fds[1]);
}

/* A FIFO has a name: another reader may open it. */
static void reader_gone_from_a_fifo_is_retry(void **state)
{
	struct file_fixture *p = *state;
	struct sink_fixture r;
	struct fixture_delivery a = {0};
	struct fffa_outcome o;
	int reader;

	assert_int_equal(mkfifo(p->path, 0600), 0);
	reader = open(p->path, O_RDONLY | O_NONBLOCK);
	sink_fixture_create(&r, &fffa_sink_file_ops, &p->conf, "");
	assert_int_equal(sink_fixture_start(&r), 0);
	(void)close(reader);
	o = sink_fixture_send(&r, &a, make_batch(1, 2, 30));
	assert_int_equal(o.verdict, FFFA_V_RETRY);
	assert_int_equal(o.cause, -EPIPE);
	sink_fixture_close(&r);
	fixture_delivery_fini(&a);
}

static void reopen_begins_a_new_file(void **state)
{
	struct file_fixture *p = *state;
	struct sink_fixture r;
	struct fixture_delivery a = {0}, b = {0}, c = {0};
	char old[128];

	(void)snprintf(old, sizeof(old), "%s.1", p->path);
	sink_fixture_create(&r, &fffa_sink_file_ops, &p->conf, "h\n");
	assert_int_equal(sink_fixture_start(&r), 0);
	assert_int_equal(sink_fixture_send(&r, &a, make_batch(1, 2, 30)).verdict, FFFA_V_DELIVERED);
	assert_int_equal(rename(p->path, old), 0);
	assert_int_equal(sink_fixture_submit(&r, &b, make_batch(3, 2000, 30)), 0);
	sink_fixture_reopen(&r); /* during a write: the old file gets the whole batch */
	sink_fixture_wait(&r, &b);
	assert_int_equal(b.outcome.verdict, FFFA_V_DELIVERED);
	assert_int_equal(sink_fixture_send(&r, &c, make_batch(2003, 2, 30)).verdict,
			 FFFA_V_DELIVERED);
	file_fixture_expect(old, "h\n", &a, &b);
	file_fixture_expect(p->path, "h\n", &c, NULL);

	assert_int_equal(unlink(old), 0);
	assert_int_equal(rename(p->path, old), 0);
	sink_fixture_reopen(&r); /* without a write: the new file gets its header at once */
	sink_fixture_close(&r);
	file_fixture_expect(p->path, "h\n", NULL, NULL);
	fixture_delivery_fini(&a);
	fixture_delivery_fini(&b);
	fixture_delivery_fini(&c);
}

static void failed_reopen_keeps_the_old_file(void **state)
{
	struct file_fixture *p = *state;
	struct sink_fixture r;
	struct fixture_delivery a = {0};
	char old[128];

	(void)snprintf(old, sizeof(old), "%s.1", p->path);
	sink_fixture_create(&r, &fffa_sink_file_ops, &p->conf, "");
	assert_int_equal(sink_fixture_start(&r), 0);
	assert_int_equal(rename(p->path, old), 0);
	assert_int_equal(mkdir(p->path, 0700), 0);
	sink_fixture_reopen(&r);
	assert_int_equal(sink_fixture_send(&r, &a, make_batch(1, 2, 30)).verdict, FFFA_V_DELIVERED);
	file_fixture_expect(old, "", &a, NULL);
	sink_fixture_close(&r);
	assert_int_equal(rmdir(p->path), 0);
	fixture_delivery_fini(&a);
}

/* Bytes that another process has appended are never cut, also after a batch that failed in part. */
static void bytes_of_others_are_never_cut(void **state)
{
	struct file_fixture *p = *state;
	struct sink_fixture r;
	struct fixture_delivery a = {0};
	int fd = open(p->path, O_WRONLY | O_CREAT | O_APPEND, 0600);

	sink_fixture_create(&r, &fffa_sink_file_ops, &p->conf, "");
	assert_int_equal(sink_fixture_start(&r), 0);
	files_limit_size(250);
	assert_int_equal(sink_fixture_send(&r, &a, make_batch(1, 5, 100)).verdict, FFFA_V_RETRY);
	file_fixture_expect(p->path, "", NULL, NULL);
	files_limit_size(RLIM_INFINITY);
	assert_int_equal(write(fd, "theirs\n", 7), 7);
	assert_int_equal(sink_fixture_again(&r, &a), 0);
	sink_fixture_wait(&r, &a);
	assert_int_equal(a.outcome.verdict, FFFA_V_DELIVERED);
	file_fixture_expect(p->path, "theirs\n", &a, NULL);
	sink_fixture_close(&r);
	fixture_delivery_fini(&a);
	(void)close(fd);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, file_fixture_setup, file_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(header_begins_a_new_file_only),
		CASE(start_says_what_to_do),
		CASE(path_is_required),
		CASE(layouts_of_aws_need_its_format),
		CASE(each_layout_has_its_folders),
		CASE(a_full_file_is_cut_back_and_retried),
		CASE(header_waits_for_room),
		CASE(device_without_room_is_retry),
		CASE(shared_output_goes_on_where_it_stopped),
		CASE(reopen_of_shared_output_repeats_nothing),
		CASE(a_torn_record_is_completed_before_another_batch),
		CASE(fifo_with_a_slow_reader),
		CASE(stdout_pipe_with_a_slow_reader),
		CASE(close_does_not_wait_for_a_reader),
		CASE(reader_gone_for_ever_is_rejected),
		CASE(reader_gone_from_a_fifo_is_retry),
		CASE(reopen_begins_a_new_file),
		CASE(failed_reopen_keeps_the_old_file),
		CASE(bytes_of_others_are_never_cut),
	};

	(void)signal(SIGPIPE, SIG_IGN); /* as main does */
	(void)signal(SIGXFSZ, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
