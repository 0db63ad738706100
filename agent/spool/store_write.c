// SPDX-License-Identifier: MIT
/* The segment that is being written. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "agent/base/io.h"
#include "agent/spool/store_internal.h"

void fffa_store_write_end(struct fffa_store *s)
{
	if (s->write >= 0)
		(void)close(s->write); /* it was synced, or reported as not written */
	s->write = -1;
}

int fffa_store_write_begin(struct fffa_store *s, const struct fffa_spool_segment *head)
{
	uint8_t bytes[FFFA_SPOOL_SEGMENT_HEAD];
	struct iovec v = {bytes, sizeof(bytes)};
	const struct fffa_store_name name = fffa_store_name(head->id);
	int rc;

	fffa_store_write_end(s);
	s->write = openat(s->dir, name.text, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
			  0600);
	if (s->write < 0)
		return -errno;
	s->write_id = head->id;
	fffa_spool_segment_put(head, bytes);
	rc = fffa_io_write_all(s->write, &v, 1, 0, NULL);
	if (!rc && fsync(s->dir))
		rc = -errno;
	if (rc) {
		fffa_store_write_end(s);
		/* otherwise the next start finds an empty segment */
		(void)unlinkat(s->dir, name.text, 0);
	}
	return rc;
}

static int grow_scratch(struct fffa_store *s, size_t n)
{
	uint8_t *p;

	if (n <= s->scratch_cap)
		return 0;
	p = realloc(s->scratch, n);
	if (!p)
		return -ENOMEM;
	s->scratch = p;
	s->scratch_cap = n;
	return 0;
}

int fffa_store_write_append(struct fffa_store *s, uint64_t at, struct fffa_spool_frame *f,
			    const struct fffa_batch *b)
{
	size_t head = FFFA_SPOOL_FRAME_HEAD + (size_t)f->count * FFFA_SPOOL_INDEX_ROW;
	struct fffa_span bytes = fffa_batch_bytes(b);
	int rc;

	if (s->write < 0)
		return -EBADF;
	rc = grow_scratch(s, head);
	if (!rc) {
		struct iovec v[2] = {{s->scratch, head}, {(void *)(uintptr_t)bytes.ptr, bytes.len}};

		f->body_crc = fffa_spool_frame_put_index(b, s->scratch + FFFA_SPOOL_FRAME_HEAD);
		fffa_spool_frame_put(f, s->scratch);
		rc = fffa_io_write_all(s->write, v, 2, (off_t)at, NULL);
	}
	if (rc && ftruncate(s->write, (off_t)at))
		rc = -errno; /* the rest stays as a torn tail, which the next start cuts */
	return rc;
}

int fffa_store_write_sync(struct fffa_store *s)
{
	return s->write >= 0 && fdatasync(s->write) ? -errno : 0;
}
