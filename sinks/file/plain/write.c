// SPDX-License-Identifier: MIT
#include "sinks/file/plain/write.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "agent/base/io.h"
#include "agent/base/log.h"

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
	j->prefix = (struct fffa_plain_output){.bytes = j->to.before};
}

/* Nothing of the job is in the file that to is now. */
static void begin_anew(struct fffa_plain_job *j)
{
	fffa_plain_write_preamble(j);
	j->body.done = 0;
}

/* Fills *st with the new file. */
static int remake_file(struct fffa_plain_job *j, struct stat *st)
{
	const char *tag = j->env->sink->tag, *path = j->env->conf->path;
	struct fffa_err err;
	int rc = fffa_plain_rotate_remake(j->env, &j->to, &err);

	if (rc) {
		if (rc != j->remake_error)
			fffa_error(tag, "%s was removed and cannot be made anew: %s", path,
				   err.text);
		j->remake_error = rc;
		return rc;
	}
	j->remake_error = 0;
	fffa_warn(tag, "%s was removed; it is made anew", path);
	begin_anew(j);
	return fstat(j->to.fd, st) ? -errno : 0;
}

/* Fills *st with the file that is written to. */
static int check_file(struct fffa_plain_job *j, struct stat *st)
{
	if (fstat(j->to.fd, st))
		return -errno;
	if (!st->st_nlink)
		return remake_file(j, st);
	if (!st->st_size) { /* new, or somebody has emptied it (copytruncate) */
		j->to.before = j->env->sink->preamble;
		begin_anew(j);
	}
	return 0;
}

/* Fills *st with the file that is written to. */
static int rotate_if_due(struct fffa_plain_job *j, struct stat *st)
{
	struct fffa_plain_rotation *r = &j->rotation;
	int64_t now_s = time(NULL);

	if (!j->may_rotate || !fffa_plain_rotate_is_due(r, st->st_size, j->env->sink->preamble.len,
							j->body.bytes.len, now_s))
		return 0;
	r->error = fffa_plain_rotate(j->env, now_s, &j->to);
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

static int prepare_file(struct fffa_plain_job *j, struct stat *st)
{
	int rc = check_file(j, st);

	return rc ? rc : rotate_if_due(j, st);
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

/*
 * Whether a write to a file of start bytes must be done again: the file was removed meanwhile, or
 * it was emptied, so that the header line is missing.
 */
static bool is_misplaced(const struct fffa_plain_job *j, off_t start, size_t written)
{
	struct stat st;

	if (fstat(j->to.fd, &st))
		return false;
	if (!st.st_nlink)
		return true;
	return start && j->env->sink->preamble.len && st.st_size == (off_t)written &&
	       ftruncate(j->to.fd, 0) == 0;
}

/* misplaced (may be NULL) is set if the write has succeeded, and must be done again. */
static int write_once(struct fffa_plain_job *j, bool *misplaced)
{
	size_t prefix_begin, body_begin, written;
	bool named = j->to.regular && j->to.named;
	struct stat st = {.st_size = 0};
	int rc = named ? prepare_file(j, &st) : 0;

	prefix_begin = j->prefix.done;
	body_begin = j->body.done;
	if (!rc)
		rc = write_output(&j->to, &j->prefix);
	if (!rc)
		rc = write_output(&j->to, &j->body);
	if (!rc && wants_sync(j) && j->to.regular)
		rc = sync_data(j->to.fd);
	if (rc && named)
		undo_write(j, st.st_size, prefix_begin, body_begin);
	written = j->prefix.done - prefix_begin + j->body.done - body_begin;
	j->file_bytes = st.st_size + (int64_t)written;
	if (misplaced)
		*misplaced = !rc && named && is_misplaced(j, st.st_size, written);
	return rc;
}

int fffa_plain_write(struct fffa_plain_job *j)
{
	bool misplaced;
	int rc;

	j->rotation.done = false;
	rc = write_once(j, &misplaced);
	if (!misplaced)
		return rc;
	j->body.done = 0; /* check_file sets the prefix */
	return write_once(j, NULL);
}
