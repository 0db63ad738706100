// SPDX-License-Identifier: MIT
#include "agent/capture/replay/input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#define CHUNK_BYTES ((size_t)128 * 1024)

enum kind { PLAIN, GZIP, ZSTD };

struct fffa_input {
	int fd;
	enum kind kind;
	bool at_end;	   /* of the file */
	bool inside;	   /* a gzip member or zstd frame has begun and not ended */
	size_t at, filled; /* of raw */
	uint8_t *raw;
	z_stream gzip;
	ZSTD_DStream *zstd;
	size_t out_at, out_filled; /* of out: decompressed, not taken yet */
	uint8_t *out;
};

static int fill_raw(struct fffa_input *in, struct fffa_err *err)
{
	ssize_t n;

	if (in->at < in->filled || in->at_end)
		return 0;
	do {
		n = read(in->fd, in->raw, CHUNK_BYTES);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return fffa_fail(err, errno, "%s", strerror(errno));
	in->at = 0;
	in->filled = (size_t)n;
	in->at_end = n == 0;
	return 0;
}

/* One step of inflate from raw to out. gzip members may follow each other. */
static int step_gzip(struct fffa_input *in, struct fffa_err *err)
{
	int rc;

	if (!in->inside && inflateReset(&in->gzip) != Z_OK)
		return fffa_fail(err, EIO, "cannot decompress: no memory");
	in->inside = true;
	in->gzip.next_in = in->raw + in->at;
	in->gzip.avail_in = (uInt)(in->filled - in->at);
	in->gzip.next_out = in->out;
	in->gzip.avail_out = (uInt)CHUNK_BYTES;
	rc = inflate(&in->gzip, Z_NO_FLUSH);
	if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
		return fffa_fail(err, EIO, "damaged gzip data");
	in->at = in->filled - in->gzip.avail_in;
	in->out_filled = CHUNK_BYTES - in->gzip.avail_out;
	in->inside = rc != Z_STREAM_END;
	return 0;
}

static int step_zstd(struct fffa_input *in, struct fffa_err *err)
{
	ZSTD_inBuffer from = {.src = in->raw, .size = in->filled, .pos = in->at};
	ZSTD_outBuffer to = {.dst = in->out, .size = CHUNK_BYTES};
	size_t rc = ZSTD_decompressStream(in->zstd, &to, &from);

	if (ZSTD_isError(rc))
		return fffa_fail(err, EIO, "damaged zstd data: %s", ZSTD_getErrorName(rc));
	in->at = from.pos;
	in->out_filled = to.pos;
	in->inside = rc != 0;
	return 0;
}

/* Makes at least one byte ready in out; none at the end. */
static int fill_out(struct fffa_input *in, struct fffa_err *err)
{
	in->out_at = in->out_filled = 0;
	while (!in->out_filled) {
		int rc = fill_raw(in, err);

		if (rc)
			return rc;
		/* The decompressor may hold output that found no room before: asks it once more. */
		if (in->at_end && !in->inside)
			return 0;
		rc = in->kind == GZIP ? step_gzip(in, err) : step_zstd(in, err);
		if (rc)
			return rc;
		if (in->at_end && in->inside && !in->out_filled)
			return fffa_fail(err, EIO, "the compressed data is cut off");
	}
	return 0;
}

ssize_t fffa_input_read(struct fffa_input *in, void *dst, size_t n, struct fffa_err *err)
{
	size_t done = 0;

	while (done < n) {
		const uint8_t *from = in->kind == PLAIN ? in->raw : in->out;
		size_t *at = in->kind == PLAIN ? &in->at : &in->out_at;
		size_t filled = in->kind == PLAIN ? in->filled : in->out_filled;
		size_t take = filled - *at;

		if (!take) {
			int rc = in->kind == PLAIN ? fill_raw(in, err) : fill_out(in, err);

			if (rc)
				return rc;
			if (*at == (in->kind == PLAIN ? in->filled : in->out_filled))
				break;
			continue;
		}
		if (take > n - done)
			take = n - done;
		if (dst)
			memcpy((uint8_t *)dst + done, from + *at, take);
		*at += take;
		done += take;
	}
	return (ssize_t)done;
}

static int start_kind(struct fffa_input *in, struct fffa_err *err)
{
	static const uint8_t zstd_magic[4] = {0x28, 0xb5, 0x2f, 0xfd};
	int rc = fill_raw(in, err);

	if (rc)
		return rc;
	if (in->filled >= 2 && in->raw[0] == 0x1f && in->raw[1] == 0x8b)
		in->kind = GZIP;
	else if (in->filled >= 4 && !memcmp(in->raw, zstd_magic, 4))
		in->kind = ZSTD;
	else
		return 0;
	in->out = malloc(CHUNK_BYTES);
	if (!in->out || (in->kind == GZIP && inflateInit2(&in->gzip, 15 + 16) != Z_OK))
		return fffa_fail(err, ENOMEM, "no memory");
	if (in->kind == ZSTD) {
		in->zstd = ZSTD_createDStream();
		if (!in->zstd)
			return fffa_fail(err, ENOMEM, "no memory");
	}
	return 0;
}

int fffa_input_open(const char *path, struct fffa_input **out, struct fffa_err *err)
{
	struct fffa_input *in = calloc(1, sizeof(*in));
	struct fffa_err why;
	int rc = 0;

	if (!in)
		return fffa_fail(err, ENOMEM, "%s: no memory", path);
	in->fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
	if (in->fd < 0)
		rc = fffa_fail(&why, errno, "%s", strerror(errno));
	in->raw = malloc(CHUNK_BYTES);
	if (!rc && !in->raw)
		rc = fffa_fail(&why, ENOMEM, "no memory");
	if (!rc)
		rc = start_kind(in, &why);
	if (rc) {
		(void)fffa_fail(err, -rc, "%s: %s", path, why.text);
		fffa_input_close(in);
		return rc;
	}
	*out = in;
	return 0;
}

void fffa_input_close(struct fffa_input *in)
{
	if (!in)
		return;
	if (in->kind == GZIP)
		(void)inflateEnd(&in->gzip);
	ZSTD_freeDStream(in->zstd);
	if (in->fd > STDIN_FILENO)
		(void)close(in->fd);
	free(in->raw);
	free(in->out);
	free(in);
}
