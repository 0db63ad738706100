// SPDX-License-Identifier: MIT
#include "sinks/file/plain/write.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "agent/base/io.h"

#define FULL_TERMINAL_MS 10

/*
 * A write of at most PIPE_BUF bytes does not block once poll has said that there is room, also when
 * the descriptor is a blocking one. Standard output is shared with other processes (the shell): it
 * cannot be made non-blocking without changing it under them.
 */
static int write_to_stream(int fd, struct fffa_span s, size_t *done)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	size_t n = s.len - *done;
	ssize_t w;

	switch (poll(&p, 1, 0)) {
	case 0:
		return -EAGAIN;
	case -1:
		return errno == EINTR ? 0 : -errno;
	}
	w = write(fd, s.ptr + *done, n > PIPE_BUF ? PIPE_BUF : n);
	if (w < 0 && errno == EAGAIN) {
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

static int write_span(const struct fffa_plain_target *to, struct fffa_span s, size_t *done)
{
	struct iovec v = {(void *)(uintptr_t)(s.ptr + *done), s.len - *done};
	int rc = 0;

	if (!to->stream)
		return fffa_io_write_all(to->fd, &v, 1, FFFA_IO_APPEND, done);
	while (!rc && *done < s.len)
		rc = write_to_stream(to->fd, s, done);
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

#define ROTATE_AGAIN_S 5

/* *st: of the file that is written to. */
static int rotate_if_due(struct fffa_plain_job *j, struct stat *st)
{
	int64_t now_s = time(NULL);

	j->rotated = false;
	if (fstat(j->to.fd, st))
		return -errno;
	if (!j->may_rotate || !fffa_plain_rotate_is_due(&j->rotation, st->st_size, j->preamble.len,
							j->body.len, now_s))
		return 0;
	j->rotation_error = fffa_plain_rotate(j->path, j->access, j->sync, now_s, &j->to);
	if (j->rotation_error) {
		j->rotation.not_before_s = now_s + ROTATE_AGAIN_S;
		return 0;
	}
	j->rotated = true;
	j->rotated_at_s = now_s;
	j->prefix = j->to.starts_empty ? j->preamble : (struct fffa_span){NULL, 0};
	j->prefix_done = 0;
	if (fstat(j->to.fd, st))
		return -errno;
	/* Its slot is now, unless others have begun it. */
	(void)fffa_plain_rotate_is_due(&j->rotation, 0, 0, 0, now_s);
	return 0;
}

static void undo_write(struct fffa_plain_job *j, off_t start, size_t prefix_begin,
		       size_t body_begin)
{
	size_t written = j->prefix_done - prefix_begin + j->body_done - body_begin;

	if (!cut_back(j->to.fd, start, written))
		return;
	j->prefix_done = prefix_begin;
	j->body_done = body_begin;
}

void fffa_plain_write(struct fffa_plain_job *j)
{
	size_t prefix_begin, body_begin = j->body_done;
	bool named = j->to.regular && j->to.named;
	struct stat st = {.st_size = 0};
	int rc = named ? rotate_if_due(j, &st) : 0;

	prefix_begin = j->prefix_done;
	if (!rc)
		rc = write_span(&j->to, j->prefix, &j->prefix_done);
	if (!rc)
		rc = write_span(&j->to, j->body, &j->body_done);
	if (!rc && j->sync && j->to.regular)
		rc = sync_data(j->to.fd);
	if (rc && named)
		undo_write(j, st.st_size, prefix_begin, body_begin);
	j->file_bytes = st.st_size + (int64_t)(j->prefix_done - prefix_begin) +
			(int64_t)(j->body_done - body_begin);
	j->result = rc;
}
