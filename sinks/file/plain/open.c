// SPDX-License-Identifier: MIT
#include "sinks/file/plain/open.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "sinks/file/layout/sync_dir.h"

static int explain_error(const char *path, int error, struct fffa_err *err)
{
	const char *slash = strrchr(path, '/');
	int dir_len = slash ? (int)(slash - path) + (slash == path) : 1;
	const char *dir = slash ? path : ".";

	switch (error) {
	case ENOENT:
		return fffa_fail(
			err, error,
			"path: the directory %.*s does not exist; create it or change path",
			dir_len, dir);
	case ENOTDIR:
		return fffa_fail(err, error, "path: %.*s is not a directory; change path", dir_len,
				 dir);
	case EACCES:
	case EPERM:
		return fffa_fail(
			err, error,
			"path: no permission to write %s; give this user write access to "
			"it and to %.*s, or change path (with owner: this user may also be "
			"unable to give files away)",
			path, dir_len, dir);
	case EISDIR:
		return fffa_fail(err, error, "path: %s is a directory; name a file in it", path);
	case ENXIO:
		return fffa_fail(err, error,
				 "path: nobody reads the FIFO %s; start its reader first", path);
	case EBUSY:
		return fffa_fail(err, error,
				 "path: another process or sink writes to %s; change path", path);
	case ENODEV:
		return fffa_fail(err, error,
				 "path: %s is a device; name a file, a FIFO, a terminal or -",
				 path);
	case ENOTSUP:
		return fffa_fail(err, error,
				 "path: %s is a socket; name a file, a FIFO, a terminal or -",
				 path);
	case EROFS:
		return fffa_fail(err, error,
				 "path: %s lies on a read-only file system; change path", path);
	default:
		return fffa_fail(err, error, "path: cannot open %s: %s", path, strerror(error));
	}
}

/*
 * A duplicate of standard output, or -1 with errno. EBADF also where main holds the number with a
 * descriptor for reading only, because the agent was started without standard output.
 */
static int open_stdout(void)
{
	int flags = fcntl(STDOUT_FILENO, F_GETFL), fd = -1;

	if (flags < 0)
		return -1;
	if ((flags & O_ACCMODE) == O_RDONLY) {
		errno = EBADF;
		return -1;
	}
	/*
	 * A write to a stopped terminal (Ctrl-S) blocks, whatever poll said before. So a terminal
	 * gets a non-blocking descriptor, which the shell must not share.
	 */
	if (isatty(STDOUT_FILENO))
		fd = open("/proc/self/fd/1", O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	return fd < 0 ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3) : fd;
}

static bool is_anonymous(int fd)
{
	char link[64], what[64] = "";

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	(void)!readlink(link, what,
			sizeof(what) - 1); /* unknown: take it for one with a name, and wait */
	return !strncmp(what, "pipe:", 5) || !strncmp(what, "socket:", 7);
}

static int dir_length(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? (int)(slash - path) + (slash == path) : 0;
}

static int sync_dir_of(const char *path)
{
	int n = dir_length(path), fd, rc;
	char *dir = n ? strndup(path, (size_t)n) : strdup(".");

	if (!dir)
		return -ENOMEM;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	rc = fd < 0 ? -errno : fffa_sync_dir(fd);
	if (fd >= 0)
		(void)close(fd); /* nothing was written to it */
	free(dir);
	return rc;
}

/* O_NONBLOCK: the open of a FIFO without a reader fails then and does not block. */
#define OPEN_FLAGS (O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)

/* Makes a file with this access, whatever the umask. On failure -1 with errno, and no file. */
static int make_file(const char *path, const struct fffa_file_access *access, bool sync)
{
	int fd = open(path, OPEN_FLAGS | O_CREAT, 0600), error;

	if (fd < 0)
		return -1;
	if (fchown(fd, access->uid, access->gid) || fchmod(fd, access->mode))
		goto fail;
	if (sync) {
		int rc = sync_dir_of(path);

		/* A directory that this user cannot read cannot be synced; that is no failure. */
		if (rc == -EIO) {
			errno = EIO;
			goto fail;
		}
	}
	return fd;
fail:
	error = errno;
	(void)close(fd);
	(void)unlink(path);
	errno = error;
	return -1;
}

bool fffa_plain_open_is_same(const char *path, int fd)
{
	struct stat a, b;

	return !stat(path, &a) && !fstat(fd, &b) && a.st_ino == b.st_ino && a.st_dev == b.st_dev;
}

/* A device keeps nothing of a file, and a disk would be written over. */
static bool is_refused(int fd, const struct stat *st)
{
	struct stat out;

	if (S_ISBLK(st->st_mode))
		return true;
	if (!S_ISCHR(st->st_mode) || isatty(fd) || st->st_rdev == makedev(1, 3)) /* /dev/null */
		return false;
	return fstat(STDOUT_FILENO, &out) || out.st_rdev != st->st_rdev || !S_ISCHR(out.st_mode);
}

