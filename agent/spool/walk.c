// SPDX-License-Identifier: MIT
#include "agent/spool/walk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/minmax.h"

#define SEARCH_BYTES 16384

/* 1 when a whole frame begins at off, 0 when none does, -errno. */
static int frame_at(const struct fffa_spool_source *src, uint64_t off, struct fffa_spool_frame *f)
{
	uint8_t head[FFFA_SPOOL_FRAME_HEAD];
	int rc;

	if (off > src->size || src->size - off < sizeof(head))
		return 0;
	rc = src->read(src->arg, off, head, sizeof(head));
	if (rc)
		return rc;
	if (fffa_spool_frame_get(f, head))
		return 0;
	return src->size - off - sizeof(head) >= fffa_spool_frame_body_len(f);
}

static const uint8_t *find_magic(const uint8_t *p, size_t n)
{
	return memmem(p, n, fffa_spool_frame_magic, sizeof(fffa_spool_frame_magic));
}

/*
 * Finds the first whole frame at *off or behind it. 1: *off is its position. 0: there is
 * none. -errno.
 */
static int resync(const struct fffa_spool_source *src, uint64_t *off, struct fffa_spool_frame *f)
{
	uint8_t buf[SEARCH_BYTES];

	while (*off < src->size && src->size - *off >= FFFA_SPOOL_FRAME_HEAD) {
		size_t n =
			src->size - *off < SEARCH_BYTES ? (size_t)(src->size - *off) : SEARCH_BYTES;
		const uint8_t *hit;
		int rc = src->read(src->arg, *off, buf, n);

		if (rc)
			return rc;
		hit = find_magic(buf, n);
		if (!hit) {
			/* the magic may begin in the last bytes of this block */
			*off += n - sizeof(fffa_spool_frame_magic) + 1;
			continue;
		}
		*off += (uint64_t)(hit - buf);
		rc = frame_at(src, *off, f);
		if (rc)
			return rc;
		++*off;
	}
	return 0;
}

int fffa_spool_walk_next(const struct fffa_spool_source *src, const struct fffa_spool_pos *pos,
			 struct fffa_spool_found *out)
{
	uint64_t at = pos->at;
	struct fffa_spool_frame f = {.count = 0};
	int rc = frame_at(src, at, &f);

	if (!rc) {
		at++;
		rc = resync(src, &at, &f);
	}
	if (rc <= 0)
		return rc;
	out->frame = f;
	/* The frame's head has the counts, which include damaged frames. */
	out->begin = (struct fffa_spool_pos){
		.at = at,
		.records = fffa_max_u64(pos->records, f.records_before),
		.numbers = fffa_max_u64(pos->numbers, f.numbers_before),
		.seq = fffa_max_u64(pos->seq, f.seq_before),
	};
	out->end = (struct fffa_spool_pos){
		.at = at + FFFA_SPOOL_FRAME_HEAD + fffa_spool_frame_body_len(&f),
		.records = out->begin.records + f.count,
		.numbers = out->begin.numbers + f.numbers,
		.seq = fffa_max_u64(out->begin.seq, f.last_seq),
	};
	return 1;
}

int fffa_spool_walk_load(const struct fffa_spool_source *src, const struct fffa_spool_found *found,
			 struct fffa_batch **out)
{
	size_t n = (size_t)fffa_spool_frame_body_len(&found->frame);
	uint8_t *body = malloc(n);
	int rc;

	if (!body)
		return -ENOMEM;
	rc = src->read(src->arg, found->begin.at + FFFA_SPOOL_FRAME_HEAD, body, n);
	if (!rc)
		rc = fffa_spool_frame_batch(&found->frame, body, out);
	free(body);
	return rc;
}
