// SPDX-License-Identifier: MIT
/* What a service manager is told, and that nothing happens without one. */
#include "agent/service/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/clock.h"
#include "tests/stubs/cmocka_all.h"

#define LINE_MAX_BYTES 511
#define LIMIT_S	       60
#define PATH_BYTES     sizeof(((struct sockaddr_un *)0)->sun_path)

struct manager {
	uv_loop_t loop;
	struct fffa_notify n;
	int fd;
	char path[64];
	const char *line; /* what the agent says of itself */
	unsigned int asked;
	char got[1024];
};

static void say_line(void *arg, char *line, size_t cap)
{
	struct manager *m = arg;

	m->asked++;
	(void)snprintf(line, cap, "%s", m->line);
}

static int setup(void **state)
{
	struct manager *m = calloc(1, sizeof(*m));
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	if (!m || uv_loop_init(&m->loop) != 0)
		return -1;
	(void)alarm(LIMIT_S); /* for a message that does not come, or that is waited for */
	(void)snprintf(m->path, sizeof(m->path), "/tmp/fffa-notify-%d", (int)getpid());
	(void)unlink(m->path);
	(void)snprintf(a.sun_path, sizeof(a.sun_path), "%s", m->path);
	m->fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	m->line = "all well";
	*state = m;
	(void)unsetenv("WATCHDOG_USEC");
	(void)unsetenv("WATCHDOG_PID");
	return setenv("NOTIFY_SOCKET", m->path, 1) ||
	       bind(m->fd, (const struct sockaddr *)&a, sizeof(a));
}

static int teardown(void **state)
{
	struct manager *m = *state;
	int fd = m->n.fd;

	fffa_notify_close(&m->n);
	(void)uv_run(&m->loop, UV_RUN_NOWAIT);
	assert_int_equal(uv_loop_close(&m->loop), 0);
	assert_int_equal(m->n.fd, -1);
	if (fd >= 0)
		assert_true(fcntl(fd, F_GETFD) < 0 && errno == EBADF);
	(void)close(m->fd);
	(void)unlink(m->path);
	(void)alarm(0);
	free(m);
	return 0;
}

static void open_notify(struct manager *m)
{
	fffa_notify_open(&m->n, &m->loop, say_line, m);
}

static void open_again(struct manager *m)
{
	fffa_notify_close(&m->n);
	(void)uv_run(&m->loop, UV_RUN_NOWAIT);
	open_notify(m);
}

/* The next message; "" when there is none. */
static const char *sent(struct manager *m)
{
	ssize_t n = recv(m->fd, m->got, sizeof(m->got) - 1, MSG_DONTWAIT);

	m->got[n > 0 ? n : 0] = '\0';
	return m->got;
}

/* The next message, which the timer sends; a turn of the loop may end before it is due. */
static const char *sent_by_timer(struct manager *m)
{
	while (!*sent(m))
		(void)uv_run(&m->loop, UV_RUN_ONCE);
	return m->got;
}

static void test_a_life(void **state)
{
	struct manager *m = *state;
	uint64_t before = fffa_clock_mono_ns(&fffa_clock_system) / 1000, us = 0;
	int n = 0;

	open_notify(m);
	fffa_notify_reloading(&m->n); /* a start is none */
	assert_string_equal(sent(m), "");
	fffa_notify_ready(&m->n);
	assert_string_equal(sent(m), "READY=1\nSTATUS=all well\n");
	fffa_notify_reloading(&m->n);
	assert_int_equal(sscanf(sent(m), "RELOADING=1\nMONOTONIC_USEC=%" SCNu64 "\n%n", &us, &n),
			 1);
	assert_int_equal(m->got[n], '\0');
	assert_uint_in_range(us, before, fffa_clock_mono_ns(&fffa_clock_system) / 1000);
	fffa_notify_stopping(&m->n, UINT64_C(2000000000));
	assert_string_equal(sent(m), "STOPPING=1\nEXTEND_TIMEOUT_USEC=7000000\nSTATUS=stopping\n");
	assert_string_equal(sent(m), "");
}

/* A line break would begin another field. */
static void test_the_status_is_one_line(void **state)
{
	char line[LINE_MAX_BYTES + 1], wanted[LINE_MAX_BYTES + 32];
	struct manager *m = *state;

	open_notify(m);
	m->line = "\na\nb\tc\x1f"
		  "d e\xc3\xa4\n";
	fffa_notify_ready(&m->n);
	assert_string_equal(sent(m), "READY=1\nSTATUS= a b c d e\xc3\xa4 \n");
	m->line = "";
	fffa_notify_ready(&m->n);
	assert_string_equal(sent(m), "READY=1\nSTATUS=\n");
	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	m->line = line;
	fffa_notify_ready(&m->n);
	(void)snprintf(wanted, sizeof(wanted), "READY=1\nSTATUS=%s\n", line);
	assert_string_equal(sent(m), wanted);
}

