// SPDX-License-Identifier: MIT
#include "sinks/file/plain/recover_tail.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/base/format.h"

/* Reads the last n bytes of the file behind fd, which is open for writing only. 0 or -errno. */
static int read_end(int fd, int64_t size, uint8_t *dst, size_t n)
{
	char path[64];
	ssize_t got;
	int in;

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	in = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (in < 0)
		return -errno;
	got = pread(in, dst, n, size - (int64_t)n);
	if (got < 0)
		got = -errno;
	(void)close(in); /* only read */
	return got == (ssize_t)n ? 0 : got < 0 ? (int)got : -EIO;
}

int64_t fffa_plain_recover_tail(struct fffa_plain_target *t)
{
	uint8_t end[FFFA_RECORD_BYTES_MAX];
	size_t n = t->size < (int64_t)sizeof(end) ? (size_t)t->size : sizeof(end);
	const uint8_t *border;
	int64_t torn;
	int rc;

	if (!t->regular || !t->named || !n)
		return 0;
	rc = read_end(t->fd, t->size, end, n);
	if (rc)
		return rc;
	border = memrchr(end, '\n', n);
	if (!border && (int64_t)n < t->size)
		return 0;
	torn = border ? end + n - (border + 1) : (int64_t)n;
	if (!torn)
		return 0;
	if (ftruncate(t->fd, t->size - torn))
		return -errno;
	t->size -= torn;
	t->starts_empty = !t->size;
	return torn;
}
