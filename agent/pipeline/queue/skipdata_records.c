// SPDX-License-Identifier: MIT
#include "agent/pipeline/queue/skipdata_records.h"

#include <stdlib.h>

#include "agent/base/clock.h"
#include "agent/base/minmax.h"

#define REPORT_EVERY_NS FFFA_NS_PER_S /* while the queue is crowded */

void fffa_skipdata_records_init(struct fffa_skipdata_records *s, struct fffa_encoder *encoder,
				const struct fffa_origin_source *source)
{
	*s = (struct fffa_skipdata_records){.encoder = encoder, .source = source};
}

/* A sealed batch of one SKIPDATA record. NULL without memory. */
static struct fffa_batch *make_batch(const struct fffa_skipdata_records *s,
				     enum fffa_record_loss why, const struct fffa_missing *m)
{
	struct fffa_batch *b = fffa_batch_new(FFFA_RECORD_BYTES_MAX, 1);
	uint8_t *dst = b ? fffa_batch_room(b, FFFA_RECORD_BYTES_MAX) : NULL;
	struct fffa_batch_origin origin;
	struct fffa_record r = {
		.start_ms = m->first_ms,
		.end_ms = m->last_ms,
		.seq = m->last_seq,
		.epoch = m->epoch,
		.status = FFFA_STATUS_SKIPDATA,
		.lost_records = m->records,
		.lost_reason = fffa_ledger_record_loss_name(why),
	};

	if (!dst) {
		fffa_batch_unref(b);
		return NULL;
	}
	fffa_origin_identify(s->source, &r);
	fffa_batch_commit(b, fffa_encoder_write(s->encoder, &r, dst, FFFA_RECORD_BYTES_MAX),
			  &(struct fffa_record_info){.seq = r.seq, .time_ms = r.end_ms});
	fffa_origin_fill(s->source, fffa_encoder_stream(s->encoder), &origin);
	origin.epoch = m->epoch;
	fffa_batch_set_origin(b, &origin);
	fffa_batch_name_host(b, r.ident->host->host_name);
	fffa_batch_seal(b);
	return b;
}

struct fffa_queued_batch *fffa_skipdata_records_make(const struct fffa_skipdata_records *s,
						     enum fffa_record_loss why)
{
	struct fffa_queued_batch *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->d.batch = make_batch(s, why, &s->missing[why]);
	if (!b->d.batch) {
		free(b);
		return NULL;
	}
	b->born_ns = fffa_clock_mono_ns(&fffa_clock_system);
	b->is_skipdata = true;
	b->why = why;
	b->skipped = s->missing[why];
	return b;
}

void fffa_skipdata_records_reported(struct fffa_skipdata_records *s, enum fffa_record_loss why)
{
	s->missing[why] = (struct fffa_missing){0};
}

bool fffa_skipdata_records_clash(const struct fffa_skipdata_records *s, enum fffa_record_loss why,
				 const struct fffa_missing *add)
{
	return s->missing[why].records && s->missing[why].epoch != add->epoch;
}

void fffa_skipdata_records_add(struct fffa_skipdata_records *s, enum fffa_record_loss why,
			       const struct fffa_missing *add)
{
	struct fffa_missing *m = &s->missing[why];

	if (!m->records || m->epoch != add->epoch) {
		*m = *add;
	} else {
		m->records += add->records;
		m->last_seq = fffa_max_u64(m->last_seq, add->last_seq);
		m->first_ms = fffa_min_i64(m->first_ms, add->first_ms);
		m->last_ms = fffa_max_i64(m->last_ms, add->last_ms);
	}
	s->any = true;
}

uint64_t fffa_skipdata_records_missing(const struct fffa_skipdata_records *s,
				       enum fffa_record_loss why)
{
	return s->missing[why].records;
}

bool fffa_skipdata_records_start_report(struct fffa_skipdata_records *s, bool urgent)
{
	uint64_t now;

	if (!s->any)
		return false;
	now = fffa_clock_mono_ns(&fffa_clock_system);
	if (!urgent && now - s->last_ns < REPORT_EVERY_NS)
		return false;
	s->last_ns = now;
	s->any = false;
	return true;
}

void fffa_skipdata_records_report_later(struct fffa_skipdata_records *s)
{
	s->any = true;
}

bool fffa_skipdata_records_may_lose(const struct fffa_skipdata_records *s,
				    const struct fffa_queued_batch *b)
{
	const struct fffa_missing *m = &s->missing[b->why];

	return !b->is_skipdata || !m->records || m->epoch == b->skipped.epoch;
}

struct fffa_missing fffa_skipdata_records_of_batch(const struct fffa_batch *b)
{
	struct fffa_missing m = {
		.records = fffa_batch_count(b),
		.epoch = fffa_batch_origin(b)->epoch,
		.last_seq = fffa_batch_last_seq(b),
		.first_ms = INT64_MAX,
		.last_ms = INT64_MIN,
	};

	for (uint32_t i = 0; i < m.records; i++) {
		int64_t ms = fffa_batch_record_info(b, i).time_ms;

		m.first_ms = fffa_min_i64(m.first_ms, ms);
		m.last_ms = fffa_max_i64(m.last_ms, ms);
	}
	return m;
}
