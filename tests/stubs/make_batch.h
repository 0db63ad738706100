/* SPDX-License-Identifier: MIT */
/* Batches of lines for tests that need no encoder. */
#ifndef FFFA_TESTS_STUBS_MAKE_BATCH_H
#define FFFA_TESTS_STUBS_MAKE_BATCH_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sinks/batch.h"

/* Makes a sealed batch of n records "SEQ xxxx...\n" of len bytes each, at least 22. */
static inline struct fffa_batch *make_batch(uint64_t first_seq, uint32_t n, size_t len)
{
	struct fffa_batch *b = fffa_batch_new(n * len, n);

	if (!b)
		abort();
	for (uint32_t i = 0; i < n; i++) {
		char seq[24];
		uint8_t *dst = fffa_batch_room(b, len);

		if (!dst)
			abort();
		(void)snprintf(seq, sizeof(seq), "%" PRIu64 " ", first_seq + i);
		memset(dst, 'x', len);
		memcpy(dst, seq, strlen(seq));
		dst[len - 1] = '\n';
		fffa_batch_commit(b, len,
				  &(struct fffa_record_info){.seq = first_seq + i,
							     .flow = (first_seq + i) / 2,
							     .time_ms = 1700000000000});
	}
	fffa_batch_seal(b);
	return b;
}

#endif
