// SPDX-License-Identifier: MIT
#include "agent/spool/frame.h"

#include <errno.h>
#include <string.h>

#include "agent/base/assert.h"
#include "agent/spool/crc32c.h"
#include "agent/spool/wire.h"

#define VERSION	    1
#define FLAG_SKIP   1u
#define FLAG_STREAM 2u

/* No record in a text format holds these bytes, and no other format all of them by chance. */
const uint8_t fffa_spool_frame_magic[8] = {0xfe, 0x0d, 'F', 'F', 'F', 'A', 0x00, VERSION};

uint64_t fffa_spool_frame_body_len(const struct fffa_spool_frame *f)
{
	return (uint64_t)f->count * FFFA_SPOOL_INDEX_ROW + f->bytes_len;
}

uint64_t fffa_spool_frame_len(const struct fffa_batch *b)
{
	return FFFA_SPOOL_FRAME_HEAD + (uint64_t)fffa_batch_count(b) * FFFA_SPOOL_INDEX_ROW +
	       fffa_batch_bytes(b).len;
}

void fffa_spool_frame_describe(struct fffa_spool_frame *f, const struct fffa_batch *b)
{
	f->count = fffa_batch_count(b);
	f->bytes_len = (uint32_t)fffa_batch_bytes(b).len;
	f->first_seq = fffa_batch_first_seq(b);
	f->last_seq = fffa_batch_last_seq(b);
	f->origin = *fffa_batch_origin(b);
	for (uint32_t i = 0; i < f->count; i++) {
		int64_t ms = fffa_batch_record_info(b, i).time_ms;

		f->first_ms = !i || ms < f->first_ms ? ms : f->first_ms;
		f->last_ms = !i || ms > f->last_ms ? ms : f->last_ms;
	}
}

uint32_t fffa_spool_frame_put_index(const struct fffa_batch *b, uint8_t *dst)
{
	struct fffa_span bytes = fffa_batch_bytes(b);
	uint8_t *p = dst;
	uint32_t end = 0;

	for (uint32_t i = 0; i < fffa_batch_count(b); i++) {
		struct fffa_record_info m = fffa_batch_record_info(b, i);

		end += (uint32_t)fffa_batch_record(b, i).len;
		fffa_wire_put32(&p, end);
		fffa_wire_put32(&p, (uint32_t)(m.seq - fffa_batch_first_seq(b)));
		fffa_wire_put64(&p, m.flow);
		fffa_wire_put64(&p, (uint64_t)m.time_ms);
	}
	return fffa_crc32c(fffa_crc32c(0, dst, (size_t)(p - dst)), bytes.ptr, bytes.len);
}

void fffa_spool_frame_put(const struct fffa_spool_frame *f, uint8_t dst[FFFA_SPOOL_FRAME_HEAD])
{
	uint8_t *p = dst;

	memset(dst, 0, FFFA_SPOOL_FRAME_HEAD);
	fffa_wire_put(&p, fffa_spool_frame_magic, sizeof(fffa_spool_frame_magic));
	fffa_wire_put32(&p, f->count);
	fffa_wire_put32(&p, f->bytes_len);
	fffa_wire_put32(&p, f->body_crc);
	fffa_wire_put32(&p,
			(f->is_skipdata ? FLAG_SKIP : 0) | (f->origin.stream[0] ? FLAG_STREAM : 0));
	fffa_wire_put64(&p, f->identity);
	fffa_wire_put64(&p, f->origin.epoch);
	fffa_wire_put64(&p, f->first_seq);
	fffa_wire_put64(&p, f->last_seq);
	fffa_wire_put64(&p, (uint64_t)f->first_ms);
	fffa_wire_put64(&p, (uint64_t)f->last_ms);
	fffa_wire_put64(&p, (uint64_t)f->sealed_ms);
	fffa_wire_put64(&p, f->records_before);
	fffa_wire_put64(&p, f->numbers_before);
	fffa_wire_put64(&p, f->seq_before);
	fffa_wire_put64(&p, f->numbers);
	fffa_wire_put(&p, f->reason, sizeof(f->reason));
	fffa_wire_put(&p, f->origin.agent_id, sizeof(f->origin.agent_id));
	fffa_wire_put(&p, f->origin.account_id, sizeof(f->origin.account_id));
	fffa_wire_put(&p, f->origin.region, sizeof(f->origin.region));
	FFFA_ASSERT(p <= dst + FFFA_SPOOL_FRAME_HEAD - 4);
	fffa_wire_put_crc(dst, FFFA_SPOOL_FRAME_HEAD);
}

static void get_text(const uint8_t **p, char *dst, size_t n)
{
	fffa_wire_get(p, dst, n);
	dst[n - 1] = '\0';
}

