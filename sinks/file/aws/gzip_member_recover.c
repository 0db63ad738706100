// SPDX-License-Identifier: MIT
/* Completes a gzip file that a crash has cut off anywhere. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "sinks/file/aws/gzip_end.h"
#include "sinks/file/aws/gzip_member.h"

#define GZIP_BITS (15 + 16)
/* z_stream.data_type after inflate with Z_BLOCK (zlib.h). */
#define AT_BORDER    128 /* a block has ended */
#define LAST_BLOCK   64	 /* it was the last one */
#define SPARE_BITS   7	 /* so many bits of its last byte are left */
#define NOT_COMPLETE 2

struct reading {
	int fd;
	z_stream z;
	int64_t offset;				 /* read so far */
	struct fffa_gzip_member_state now, good; /* good.bytes is 0 until there was a line */
	uint8_t last;				 /* byte of the content so far */
	uint8_t in[65536], out[65536];
};

/* Reads on through r->in: NOT_COMPLETE at its end, 0 at the end of the stream, or -errno. */
static int inflate_chunk(struct reading *r)
{
	for (;;) {
		size_t got;
		int rc;

		r->z.next_out = r->out;
		r->z.avail_out = sizeof(r->out);
		rc = inflate(&r->z, Z_BLOCK);
		got = sizeof(r->out) - r->z.avail_out;
		if (got) {
			r->now.crc = (uint32_t)crc32_z(r->now.crc, r->out, got);
			r->now.size += (uint32_t)got;
			r->last = r->out[got - 1];
		}
		if (rc == Z_STREAM_END)
			return 0;
		if (rc == Z_MEM_ERROR)
			return -ENOMEM;
		if (rc != Z_OK && rc != Z_BUF_ERROR)
			return -EBADMSG; /* damaged: r->good says how far it is sound */
		if ((r->z.data_type & (AT_BORDER | LAST_BLOCK | SPARE_BITS)) == AT_BORDER &&
		    r->last == '\n') {
			r->good = r->now;
			r->good.bytes = r->offset - r->z.avail_in;
		}
		if (!r->z.avail_in && r->z.avail_out)
			return NOT_COMPLETE;
	}
}

static int read_chunk(struct reading *r)
{
	ssize_t n = pread(r->fd, r->in, sizeof(r->in), r->offset);

	if (n < 0)
		return errno == EINTR ? NOT_COMPLETE : -errno;
	if (!n)
		return -EBADMSG;
	r->offset += n;
	r->z.next_in = r->in;
	r->z.avail_in = (uInt)n;
	return inflate_chunk(r);
}

/* 0: complete, with nothing behind it. -EBADMSG: torn or damaged. Another -errno. */
static int read_all(struct reading *r, const atomic_bool *cancel)
{
	int rc;

	do {
		if (atomic_load_explicit(cancel, memory_order_relaxed))
			return -ECANCELED;
		rc = read_chunk(r);
	} while (rc == NOT_COMPLETE);
	if (!rc && (r->z.avail_in || pread(r->fd, r->in, 1, r->offset) != 0))
		rc = -EBADMSG;
	return rc;
}

static int write_end(int fd, bool sync, const struct fffa_gzip_member_state *good)
{
	uint8_t end[FFFA_GZIP_END_BYTES];

	fffa_gzip_end_write(good->crc, good->size, end);
	if (ftruncate(fd, good->bytes))
		return -errno;
	if (pwrite(fd, end, sizeof(end), good->bytes) != (ssize_t)sizeof(end))
		return errno ? -errno : -EIO;
	return sync && fsync(fd) ? -errno : 0;
}

int fffa_gzip_member_recover(int fd, bool sync, const atomic_bool *cancel)
{
	struct reading *r = calloc(1, sizeof(*r));
	int rc;

	if (!r)
		return -ENOMEM;
	r->fd = fd;
	if (inflateInit2(&r->z, GZIP_BITS) != Z_OK) {
		free(r);
		return -ENOMEM;
	}
	rc = read_all(r, cancel);
	if (!rc) {
		rc = r->now.size ? 1 : 0;
	} else if (rc == -EBADMSG) {
		rc = 0;
		if (r->good.bytes) {
			errno = 0;
			rc = write_end(fd, sync, &r->good);
			rc = rc ? rc : 1;
		}
	}
	(void)inflateEnd(&r->z);
	free(r);
	return rc;
}
