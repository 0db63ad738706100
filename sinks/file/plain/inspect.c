// SPDX-License-Identifier: MIT
#include "sinks/file/plain/inspect.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/base/format.h"
#include "agent/base/log.h"

#define HEAD_BYTES (FFFA_HEADER_BYTES_MAX + FFFA_RECORD_BYTES_MAX)
/* A torn record, and before it a whole one that may begin anywhere in the rest. */
#define TAIL_BYTES ((size_t)4 * FFFA_RECORD_BYTES_MAX)
/* So much of a record that nothing precedes proves that it is one: names of several fields. */
#define PROOF_BYTES 24

struct inspection {
	const struct fffa_sink_env *env;
	const char *path;
	struct fffa_plain_target *t;
	int in; /* open for reading */
	size_t n;
	int64_t at; /* of bytes in the file */
	uint8_t bytes[TAIL_BYTES];
};

/* Reads n bytes from offset at on. 0 or -errno. */
static int read_bytes(struct inspection *x, int64_t at, size_t n)
{
	ssize_t got = pread(x->in, x->bytes, n, at);

	x->at = at;
	x->n = n;
	return got == (ssize_t)n ? 0 : got < 0 ? -errno : -EIO;
}

static enum fffa_found recognize(const struct inspection *x, const uint8_t *p, size_t n,
				 size_t *len)
{
	*len = 0;
	return x->env->recognize ? x->env->recognize(x->env->recognizer, p, n, len)
				 : FFFA_FOUND_FOREIGN;
}

static bool is_preamble(const struct inspection *x, const uint8_t *p, size_t n)
{
	const struct fffa_span *head = &x->env->preamble;

	return head->len && n == head->len && !memcmp(p, head->ptr, n);
}

/* What a file of lines is that begins with the bytes of x. */
static enum fffa_found recognize_head(const struct inspection *x)
{
	const struct fffa_span *head = &x->env->preamble;
	enum fffa_found found;
	size_t len;

	if (head->len && x->n >= head->len && is_preamble(x, x->bytes, head->len))
		return FFFA_FOUND_RECORD;
	found = recognize(x, x->bytes, x->n, &len);
	/* Records that no header line precedes do not fit a file with one. */
	return head->len && found == FFFA_FOUND_RECORD ? FFFA_FOUND_OTHER : found;
}

/*
 * The torn record at the end of a file of msgpack: behind the last whole record, of which at least
 * one follows the place where the search begins. NULL: the end cannot be read as records.
 */
static const uint8_t *find_torn_map(const struct inspection *x)
{
	const uint8_t *end = x->bytes + x->n, *p, *begin;
	size_t len;

	for (begin = x->bytes; begin < end; begin++) {
		enum fffa_found found = FFFA_FOUND_RECORD;

		for (p = begin; p < end; p += len) {
			found = recognize(x, p, (size_t)(end - p), &len);
			if (found != FFFA_FOUND_RECORD)
				break;
		}
		if (p == end)
			return end;
		if (found == FFFA_FOUND_TORN &&
		    (p > begin || (!x->at && begin == x->bytes && x->n >= PROOF_BYTES)))
			return p;
	}
	return NULL;
}

/* Whether a whole record of this sink, or the preamble, ends where the line at tail begins. */
static bool follows_record(const struct inspection *x, const uint8_t *tail)
{
	const uint8_t *line;
	size_t n, len;

	if (tail == x->bytes)
		return !x->at && !x->env->preamble.len && x->n >= PROOF_BYTES &&
		       x->env->format != FFFA_FORMAT_VPC;
	line = memrchr(x->bytes, '\n', (size_t)(tail - x->bytes) - 1);
	line = line ? line + 1 : x->bytes;
	n = (size_t)(tail - line);
	if (line == x->bytes && x->at)
		return false; /* the line begins before */
	return is_preamble(x, line, n) ||
	       (recognize(x, line, n, &len) == FFFA_FOUND_RECORD && len == n);
}

