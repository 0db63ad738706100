// SPDX-License-Identifier: MIT
#include "agent/base/io.h"

#include <errno.h>
#include <stdint.h>

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
