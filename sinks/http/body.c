// SPDX-License-Identifier: MIT
#include "sinks/http/body.h"

#include <errno.h>
#include <stdlib.h>

#define REUSED_BYTES_MAX ((size_t)4 << 20)

/* The fastest levels: records shrink to a tenth with them, and they cost the host least. */
#define ZSTD_LEVEL 1
#define GZIP_LEVEL Z_BEST_SPEED
#define GZIP_BITS  (15 + 16) /* the largest window; 16: gzip's header instead of zlib's */
#define GZIP_MEM   8	     /* zlib's default */

bool fffa_http__body_is_batch(const struct fffa_http_body *b)
{
	return !b->shape->write && b->conf->compress == FFFA_HTTP_NONE;
}

static int compress_zstd(struct fffa_http_body *b, struct fffa_span in)
{
	size_t n;

	if (!b->zstd) {
		b->zstd = ZSTD_createCCtx();
		if (!b->zstd)
			return -ENOMEM;
		/* Fails only for a level outside the library's range. */
		(void)ZSTD_CCtx_setParameter(b->zstd, ZSTD_c_compressionLevel, ZSTD_LEVEL);
	}
	if (!fffa_buf_room(&b->packed, ZSTD_compressBound(in.len)))
		return b->packed.error;
	n = ZSTD_compress2(b->zstd, b->packed.ptr, b->packed.held, in.ptr, in.len);
	if (ZSTD_isError(n))
		return -ENOMEM; /* the room is enough, so memory is the only reason */
	b->packed.len = n;
	return 0;
}

static int begin_gzip(struct fffa_http_body *b)
{
	if (b->gzip)
		return deflateReset(b->gzip) == Z_OK ? 0 : -ENOMEM;
	b->gzip = calloc(1, sizeof(*b->gzip));
	if (!b->gzip)
		return -ENOMEM;
	if (deflateInit2(b->gzip, GZIP_LEVEL, Z_DEFLATED, GZIP_BITS, GZIP_MEM,
			 Z_DEFAULT_STRATEGY) == Z_OK)
		return 0;
	free(b->gzip);
	b->gzip = NULL;
	return -ENOMEM;
}

static int compress_gzip(struct fffa_http_body *b, struct fffa_span in)
{
	int rc = begin_gzip(b);
	size_t bound;

	if (rc)
		return rc;
	bound = deflateBound(b->gzip, in.len);
	if (!fffa_buf_room(&b->packed, bound))
		return b->packed.error;
	b->gzip->next_in = (z_const Bytef *)(uintptr_t)in.ptr;
	b->gzip->avail_in = (uInt)in.len; /* batch and body have less than 4 GiB */
	b->gzip->next_out = b->packed.ptr;
	b->gzip->avail_out = (uInt)bound;
	if (deflate(b->gzip, Z_FINISH) != Z_STREAM_END)
		return -ENOMEM;
	b->packed.len = bound - b->gzip->avail_out;
	return 0;
}

static int write_shape(struct fffa_http_body *b, const struct fffa_batch *batch,
		       struct fffa_span *out)
{
	const struct fffa_http_source from = {.conf = b->conf, .batch = batch, .json = b->json};

	if (b->shape->records_max && fffa_batch_count(batch) > b->shape->records_max)
		return -EMSGSIZE;
	fffa_buf_reset(&b->plain);
	b->plain.max = b->shape->bytes_max ? b->shape->bytes_max : UINT32_MAX / 2;
	b->shape->write(&from, &b->plain);
	*out = (struct fffa_span){b->plain.ptr, b->plain.len};
	return b->plain.error;
}

int fffa_http__body_make(struct fffa_http_body *b, const struct fffa_batch *batch,
			 struct fffa_span *out)
{
	struct fffa_span in = fffa_batch_bytes(batch);
	int rc = b->shape->write ? write_shape(b, batch, &in) : 0;

	fffa_buf_reset(&b->packed);
	b->packed.max = SIZE_MAX; /* the input bounds the output of compression */
	*out = in;
	if (rc || b->conf->compress == FFFA_HTTP_NONE)
		return rc;
	rc = b->conf->compress == FFFA_HTTP_ZSTD ? compress_zstd(b, in) : compress_gzip(b, in);
	*out = (struct fffa_span){b->packed.ptr, b->packed.len};
	return rc;
}

void fffa_http__body_trim(struct fffa_http_body *b)
{
	if (b->plain.held > REUSED_BYTES_MAX)
		fffa_buf_fini(&b->plain);
	if (b->packed.held > REUSED_BYTES_MAX)
		fffa_buf_fini(&b->packed);
}

void fffa_http__body_fini(struct fffa_http_body *b)
{
	fffa_buf_fini(&b->plain);
	fffa_buf_fini(&b->packed);
	(void)ZSTD_freeCCtx(b->zstd);
	if (b->gzip)
		(void)deflateEnd(b->gzip);
	free(b->gzip);
	b->zstd = NULL;
	b->gzip = NULL;
}
