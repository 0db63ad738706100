// SPDX-License-Identifier: MIT
#include "sinks/file/write.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#define FULL_TERMINAL_MS 10

/*
 * A write of at most PIPE_BUF bytes does not block once poll has said that there is room, also when
 * the descriptor is a blocking one. Standard output is shared with other processes (the shell): it
 * cannot be made non-blocking without changing it under them.
 */
static int write_some(const struct fffa_file_target *to, struct fffa_span s, size_t *done)
{
	struct pollfd p = {.fd = to->fd, .events = POLLOUT};
	size_t n = s.len - *done;
	ssize_t w;

	if (to->stream) {
		if (n > PIPE_BUF)
			n = PIPE_BUF;
		switch (poll(&p, 1, 0)) {
		case 0:
			return -EAGAIN;
		case -1:
			return errno == EINTR ? 0 : -errno;
		}
	}
	w = write(to->fd, s.ptr + *done, n);
	if (w < 0 && errno == EAGAIN && to->stream) {
		/* A terminal with room for less than a line end says that it has room: do not spin. */
		(void)poll(NULL, 0, FULL_TERMINAL_MS);
		return -EAGAIN;
	}
	if (w < 0)
		return errno == EINTR ? 0 : -errno;
	if (w == 0)
		return -EIO; /* no progress and no reason: do not spin */
	*done += (size_t)w;
	return 0;
}

static int write_all(const struct fffa_file_target *to, struct fffa_span s, size_t *done)
{
	int rc = 0;

	while (!rc && *done < s.len)
		rc = write_some(to, s, done);
	return rc;
}

static int sync_data(int fd)
{
	int rc;

	do {
		rc = fdatasync(fd) ? -errno : 0;
	} while (rc == -EINTR);
	return rc;
}

/* Only when nobody else has appended meanwhile: another's bytes are never cut. */
static bool cut_back(int fd, off_t start, size_t written)
{
	struct stat st;

	if (fstat(fd, &st) || st.st_size != start + (off_t)written)
		return false;
	return ftruncate(fd, start) == 0;
}

void fffa_file__write(struct fffa_file_job *j)
{
	size_t owed_begin = j->owed_done, body_begin = j->body_done;
	bool undo = j->to.regular && j->to.owned;
	struct stat st;
	int rc;

	if (undo && fstat(j->to.fd, &st)) {
		j->result = -errno;
		return;
	}
	rc = write_all(&j->to, j->owed, &j->owed_done);
	if (!rc)
		rc = write_all(&j->to, j->body, &j->body_done);
	if (!rc && j->sync && j->to.regular)
		rc = sync_data(j->to.fd);
	if (rc && undo &&
	    cut_back(j->to.fd, st.st_size, j->owed_done - owed_begin + j->body_done - body_begin)) {
		j->owed_done = owed_begin;
		j->body_done = body_begin;
	}
	j->result = rc;
}
