// SPDX-License-Identifier: MIT
#include "sinks/batch.h"

#include <stdlib.h>
#include <string.h>

#include "agent/base/assert.h"

#define FIRST_BYTES   ((size_t)8192)
#define FIRST_RECORDS 64u

struct row {
	uint32_t end;	 /* offset of the first byte behind the record */
	uint32_t seq_by; /* added to first_seq */
	uint64_t flow;
	int64_t time_ms;
};
_Static_assert(sizeof(struct row) == FFFA_BATCH_INDEX_BYTES, "batch.h promises this size");

struct fffa_batch {
	uint8_t *bytes;
	size_t len;
	size_t held_bytes; /* allocated, <= cap_bytes */
	size_t cap_bytes;
	struct row *rows;
	uint32_t count;
	uint32_t held_records;
	uint32_t cap_records;
	uint32_t refs;
	bool sealed;
	bool named;
	char *host; /* NULL: not named yet, or not known */
	uint64_t first_seq;
	struct fffa_batch_origin origin;
};

struct fffa_batch *fffa_batch_new(size_t cap_bytes, uint32_t cap_records)
{
	struct fffa_batch *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->cap_bytes =
		cap_bytes < UINT32_MAX ? cap_bytes : UINT32_MAX; /* rows hold offsets of 32 bits */
	b->cap_records = cap_records;
	b->refs = 1;
	return b;
}

struct fffa_batch *fffa_batch_ref(struct fffa_batch *b)
{
	b->refs++;
	return b;
}

void fffa_batch_unref(struct fffa_batch *b)
{
	if (!b)
		return;
	FFFA_ASSERT(b->refs);
	if (--b->refs)
		return;
	free(b->bytes);
	free(b->rows);
	free(b->host);
	free(b);
}

static bool grow_bytes(struct fffa_batch *b, size_t need)
{
	size_t held = b->held_bytes ? b->held_bytes : FIRST_BYTES;
	uint8_t *p;

	if (need <= b->held_bytes)
		return true;
	while (held < need)
		held *= 2;
	if (held > b->cap_bytes)
		held = b->cap_bytes;
	p = realloc(b->bytes, held);
	if (!p)
		return false;
	b->bytes = p;
	b->held_bytes = held;
	return true;
}

static bool grow_records(struct fffa_batch *b)
{
	uint32_t held = b->held_records ? b->held_records : FIRST_RECORDS / 2;
	struct row *p;

	if (b->count < b->held_records)
		return true;
	held = held > b->cap_records / 2 ? b->cap_records : held * 2;
	p = realloc(b->rows, held * sizeof(*p));
	if (!p)
		return false;
	b->rows = p;
	b->held_records = held;
	return true;
}

uint8_t *fffa_batch_room(struct fffa_batch *b, size_t want)
{
	if (b->sealed || b->count == b->cap_records || want > b->cap_bytes - b->len)
		return NULL;
	if (!grow_bytes(b, b->len + want) || !grow_records(b))
		return NULL;
	return b->bytes + b->len;
}

void fffa_batch_commit(struct fffa_batch *b, size_t len, const struct fffa_record_info *info)
{
	FFFA_ASSERT(!b->sealed && b->count < b->held_records && len <= b->held_bytes - b->len);
	FFFA_ASSERT(!b->count ||
		    (info->seq > fffa_batch_last_seq(b) && info->seq - b->first_seq <= UINT32_MAX));
	if (!b->count)
		b->first_seq = info->seq;
	b->len += len;
	b->rows[b->count++] = (struct row){
		.end = (uint32_t)b->len,
		.seq_by = (uint32_t)(info->seq - b->first_seq),
		.flow = info->flow,
		.time_ms = info->time_ms,
	};
}

void fffa_batch_set_origin(struct fffa_batch *b, const struct fffa_batch_origin *origin)
{
	FFFA_ASSERT(!b->sealed);
	b->origin = *origin;
}

void fffa_batch_name_host(struct fffa_batch *b, const char *name)
{
	if (b->named)
		return;
	b->named = true;
	b->host = *name ? strdup(name) : NULL;
}

void fffa_batch_seal(struct fffa_batch *b)
{
	void *p;

	b->sealed = true;
	/* A batch may wait for hours in the queue of a sink: give back what it did not fill. */
	if (b->len && b->held_bytes - b->len > b->len / 8) {
		p = realloc(b->bytes, b->len);
		if (p) {
			b->bytes = p;
			b->held_bytes = b->len;
		}
	}
	if (b->count && b->held_records - b->count > b->count / 8) {
		p = realloc(b->rows, b->count * sizeof(*b->rows));
		if (p) {
			b->rows = p;
			b->held_records = b->count;
		}
	}
}

uint32_t fffa_batch_count(const struct fffa_batch *b)
{
	return b->count;
}

struct fffa_span fffa_batch_bytes(const struct fffa_batch *b)
{
	return (struct fffa_span){b->bytes, b->len};
}

struct fffa_span fffa_batch_record(const struct fffa_batch *b, uint32_t i)
{
	uint32_t begin;

	FFFA_ASSERT(i < b->count);
	begin = i ? b->rows[i - 1].end : 0;
	return (struct fffa_span){b->bytes + begin, b->rows[i].end - begin};
}

struct fffa_record_info fffa_batch_record_info(const struct fffa_batch *b, uint32_t i)
{
	FFFA_ASSERT(i < b->count);
	return (struct fffa_record_info){
		.seq = b->first_seq + b->rows[i].seq_by,
		.flow = b->rows[i].flow,
		.time_ms = b->rows[i].time_ms,
	};
}

const struct fffa_batch_origin *fffa_batch_origin(const struct fffa_batch *b)
{
	return &b->origin;
}

const char *fffa_batch_host(const struct fffa_batch *b)
{
	return b->host ? b->host : "";
}

uint64_t fffa_batch_first_seq(const struct fffa_batch *b)
{
	return b->first_seq;
}

uint64_t fffa_batch_last_seq(const struct fffa_batch *b)
{
	return b->count ? b->first_seq + b->rows[b->count - 1].seq_by : b->first_seq;
}

size_t fffa_batch_footprint(const struct fffa_batch *b)
{
	return sizeof(*b) + (b->host ? strlen(b->host) + 1 : 0) + b->held_bytes +
	       b->held_records * sizeof(*b->rows);
}
