// SPDX-License-Identifier: MIT
#include "sinks/file/plain/retention.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/io.h"
#include "sinks/file/layout/sync_dir.h"
#include "sinks/file/plain/compress.h"
#include "sinks/file/plain/rotated_name.h"

#define LIST_MAX ((size_t)200000) /* the next run sees the others */

struct list {
	struct fffa_rotated_name *v;
	size_t n, cap;
};

struct folder {
	int64_t max_files;
	enum fffa_file_compression compression;
	const atomic_bool *cancel;
	int rc; /* the first failure */
	DIR *dir;
	int fd;
	const char *base;
	struct list list;
};

static void note_error(struct folder *m, int rc)
{
	if (rc && !m->rc)
		m->rc = rc;
}

static void delete_file(struct folder *m, const struct fffa_rotated_name *r)
{
	char name[NAME_MAX + 1];
	int rc = fffa_rotated_name_format(m->base, r, name, sizeof(name));

	if (!rc && unlinkat(m->fd, name, 0) && errno != ENOENT)
		rc = -errno;
	note_error(m, rc);
}

static int add_name(struct list *l, const struct fffa_rotated_name *r)
{
	if (l->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 64;
		struct fffa_rotated_name *p = realloc(l->v, cap * sizeof(*p));

		if (!p)
			return -ENOMEM;
		l->v = p;
		l->cap = cap;
	}
	l->v[l->n++] = *r;
	return 0;
}

/* What is no regular file, a folder for instance, holds no records: it is said, and stays. */
static void list_file(struct folder *m, const char *name, const struct fffa_rotated_name *r)
{
	struct stat st;
	int rc;

	rc = fstatat(m->fd, name, &st, AT_SYMLINK_NOFOLLOW) ? -errno : fffa_io_check_regular(&st);
	if (!rc)
		rc = add_name(&m->list, r);
	if (rc != -ENOENT) /* else somebody was quicker */
		note_error(m, rc);
}

/* Lists the rotated files. A file of an unfinished compression goes: its source is still there. */
static void read_names(struct folder *m)
{
	struct fffa_rotated_name r;
	const struct dirent *e;

	while (m->list.n < LIST_MAX && (e = readdir(m->dir))) {
		if (!fffa_rotated_name_parse(m->base, e->d_name, &r))
			continue;
		if (r.unfinished)
			delete_file(m, &r);
		else
			list_file(m, e->d_name, &r);
	}
}

/* The newest rotation first; of one rotation the compressed file first. */
static int compare_names(const void *pa, const void *pb)
{
	const struct fffa_rotated_name *a = pa, *b = pb;
	int c = fffa_rotated_name_compare(b, a);

	return c ? c : (b->compression > a->compression) - (b->compression < a->compression);
}

/*
 * Deletes what is beyond max_files, and the other forms of a rotation: a compressed file has its
 * final name only when it is whole.
 */
static void delete_old(struct folder *m)
{
	struct fffa_rotated_name *v = m->list.v;
	size_t kept = 0;

	for (size_t i = 0; i < m->list.n; i++) {
		bool twin = kept && !fffa_rotated_name_compare(&v[kept - 1], &v[i]);

		if (twin || (m->max_files && kept == (size_t)m->max_files))
			delete_file(m, &v[i]);
		else
			v[kept++] = v[i];
	}
	m->list.n = kept;
}

/* A folder cannot be replaced, so what would take its name is not made at all. */
static int check_no_folder(int dir_fd, const char *name)
{
	struct stat st;

	return !fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) && S_ISDIR(st.st_mode) ? -EISDIR
										       : 0;
}

static int compress_one(struct folder *m, struct fffa_rotated_name r)
{
	char from[NAME_MAX + 1], tmp[NAME_MAX + 1], to[NAME_MAX + 1];
	int rc = fffa_rotated_name_format(m->base, &r, from, sizeof(from));

	r.compression = (uint8_t)m->compression;
	if (!rc)
		rc = fffa_rotated_name_format(m->base, &r, to, sizeof(to));
	if (!rc)
		rc = check_no_folder(m->fd, to);
	r.unfinished = true;
	if (!rc)
		rc = fffa_rotated_name_format(m->base, &r, tmp, sizeof(tmp));
	if (!rc)
		rc = fffa_plain_compress(m->fd, from, tmp, m->compression, m->cancel);
	if (rc)
		return rc;
	if (renameat(m->fd, tmp, m->fd, to)) {
		rc = -errno;
		(void)unlinkat(m->fd, tmp, 0);
		return rc;
	}
	rc = fffa_sync_dir(m->fd); /* the new name is durable before the source goes */
	if (rc)
		return rc;
	return unlinkat(m->fd, from, 0) ? -errno : 0;
}

static void compress_all(struct folder *m)
{
	for (size_t i = m->list.n; i-- && !atomic_load(m->cancel);)
		if (m->list.v[i].compression == FFFA_FILE_COMPRESS_NONE)
			note_error(m, compress_one(m, m->list.v[i]));
}

/* Opens the folder of the path real, which is cut in two: *base is the name in the folder. */
static DIR *open_folder(char *real, const char **base)
{
	char *slash = strrchr(real, '/');

	*base = slash ? slash + 1 : real;
	if (slash)
		*slash = '\0';
	return opendir(!slash ? "." : slash == real ? "/" : real);
}

int fffa_plain_retention_apply(const char *path, int64_t max_files,
			       enum fffa_file_compression compression, const atomic_bool *cancel)
{
	struct folder m = {.max_files = max_files, .compression = compression, .cancel = cancel};
	char *real = realpath(path, NULL);

	if (!real) /* somebody has moved the file, and it is not reopened yet */
		real = strdup(path);
	if (!real)
		return -ENOMEM;
	m.dir = open_folder(real, &m.base);
	if (!m.dir) {
		m.rc = -errno;
	} else {
		m.fd = dirfd(m.dir);
		read_names(&m);
		if (m.list.n)
			qsort(m.list.v, m.list.n, sizeof(*m.list.v), compare_names);
		delete_old(&m);
		if (compression != FFFA_FILE_COMPRESS_NONE)
			compress_all(&m);
		(void)closedir(m.dir);
	}
	free(m.list.v);
	free(real);
	return m.rc;
}
