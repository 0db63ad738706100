// SPDX-License-Identifier: MIT
/* SKIPDATA records that a queue makes: who says so, in which stream, and of which epoch. */
#include <string.h>

#include "tests/stubs/cmocka_all.h"
#include "tests/unit/pipeline/queue_fixture.h"

#define EPOCH QUEUE_FIXTURE_EPOCH

static void identify(void *arg, struct fffa_record *r)
{
	r->ident = arg;
}

/* Loses numbers 1 to 10 of this epoch, and takes the record that says so. */
static struct fffa_queued_batch *lose_and_take(struct queue_fixture *f, uint64_t epoch)
{
	struct fffa_record r = {.epoch = epoch};
	struct fffa_queued_batch *b;

	for (r.seq = 1; r.seq <= 10; r.seq++) {
		r.end_ms = QUEUE_FIXTURE_BASE_MS + (int64_t)r.seq;
		fffa_backlog_count_record(&f->q);
		fffa_backlog_lose_record(&f->q, &r, FFFA_RL_NO_MEMORY);
	}
	fffa_backlog_report_missing(&f->q, true);
	b = queue_fixture_take(f);
	assert_true(b->is_skipdata);
	assert_int_equal(b->why, FFFA_RL_NO_MEMORY);
	assert_int_equal(b->skipped.records, 10);
	assert_int_equal(b->skipped.last_seq, 10);
	return b;
}

/* The identity is that of now, the epoch that of the records. */
static void it_has_the_origin_of_this_host(void **state)
{
	static const struct fffa_ident_host host = {.agent_id = "i-0self",
						    .account_id = "123456789012",
						    .region = "eu-west-1",
						    .host_name = "self.example"};
	static struct fffa_ident ident = {.host = &host};
	struct queue_fixture *f = *state;
	const struct fffa_batch_origin *o;
	struct fffa_queued_batch *b;

	f->source = (struct fffa_origin_source){.identify = identify, .arg = &ident, .epoch = 99};
	fffa_encoder_set_stream(f->encoder, "mine");
	b = lose_and_take(f, EPOCH);
	o = fffa_batch_origin(b->d.batch);
	assert_string_equal(o->agent_id, "i-0self");
	assert_string_equal(o->account_id, "123456789012");
	assert_string_equal(o->region, "eu-west-1");
	assert_string_equal(o->stream, "mine");
	assert_int_equal(o->epoch, EPOCH);
	assert_string_equal(fffa_batch_host(b->d.batch), "self.example");
	assert_int_equal(fffa_batch_first_seq(b->d.batch), 10);
	assert_int_equal(fffa_batch_record_info(b->d.batch, 0).time_ms, QUEUE_FIXTURE_BASE_MS + 10);
	fffa_backlog_count_delivered(&f->q, b, 1);
	fffa_backlog_end(&f->q, b);
}

/* Nobody knows who this host is. */
static void it_has_no_origin_without_an_identity(void **state)
{
	struct queue_fixture *f = *state;
	struct fffa_queued_batch *b = lose_and_take(f, EPOCH);
	const struct fffa_batch_origin *o = fffa_batch_origin(b->d.batch);

	assert_string_equal(o->agent_id, "");
	assert_string_equal(o->account_id, "");
	assert_string_equal(o->region, "");
	assert_string_equal(o->stream, "");
	assert_int_equal(o->epoch, EPOCH);
	fffa_backlog_count_delivered(&f->q, b, 1);
	fffa_backlog_end(&f->q, b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		QUEUE_CASE(it_has_the_origin_of_this_host),
		QUEUE_CASE(it_has_no_origin_without_an_identity),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