static void add_newline(struct inspection *x, bool ours)
{
	static const uint8_t newline = '\n';

	x->t->before = (struct fffa_span){&newline, 1};
	if (ours)
		fffa_info(x->env->tag, "%s ended in a record without its newline; it gets one",
			  x->path);
	else
		fffa_warn(x->env->tag,
			  "%s ends in a line that is not a record of this sink; it gets a newline, "
			  "and records follow",
			  x->path);
}

/* Cuts off what follows tail, if nobody has appended since. */
static void cut_off(struct inspection *x, const uint8_t *tail)
{
	int64_t size = x->at + (tail - x->bytes), torn = x->t->size - size;
	struct stat st;
	int rc = 0;

	if (fstat(x->t->fd, &st))
		rc = errno;
	else if (st.st_size != x->t->size)
		rc = EBUSY;
	else if (ftruncate(x->t->fd, size))
		rc = errno;
	if (rc) {
		fffa_warn(x->env->tag, "cannot cut off the torn record at the end of %s: %s",
			  x->path, strerror(rc));
		add_newline(x, true);
		return;
	}
	x->t->size = size;
	if (!size)
		x->t->before = x->env->preamble;
	fffa_warn(x->env->tag,
		  "%s ended within a record after a crash, cut back by %" PRId64 " bytes", x->path,
		  torn);
}

/* x->bytes is the end of the file. */
static void judge_end(struct inspection *x)
{
	const uint8_t *end = x->bytes + x->n, *tail;
	size_t len;

	if (x->env->format == FFFA_FORMAT_MSGPACK) {
		tail = find_torn_map(x);
		if (!tail)
			add_newline(x, false);
		else if (tail < end)
			cut_off(x, tail);
		return;
	}
	tail = memrchr(x->bytes, '\n', x->n);
	tail = tail ? tail + 1 : x->bytes;
	if (tail == end)
		return;
	if (!follows_record(x, tail)) {
		add_newline(x, false);
		return;
	}
	switch (recognize(x, tail, (size_t)(end - tail), &len)) {
	case FFFA_FOUND_TORN:
		cut_off(x, tail);
		break;
	case FFFA_FOUND_UNTERMINATED:
		add_newline(x, true);
		break;
	default:
		add_newline(x, false);
	}
}

static int judge_file(struct inspection *x, bool *unfit)
{
	const struct fffa_span *head = &x->env->preamble;
	int64_t size = x->t->size;
	size_t n = size < (int64_t)HEAD_BYTES ? (size_t)size : HEAD_BYTES;
	int rc = read_bytes(x, 0, n);

	if (rc)
		return rc;
	if (n < head->len && !memcmp(x->bytes, head->ptr, n)) {
		x->t->before = (struct fffa_span){head->ptr + n, head->len - n};
		return 0;
	}
	*unfit = recognize_head(x) == FFFA_FOUND_OTHER;
	if (*unfit)
		return 0;
	n = size < (int64_t)TAIL_BYTES ? (size_t)size : TAIL_BYTES;
	rc = read_bytes(x, size - (int64_t)n, n);
	if (!rc)
		judge_end(x);
	return rc;
}

static int open_to_read(int fd)
{
	char path[64];
	int in;

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	in = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	return in < 0 ? -errno : in;
}

bool fffa_plain_inspect(const struct fffa_file_layout_env *env, struct fffa_plain_target *t)
{
	struct inspection *x;
	bool unfit = false;
	int rc;

	t->before = (struct fffa_span){.len = 0};
	if (!t->regular || !t->named || !t->size) {
		t->before = env->sink->preamble;
		return false;
	}
	x = calloc(1, sizeof(*x));
	rc = x ? open_to_read(t->fd) : -ENOMEM;
	if (rc >= 0) {
		x->env = env->sink;
		x->path = env->conf->path;
		x->t = t;
		x->in = rc;
		rc = judge_file(x, &unfit);
		(void)close(x->in); /* only read */
	}
	if (rc)
		fffa_warn(env->sink->tag, "cannot check what is in %s: %s", env->conf->path,
			  strerror(-rc));
	free(x);
	return unfit;
}
