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
#define ROTATE_AGAIN_S	 5

/*
 * Standard output is shared with other processes such as the shell, so it must stay a blocking
 * descriptor. But a write of at most PIPE_BUF bytes does not block when poll sees room.
 */
static int write_to_stream(int fd, struct fffa_plain_output *out)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	size_t n = out->bytes.len - out->done;
	ssize_t w;

	switch (poll(&p, 1, 0)) {
	case 0:
		return -EAGAIN;
	case -1:
		return errno == EINTR ? 0 : -errno;
	}
	w = write(fd, out->bytes.ptr + out->done, n > PIPE_BUF ? PIPE_BUF : n);
	if (w < 0 && errno == EAGAIN) {
		/*
		 * A terminal says that it has room when it has less than a line end needs. This
		 * pause keeps the loop from trying at once again.
		 */
		(void)poll(NULL, 0, FULL_TERMINAL_MS);
		return -EAGAIN;
	}
	if (w < 0)
		return errno == EINTR ? 0 : -errno;
	if (w == 0)
		return -EIO; /* no progress and no reason */
	out->done += (size_t)w;
	return 0;
}

static int write_output(const struct fffa_plain_target *to, struct fffa_plain_output *out)
{
	size_t left = out->bytes.len - out->done;
	struct iovec v;
	int rc = 0;

	if (left && !to->stream) {
		v.iov_base = (void *)(uintptr_t)(out->bytes.ptr + out->done);
		v.iov_len = left;
		return fffa_io_write_all(to->fd, &v, 1, FFFA_IO_APPEND, &out->done);
	}
	while (!rc && out->done < out->bytes.len)
		rc = write_to_stream(to->fd, out);
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

/* Does nothing if somebody else has appended meanwhile: their bytes are never cut. */
static bool cut_back(int fd, off_t start, size_t written)
{
	struct stat st;

	if (fstat(fd, &st) || st.st_size != start + (off_t)written)
		return false;
	return ftruncate(fd, start) == 0;
}

static bool wants_sync(const struct fffa_plain_job *j)
{
	return j->env->conf->sync == FFFA_FILE_SYNC_BATCH;
}

void fffa_plain_write_preamble(struct fffa_plain_job *j)
{
	j->prefix = (struct fffa_plain_output){.done = 0};
	if (j->to.starts_empty)
		j->prefix.bytes = j->env->sink->preamble;
}

/* Fills *st with the file that is written to. */
static int rotate_if_due(struct fffa_plain_job *j, struct stat *st)
{
	struct fffa_plain_rotation *r = &j->rotation;
	int64_t now_s = time(NULL);

	r->done = false;
	if (fstat(j->to.fd, st))
		return -errno;
	if (!j->may_rotate || !fffa_plain_rotate_is_due(r, st->st_size, j->env->sink->preamble.len,
							j->body.bytes.len, now_s))
		return 0;
	r->error = fffa_plain_rotate(j->env->conf->path, &j->env->access, wants_sync(j), now_s,
				     &j->to);
	if (r->error) {
		r->not_before_s = now_s + ROTATE_AGAIN_S;
		return 0;
	}
	r->done = true;
	r->done_at_s = now_s;
	fffa_plain_write_preamble(j);
	if (fstat(j->to.fd, st))
		return -errno;
	/* The new file is empty: this begins its interval, unless others have written to it. */
	(void)fffa_plain_rotate_is_due(r, 0, 0, 0, now_s);
	return 0;
}

static void undo_write(struct fffa_plain_job *j, off_t start, size_t prefix_begin,
		       size_t body_begin)
{
	size_t written = j->prefix.done - prefix_begin + j->body.done - body_begin;

	if (!cut_back(j->to.fd, start, written))
		return;
	j->prefix.done = prefix_begin;
	j->body.done = body_begin;
}

int fffa_plain_write(struct fffa_plain_job *j)
{
	size_t prefix_begin, body_begin = j->body.done;
	bool named = j->to.regular && j->to.named;
	struct stat st = {.st_size = 0};
	int rc = named ? rotate_if_due(j, &st) : 0;

	prefix_begin = j->prefix.done;
	if (!rc)
		rc = write_output(&j->to, &j->prefix);
	if (!rc)
		rc = write_output(&j->to, &j->body);
	if (!rc && wants_sync(j) && j->to.regular)
		rc = sync_data(j->to.fd);
	if (rc && named)
		undo_write(j, st.st_size, prefix_begin, body_begin);
	j->file_bytes = st.st_size + (int64_t)(j->prefix.done - prefix_begin) +
			(int64_t)(j->body.done - body_begin);
	return rc;
}
