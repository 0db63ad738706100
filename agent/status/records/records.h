/* SPDX-License-Identifier: MIT */
/*
 * Records for whoever looks on: each reader has a bounded buffer of JSON lines. A reader that is too
 * slow loses its own copies only, and its stream says how many. Loop thread only.
 */
#ifndef FFFA_AGENT_STATUS_RECORDS_RECORDS_H
#define FFFA_AGENT_STATUS_RECORDS_RECORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "agent/base/err.h"
#include "agent/encode/encoder.h"
#include "agent/filter/filter.h"

#define FFFA_RECORDS_READERS_MAX 8
/* Some thousand records, because many flows end in one turn. It is touched as far as it is used. */
#define FFFA_RECORDS_READER_BYTES (4 * 1024 * 1024)

struct fffa_records_reader;

/* All zero: nobody reads, and a record costs one look at count. */
struct fffa_records {
	size_t count;
	struct fffa_encoder *encoder; /* NULL: nobody has read yet */
	struct fffa_records_reader *readers[FFFA_RECORDS_READERS_MAX];
};

/*
 * A new reader, which gets the records that the filter (NULL: all) wants from now on, and frees it.
 * wake(arg) is called when there is something to take again. 0; -EBUSY for too many readers or
 * -ENOMEM, with err. On failure *out is untouched and the filter stays the caller's.
 */
int fffa_records_join(struct fffa_records *s, struct fffa_filter *filter, void (*wake)(void *arg),
		      void *arg, struct fffa_records_reader **out, struct fffa_err *err);
/* Frees r, which may be NULL. */
void fffa_records_leave(struct fffa_records *s, struct fffa_records_reader *r);
/* A record, enriched and numbered, has left. */
void fffa_records_add(struct fffa_records *s, const struct fffa_record *r);
/* Moves at most max bytes to dst. Returns how many; 0: there are none, and wake follows. */
size_t fffa_records_take(struct fffa_records_reader *r, char *dst, size_t max);
/* There is no reader any more. */
void fffa_records_fini(struct fffa_records *s);

#endif
