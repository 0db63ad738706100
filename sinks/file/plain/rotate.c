// SPDX-License-Identifier: MIT
#include "sinks/file/plain/rotate.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sinks/file/plain/inspect.h"
#include "sinks/file/plain/rotated_name.h"

bool fffa_plain_rotate_is_due(struct fffa_plain_rotation *r, int64_t size, size_t head, size_t more,
			      int64_t now_s)
{
	int64_t interval = r->interval_s ? now_s / r->interval_s : 0;

	if (size <= (int64_t)head) {
		r->interval_number = interval;
		return false;
	}
	if (now_s < r->not_before_s)
		return false;
	return interval > r->interval_number ||
	       (r->size_bytes && more && size + (int64_t)more > r->size_bytes);
}

/* Finds the newest rotated name of real. False: there is none, or the folder cannot be read. */
static bool find_newest(const char *real, struct fffa_rotated_name *newest)
{
	const char *base = strrchr(real, '/') + 1; /* realpath gives a slash */
	char *dir_name = strndup(real, (size_t)(base - real));
	DIR *dir = dir_name ? opendir(dir_name) : NULL;
	struct fffa_rotated_name r;
	const struct dirent *e;
	bool found = false;

	while (dir && (e = readdir(dir))) {
		if (!fffa_rotated_name_parse(base, e->d_name, &r))
			continue;
		if (!found || fffa_rotated_name_compare(newest, &r) < 0)
			*newest = r;
		found = true;
	}
	if (dir)
		(void)closedir(dir);
	free(dir_name);
	return found;
}

/*
 * A new name always sorts behind all others, also within the same second or after the clock was set
 * back, because retention deletes the lowest names.
 */
static int choose_name(const char *real, int64_t now_s, char *name, size_t cap)
{
	struct fffa_rotated_name r = {.number = 0}, newest = r;

	fffa_stamp_write(now_s, r.stamp);
	if (find_newest(real, &newest) && fffa_rotated_name_compare(&newest, &r) >= 0) {
		memcpy(r.stamp, newest.stamp, sizeof(r.stamp));
		r.number = newest.number + 1;
	}
	if (r.number > FFFA_ROTATED_NUMBER_MAX)
		return -EEXIST;
	return fffa_rotated_name_format(real, &r, name, cap);
}

static int rename_to_rotated(const char *real, int64_t now_s, char *name, size_t cap)
{
	struct stat st;
	int rc = choose_name(real, now_s, name, cap);

	if (rc)
		return rc;
	if (!lstat(name, &st))
		return -EEXIST; /* find_newest could not read the folder */
	return rename(real, name) ? -errno : 0;
}

/* Opens the path of env; what is found there stays, whatever it is. */
static int open_renewed(const struct fffa_file_layout_env *env, struct fffa_plain_target *out,
			struct fffa_err *err)
{
	bool sync = env->conf->sync == FFFA_FILE_SYNC_BATCH;
	int rc = fffa_plain_open(env->conf->path, &env->access, sync, out, err);

	if (!rc)
		(void)fffa_plain_inspect(env, out);
	return rc;
}

static void replace_target(struct fffa_plain_target *to, const struct fffa_plain_target *by)
{
	(void)close(to->fd); /* what counted was synced; the rest the kernel has */
	*to = *by;
}

int fffa_plain_rotate(const struct fffa_file_layout_env *env, int64_t now_s,
		      struct fffa_plain_target *to)
{
	struct fffa_plain_target renewed = {.fd = -1};
	char *real = realpath(env->conf->path, NULL);
	char name[PATH_MAX];
	bool ours = real && fffa_plain_open_is_same(real, to->fd);
	int rc = 0;

	if (ours)
		rc = rename_to_rotated(real, now_s, name, sizeof(name));
	if (!rc) {
		rc = open_renewed(env, &renewed, NULL);
		/* The old file gets its name back and goes on. */
		if (rc && ours)
			(void)rename(name, real);
	}
	if (!rc)
		replace_target(to, &renewed);
	free(real);
	return rc;
}

int fffa_plain_rotate_remake(const struct fffa_file_layout_env *env, struct fffa_plain_target *to,
			     struct fffa_err *err)
{
	struct fffa_plain_target renewed = {.fd = -1};
	const char *path = env->conf->path;
	int rc = open_renewed(env, &renewed, err);

	if (rc == -ENOENT) {
		rc = fffa_plain_open_make_folders(path, to);
		if (rc)
			return fffa_fail(err, -rc, "cannot make the folder of %s: %s", path,
					 strerror(-rc));
		rc = open_renewed(env, &renewed, err);
	}
	if (!rc)
		replace_target(to, &renewed);
	return rc;
}