static void expect_nobody(struct manager *m, const char *address)
{
	if (address)
		assert_int_equal(setenv("NOTIFY_SOCKET", address, 1), 0);
	else
		assert_int_equal(unsetenv("NOTIFY_SOCKET"), 0);
	open_again(m);
	assert_int_equal(m->n.fd, -1);
	assert_false(uv_is_active((uv_handle_t *)&m->n.timer));
	fffa_notify_ready(&m->n);
	fffa_notify_reloading(&m->n);
	fffa_notify_stopping(&m->n, 0);
	assert_int_equal(m->asked, 0); /* nobody wants to know */
}

static void test_nobody_listens(void **state)
{
	char address[PATH_BYTES + 1];
	struct manager *m = *state;

	fffa_notify_ready(&m->n); /* it was never opened */
	fffa_notify_reloading(&m->n);
	fffa_notify_stopping(&m->n, 0);
	fffa_notify_close(&m->n);
	assert_string_equal(sent(m), "");
	m->n.fd = -1;
	assert_int_equal(setenv("WATCHDOG_USEC", "1000", 1), 0);
	expect_nobody(m, NULL);
	expect_nobody(m, "");
	expect_nobody(m, "/");
	expect_nobody(m, "@");
	expect_nobody(m, "vsock:2:1234");
	memset(address, '/', sizeof(address));
	address[PATH_BYTES] = '\0';
	expect_nobody(m, address); /* one too long */
	address[PATH_BYTES - 1] = '\0';
	assert_int_equal(setenv("NOTIFY_SOCKET", address, 1), 0);
	open_again(m);
	assert_true(m->n.fd >= 0);
	assert_int_equal(m->n.to_bytes, sizeof(struct sockaddr_un) - 1);
}

static void test_an_abstract_socket(void **state)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	struct manager *m = *state;
	char name[32];
	int n = snprintf(name, sizeof(name), "@fffa-%d", (int)getpid());

	(void)close(m->fd);
	m->fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	memcpy(a.sun_path + 1, name + 1, (size_t)n - 1);
	assert_int_equal(bind(m->fd, (const struct sockaddr *)&a,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)n)),
			 0);
	assert_int_equal(setenv("NOTIFY_SOCKET", name, 1), 0);
	open_notify(m);
	fffa_notify_ready(&m->n);
	assert_string_equal(sent(m), "READY=1\nSTATUS=all well\n");
}

/* The timer that the environment asks for. */
static void expect_period(struct manager *m, const char *us, const char *pid, bool feeds,
			  uint64_t period_ms)
{
	assert_int_equal(us ? setenv("WATCHDOG_USEC", us, 1) : unsetenv("WATCHDOG_USEC"), 0);
	assert_int_equal(pid ? setenv("WATCHDOG_PID", pid, 1) : unsetenv("WATCHDOG_PID"), 0);
	open_again(m);
	assert_int_equal(m->n.feeds_watchdog, feeds);
	assert_int_equal(uv_timer_get_repeat(&m->n.timer), period_ms);
	assert_int_equal(uv_timer_get_due_in(&m->n.timer), period_ms);
	assert_false(uv_loop_alive(&m->loop)); /* it keeps nobody running */
}

static void test_the_watchdog_is_fed_in_time(void **state)
{
	struct manager *m = *state;
	char own[16], other[16];

	(void)snprintf(own, sizeof(own), "%d", (int)getpid());
	(void)snprintf(other, sizeof(other), "%d", (int)getppid());
	open_notify(m);
	expect_period(m, NULL, NULL, false, 5000);
	expect_period(m, "3000000", NULL, true, 1000);
	expect_period(m, "3000000", own, true, 1000);
	expect_period(m, "3000000", other, false, 5000);
	expect_period(m, "60000000", NULL, true, 5000);
	expect_period(m, "14997000", NULL, true, 4999);
	expect_period(m, "6000", NULL, true, 2);
	expect_period(m, "2999", NULL, true, 1);
	expect_period(m, "0", NULL, false, 5000);
}

static void test_it_goes_on_by_itself(void **state)
{
	struct manager *m = *state;

	assert_int_equal(setenv("WATCHDOG_USEC", "30000", 1), 0);
	open_notify(m);
	uv_ref((uv_handle_t *)&m->n.timer);
	for (int i = 0; i < 3; i++)
		assert_string_equal(sent_by_timer(m), "WATCHDOG=1\nSTATUS=all well\n");
	/* Without a watchdog the status alone is told. */
	m->n.feeds_watchdog = false;
	while (*sent(m))
		;
	assert_string_equal(sent_by_timer(m), "STATUS=all well\n");
	uv_unref((uv_handle_t *)&m->n.timer);
}

/* Messages that it has no room for are lost. Nobody waits. */
static void test_a_manager_that_does_not_read(void **state)
{
	struct manager *m = *state;
	unsigned int got = 0;

	open_notify(m);
	for (int i = 0; i < 2000; i++)
		fffa_notify_ready(&m->n);
	while (*sent(m))
		got++;
	assert_uint_in_range(got, 1, 1999);
	(void)close(m->fd);
	m->fd = -1;
	fffa_notify_ready(&m->n); /* it is gone */
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_a_life),
		T(test_the_status_is_one_line),
		T(test_nobody_listens),
		T(test_an_abstract_socket),
		T(test_the_watchdog_is_fed_in_time),
		T(test_it_goes_on_by_itself),
		T(test_a_manager_that_does_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
