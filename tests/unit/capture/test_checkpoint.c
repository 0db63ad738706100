// SPDX-License-Identifier: MIT
/* The file that a start compares with, in a network namespace of our own. */
#include "agent/capture/unattended/checkpoint.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "tests/stubs/cmocka_all.h"
#include "tests/stubs/files.h"

#define NOW_MS	   INT64_C(1700000000123)
#define DATAGRAM   100		   /* bytes, as the device counts them: with IP's header */
#define NET_BYTES  (DATAGRAM - 14) /* an Ethernet header is taken off, which lo does not count */
#define UDP_HEADER 28

struct fixture {
	uv_loop_t loop;
	struct fffa_checkpoint r;
	struct fffa_hooked hooks[2]; /* lo, and a device that is gone */
	char dir[64], path[128];
};

static int setup(void **state)
{
	struct fixture *x = calloc(1, sizeof(*x));

	if (!x || uv_loop_init(&x->loop) != 0)
		return -1;
	(void)snprintf(x->dir, sizeof(x->dir), "/tmp/fffa-checkpoint-XXXXXX");
	if (!mkdtemp(x->dir))
		return -1;
	(void)snprintf(x->path, sizeof(x->path), "%s/capture.mark", x->dir);
	for (int i = 0; i < 2; i++) {
		struct fffa_hooked *h = &x->hooks[i];

		(void)snprintf(h->dev.name, sizeof(h->dev.name), "%s", i ? "lo" : "absent0");
		memcpy(h->dev.mac, (const uint8_t[6]){1, 2, 3, 4, 5, 6}, 6);
		h->dev.ifindex = i ? 1 : 7;
		h->at[0].how = FFFA_ATTACH_TCX;
	}
	*state = x;
	return 0;
}

static void run_loop(struct fixture *x)
{
	while (x->r.saving)
		(void)uv_run(&x->loop, UV_RUN_ONCE);
}

static int teardown(void **state)
{
	struct fixture *x = *state;

	fffa_checkpoint_close(&x->r);
	assert_int_equal(uv_run(&x->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&x->loop), 0);
	files_remove(x->dir);
	free(x);
	return 0;
}

static void init(struct fixture *x)
{
	fffa_checkpoint_init(&x->r, &x->loop, x->dir);
	assert_true(x->r.on);
}

