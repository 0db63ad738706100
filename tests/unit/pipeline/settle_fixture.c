// SPDX-License-Identifier: MIT
#include "tests/unit/pipeline/settle_fixture.h"

#include <stdlib.h>

static void on_over(void *arg)
{
	((struct settling *)arg)->over++;
}

int settle_fixture_setup(void **state)
{
	static const struct fffa_retry retry = {
		.min_ns = 10 * S, .max_ns = 80 * S, .give_up_ns = 1000 * S};
	struct settling *t = calloc(1, sizeof(*t));
	void *f;

	*state = t;
	if (!t || queue_fixture_setup(&f) || uv_loop_init(&t->loop))
		return -1;
	t->f = f;
	fffa_pause_init(&t->pause, &t->loop, &retry, on_over, t);
	fffa_settle_init(&t->s, "sink.a", &t->f->q, &t->pause);
	return 0;
}

static void on_closed(void *arg)
{
	(void)arg;
}

int settle_fixture_teardown(void **state)
{
	struct settling *t = *state;
	void *f = t->f;

	fffa_pause_close(&t->pause, on_closed, NULL);
	(void)uv_run(&t->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&t->loop), 0);
	assert_true(fffa_ledger_sink_balances(fffa_backlog_ledger(&t->f->q)));
	(void)queue_fixture_teardown(&f);
	free(t);
	return 0;
}

void settle_fixture_add(struct settling *t, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		queue_fixture_add(t->f, EPOCH, 1 + (uint64_t)10 * i, 10);
}

void settle_fixture_judge(struct settling *t, struct fffa_queued_batch *b, enum fffa_verdict v,
			  int cause)
{
	fffa_settle_outcome(&t->s, b, &(struct fffa_outcome){.verdict = v, .cause = cause});
}

bool settle_fixture_is_up(struct settling *t)
{
	struct fffa_sink_status s = {.name = NULL};

	fffa_settle_status(&t->s, &s);
	return s.up;
}

void settle_fixture_end_pause(struct settling *t)
{
	fffa_pause_stop(&t->pause);
	t->pause.active = false;
}

void settle_fixture_expect_pause(const struct settling *t, uint64_t begin, uint64_t low,
				 uint64_t high)
{
	assert_true(fffa_pause_is_active(&t->pause));
	assert_true(t->pause.until_ns >= begin + low);
	assert_true(t->pause.until_ns <= now_ns() + high);
}

void settle_fixture_deliver(struct settling *t, uint64_t first, uint64_t last, uint32_t n)
{
	struct fffa_queued_batch *b = take(t);

	assert_int_equal(fffa_batch_first_seq(b->d.batch), first);
	assert_int_equal(fffa_batch_last_seq(b->d.batch), last);
	assert_int_equal(fffa_batch_count(b->d.batch), n);
	assert_int_equal(fffa_batch_origin(b->d.batch)->epoch, EPOCH);
	assert_string_equal(fffa_batch_origin(b->d.batch)->agent_id, "i-0fixture");
	for (uint32_t i = 0; i < n; i++) {
		struct fffa_record_info m = fffa_batch_record_info(b->d.batch, i);

		assert_int_equal(m.flow, m.seq * 3);
		assert_int_equal(m.time_ms, QUEUE_FIXTURE_BASE_MS + 10 * (int64_t)m.seq);
		assert_int_equal(
			strtoull((const char *)fffa_batch_record(b->d.batch, i).ptr + 7, NULL, 10),
			m.seq);
	}
	settle_fixture_judge(t, b, FFFA_V_DELIVERED, 0);
}
