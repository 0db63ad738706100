// SPDX-License-Identifier: MIT
/* Listening sockets: new ones, those in use, and those that a dead process left behind. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/stubs/cmocka_all.h"

#include "agent/status/listen/listener.h"
#include "config/address.h"

struct fixture {
	char dir[64];
	char path[96];
	char text[128];
};

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	if (!fixture)
		return -1;
	(void)strcpy(fixture->dir, "/tmp/fffa-listen-XXXXXX");
	if (!mkdtemp(fixture->dir))
		return -1;
	(void)snprintf(fixture->path, sizeof(fixture->path), "%s/sock", fixture->dir);
	(void)snprintf(fixture->text, sizeof(fixture->text), "unix:%s", fixture->path);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	(void)unlink(fixture->path);
	(void)rmdir(fixture->dir);
	free(fixture);
	return 0;
}

static void test_unix_mode_and_end(void **state)
{
	struct fixture *fixture = *state;
	struct fffa_listener l;
	struct fffa_err err;
	struct stat st;

	assert_int_equal(fffa_listener_open(&l, fixture->text, &err), 0);
	assert_int_equal(stat(fixture->path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0660);
	fffa_listener_close(&l);
	assert_int_equal(stat(fixture->path, &st), -1);
}

static void test_unix_taken(void **state)
{
	struct fixture *fixture = *state;
	struct fffa_listener l, second;
	struct fffa_err err;
	struct stat st;

	assert_int_equal(fffa_listener_open(&l, fixture->text, &err), 0);
	assert_int_equal(fffa_listener_open(&second, fixture->text, &err), -EADDRINUSE);
	assert_non_null(strstr(err.text, "status.listen"));
	assert_non_null(strstr(err.text, fixture->text));
	assert_int_equal(stat(fixture->path, &st), 0); /* the socket of the first is still there */
	fffa_listener_close(&l);
}

/* The number of the next descriptor: the same as long as none is left open. */
static int next_fd(void)
{
	int fd = dup(STDERR_FILENO);

	(void)close(fd);
	return fd;
}

/* Its owner was killed. */
static void test_unix_left_behind(void **state)
{
	struct fixture *fixture = *state;
	struct fffa_listener l;
	struct fffa_err err;

	assert_int_equal(fffa_listener_open(&l, fixture->text, &err), 0);
	(void)close(l.fd);
	assert_int_equal(next_fd(), l.fd);
	assert_int_equal(fffa_listener_open(&l, fixture->text, &err), 0);
	assert_int_equal(next_fd(), l.fd + 1); /* the one that asked is closed */
	fffa_listener_close(&l);
}

/* A file that is not a socket is not replaced. */
static void test_unix_file_in_the_way(void **state)
{
	struct fixture *fixture = *state;
	struct fffa_listener l;
	struct fffa_err err;
	struct stat st;
	FILE *f = fopen(fixture->path, "w");

	assert_non_null(f);
	(void)fclose(f);
	assert_int_equal(fffa_listener_open(&l, fixture->text, &err), -EADDRINUSE);
	assert_int_equal(stat(fixture->path, &st), 0);
	assert_true(S_ISREG(st.st_mode));
}

static void test_unix_no_folder(void **state)
{
	struct fffa_listener l;
	struct fffa_err err;

	(void)state;
	assert_int_equal(fffa_listener_open(&l, "unix:/nonexistent/sock", &err), -ENOENT);
	assert_non_null(strstr(err.text, "No such file"));
}

/* Another agent is blamed only when the address is in use. */
static void test_tcp_of_another_host(void **state)
{
	struct fffa_listener l;
	struct fffa_err err;

	(void)state;
	assert_int_equal(fffa_listener_open(&l, "192.0.2.1:9", &err), -EADDRNOTAVAIL);
	assert_null(strstr(err.text, "another agent"));
	assert_int_equal(l.fd, -1);
}

static void test_tcp_taken(void **state)
{
	struct fffa_address any, *at = &any;
	struct fffa_listener l;
	struct fffa_err err;
	char text[32];
	int fd = socket(AF_INET, SOCK_STREAM, 0), next;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(fffa_address_parse("127.0.0.1:1", at, &err), 0);
	((struct sockaddr_in *)&at->sa)->sin_port = 0;
	assert_int_equal(bind(fd, (struct sockaddr *)&at->sa, at->len), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at->sa, &at->len), 0);
	(void)snprintf(text, sizeof(text), "127.0.0.1:%u",
		       ntohs(((struct sockaddr_in *)&at->sa)->sin_port));
	next = next_fd();
	assert_int_equal(fffa_listener_open(&l, text, &err), -EADDRINUSE);
	assert_non_null(strstr(err.text, text));
	assert_non_null(strstr(err.text, "; another agent may run: choose another address, or \"\" "
					 "for none"));
	assert_int_equal(l.fd, -1);
	assert_int_equal(next_fd(), next);
	(void)close(fd);
	next = next_fd();
	assert_int_equal(fffa_listener_open(&l, text, &err), 0);
	assert_int_equal(l.fd, next);
	fffa_listener_close(&l);
	assert_int_equal(l.fd, -1);
	assert_int_equal(next_fd(), next);
	fffa_listener_close(&l); /* nothing is left to close */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_unix_mode_and_end, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unix_taken, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unix_left_behind, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unix_file_in_the_way, setup, teardown),
		cmocka_unit_test(test_unix_no_folder),
		cmocka_unit_test(test_tcp_taken),
		cmocka_unit_test(test_tcp_of_another_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
