// SPDX-License-Identifier: MIT
#include "sinks/file/aws/gzip_member.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/io.h"
#include "sinks/file/aws/gzip_end.h"
#include "sinks/file/layout/sync_dir.h"

#define RAW_BITS   (-15)
#define HEAD_BYTES 10

/* RFC 1952: deflate, no flags, no time, made on Unix. */
static const uint8_t gzip_header[HEAD_BYTES] = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3};

static int write_bytes(struct fffa_gzip_member *p, const uint8_t *bytes, size_t n)
{
	struct iovec v = {(void *)(uintptr_t)bytes, n};
	size_t done = 0;
	int rc;

	p->dirty = true;
	rc = fffa_io_write_all(p->fd, &v, 1, FFFA_IO_APPEND, &done);
	p->current.bytes += (off_t)done;
	return rc;
}

/* -EAGAIN: somebody took the new file for one that was left behind, and has it now. */
static int lock_file(int fd)
{
	struct stat st;

	if (flock(fd, LOCK_EX | LOCK_NB) || fstat(fd, &st))
		return -errno;
	return st.st_nlink ? 0 : -EAGAIN;
}

static int prepare_file(int fd, const struct fffa_file_access *access)
{
	int rc = lock_file(fd);

	if (rc)
		return rc;
	return fchown(fd, access->uid, access->gid) || fchmod(fd, access->mode) ? -errno : 0;
}

int fffa_gzip_member_open(int dir_fd, const char *name, const struct fffa_file_access *access,
			  bool sync, struct fffa_gzip_member **out)
{
	struct fffa_gzip_member *p = calloc(1, sizeof(*p));
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
	rc = p->fd < 0 ? -errno : prepare_file(p->fd, access);
	if (!rc && sync)
		rc = fffa_sync_dir(dir_fd);
	if (rc) {
		if (p->fd >= 0)
			(void)unlinkat(dir_fd, name, 0);
		fffa_gzip_member_close(p);
		return rc;
	}
	*out = p;
	return 0;
}

/* Cuts the file back to what is committed; the stream begins anew there, without a dictionary. */
static int cut_back(struct fffa_gzip_member *p)
{
	if (!p->dirty)
		return 0;
	if (ftruncate(p->fd, p->committed.bytes))
		return -errno;
	(void)deflateReset(&p->z); /* cannot fail: the state is sound */
	p->current = p->committed;
	p->dirty = false;
	return 0;
}

void fffa_gzip_member_rollback(struct fffa_gzip_member *p)
{
	p->dirty = true;
	p->begun = false;
	(void)cut_back(p); /* if that fails, it is done before the next byte */
}

static int run_deflate(struct fffa_gzip_member *p, int flush)
{
	int rc = 0;

	do {
		p->z.next_out = p->out;
		p->z.avail_out = sizeof(p->out);
		if (deflate(&p->z, flush) == Z_STREAM_ERROR)
			return -EIO;
		rc = write_bytes(p, p->out, sizeof(p->out) - p->z.avail_out);
	} while (!rc && !p->z.avail_out);
	return rc;
}

/* Prepares for the first byte since the last commit. */
static int start_batch(struct fffa_gzip_member *p)
{
	int rc;

	if (p->begun)
		return 0;
	rc = cut_back(p);
	if (!rc && !p->current.bytes)
		rc = write_bytes(p, gzip_header, sizeof(gzip_header));
	p->begun = !rc;
	return rc;
}

int fffa_gzip_member_add(struct fffa_gzip_member *p, struct fffa_span s)
{
	int rc = start_batch(p);

	if (rc)
		return rc;
	p->dirty = true;
	p->current.crc = (uint32_t)crc32_z(p->current.crc, s.ptr, s.len);
	p->current.size += (uint32_t)s.len;
	p->z.next_in = (Bytef *)(uintptr_t)s.ptr; /* zlib has no const here; it only reads */
	p->z.avail_in = (uInt)s.len;		  /* a batch has less than 4 GiB */
	return run_deflate(p, Z_NO_FLUSH);
}

int fffa_gzip_member_commit(struct fffa_gzip_member *p)
{
	int rc;

	p->z.avail_in = 0;
	rc = run_deflate(p, Z_SYNC_FLUSH);
	if (!rc && p->sync && fdatasync(p->fd))
		rc = -errno;
	if (rc)
		return rc;
	p->committed = p->current;
	p->begun = false;
	p->dirty = false;
	return 0;
}

int fffa_gzip_member_finish(struct fffa_gzip_member *p)
{
	uint8_t end[FFFA_GZIP_END_BYTES];
	int rc = cut_back(p);

	if (rc)
		return rc;
	fffa_gzip_end_write(p->committed.crc, p->committed.size, end);
	rc = write_bytes(p, end, sizeof(end));
	if (!rc && p->sync && fsync(p->fd))
		rc = -errno;
	if (rc)
		fffa_gzip_member_rollback(p);
	return rc;
}

void fffa_gzip_member_close(struct fffa_gzip_member *p)
{
	if (!p)
		return;
	(void)deflateEnd(&p->z); /* reports an unfinished stream; gzip_end finishes it */
	if (p->fd >= 0)
		(void)close(p->fd); /* what counted was synced */
	free(p);
}
