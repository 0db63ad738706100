// SPDX-License-Identifier: MIT
#include "sinks/file/aws/aws_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sinks/file/aws/aws_object.h"
#include "sinks/file/layout/sync_dir.h"

#define FOLDER_MODE 0750
#define STAGING	    ".part"

static int make_folder(const struct fffa_aws_conf *conf, int dir_fd, const char *name)
{
	if (mkdirat(dir_fd, name, FOLDER_MODE))
		return errno == EEXIST ? 0 : -errno;
	if (fchownat(dir_fd, name, conf->access->uid, conf->access->gid, 0) ||
	    fchmodat(dir_fd, name, FOLDER_MODE, 0))
		return -errno;
	return conf->sync ? fffa_sync_dir(dir_fd) : 0;
}

static int open_folder(int dir_fd, const char *name)
{
	int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* Opens name in dir_fd, which is closed, and makes the folder if it is missing. */
static int enter_folder(const struct fffa_aws_conf *conf, int dir_fd, const char *name)
{
	int fd = open_folder(dir_fd, name);

	if (fd == -ENOENT) {
		int rc = make_folder(conf, dir_fd, name);

		fd = rc ? rc : open_folder(dir_fd, name);
	}
	(void)close(dir_fd); /* nothing was written to it */
	return fd;
}

/* Opens the folder at path, seen from dir_fd, which is closed; makes each missing one. */
static int walk_path(const struct fffa_aws_conf *conf, int dir_fd, const char *path)
{
	char name[NAME_MAX + 1];

	while (dir_fd >= 0 && *path) {
		size_t n = strcspn(path, "/");

		if (n >= sizeof(name)) {
			(void)close(dir_fd);
			return -ENAMETOOLONG;
		}
		memcpy(name, path, n);
		name[n] = '\0';
		if (n)
			dir_fd = enter_folder(conf, dir_fd, name);
		path += n + (path[n] == '/');
	}
	return dir_fd;
}

static int open_root(const struct fffa_aws_conf *conf)
{
	int fd = open(*conf->path == '/' ? "/" : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : walk_path(conf, fd, conf->path);
}

int fffa_aws_folder_open_staging(const struct fffa_aws_conf *conf)
{
	int fd = open_root(conf);

	return fd < 0 ? fd : walk_path(conf, fd, STAGING);
}

int fffa_aws_folder_make(const struct fffa_aws_conf *conf)
{
	int fd = fffa_aws_folder_open_staging(conf), rc;

	if (fd < 0)
		return fd;
	rc = faccessat(fd, ".", W_OK | X_OK, AT_EACCESS) ? -errno : 0;
	(void)close(fd);
	return rc;
}

int fffa_aws_folder_publish(const struct fffa_aws_conf *conf, const char *name)
{
	char folder[PATH_MAX];
	struct fffa_aws_object o;
	int staging, to, rc;

	if (!fffa_aws_object_parse(name, &o) ||
	    fffa_aws_object_folder(&o, conf->hive, folder, sizeof(folder)))
		return -EINVAL;
	staging = fffa_aws_folder_open_staging(conf);
	if (staging < 0)
		return staging;
	to = open_root(conf);
	if (to >= 0)
		to = walk_path(conf, to, folder);
	rc = to < 0 ? to : 0;
	if (!rc && renameat(staging, name, to, name))
		rc = -errno;
	if (!rc && conf->sync)
		rc = fffa_sync_dir(to);
	if (to >= 0)
		(void)close(to);
	(void)close(staging);
	return rc;
}
