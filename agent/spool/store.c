// SPDX-License-Identifier: MIT
#include "agent/spool/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/io.h"
#include "agent/base/minmax.h"
#include "agent/spool/store_internal.h"

#define ASIDE_MAX 999 /* of one id */
/*
 * No segment is larger: 16 MiB, or one frame of a batch. What is behind is not ours, and a start does not
 * search it for frames.
 */
#define READ_MAX ((uint64_t)256 << 20)

static struct fffa_store *new_store(void)
{
	struct fffa_store *s = calloc(1, sizeof(*s));

	if (s)
		s->dir = s->lock = s->write = s->read = s->ack = -1;
	return s;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd); /* all that must last has been synced */
	*fd = -1;
}

void fffa_store_close(struct fffa_store *s)
{
	if (!s)
		return;
	close_fd(&s->write);
	close_fd(&s->read);
	close_fd(&s->ack);
	close_fd(&s->lock);
	close_fd(&s->dir);
	free(s->scratch);
	free(s);
}

int fffa_store_make_dir(const char *path)
{
	char parent[PATH_MAX + 4];
	int fd;

	if (mkdir(path, 0700))
		return errno == EEXIST ? 0 : -errno;
	/* Syncs the parent: otherwise a power loss may remove the new directory with its files. */
	(void)snprintf(parent, sizeof(parent), "%s/..", path);
	fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return 0; /* the parent cannot be synced; go on without */
	(void)fsync(fd);  /* not every file system can do this */
	(void)close(fd);
	return 0;
}

static int open_dir(const char *path, int *fd)
{
	*fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *fd < 0 ? -errno : 0;
}

static int lock_dir(struct fffa_store *s)
{
	s->lock = openat(s->dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (s->lock < 0)
		return -errno;
	if (flock(s->lock, LOCK_EX | LOCK_NB))
		return errno == EWOULDBLOCK ? -EBUSY : -errno;
	return 0;
}

int fffa_store_open(const char *base, const char *name, struct fffa_store **out,
		    struct fffa_err *err)
{
	struct fffa_store *s = new_store();
	char path[PATH_MAX];
	int rc;

	if (!s)
		return fffa_fail(err, ENOMEM, "no memory for the spool");
	rc = (size_t)snprintf(path, sizeof(path), "%s/%s", base, name) < sizeof(path)
		     ? 0
		     : -ENAMETOOLONG;
	if (!rc)
		rc = fffa_store_make_dir(base);
	if (!rc)
		rc = fffa_store_make_dir(path);
	if (!rc)
		rc = open_dir(path, &s->dir);
	if (!rc)
		rc = lock_dir(s);
	if (!rc) {
		*out = s;
		return 0;
	}
	fffa_store_close(s);
	if (rc == -EBUSY)
		return fffa_fail(err, EBUSY, "spool %s/%s: another agent uses it", base, name);
	return fffa_fail(err, -rc, "spool %s/%s: %s", base, name, strerror(-rc));
}

int fffa_store_open_read(const char *dir, struct fffa_store **out, struct fffa_err *err)
{
	struct fffa_store *s = new_store();
	int rc;

	if (!s)
		return fffa_fail(err, ENOMEM, "no memory");
	rc = open_dir(dir, &s->dir);
	if (rc) {
		fffa_store_close(s);
		return fffa_fail(err, -rc, "%s: %s", dir, strerror(-rc));
	}
	*out = s;
	return 0;
}

static int compare_ids(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static int add_id(uint64_t **ids, size_t *n, size_t *cap, uint64_t id)
{
	if (*n == *cap) {
		size_t more = *cap ? *cap * 2 : 64;
		uint64_t *p = realloc(*ids, more * sizeof(*p));

		if (!p)
			return -ENOMEM;
		*ids = p;
		*cap = more;
	}
	(*ids)[(*n)++] = id;
	return 0;
}

static int list_segments(DIR *d, uint64_t **ids, size_t *n)
{
	size_t cap = 0;
	int rc = 0;

	for (;;) {
		const struct dirent *e;
		uint64_t id;

		errno = 0;
		e = readdir(d); /* no other thread has this stream */
		if (!e)
			return errno ? -errno : 0;
		id = fffa_store_name_id(e->d_name);
		if (id)
			rc = add_id(ids, n, &cap, id);
		if (rc)
			return rc;
	}
}

int fffa_store_list(struct fffa_store *s, uint64_t **ids, size_t *n,
		    struct fffa_spool_account *account)
{
	int fd = openat(s->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc;
	uint64_t *v = NULL;
	size_t count = 0;
	DIR *d;

	if (fd < 0)
		return -errno;
	d = fdopendir(fd);
	if (!d) {
		(void)close(fd);
		return -ENOMEM;
	}
	rc = list_segments(d, &v, &count);
	(void)closedir(d);
	if (!rc)
		rc = fffa_store_ack_read(s, account);
	if (rc) {
		free(v);
		return rc;
	}
	if (count)
		qsort(v, count, sizeof(*v), compare_ids);
	*ids = v;
	*n = count;
	return 0;
}

static int read_fd(void *arg, uint64_t off, void *dst, size_t n)
{
	const struct fffa_store *s = arg;
	uint8_t *p = dst;

	while (n) {
		ssize_t got = pread(s->read, p, n, (off_t)off);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got ? -errno : -EIO; /* the file is shorter than it was */
		p += got;
		off += (uint64_t)got;
		n -= (size_t)got;
	}
	return 0;
}

int fffa_store_source(struct fffa_store *s, uint64_t id, struct fffa_spool_source *src)
{
	struct stat st;

	if (s->read < 0 || s->read_id != id) {
		int fd;

		close_fd(&s->read);
		fd = fffa_io_open_regular(s->dir, fffa_store_name(id).text, O_RDONLY | O_NOFOLLOW);
		if (fd < 0)
			return fd;
		s->read = fd;
		s->read_id = id;
	}
	if (fstat(s->read, &st))
		return -errno;
	*src = (struct fffa_spool_source){
		.read = read_fd, .arg = s, .size = fffa_min_u64((uint64_t)st.st_size, READ_MAX)};
	return 0;
}

int fffa_store_cut(struct fffa_store *s, uint64_t id, uint64_t size)
{
	int fd = fffa_io_open_regular(s->dir, fffa_store_name(id).text, O_WRONLY | O_NOFOLLOW);
	int rc;

	if (fd < 0)
		return fd;
	rc = ftruncate(fd, (off_t)size) ? -errno : 0;
	(void)close(fd); /* if a crash undoes the cut, the next start cuts again */
	return rc;
}

static void forget_read(struct fffa_store *s, uint64_t id)
{
	if (s->read_id == id)
		close_fd(&s->read);
}

int fffa_store_remove(struct fffa_store *s, uint64_t id)
{
	forget_read(s, id);
	if (s->write_id == id)
		fffa_store_write_end(s); /* an open descriptor would hold its disk space */
	return unlinkat(s->dir, fffa_store_name(id).text, 0) && errno != ENOENT ? -errno : 0;
}

int fffa_store_set_aside(struct fffa_store *s, uint64_t id)
{
	struct fffa_store_name to = fffa_store_name_aside(id, 0);
	struct stat st;

	/* What was set aside before is not replaced. */
	for (unsigned int n = 1; !fstatat(s->dir, to.text, &st, AT_SYMLINK_NOFOLLOW); n++) {
		if (n > ASIDE_MAX)
			return -EEXIST;
		to = fffa_store_name_aside(id, n);
	}
	forget_read(s, id);
	return renameat(s->dir, fffa_store_name(id).text, s->dir, to.text) ? -errno : 0;
}