static void send_datagrams(unsigned int n)
{
	const struct sockaddr_in to = {.sin_family = AF_INET,
				       .sin_port = htons(9),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int in = socket(AF_INET, SOCK_DGRAM, 0), out = socket(AF_INET, SOCK_DGRAM, 0);
	char bytes[DATAGRAM - UDP_HEADER] = "";

	/* Somebody receives them, so that no error goes back. */
	assert_int_equal(bind(in, (const struct sockaddr *)&to, sizeof(to)), 0);
	while (n--)
		assert_int_equal(sendto(out, bytes, sizeof(bytes), 0, (const struct sockaddr *)&to,
					sizeof(to)),
				 sizeof(bytes));
	(void)close(in);
	(void)close(out);
}

static struct fffa_amount gap(struct fixture *x, int64_t *since_ms)
{
	*since_ms = -1;
	return fffa_checkpoint_gap(&x->r, x->hooks, 2, since_ms);
}

static void expect_no_gap(struct fixture *x)
{
	int64_t since_ms;

	assert_int_equal(gap(x, &since_ms).packets, 0);
	assert_int_equal(since_ms, -1);
}

static void note_and_save(struct fixture *x, int64_t unix_ms)
{
	fffa_checkpoint_note(&x->r, x->hooks, 2, true);
	fffa_checkpoint_save(&x->r, (struct fffa_amount){3, 500}, unix_ms);
}

static void read_mark(const struct fixture *x, struct fffa_checkpoint_state *m)
{
	char *text = files_read(x->path, NULL);

	assert_int_equal(fffa_checkpoint_state_parse(text, m), 0);
	free(text);
}

static void test_what_passed_since(void **state)
{
	struct fffa_checkpoint_state m;
	struct fixture *x = *state;
	struct fffa_amount missed;
	int64_t since_ms;
	struct stat st;

	init(x);
	expect_no_gap(x); /* there is no file */
	note_and_save(x, NOW_MS);
	run_loop(x);
	assert_int_equal(x->r.error, 0);
	assert_int_equal(stat(x->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_true(access(x->r.tmp, F_OK) < 0);
	read_mark(x, &m);
	assert_int_equal(m.n, 1);
	assert_string_equal(m.v[0].name, "lo");
	assert_memory_equal(m.v[0].mac, "\1\2\3\4\5\6", 6);
	assert_int_equal(m.v[0].ifindex, 1);
	assert_true(m.v[0].dirs[0] && !m.v[0].dirs[1]);
	assert_int_equal(m.unix_ms, NOW_MS);
	assert_int_equal(m.held.packets, 3);
	assert_int_equal(m.held.bytes, 500);
	assert_int_equal(m.netns, fffa_dev_counters_netns());
	send_datagrams(4);
	missed = gap(x, &since_ms); /* what was held is lost, too */
	assert_int_equal(missed.packets, 4 + 3);
	assert_int_equal(missed.bytes, 4 * NET_BYTES + 500);
	assert_int_equal(since_ms, NOW_MS);
	x->hooks[1].at[1].how = FFFA_ATTACH_CLSACT; /* the directions of both marks count */
	assert_int_equal(gap(x, &since_ms).packets, 4 + 3);
	note_and_save(x, NOW_MS);
	run_loop(x);
	send_datagrams(4);
	assert_int_equal(gap(x, &since_ms).packets, 2 * 4 + 3);
}

static uint64_t noted(const struct fixture *x)
{
	return x->r.next.v[0].passed.dir[0].packets;
}

/* At most once a second, and not while a file is written; the last one always. */
static void test_when_it_is_noted(void **state)
{
	struct fixture *x = *state;
	uint64_t before, saved_ns;

	init(x);
	fffa_checkpoint_note(&x->r, x->hooks, 2, false);
	assert_true(x->r.changed);
	before = noted(x);
	send_datagrams(1);
	fffa_checkpoint_note(&x->r, x->hooks, 2, false);
	assert_int_equal(noted(x), before);
	fffa_checkpoint_note(&x->r, x->hooks, 2, true);
	assert_int_equal(noted(x), before + 1);
	send_datagrams(1);
	saved_ns = x->r.saved_ns -= UINT64_C(1000000000);
	x->r.saving = true;
	fffa_checkpoint_note(&x->r, x->hooks, 2, false);
	assert_int_equal(noted(x), before + 1);
	x->r.saving = false;
	fffa_checkpoint_note(&x->r, x->hooks, 2, false);
	assert_int_equal(noted(x), before + 2);
	assert_true(x->r.saved_ns >= saved_ns + UINT64_C(1000000000));
}

/* Without news nothing is written; what came during a write is written behind it. */
static void test_when_it_is_saved(void **state)
{
	struct fffa_checkpoint_state m;
	struct fixture *x = *state;

	init(x);
	fffa_checkpoint_save(&x->r, (struct fffa_amount){0, 0}, NOW_MS);
	assert_false(x->r.saving);
	note_and_save(x, NOW_MS);
	assert_true(x->r.saving);
	assert_false(x->r.changed);
	fffa_checkpoint_save(&x->r, (struct fffa_amount){9, 9}, NOW_MS + 1); /* no news */
	assert_false(x->r.save_again);
	note_and_save(x, NOW_MS + 2);
	note_and_save(x, NOW_MS + 3);
	assert_true(x->r.save_again);
	run_loop(x);
	assert_false(x->r.save_again);
	read_mark(x, &m);
	assert_int_equal(m.unix_ms, NOW_MS + 3);
	assert_int_equal(m.held.packets, 3);
}

static void test_what_was_saved_last_is_written(void **state)
{
	struct fffa_checkpoint_state m;
	struct fixture *x = *state;

	init(x);
	note_and_save(x, NOW_MS);
	fffa_checkpoint_close(&x->r);
	assert_false(x->r.on);
	fffa_checkpoint_close(&x->r); /* does nothing */
	note_and_save(x, NOW_MS + 1); /* neither does this */
	expect_no_gap(x);
	assert_int_equal(uv_run(&x->loop, UV_RUN_DEFAULT), 0);
	read_mark(x, &m);
	assert_int_equal(m.unix_ms, NOW_MS);
}

static void test_a_file_that_is_of_no_use(void **state)
{
	struct fixture *x = *state;

	init(x);
	note_and_save(x, NOW_MS);
	run_loop(x);
	files_write(x->path, "nonsense\n", 9);
	expect_no_gap(x);
	assert_int_equal(unlink(x->path), 0);
	assert_int_equal(symlink("/etc/hostname", x->path), 0);
	expect_no_gap(x);
	/* In place of the link, and not of what it leads to. */
	note_and_save(x, NOW_MS);
	run_loop(x);
	assert_int_equal(x->r.error, 0);
	send_datagrams(1);
	assert_int_equal(gap(x, &(int64_t){0}).packets, 1 + 3);
}

static void test_a_folder_that_takes_nothing(void **state)
{
	struct fixture *x = *state;

	init(x);
	assert_int_equal(mkdir(x->r.tmp, 0700), 0);
	note_and_save(x, NOW_MS);
	run_loop(x);
	assert_int_equal(x->r.error, -EISDIR);
	assert_true(x->r.error_logged);
	assert_int_equal(rmdir(x->r.tmp), 0);
	assert_int_equal(mkdir(x->path, 0700), 0);
	note_and_save(x, NOW_MS);
	run_loop(x);
	assert_int_equal(x->r.error, -EISDIR);
	assert_int_equal(rmdir(x->path), 0);
	files_limit_size(10);
	note_and_save(x, NOW_MS);
	run_loop(x);
	files_limit_size(RLIM_INFINITY);
	assert_int_equal(x->r.error, -ENOSPC);
	assert_true(access(x->path, F_OK) < 0); /* half a file is none */
	note_and_save(x, NOW_MS);
	run_loop(x);
	assert_int_equal(x->r.error, 0);
	assert_false(x->r.error_logged); /* the next one is told again */
}

/* The open of a FIFO would wait for its reader, and the thread could not end. */
static void test_a_fifo_in_its_place(void **state)
{
	struct fixture *x = *state;
	int readers[2];

	init(x);
	assert_int_equal(mkfifo(x->r.tmp, 0600), 0);
	for (int i = 0; i < 2; i++) {
		note_and_save(x, NOW_MS);
		run_loop(x);
		assert_int_equal(x->r.error, -EMEDIUMTYPE);
		readers[i] = open(x->r.tmp, O_RDONLY | O_NONBLOCK); /* the next time there is one */
		assert_true(readers[i] >= 0);
	}
	assert_true(access(x->path, F_OK) < 0);
	assert_int_equal(close(readers[0]) + close(readers[1]), 0);
}

static void expect_off(struct fixture *x, const char *dir)
{
	fffa_checkpoint_init(&x->r, &x->loop, dir);
	assert_false(x->r.on);
	fffa_checkpoint_note(&x->r, x->hooks, 2, true);
	fffa_checkpoint_save(&x->r, (struct fffa_amount){0, 0}, NOW_MS);
	assert_false(x->r.saving);
	expect_no_gap(x);
	memset(&x->r, 0, sizeof(x->r));
}

static void test_without_a_folder(void **state)
{
	char file[128], longest[600];
	struct fixture *x = *state;

	expect_off(x, NULL);
	expect_off(x, "");
	expect_off(x, "/nonexistent");
	(void)snprintf(file, sizeof(file), "%s/file", x->dir);
	files_write(file, "", 0);
	expect_off(x, file);
	/* One byte more than there is room for; then just as many. */
	memset(longest, '/', sizeof(longest));
	longest[sizeof(x->r.path) - strlen("/capture.mark")] = '\0';
	memcpy(longest, x->dir, strlen(x->dir));
	expect_off(x, longest);
	longest[sizeof(x->r.path) - strlen("/capture.mark") - 1] = '\0';
	fffa_checkpoint_init(&x->r, &x->loop, longest);
	assert_true(x->r.on);
	assert_int_equal(strlen(x->r.path), sizeof(x->r.path) - 1);
	assert_int_equal(strlen(x->r.tmp), sizeof(x->r.path) - 1 + strlen(".new"));
}

/* Only what is sent here passes. */
static int group_setup(void **state)
{
	struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	(void)state;
	return ioctl(fd, SIOCSIFFLAGS, &lo) | close(fd);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_what_passed_since),	  T(test_when_it_is_noted),
		T(test_when_it_is_saved),	  T(test_what_was_saved_last_is_written),
		T(test_a_file_that_is_of_no_use), T(test_a_folder_that_takes_nothing),
		T(test_a_fifo_in_its_place),	  T(test_without_a_folder),
	};

	(void)signal(SIGXFSZ, SIG_IGN);
	if (unshare(CLONE_NEWNET)) {
		(void)printf("cannot make a network namespace (%s): run as root\n",
			     strerror(errno));
		return 77;
	}
	return cmocka_run_group_tests(tests, group_setup, NULL);
}
