// SPDX-License-Identifier: MIT
/* What can be opened as a sink's file, what the error says, and what is known of the file then. */
#include "sinks/file/plain/open.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/stubs/cmocka_all.h"
#include "tests/stubs/files.h"
#include "tests/unit/sinks/file_fixture.h"

static const struct fffa_file_access access_0604 = {
	.mode = 0604, .uid = (uid_t)-1, .gid = (gid_t)-1};

static int open_path(const char *path, struct fffa_plain_target *out, struct fffa_err *err)
{
	return fffa_plain_open(path, &access_0604, true, out, err);
}

/* Both the open and the probe before it say this. */
static void expect_error(const char *path, int want, const char *text)
{
	struct fffa_plain_target t = {.fd = -7};
	struct fffa_err err = {""}, probe = {""};

	assert_int_equal(open_path(path, &t, &err), want);
	assert_string_equal(err.text, text);
	assert_int_equal(t.fd, -7);
	if (want == -EBUSY)
		return;
	assert_int_equal(fffa_plain_open_probe(path, &probe), want);
	assert_string_equal(probe.text, text);
}

static void errors_say_what_to_do(void **state)
{
	const struct file_fixture *p = *state;
	char path[200], text[400];

	(void)snprintf(path, sizeof(path), "%s/no/flows.log", p->dir);
	(void)snprintf(text, sizeof(text),
		       "path: the directory %s/no does not exist; create it or change path",
		       p->dir);
	expect_error(path, -ENOENT, text);
	files_write(p->path, "x", 1);
	(void)snprintf(path, sizeof(path), "%s/flows.log", p->path);
	(void)snprintf(text, sizeof(text), "path: %s is not a directory; change path", p->path);
	expect_error(path, -ENOTDIR, text);
	(void)snprintf(text, sizeof(text), "path: %s is a directory; name a file in it", p->dir);
	expect_error(p->dir, -EISDIR, text);
	expect_error("/no-such-folder/x", -ENOENT,
		     "path: the directory /no-such-folder does not exist; create it or change "
		     "path");
	assert_int_equal(symlink("loop", "loop"), 0);
	expect_error("loop", -ELOOP, "path: cannot open loop: Too many levels of symbolic links");
	assert_int_equal(unlink("loop"), 0);
}

static void devices_that_keep_nothing_are_refused(void **state)
{
	struct fffa_plain_target t;
	struct fffa_err err = {""};

	(void)state;
	assert_int_equal(open_path("/dev/zero", &t, &err), -ENODEV);
	assert_string_equal(err.text,
			    "path: /dev/zero is a device; name a file, a FIFO, a terminal or -");
	assert_int_equal(open_path("/dev/null", &t, &err), 0);
	assert_false(t.regular);
	assert_false(t.stream);
	assert_true(t.named);
	(void)close(t.fd);
}

static void a_file_has_one_writer_at_a_time(void **state)
{
	const struct file_fixture *p = *state;
	struct fffa_plain_target t;
	struct fffa_err err = {""};
	char text[300];

	assert_int_equal(open_path(p->path, &t, &err), 0);
	(void)snprintf(text, sizeof(text),
		       "path: another process or sink writes to %s; change path", p->path);
	expect_error(p->path, -EBUSY, text);
	(void)close(t.fd);
	assert_int_equal(open_path(p->path, &t, &err), 0);
	(void)close(t.fd);
}

