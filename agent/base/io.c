// SPDX-License-Identifier: MIT
#include "agent/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Takes the first len bytes off the *n spans at *v. */
static void skip(struct iovec **v, int *n, size_t len)
{
	while (*n && len >= (*v)->iov_len) {
		len -= (*v)->iov_len;
		++*v;
		--*n;
	}
	if (*n) {
		(*v)->iov_base = (uint8_t *)(*v)->iov_base + len;
		(*v)->iov_len -= len;
	}
}

int fffa_io_write_all(int fd, struct iovec *v, int n, off_t at, size_t *done)
{
	skip(&v, &n, 0); /* an empty write may return 0, which is an error below */
	while (n) {
		ssize_t put = at == FFFA_IO_APPEND ? writev(fd, v, n) : pwritev(fd, v, n, at);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return put ? -errno : -EIO;
		if (at != FFFA_IO_APPEND)
			at += put;
		if (done)
			*done += (size_t)put;
		skip(&v, &n, (size_t)put);
	}
	return 0;
}

int fffa_io_check_regular(const struct stat *st)
{
	if (S_ISREG(st->st_mode))
		return 0;
	return S_ISDIR(st->st_mode) ? -EISDIR : -EMEDIUMTYPE;
}

int fffa_io_open_regular(int dir_fd, const char *path, int flags)
{
	/* The open of a FIFO, and of some devices, would wait without O_NONBLOCK. */
	int fd = openat(dir_fd, path, flags | O_NONBLOCK | O_CLOEXEC | O_NOCTTY, 0600), rc;
	struct stat st;

	if (fd < 0)
		return errno == ENXIO ? -EMEDIUMTYPE : -errno;
	rc = fstat(fd, &st) ? -errno : fffa_io_check_regular(&st);
	if (!rc)
		return fd;
	(void)close(fd); /* nothing was written to it */
	return rc;
}

/* Reads up to cap + 1 bytes, so that one too many is seen. */
static int read_to_end(int fd, size_t cap, char *text, size_t *len)
{
	size_t n = 0;

	while (n <= cap) {
		ssize_t got = read(fd, text + n, cap + 1 - n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (!got)
			break;
		n += (size_t)got;
	}
	text[n] = '\0';
	*len = n;
	return n > cap ? -EFBIG : 0;
}

int fffa_io_read_all(int fd, size_t cap, char **text, size_t *len)
{
	char *p = malloc(cap + 2);
	size_t n = 0;
	int rc = p ? read_to_end(fd, cap, p, &n) : -ENOMEM;

	if (rc) {
		free(p);
		return rc;
	}
	*text = p;
	*len = n;
	return 0;
}

int fffa_io_read_regular(const char *path, size_t cap, char **text, size_t *len)
{
	int fd = fffa_io_open_regular(AT_FDCWD, path, O_RDONLY), rc;

	if (fd < 0)
		return fd;
	rc = fffa_io_read_all(fd, cap, text, len);
	(void)close(fd); /* only read */
	return rc;
}

const char *fffa_io_strerror(int rc)
{
	return rc == -EMEDIUMTYPE ? "not a regular file" : strerror(-rc);
}
