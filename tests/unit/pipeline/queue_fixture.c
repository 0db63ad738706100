// SPDX-License-Identifier: MIT
#include "tests/unit/pipeline/queue_fixture.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECORD_BYTES 40

int queue_fixture_setup(void **state)
{
	struct queue_fixture *f = calloc(1, sizeof(*f));
	struct fffa_err err = {""};

	if (!f || fffa_encoder_new(FFFA_FORMAT_JSON, "seq epoch lost_records lost_reason",
				   &f->encoder, &err))
		return -1;
	f->source.epoch = QUEUE_FIXTURE_EPOCH;
	queue_fixture_begin(f, 1 << 20, false);
	*state = f;
	return 0;
}

static void clear(struct queue_fixture *f)
{
	struct fffa_queued_batch *b;

	while ((b = fffa_backlog_first(&f->q))) {
		fffa_backlog_take(&f->q, b);
		fffa_backlog_end(&f->q, b);
	}
}

int queue_fixture_teardown(void **state)
{
	struct queue_fixture *f = *state;

	clear(f);
	assert_int_equal(fffa_backlog_memory_bytes(&f->q), 0);
	fffa_encoder_free(f->encoder);
	free(f);
	return 0;
}

void queue_fixture_begin(struct queue_fixture *f, size_t memory_bytes, bool drops_oldest)
{
	if (f->q.tag)
		clear(f);
	fffa_backlog_init(&f->q, "sink.a", memory_bytes, drops_oldest);
	fffa_backlog_set_source(&f->q, f->encoder, &f->source);
}

struct fffa_batch *queue_fixture_batch(uint64_t epoch, uint64_t first_seq, uint32_t n)
{
	struct fffa_batch *b = fffa_batch_new((size_t)n * RECORD_BYTES, n);
	struct fffa_batch_origin origin = {.agent_id = "i-0fixture", .epoch = epoch};

	assert_non_null(b);
	for (uint64_t seq = first_seq; seq < first_seq + n; seq++) {
		const struct fffa_record_info info = {.seq = seq,
						      .flow = seq * 3,
						      .time_ms = QUEUE_FIXTURE_BASE_MS +
								 10 * (int64_t)seq};
		uint8_t *dst = fffa_batch_room(b, RECORD_BYTES);

		assert_non_null(dst);
		memset(dst, ' ', RECORD_BYTES);
		(void)snprintf((char *)dst, RECORD_BYTES, "{\"seq\":%-30" PRIu64 "}", seq);
		dst[RECORD_BYTES - 1] = '\n';
		fffa_batch_commit(b, RECORD_BYTES, &info);
	}
	fffa_batch_set_origin(b, &origin);
	fffa_batch_seal(b);
	return b;
}

size_t queue_fixture_footprint(uint32_t n)
{
	struct fffa_batch *b = queue_fixture_batch(1, 1, n);
	size_t footprint = fffa_batch_footprint(b);

	fffa_batch_unref(b);
	return footprint;
}

void queue_fixture_add(struct queue_fixture *f, uint64_t epoch, uint64_t first_seq, uint32_t n)
{
	struct fffa_batch *b = queue_fixture_batch(epoch, first_seq, n);

	for (uint32_t i = 0; i < n; i++)
		fffa_backlog_count_record(&f->q);
	fffa_backlog_add(&f->q, b);
	fffa_batch_unref(b);
	assert_true(fffa_ledger_sink_balances(fffa_backlog_ledger(&f->q)));
}

struct fffa_queued_batch *queue_fixture_take(struct queue_fixture *f)
{
	struct fffa_queued_batch *b = fffa_backlog_first(&f->q);

	assert_non_null(b);
	fffa_backlog_take(&f->q, b);
	return b;
}

void queue_fixture_expect(const struct queue_fixture *f, const uint64_t *first_seqs)
{
	const struct fffa_queued_batch *b;

	TAILQ_FOREACH(b, &f->q.queue, link)
	{
		assert_int_equal(fffa_batch_first_seq(b->d.batch), *first_seqs);
		first_seqs++;
	}
	assert_int_equal(*first_seqs, 0);
}
