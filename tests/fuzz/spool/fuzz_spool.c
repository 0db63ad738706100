// SPDX-License-Identifier: MIT
/*
 * Any bytes as a segment of a spool: as they are, and again with correct checksums in the
 * first frame, so that the code behind the checksums is reached. The frames that are read must
 * be consistent.
 */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/spool/crc32c.h"
#include "agent/spool/walk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	const uint8_t *data;
	size_t size;
};

static int read_input(void *arg, uint64_t off, void *dst, size_t n)
{
	const struct input *in = arg;

	if (off > in->size || n > in->size - off)
		abort();
	memcpy(dst, in->data + off, n);
	return 0;
}

static void check_batch(const struct fffa_spool_frame *f, const struct fffa_batch *b)
{
	size_t sum = 0;

	if (fffa_batch_count(b) != f->count || fffa_batch_bytes(b).len != f->bytes_len ||
	    fffa_batch_first_seq(b) != f->first_seq || fffa_batch_last_seq(b) != f->last_seq)
		abort();
	for (uint32_t i = 0; i < f->count; i++) {
		sum += fffa_batch_record(b, i).len;
		if (i && fffa_batch_record_info(b, i).seq <= fffa_batch_record_info(b, i - 1).seq)
			abort();
	}
	if (sum != f->bytes_len)
		abort();
}

static void walk_segment(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	struct fffa_spool_source src = {.read = read_input, .arg = &in, .size = size};
	struct fffa_spool_pos pos = fffa_spool_walk_begin();
	struct fffa_spool_found found;

	while (fffa_spool_walk_next(&src, &pos, &found) == 1) {
		struct fffa_batch *b = NULL;

		if (found.begin.at < pos.at || found.end.at <= found.begin.at ||
		    found.end.at > size || found.begin.records < pos.records)
			abort();
		if (!fffa_spool_frame_batch(&found.frame,
					    data + found.begin.at + FFFA_SPOOL_FRAME_HEAD, &b))
			check_batch(&found.frame, b);
		fffa_batch_unref(b);
		pos = found.end;
	}
}

static void put32(uint8_t *dst, uint32_t v)
{
	v = htole32(v);
	memcpy(dst, &v, sizeof(v));
}

/* agent/spool/README.md has the offsets. */
static void make_right(uint8_t *data, size_t size)
{
	uint8_t *head = data + FFFA_SPOOL_SEGMENT_HEAD;
	size_t body = size - FFFA_SPOOL_SEGMENT_HEAD - FFFA_SPOOL_FRAME_HEAD;
	uint32_t count;

	memcpy(head, fffa_spool_frame_magic, sizeof(fffa_spool_frame_magic));
	memcpy(&count, head + 8, sizeof(count));
	count = le32toh(count) % (uint32_t)(body / FFFA_SPOOL_INDEX_ROW + 1);
	put32(head + 8, count);
	put32(head + 12, (uint32_t)(body - (size_t)count * FFFA_SPOOL_INDEX_ROW));
	put32(head + 16, fffa_crc32c(0, head + FFFA_SPOOL_FRAME_HEAD, body));
	put32(head + FFFA_SPOOL_FRAME_HEAD - 4, fffa_crc32c(0, head, FFFA_SPOOL_FRAME_HEAD - 4));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fffa_spool_segment head;
	uint8_t *copy;

	if (size >= FFFA_SPOOL_SEGMENT_HEAD)
		(void)fffa_spool_segment_get(&head, data);
	walk_segment(data, size);
	if (size <= FFFA_SPOOL_SEGMENT_HEAD + FFFA_SPOOL_FRAME_HEAD)
		return 0;
	copy = malloc(size);
	if (!copy)
		return 0;
	memcpy(copy, data, size);
	make_right(copy, size);
	walk_segment(copy, size);
	free(copy);
	return 0;
}
