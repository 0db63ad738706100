// SPDX-License-Identifier: MIT
#include "sinks/file/aws/part.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/io.h"
#include "sinks/file/aws/gzip_end.h"

#define RAW_BITS   (-15)
#define HEAD_BYTES 10

/* RFC 1952: deflate, no flags, no time, made on Unix. */
static const uint8_t head[HEAD_BYTES] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3};

static int put(struct fffa_part *p, const uint8_t *bytes, size_t n)
{
	struct iovec v = {(void *)(uintptr_t)bytes, n};
	size_t done = 0;
	int rc;

	p->dirty = true;
	rc = fffa_io_write_all(p->fd, &v, 1, FFFA_IO_APPEND, &done);
	p->now.bytes += (off_t)done;
	return rc;
}

/* Fails when somebody else, who looks for what was left behind, got hold of it in between. */
static int hold(int fd)
{
	struct stat st;

	if (flock(fd, LOCK_EX | LOCK_NB) || fstat(fd, &st))
		return -errno;
	return st.st_nlink ? 0 : -EAGAIN;
}

static int prepare(int fd, const struct fffa_file_access *access)
{
	int rc = hold(fd);

	if (rc)
		return rc;
	return fchown(fd, access->uid, access->gid) || fchmod(fd, access->mode) ? -errno : 0;
}

int fffa_file__part_open(int dir_fd, const char *name, const struct fffa_file_access *access,
			 bool sync, struct fffa_part **out)
{
	struct fffa_part *p = calloc(1, sizeof(*p));
	int rc;

	if (!p)
		return -ENOMEM;
	if (deflateInit2(&p->z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, RAW_BITS, 8,
			 Z_DEFAULT_STRATEGY) != Z_OK) {
		free(p);
		return -ENOMEM;
	}
	p->sync = sync;
	p->fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
	rc = p->fd < 0 ? -errno : prepare(p->fd, access);
	if (!rc && sync && fsync(dir_fd) && errno == EIO)
		rc = -EIO;
	if (rc) {
		if (p->fd >= 0)
			(void)unlinkat(dir_fd, name, 0);
		fffa_file__part_close(p);
		return rc;
	}
	*out = p;
	return 0;
}

/* Back to what was kept; the stream goes on without reference to what came before. */
static int cut(struct fffa_part *p)
{
	if (!p->dirty)
		return 0;
	if (ftruncate(p->fd, p->kept.bytes))
		return -errno;
	(void)deflateReset(&p->z); /* fails only on a broken state */
	p->now = p->kept;
	p->dirty = false;
	return 0;
}

void fffa_file__part_undo(struct fffa_part *p)
{
	p->dirty = true;
	p->begun = false;
	(void)cut(p); /* tried again before the next byte */
}

static int drive(struct fffa_part *p, int flush)
{
	int rc = 0;

	do {
		p->z.next_out = p->out;
		p->z.avail_out = sizeof(p->out);
		if (deflate(&p->z, flush) == Z_STREAM_ERROR)
			return -EIO;
		rc = put(p, p->out, sizeof(p->out) - p->z.avail_out);
	} while (!rc && !p->z.avail_out);
	return rc;
}

/* The first byte since the last commit. */
static int begin(struct fffa_part *p)
{
	int rc;

	if (p->begun)
		return 0;
	rc = cut(p);
	if (!rc && !p->now.bytes)
		rc = put(p, head, sizeof(head));
	p->begun = !rc;
	return rc;
}

int fffa_file__part_add(struct fffa_part *p, struct fffa_span s)
{
	int rc = begin(p);

	if (rc)
		return rc;
	p->dirty = true;
	p->now.crc = (uint32_t)crc32_z(p->now.crc, s.ptr, s.len);
	p->now.size += (uint32_t)s.len;
	p->z.next_in = (Bytef *)(uintptr_t)s.ptr; /* zlib's older signature; it only reads */
	p->z.avail_in = (uInt)s.len;		  /* a batch has less than 4 GiB */
	return drive(p, Z_NO_FLUSH);
}

int fffa_file__part_commit(struct fffa_part *p)
{
	int rc;

	p->z.avail_in = 0;
	rc = drive(p, Z_SYNC_FLUSH);
	if (!rc && p->sync && fdatasync(p->fd))
		rc = -errno;
	if (rc)
		return rc;
	p->kept = p->now;
	p->begun = false;
	p->dirty = false;
	return 0;
}

int fffa_file__part_finish(struct fffa_part *p)
{
	uint8_t end[FFFA_GZIP_END_BYTES];
	int rc = cut(p);

	if (rc)
		return rc;
	fffa_file__gzip_end(p->kept.crc, p->kept.size, end);
	rc = put(p, end, sizeof(end));
	if (!rc && p->sync && fsync(p->fd))
		rc = -errno;
	if (rc)
		fffa_file__part_undo(p);
	return rc;
}

void fffa_file__part_close(struct fffa_part *p)
{
	if (!p)
		return;
	(void)deflateEnd(&p->z); /* says that the stream did not end: it ends without it */
	if (p->fd >= 0)
		(void)close(p->fd); /* what counted was synced */
	free(p);
}