bool fffa_spool_frame_is_foreign(const uint8_t src[sizeof(fffa_spool_frame_magic)])
{
	size_t version = sizeof(fffa_spool_frame_magic) - 1;

	return !memcmp(src, fffa_spool_frame_magic, version) && src[version] != VERSION;
}

int fffa_spool_frame_get(struct fffa_spool_frame *f, const uint8_t src[FFFA_SPOOL_FRAME_HEAD])
{
	const uint8_t *p = src + sizeof(fffa_spool_frame_magic);
	uint32_t flags;

	if (memcmp(src, fffa_spool_frame_magic, sizeof(fffa_spool_frame_magic)) ||
	    !fffa_wire_crc_is_right(src, FFFA_SPOOL_FRAME_HEAD))
		return -EBADMSG;
	f->count = fffa_wire_get32(&p);
	f->bytes_len = fffa_wire_get32(&p);
	f->body_crc = fffa_wire_get32(&p);
	flags = fffa_wire_get32(&p);
	f->is_skipdata = flags & FLAG_SKIP;
	f->has_stream = flags & FLAG_STREAM;
	memset(f->origin.stream, 0, sizeof(f->origin.stream));
	f->identity = fffa_wire_get64(&p);
	f->origin.epoch = fffa_wire_get64(&p);
	f->first_seq = fffa_wire_get64(&p);
	f->last_seq = fffa_wire_get64(&p);
	f->first_ms = (int64_t)fffa_wire_get64(&p);
	f->last_ms = (int64_t)fffa_wire_get64(&p);
	f->sealed_ms = (int64_t)fffa_wire_get64(&p);
	f->records_before = fffa_wire_get64(&p);
	f->numbers_before = fffa_wire_get64(&p);
	f->seq_before = fffa_wire_get64(&p);
	f->numbers = fffa_wire_get64(&p);
	get_text(&p, f->reason, sizeof(f->reason));
	get_text(&p, f->origin.agent_id, sizeof(f->origin.agent_id));
	get_text(&p, f->origin.account_id, sizeof(f->origin.account_id));
	get_text(&p, f->origin.region, sizeof(f->origin.region));
	if (!f->count || f->count > FFFA_SPOOL_RECORDS_MAX || f->bytes_len < f->count ||
	    f->bytes_len > FFFA_SPOOL_BYTES_MAX || f->last_seq < f->first_seq || !f->numbers)
		return -EBADMSG;
	return 0;
}

/*
 * Reads the row at *p. True when it may follow a record that ends at *end and has number *seq_by.
 */
static bool get_row(const uint8_t **p, bool first, uint32_t *end, uint32_t *seq_by,
		    struct fffa_record_info *m)
{
	uint32_t end_before = *end, seq_before = *seq_by;

	*end = fffa_wire_get32(p);
	*seq_by = fffa_wire_get32(p);
	m->flow = fffa_wire_get64(p);
	m->time_ms = (int64_t)fffa_wire_get64(p);
	return *end > end_before && (first ? !*seq_by : *seq_by > seq_before);
}

static int fill_batch(struct fffa_batch *b, const struct fffa_spool_frame *f, const uint8_t *index,
		      const uint8_t *bytes)
{
	uint32_t end = 0, seq_by = 0;
	struct fffa_record_info m;
	uint8_t *dst = fffa_batch_room(b, f->bytes_len);

	if (!dst)
		return -ENOMEM;
	memcpy(dst, bytes, f->bytes_len);
	for (uint32_t i = 0; i < f->count; i++) {
		uint32_t begin = end;

		if (!get_row(&index, !i, &end, &seq_by, &m) || end > f->bytes_len ||
		    seq_by > f->last_seq - f->first_seq)
			return -EBADMSG;
		if (!fffa_batch_room(b, end - begin))
			return -ENOMEM;
		m.seq = f->first_seq + seq_by;
		fffa_batch_commit(b, end - begin, &m);
	}
	return end == f->bytes_len && m.seq == f->last_seq ? 0 : -EBADMSG;
}

int fffa_spool_frame_batch(const struct fffa_spool_frame *f, const uint8_t *body,
			   struct fffa_batch **out)
{
	struct fffa_batch *b;
	int rc;

	if (fffa_crc32c(0, body, fffa_spool_frame_body_len(f)) != f->body_crc)
		return -EBADMSG;
	b = fffa_batch_new(f->bytes_len, f->count);
	if (!b)
		return -ENOMEM;
	rc = fill_batch(b, f, body, body + (size_t)f->count * FFFA_SPOOL_INDEX_ROW);
	if (rc) {
		fffa_batch_unref(b);
		return rc;
	}
	fffa_batch_set_origin(b, &f->origin);
	fffa_batch_seal(b);
	*out = b;
	return 0;
}
