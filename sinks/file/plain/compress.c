// SPDX-License-Identifier: MIT
#include "sinks/file/plain/compress.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "agent/base/io.h"

#define CHUNK	   ((size_t)128 << 10)
#define ZSTD_LEVEL 3
#define GZIP_BITS  (15 + 16)

struct work {
	int from, to;
	ZSTD_CCtx *zstd;
	z_stream gzip;
	uint8_t in[CHUNK], out[CHUNK];
};

static int write_out(struct work *w, size_t n)
{
	struct iovec v = {w->out, n};

	return fffa_io_write_all(w->to, &v, 1, FFFA_IO_APPEND, NULL);
}

static int write_zstd(struct work *w, size_t len, bool last)
{
	ZSTD_inBuffer in = {w->in, len, 0};
	size_t left;

	do {
		ZSTD_outBuffer out = {w->out, sizeof(w->out), 0};
		int rc;

		left = ZSTD_compressStream2(w->zstd, &out, &in,
					    last ? ZSTD_e_end : ZSTD_e_continue);
		if (ZSTD_isError(left))
			return -ENOMEM;
		rc = write_out(w, out.pos);
		if (rc)
			return rc;
	} while (last ? left != 0 : in.pos < in.size);
	return 0;
}

static int write_gzip(struct work *w, size_t len, bool last)
{
	w->gzip.next_in = w->in;
	w->gzip.avail_in = (uInt)len;
	do {
		int rc;

		w->gzip.next_out = w->out;
		w->gzip.avail_out = sizeof(w->out);
		if (deflate(&w->gzip, last ? Z_FINISH : Z_NO_FLUSH) == Z_STREAM_ERROR)
			return -EIO;
		rc = write_out(w, sizeof(w->out) - w->gzip.avail_out);
		if (rc)
			return rc;
	} while (!w->gzip.avail_out);
	return 0;
}

static int compress_stream(struct work *w, enum fffa_file_compression compression,
			   const atomic_bool *cancel)
{
	bool last = false;

	while (!last) {
		ssize_t n = read(w->from, w->in, sizeof(w->in));
		int rc;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (atomic_load_explicit(cancel, memory_order_relaxed))
			return -ECANCELED;
		last = n == 0;
		rc = compression == FFFA_FILE_COMPRESS_ZSTD ? write_zstd(w, (size_t)n, last)
							    : write_gzip(w, (size_t)n, last);
		if (rc)
			return rc;
	}
	return 0;
}

static int start_stream(struct work *w, enum fffa_file_compression compression)
{
	if (compression == FFFA_FILE_COMPRESS_ZSTD) {
		w->zstd = ZSTD_createCCtx();
		if (!w->zstd)
			return -ENOMEM;
		/* Cannot fail: both are valid for a new context. */
		(void)ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_compressionLevel, ZSTD_LEVEL);
		(void)ZSTD_CCtx_setParameter(w->zstd, ZSTD_c_checksumFlag, 1);
		return 0;
	}
	return deflateInit2(&w->gzip, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_BITS, 8,
			    Z_DEFAULT_STRATEGY) == Z_OK
		       ? 0
		       : -ENOMEM;
}

static void end_stream(struct work *w, enum fffa_file_compression compression)
{
	if (compression == FFFA_FILE_COMPRESS_ZSTD)
		(void)ZSTD_freeCCtx(w->zstd);
	else
		(void)deflateEnd(&w->gzip); /* does nothing if start_stream failed */
}

/* Whoever could read the source can read the compressed file. */
static int copy_attributes(const struct work *w)
{
	struct stat st;
	struct timespec times[2];

	if (fstat(w->from, &st))
		return -errno;
	times[0] = st.st_atim;
	times[1] = st.st_mtim;
	if (fchown(w->to, st.st_uid, st.st_gid) && errno != EPERM)
		return -errno;
	if (fchmod(w->to, st.st_mode & 07777) || futimens(w->to, times) || fsync(w->to))
		return -errno;
	return 0;
}

int fffa_plain_compress(int dir_fd, const char *from, const char *tmp,
			enum fffa_file_compression compression, const atomic_bool *cancel)
{
	struct work *w = calloc(1, sizeof(*w));
	int rc;

	if (!w)
		return -ENOMEM;
	w->to = -1;
	w->from = openat(dir_fd, from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	rc = w->from < 0 ? -errno : start_stream(w, compression);
	if (rc)
		goto out;
	w->to = openat(dir_fd, tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	rc = w->to < 0 ? -errno : compress_stream(w, compression, cancel);
	if (!rc)
		rc = copy_attributes(w);
	if (w->to >= 0 && close(w->to) && !rc)
		rc = -errno;
	if (rc && w->to >= 0)
		(void)unlinkat(dir_fd, tmp, 0);
	end_stream(w, compression);
out:
	if (w->from >= 0)
		(void)close(w->from); /* only read */
	free(w);
	return rc;
}
