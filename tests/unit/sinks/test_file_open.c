// SPDX-License-Identifier: MIT
/* What can be opened as a sink's file, what the error says, and what is known of the file then. */
#include "sinks/file/plain/open.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
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
	memset(&t, 0xee, sizeof(t)); /* all of it is set */
	assert_int_equal(open_path("/dev/null", &t, &err), 0);
	assert_int_equal(t.before.len, 0);
	assert_int_equal(t.folder.mode, 0);
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

/* Opens path while standard output is fd (-1: closed). */
static int open_beside_stdout(const char *path, int fd, struct fffa_plain_target *t,
			      struct fffa_err *err)
{
	int saved = dup(STDOUT_FILENO), rc;

	(void)fflush(stdout);
	if (fd >= 0)
		assert_int_equal(dup2(fd, STDOUT_FILENO), STDOUT_FILENO);
	else
		(void)close(STDOUT_FILENO);
	rc = open_path(path, t, err);
	assert_int_equal(dup2(saved, STDOUT_FILENO), STDOUT_FILENO);
	(void)close(saved);
	return rc;
}

static int open_stdout_as(int fd, struct fffa_plain_target *t, struct fffa_err *err)
{
	return open_beside_stdout("-", fd, t, err);
}

static void standard_output_is_a_duplicate(void **state)
{
	const struct file_fixture *p = *state;
	struct fffa_plain_target t;
	struct fffa_err err = {""};
	int fds[2], fd = open(p->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	assert_int_equal(write(fd, "old", 3), 3);
	assert_int_equal(open_stdout_as(fd, &t, &err), 0);
	assert_int_equal(lseek(t.fd, 0, SEEK_CUR), 3); /* what is there is not written over */
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

/* The numbers of the standard descriptors stay free for what comes to them. */
static void standard_output_without_an_input(void **state)
{
	const struct file_fixture *p = *state;
	int fd = open(p->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600), saved = dup(STDIN_FILENO), rc;
	struct fffa_plain_target t;
	struct fffa_err err = {""};

	(void)close(STDIN_FILENO);
	rc = open_stdout_as(fd, &t, &err);
	if (saved >= 0) {
		(void)dup2(saved, STDIN_FILENO);
		(void)close(saved);
	}
	assert_int_equal(rc, 0);
	assert_true(t.fd >= 3);
	(void)close(t.fd);
	(void)close(fd);
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

/* Its descriptor does not block, while that of the shell stays as it is. */
static void a_terminal_is_a_stream(void **state)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), slave;
	struct fffa_plain_target t;
	struct fffa_err err = {""};
	const char *name;

	(void)state;
	if (master < 0 || grantpt(master) || unlockpt(master))
		skip();
	name = ptsname(master);
	slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(slave >= 0);
	assert_int_equal(open_stdout_as(slave, &t, &err), 0);
	assert_true(t.stream);
	assert_false(t.named || t.regular || t.anonymous);
	assert_int_equal(fcntl(t.fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
	assert_int_equal(fcntl(t.fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(slave, F_GETFL) & O_NONBLOCK, 0);
	(void)close(t.fd);
	assert_int_equal(open_path(name, &t, &err), 0);
	assert_true(t.stream && t.named);
	(void)close(t.fd);
	(void)close(slave);
	(void)close(master);
}

/* Somebody has chosen it already: `fffa run > /dev/zero`. */
static void the_device_of_standard_output_is_taken(void **state)
{
	int zero = open("/dev/zero", O_WRONLY | O_CLOEXEC);
	struct fffa_plain_target t;
	struct fffa_err err = {""};

	(void)state;
	assert_int_equal(open_beside_stdout("/dev/zero", zero, &t, &err), 0);
	(void)close(t.fd);
	assert_int_equal(open_beside_stdout("/dev/full", zero, &t, &err), -ENODEV);
	(void)close(zero);
}

static void a_socket_is_refused_by_the_probe(void **state)
{
	const struct file_fixture *p = *state;
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct fffa_err err = {""};
	char text[200];

	(void)snprintf(a.sun_path, sizeof(a.sun_path), "%s", p->path);
	assert_int_equal(bind(fd, (const struct sockaddr *)&a, sizeof(a)), 0);
	(void)snprintf(text, sizeof(text),
		       "path: %s is a socket; name a file, a FIFO, a terminal or -", p->path);
	assert_int_equal(fffa_plain_open_probe(p->path, &err), -ENOTSUP);
	assert_string_equal(err.text, text);
	(void)close(fd);
}

static void expect_no_permission(const char *path, const char *folder)
{
	char text[400];

	(void)snprintf(text, sizeof(text),
		       "path: no permission to write %s; give this user write access to it and to "
		       "%s, or change path (with owner: this user may also be unable to give files "
		       "away)",
		       path, folder);
	expect_error(path, -EACCES, text);
}

/* In a folder that belongs to others, and to a file of theirs. */
static void what_this_user_may_not_write(void **state)
{
	const struct file_fixture *p = *state;
	uid_t user = geteuid();
	char other[128];
	int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)snprintf(other, sizeof(other), "%s/other.log", p->dir);
	files_write(other, "x", 1);
	assert_int_equal(chmod(other, 0444), 0);
	assert_int_equal(chmod(p->dir, 0555), 0);
	if (!user)
		assert_int_equal(seteuid(65534), 0);
	expect_no_permission(p->path, p->dir);
	expect_no_permission(other, p->dir);
	expect_no_permission("/fffa-nobody-may", "/");
	assert_int_equal(chdir(p->dir), 0);
	expect_no_permission("flows.log", ".");
	assert_int_equal(fchdir(here), 0);
	assert_int_equal(seteuid(user), 0);
	assert_int_equal(chmod(p->dir, 0700), 0);
	(void)close(here);
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
		CASE(standard_output_without_an_input),
		CASE(standard_output_that_is_not_open),
		CASE(a_terminal_is_a_stream),
		CASE(the_device_of_standard_output_is_taken),
		CASE(a_socket_is_refused_by_the_probe),
		CASE(what_this_user_may_not_write),
		CASE(folders_are_made_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
