// SPDX-License-Identifier: MIT
#include "agent/pipeline/queue/sub_batch.h"

#include <string.h>

static bool copy_one(struct fffa_batch *out, const struct fffa_batch *b, uint32_t i)
{
	struct fffa_span r = fffa_batch_record(b, i);
	struct fffa_record_info info = fffa_batch_record_info(b, i);
	uint8_t *dst = fffa_batch_room(out, r.len);

	if (!dst)
		return false;
	memcpy(dst, r.ptr, r.len);
	fffa_batch_commit(out, r.len, &info);
	return true;
}

static struct fffa_batch *seal_copy(struct fffa_batch *out, const struct fffa_batch *b)
{
	fffa_batch_set_origin(out, fffa_batch_origin(b));
	fffa_batch_name_host(out, fffa_batch_host(b));
	fffa_batch_seal(out);
	return out;
}

struct fffa_batch *fffa_sub_batch_range(const struct fffa_batch *b, uint32_t first, uint32_t n)
{
	struct fffa_span begin = fffa_batch_record(b, first);
	struct fffa_span last = fffa_batch_record(b, first + n - 1);
	struct fffa_batch *out = fffa_batch_new((size_t)(last.ptr - begin.ptr) + last.len, n);

	for (uint32_t i = 0; out && i < n; i++) {
		if (!copy_one(out, b, first + i)) {
			fffa_batch_unref(out);
			return NULL;
		}
	}
	return out ? seal_copy(out, b) : NULL;
}

struct fffa_batch *fffa_sub_batch_pick(const struct fffa_batch *b, const uint8_t *verdicts,
				       enum fffa_verdict v, uint32_t n)
{
	struct fffa_batch *out = fffa_batch_new(fffa_batch_bytes(b).len, n);

	for (uint32_t i = 0; out && i < fffa_batch_count(b); i++) {
		if (verdicts[i] == v && !copy_one(out, b, i)) {
			fffa_batch_unref(out);
			return NULL;
		}
	}
	return out ? seal_copy(out, b) : NULL;
}
