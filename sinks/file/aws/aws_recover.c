// SPDX-License-Identifier: MIT
#include "sinks/file/aws/aws_recover.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "sinks/file/aws/aws_folder.h"
#include "sinks/file/aws/aws_object.h"
#include "sinks/file/aws/gzip_member.h"

/* Its writer was quicker: it has moved or deleted the object that had no lock any more. */
static bool is_gone(int dir_fd, const char *name)
{
	return faccessat(dir_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) && errno == ENOENT;
}

/* A process that still writes an object holds its lock, also this process. */
static int recover_object(const struct fffa_aws_conf *conf, int dir_fd, const char *name,
			  const atomic_bool *cancel)
{
	int fd = openat(dir_fd, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK), rc;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (flock(fd, LOCK_EX | LOCK_NB)) {
		rc = errno == EWOULDBLOCK ? 0 : -errno;
	} else {
		rc = fffa_gzip_member_recover(fd, conf->sync, cancel);
		if (rc > 0)
			rc = fffa_aws_folder_publish(conf, name);
		else if (!rc && unlinkat(dir_fd, name, 0))
			rc = -errno;
		if (rc == -ENOENT && is_gone(dir_fd, name))
			rc = 0;
	}
	if (close(fd) && !rc)
		rc = -errno;
	return rc;
}

int fffa_aws_recover(const struct fffa_aws_conf *conf, const atomic_bool *cancel)
{
	int fd = fffa_aws_folder_open_staging(conf), first = 0;
	struct fffa_aws_object o;
	const struct dirent *e;
	DIR *dir;

	if (fd < 0)
		return fd;
	dir = fdopendir(fd);
	if (!dir) {
		first = -errno;
		(void)close(fd);
		return first;
	}
	while (!atomic_load(cancel) && (e = readdir(dir))) {
		int rc = 0;

		if (fffa_aws_object_parse(e->d_name, &o))
			rc = recover_object(conf, fd, e->d_name, cancel);
		if (rc && !first)
			first = rc;
	}
	(void)closedir(dir);
	return first;
}