/* 0: locked, or this file system has no locks. */
static int lock_file(int fd)
{
	return flock(fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK ? -EBUSY : 0;
}

/* Fills *st. -ESTALE: the file was moved away before it was locked. */
static int check_named(const char *path, int fd, struct stat *st)
{
	int rc;

	if (fstat(fd, st))
		return -errno;
	if (is_refused(fd, st))
		return -ENODEV;
	rc = S_ISREG(st->st_mode) ? lock_file(fd) : 0;
	if (rc)
		return rc;
	return S_ISREG(st->st_mode) && !fffa_plain_open_is_same(path, fd) ? -ESTALE : 0;
}

static int open_once(const char *path, const struct fffa_file_access *access, bool sync,
		     struct stat *st)
{
	int fd = open(path, OPEN_FLAGS), rc;

	if (fd < 0 && errno == ENOENT)
		fd = make_file(path, access, sync);
	if (fd < 0)
		return -errno;
	rc = check_named(path, fd, st);
	if (rc) {
		(void)close(fd); /* nothing was written to it */
		return rc;
	}
	return fd;
}

#define OPEN_TRIES 5 /* somebody may rotate the file between two steps */

/* Returns the descriptor and fills *st, or -errno. */
static int open_named(const char *path, const struct fffa_file_access *access, bool sync,
		      struct stat *st)
{
	int fd = -ESTALE;

	for (int i = 0; i < OPEN_TRIES && fd == -ESTALE; i++)
		fd = open_once(path, access, sync, st);
	return fd;
}

static void note_folder(const char *path, struct fffa_plain_target *out)
{
	int n = dir_length(path);
	char *dir = n ? strndup(path, (size_t)n) : strdup(".");
	struct stat st;

	out->folder.mode = 0755;
	out->folder.uid = (uid_t)-1;
	out->folder.gid = (gid_t)-1;
	if (dir && !stat(dir, &st)) {
		out->folder.mode = st.st_mode & 07777;
		out->folder.uid = st.st_uid;
		out->folder.gid = st.st_gid;
	}
	free(dir);
}

int fffa_plain_open_make_folders(const char *path, const struct fffa_plain_target *t)
{
	char *dir = strdup(path), *slash;
	int rc = dir ? 0 : -ENOMEM;
	bool made = false;

	for (slash = dir ? strchr(dir + 1, '/') : NULL; slash && !rc;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		made = !mkdir(dir, 0755);
		if (!made && errno != EEXIST)
			rc = -errno;
		if (made && !strchr(slash + 1, '/')) {
			/* Without the right to give it away it stays this user's own. */
			(void)!chown(dir, t->folder.uid, t->folder.gid);
			if (chmod(dir, t->folder.mode))
				rc = -errno;
		}
		*slash = '/';
	}
	free(dir);
	return rc;
}

int fffa_plain_open(const char *path, const struct fffa_file_access *access, bool sync,
		    struct fffa_plain_target *out, struct fffa_err *err)
{
	bool is_stdout = !strcmp(path, "-");
	struct stat st = {.st_size = 0};
	int fd;

	if (is_stdout) {
		fd = open_stdout();
		if (fd < 0 || fstat(fd, &st))
			return fffa_fail(err, errno,
					 "path: standard output is not open (%s); name a file",
					 strerror(errno));
	} else {
		fd = open_named(path, access, sync, &st);
		if (fd < 0)
			return explain_error(path, -fd, err);
	}
	memset(out, 0, sizeof(*out));
	out->fd = fd;
	out->regular = S_ISREG(st.st_mode);
	out->stream = S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode) || isatty(fd);
	out->named = !is_stdout;
	out->anonymous = out->stream && is_anonymous(fd);
	out->mtime_s = st.st_mtim.tv_sec;
	out->size = st.st_size;
	if (out->named && out->regular)
		note_folder(path, out);
	return 0;
}

/* 0, or what keeps this user from making a file in the folder of path. */
static int probe_folder(const char *path)
{
	int n = dir_length(path), error = 0;
	char *dir = n ? strndup(path, (size_t)n) : strdup(".");
	struct stat st;

	if (!dir)
		return ENOMEM;
	if (stat(dir, &st))
		error = errno;
	else if (!S_ISDIR(st.st_mode))
		error = ENOTDIR;
	else if (faccessat(AT_FDCWD, dir, W_OK | X_OK, AT_EACCESS))
		error = errno;
	free(dir);
	return error;
}

int fffa_plain_open_probe(const char *path, struct fffa_err *err)
{
	struct stat st;
	int error = 0;

	if (stat(path, &st))
		error = errno == ENOENT ? probe_folder(path) : errno;
	else if (S_ISDIR(st.st_mode))
		error = EISDIR;
	else if (S_ISBLK(st.st_mode))
		error = ENODEV;
	else if (S_ISSOCK(st.st_mode))
		error = ENOTSUP;
	else if (faccessat(AT_FDCWD, path, W_OK, AT_EACCESS))
		error = errno;
	return error ? explain_error(path, error, err) : 0;
}