static void a_new_file_has_its_mode_whatever_the_umask(void **state)
{
	const struct file_fixture *p = *state;
	mode_t before = umask(0777);
	struct fffa_plain_target t;
	struct fffa_err err = {""};
	struct stat st;

	assert_int_equal(chmod(p->dir, 0751), 0);
	assert_int_equal(open_path(p->path, &t, &err), 0);
	(void)umask(before);
	assert_int_equal(fstat(t.fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0604);
	assert_true(t.regular && t.named);
	assert_false(t.stream || t.anonymous);
	assert_int_equal(t.size, 0);
	assert_int_equal(t.folder.mode, 0751);
	assert_int_equal(t.folder.uid, geteuid());
	assert_int_equal(fcntl(t.fd, F_GETFL) & (O_APPEND | O_ACCMODE), O_APPEND | O_WRONLY);
	assert_int_equal(fcntl(t.fd, F_GETFD), FD_CLOEXEC);
	(void)close(t.fd);
}

static void an_old_file_stays_as_it_is(void **state)
{
	const struct file_fixture *p = *state;
	const struct timespec then[2] = {{.tv_sec = 1000000}, {.tv_sec = 2000000}};
	struct fffa_plain_target t;
	struct fffa_err err = {""};
	struct stat st;

	files_write(p->path, "12345", 5);
	assert_int_equal(chmod(p->path, 0622), 0);
	assert_int_equal(utimensat(AT_FDCWD, p->path, then, 0), 0);
	assert_int_equal(fffa_plain_open_probe(p->path, &err), 0);
	assert_int_equal(open_path(p->path, &t, &err), 0);
	assert_int_equal(t.size, 5);
	assert_int_equal(t.mtime_s, 2000000);
	assert_int_equal(fstat(t.fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0622);
	assert_true(fffa_plain_open_is_same(p->path, t.fd));
	assert_false(fffa_plain_open_is_same(p->dir, t.fd));
	assert_int_equal(unlink(p->path), 0);
	assert_false(fffa_plain_open_is_same(p->path, t.fd));
	(void)close(t.fd);
}

/* In the working directory, without a slash. */
static void a_bare_name(void **state)
{
	struct fffa_plain_target t;
	struct fffa_err err = {""};

	(void)state;
	assert_int_equal(fffa_plain_open_probe("fffa-bare.log", &err), 0);
	assert_int_equal(open_path("fffa-bare.log", &t, &err), 0);
	assert_true(t.folder.mode & 0700);
	assert_int_equal(unlink("fffa-bare.log"), 0);
	(void)close(t.fd);
}

static void a_fifo_is_a_stream(void **state)
{
	const struct file_fixture *p = *state;
	struct fffa_plain_target t;
	struct fffa_err err = {""};
	char text[300];
	int reader;

	assert_int_equal(mkfifo(p->path, 0600), 0);
	(void)snprintf(text, sizeof(text), "path: nobody reads the FIFO %s; start its reader first",
		       p->path);
	assert_int_equal(open_path(p->path, &t, &err), -ENXIO);
	assert_string_equal(err.text, text);
	reader = open(p->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_int_equal(open_path(p->path, &t, &err), 0);
	assert_true(t.stream && t.named);
	assert_false(t.regular || t.anonymous);
	(void)close(t.fd);
	(void)close(reader);
}

/* Opens "-" while standard output is fd (-1: closed). */
static int open_stdout_as(int fd, struct fffa_plain_target *t, struct fffa_err *err)
{
	int saved = dup(STDOUT_FILENO), rc;

	(void)fflush(stdout);
	if (fd >= 0)
		assert_int_equal(dup2(fd, STDOUT_FILENO), STDOUT_FILENO);
	else
		(void)close(STDOUT_FILENO);
	rc = open_path("-", t, err);
	assert_int_equal(dup2(saved, STDOUT_FILENO), STDOUT_FILENO);
	(void)close(saved);
	return rc;
}

static void standard_output_is_a_duplicate(void **state)
{
	const struct file_fixture *p = *state;
	struct fffa_plain_target t;
	struct fffa_err err = {""};
	int fds[2], fd = open(p->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	assert_int_equal(open_stdout_as(fd, &t, &err), 0);
	assert_true(t.regular);
	assert_false(t.named || t.stream || t.anonymous);
	assert_true(t.fd >= 3 && t.fd != fd);
	assert_true(fffa_plain_open_is_same(p->path, t.fd));
	assert_int_equal(fcntl(t.fd, F_GETFD), FD_CLOEXEC);
	(void)close(t.fd);
	(void)close(fd);
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(open_stdout_as(fds[1], &t, &err), 0);
	assert_true(t.stream && t.anonymous);
	assert_false(t.named || t.regular);
	(void)close(t.fd);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

static void standard_output_that_is_not_open(void **state)
{
	struct fffa_plain_target t;
	struct fffa_err err = {""};
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	(void)state;
	for (int closed = 0; closed < 2; closed++) {
		assert_int_equal(open_stdout_as(closed ? -1 : fd, &t, &err), -EBADF);
		assert_string_equal(err.text, "path: standard output is not open (Bad file "
					      "descriptor); name a file");
	}
	(void)close(fd);
}

/* Somebody removed the folder: the last one is as it was, those above have usual permissions. */
static void folders_are_made_again(void **state)
{
	const struct file_fixture *p = *state;
	struct fffa_plain_target t = {.folder = {.mode = 0711, .uid = 77, .gid = 78}};
	char path[200], folder[200];
	mode_t before = umask(0022);
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/one/two/flows.log", p->dir);
	assert_int_equal(fffa_plain_open_make_folders(path, &t), 0);
	(void)snprintf(folder, sizeof(folder), "%s/one/two", p->dir);
	assert_int_equal(stat(folder, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0711);
	if (!geteuid()) {
		assert_int_equal(st.st_uid, 77);
		assert_int_equal(st.st_gid, 78);
	}
	(void)snprintf(folder, sizeof(folder), "%s/one", p->dir);
	assert_int_equal(stat(folder, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_int_equal(st.st_uid, geteuid());
	assert_int_equal(stat(path, &st), -1);
	assert_int_equal(fffa_plain_open_make_folders(path, &t), 0); /* all are there */
	files_write(p->path, "x", 1);
	(void)snprintf(path, sizeof(path), "%s/one/flows.log", p->path);
	assert_int_equal(fffa_plain_open_make_folders(path, &t), -ENOTDIR);
	(void)umask(before);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, file_fixture_setup, file_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(errors_say_what_to_do),
		CASE(devices_that_keep_nothing_are_refused),
		CASE(a_file_has_one_writer_at_a_time),
		CASE(a_new_file_has_its_mode_whatever_the_umask),
		CASE(an_old_file_stays_as_it_is),
		CASE(a_bare_name),
		CASE(a_fifo_is_a_stream),
		CASE(standard_output_is_a_duplicate),
		CASE(standard_output_that_is_not_open),
		CASE(folders_are_made_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
