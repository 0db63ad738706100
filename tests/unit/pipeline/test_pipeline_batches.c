// SPDX-License-Identifier: MIT
/* What batches contain, and when they are sealed. */
#include "tests/unit/pipeline/pipeline_fixture.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "agent/flow/hash.h"

/* A configuration owns its strings and never writes to them. */
static char *as_config_text(const char *literal)
{
	return (char *)(uintptr_t)literal;
}

static void every_record_once_in_order(void **state)
{
	struct fixture *f = *state;

	fixture_open(f, 1);
	fixture_feed(f, 1234);
	fixture_settle(f);
	assert_int_equal(fixture_ledger(f, 0)->delivered, 1234);
	fixture_expect(f, 0, 1, 1234);
	fixture_close(f, 0);
	assert_int_equal(f->last[0].delivered, 1234);
}

static void seals_by_records(void **state)
{
	struct fixture *f = *state;

	f->sinks[0].common.batch_age_ns = 3600 * 1000 * MS;
	fixture_open(f, 1);
	fixture_feed(f, 9);
	assert_int_equal(f->peers[0].accepted, 0);
	assert_int_equal(fixture_ledger(f, 0)->in_flight, 9);
	fixture_feed(f, 1);
	assert_int_equal(f->peers[0].accepted, 1);
	assert_int_equal(f->peers[0].seen[0].count, 10);
	fixture_feed(f, 25);
	assert_int_equal(f->peers[0].accepted, 3);
	assert_int_equal(f->peers[0].seen[2].first_seq, 21);
	fixture_close(f, 0);
	assert_int_equal(f->peers[0].seen[3].count, 5);
	fixture_expect(f, 0, 1, 35);
}

/* {"seq":N}\n has 10 bytes for N below 10, 11 below 100, 12 from then on. */
static void seals_by_bytes_and_never_beyond(void **state)
{
	struct fixture *f = *state;

	f->sinks[0].common.batch_age_ns = 3600 * 1000 * MS;
	f->sinks[0].common.batch_records = 1000000;
	f->sinks[0].common.batch_bytes = 50;
	fixture_open(f, 1);
	fixture_feed(f, 5);
	assert_int_equal(f->peers[0].accepted, 1); /* exactly full, so sealed at once */
	assert_int_equal(f->peers[0].seen[0].bytes, 50);
	fixture_feed(f, 4);
	assert_int_equal(f->peers[0].accepted, 1);
	fixture_feed(f, 1); /* 40 + 11 */
	assert_int_equal(f->peers[0].accepted, 2);
	assert_int_equal(f->peers[0].seen[1].count, 4);
	fixture_feed(f, 2000);
	fixture_close(f, 0);
	assert_true(f->peers[0].accepted > 400);
	for (size_t i = 0; i < f->peers[0].accepted; i++)
		assert_uint_in_range(f->peers[0].seen[i].bytes, 1, 50);
	fixture_expect(f, 0, 1, 2010);
}

static void one_record_larger_than_a_batch_goes_alone(void **state)
{
	struct fixture *f = *state;

	f->sinks[0].common.batch_bytes = 1;
	fixture_open(f, 1);
	fixture_feed(f, 20);
	fixture_close(f, 0);
	assert_int_equal(f->peers[0].accepted, 20);
	fixture_expect(f, 0, 1, 20);
}

static void seals_by_age(void **state)
{
	struct fixture *f = *state;
	uint64_t begin;

	f->sinks[0].common.batch_age_ns = 30 * MS;
	fixture_open(f, 1);
	for (uint64_t round = 1; round <= 3; round++) {
		begin = fixture_turn_ns(f);
		fixture_feed(f, 1);
		assert_int_equal(f->peers[0].accepted, round - 1);
		fixture_settle(f);
		assert_int_equal(f->peers[0].accepted, round);
		assert_true(f->peers[0].seen[round - 1].at_ns - begin >= 30 * (uint64_t)MS);
	}
	fixture_close(f, 0);
	fixture_expect(f, 0, 1, 3);
}

/*
 * A batch that is full stops its timer, so the next batch has the whole age. Time passes without a
 * turn of the loop, so that no busy machine seals the first one by its age.
 */
static void age_counts_from_the_first_record(void **state)
{
	struct fixture *f = *state;
	uint64_t begin;

	f->sinks[0].common.batch_age_ns = 300 * MS;
	fixture_open(f, 1);
	fixture_feed(f, 5);
	(void)usleep(40000);
	uv_update_time(&f->loop);
	begin = fixture_turn_ns(f);
	fixture_feed(f, 6);
	fixture_settle(f);
	assert_int_equal(f->peers[0].accepted, 2);
	assert_int_equal(f->peers[0].seen[0].count, 10);
	assert_true(f->peers[0].seen[1].at_ns - begin >= 300 * (uint64_t)MS);
	fixture_close(f, 0);
}

static void sinks_with_equal_settings_share_batches(void **state)
{
	struct fixture *f = *state;

	f->sinks[2].common.batch_records = 7;
	f->sinks[3].common.fields = as_config_text("seq epoch");
	for (size_t i = 0; i < 4; i++)
		f->peers[i].hold = true;
	fixture_open(f, 4);
	fixture_feed(f, 70);
	assert_int_equal(f->peers[0].accepted, 7);
	assert_int_equal(f->peers[2].accepted, 10);
	for (size_t i = 0; i < 7; i++) {
		assert_ptr_equal(f->peers[0].seen[i].batch, f->peers[1].seen[i].batch);
		assert_ptr_not_equal(f->peers[0].seen[i].batch, f->peers[2].seen[i].batch);
		assert_ptr_not_equal(f->peers[0].seen[i].batch, f->peers[3].seen[i].batch);
	}
	/* One sink has settled, the other still reads the shared bytes. */
	while (spy_release(&f->peers[0], outcome(FFFA_V_DELIVERED, 0)))
		fixture_turn(f);
	while (spy_release(&f->peers[1], outcome(FFFA_V_DELIVERED, 0)))
		fixture_turn(f);
	while (spy_release(&f->peers[2], outcome(FFFA_V_DELIVERED, 0)))
		fixture_turn(f);
	fixture_close(f, 1 * MS);
	fixture_expect(f, 0, 1, 70);
	fixture_expect(f, 1, 1, 70);
	fixture_expect(f, 2, 1, 70);
	assert_int_equal(f->last[3].lost[FFFA_RL_SHUTDOWN], 70);
}

static void sinks_with_different_settings_share_no_batch(void **state)
{
	struct fixture *f = *state;

	f->sinks[1].common.batch_bytes++;
	f->sinks[2].common.batch_age_ns++;
	f->sinks[3].common.format = as_config_text("flowlog");
	f->sinks[3].common.fields = NULL;
	for (size_t i = 0; i < 4; i++)
		f->peers[i].hold = true;
	fixture_open(f, 4);
	fixture_feed(f, 10);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(f->peers[i].accepted, 1);
		for (size_t k = 0; k < i; k++)
			assert_ptr_not_equal(f->peers[i].seen[0].batch, f->peers[k].seen[0].batch);
	}
	fixture_close(f, 1 * MS);
}

/* A line inside an envelope has no header either. */
static void sinks_with_different_envelopes_share_no_batch(void **state)
{
	struct fixture *f = *state;
	struct fffa_span bytes;

	for (size_t i = 0; i < 2; i++) {
		f->sinks[i].common.format = as_config_text("vpc");
		f->sinks[i].common.fields = as_config_text("${log-status} ${bytes}");
		f->peers[i].hold = true;
	}
	f->sinks[1].common.envelope = FFFA_ENVELOPE_FIREHOSE;
	fixture_open(f, 2);
	assert_int_equal(f->peers[0].len, strlen("log-status bytes\n"));
	assert_int_equal(f->peers[1].len, 0);
	fixture_feed(f, 10);
	bytes = fffa_batch_record(f->peers[1].seen[0].batch, 9);
	assert_memory_equal(bytes.ptr, "{\"message\":\"OK ", 15);
	assert_memory_equal(bytes.ptr + bytes.len - 3, "\"}\n", 3);
	fixture_close(f, 1 * MS);
}

static void header_goes_to_those_who_want_it(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < 2; i++) {
		f->sinks[i].common.format = as_config_text("vpc");
		f->sinks[i].common.fields = as_config_text("${version} ${srcaddr}");
	}
	f->sinks[1].common.header = false;
	fixture_open(f, 3);
	assert_int_equal(f->peers[0].len, strlen("version srcaddr\n"));
	assert_memory_equal(f->peers[0].bytes, "version srcaddr\n", f->peers[0].len);
	assert_int_equal(f->peers[1].len, 0);
	assert_int_equal(f->peers[2].len, 0);
	fixture_close(f, 0);
}

static void open_fails(struct fixture *f, size_t n, int error, const char *want)
{
	struct fffa_pipeline *p = NULL;
	struct fffa_err err = {""};

	f->conf.sink_count = n;
	assert_int_equal(fffa_pipeline_open(&f->loop, &f->conf, 1, &f->env, &p, &err), error);
	assert_null(p);
	assert_string_equal(err.text, want);
	assert_int_equal(uv_run(&f->loop, UV_RUN_DEFAULT), 0);
	for (size_t i = 0; i < n; i++) {
		assert_null(f->peers[i].sink);
		assert_int_equal(f->peers[i].creates, f->peers[i].closes);
	}
}

static void failed_open_leaves_nothing(void **state)
{
	struct fixture *f = *state;
	struct fffa_sink_ops text_only = spy_sink_ops;

	f->peers[1].start_error = -ECONNREFUSED;
	open_fails(f, 3, -ECONNREFUSED, "sink b: the peer is not there");
	assert_int_equal(f->peers[0].starts, 1);
	assert_int_equal(f->peers[2].creates, 0);
	f->peers[1].start_error = 0;

	f->sinks[1].common.format = as_config_text("xml");
	open_fails(f, 2, -EINVAL, "sink b: format: xml is not known");
	f->sinks[1].common.format = as_config_text("json");

	text_only.formats = 1u << FFFA_FORMAT_VPC;
	f->sinks[0].ops = &text_only;
	open_fails(f, 1, -EINVAL, "sink a: format: a sink of type spy cannot take json");
	f->sinks[0].ops = &spy_sink_ops;

	f->spies[0].peer = NULL;
	open_fails(f, 1, -EINVAL, "sink a: peer: is required");
	assert_int_equal(uv_loop_close(&f->loop), 0);
}

static void names_and_reopens_its_sinks(void **state)
{
	struct fixture *f = *state;

	fixture_open(f, 2);
	assert_string_equal(fffa_pipeline_sink_name(f->p, 0), "a");
	assert_string_equal(fffa_pipeline_sink_name(f->p, 1), "b");
	fffa_pipeline_reopen(f->p);
	assert_int_equal(f->peers[0].reopens, 1);
	assert_int_equal(f->peers[1].reopens, 1);
	fixture_close(f, 0);
}

static struct fffa_outcome look_at_marks(void *arg, const struct fffa_batch *b)
{
	struct fixture *f = arg;
	const struct fffa_batch_origin *o = fffa_batch_origin(b);

	assert_string_equal(o->agent_id, f->host.agent_id);
	assert_string_equal(o->account_id, "123456789012");
	assert_string_equal(o->region, "us-east-1");
	assert_int_equal(o->epoch, 77);
	for (uint32_t i = 0; i < fffa_batch_count(b); i++) {
		struct fffa_record_info m = fffa_batch_record_info(b, i);
		struct fffa_key back = {.dst = {10}, .src = {11}, .dport = (__be16)m.seq};

		assert_int_equal(m.time_ms, 1000 + (int64_t)m.seq);
		assert_int_equal(m.flow, fffa_flow_hash(&back));
	}
	return outcome(FFFA_V_DELIVERED, 0);
}

static void batches_have_origin_and_record_infos(void **state)
{
	struct fixture *f = *state;

	f->peers[0].judge = look_at_marks;
	f->peers[0].arg = f;
	fixture_open(f, 1);
	strcpy(f->host.agent_id, "i-0later"); /* as it is when the batch is sealed */
	for (uint64_t i = 1; i <= 25; i++) {
		struct fffa_record r = {.key = {.src = {10}, .dst = {11}, .sport = (__be16)i},
					.ident = &f->ident,
					.end_ms = 1000 + (int64_t)i};

		f->fed++;
		fffa_pipeline_record(f->p, &r);
	}
	fixture_close(f, 0);
	assert_int_equal(f->last[0].delivered, 25);
}

static void without_identify_no_identity_is_known(void **state)
{
	struct fixture *f = *state;

	f->env.identify = NULL;
	memset(&f->host, 0, sizeof(f->host));
	fixture_open(f, 1);
	fixture_feed(f, 10);
	fixture_close(f, 0);
	assert_int_equal(f->last[0].delivered, 10);
}

/* Feeds records of TCP and UDP flows in turn, then one of NODATA. */
static void feed_mixed(struct fixture *f, size_t n)
{
	for (size_t i = 0; i <= n; i++) {
		struct fffa_record r = {.ident = &f->ident,
					.key = {.proto = i % 2 ? 17 : 6, .view = FFFA_VIEW_IPV6},
					.packets = 1,
					.end_reason = FFFA_END_IDLE,
					.status = i < n ? FFFA_STATUS_OK : FFFA_STATUS_NODATA};

		fffa_pipeline_record(f->p, &r);
		assert_int_equal(r.seq, ++f->fed);
		fixture_check(f);
	}
}

static void assert_bytes(const struct spy_peer *peer, const char *text)
{
	assert_int_equal(peer->len, strlen(text));
	assert_memory_equal(peer->bytes, text, peer->len);
}

static void a_filter_makes_a_stream_of_its_own(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 1; i < 4; i++) {
		f->sinks[i].common.filter = as_config_text(i < 3 ? "tcp" : "udp");
		f->sinks[i].common.fields = as_config_text("seq stream");
	}
	f->sinks[1].common.name = as_config_text("a");
	f->sinks[2].common.name = as_config_text("b");
	f->sinks[3].common.name = as_config_text("c");
	fixture_open(f, 4);
	feed_mixed(f, 4);
	fixture_settle(f);
	fixture_expect(f, 0, 1, 5);
	assert_bytes(&f->peers[1], "{\"seq\":1,\"stream\":\"a\"}\n{\"seq\":2,\"stream\":\"a\"}\n"
				   "{\"seq\":3,\"stream\":\"a\"}\n");
	assert_bytes(&f->peers[2], "{\"seq\":1,\"stream\":\"b\"}\n{\"seq\":2,\"stream\":\"b\"}\n"
				   "{\"seq\":3,\"stream\":\"b\"}\n");
	assert_bytes(&f->peers[3], "{\"seq\":1,\"stream\":\"c\"}\n{\"seq\":2,\"stream\":\"c\"}\n"
				   "{\"seq\":3,\"stream\":\"c\"}\n");
	for (size_t i = 1; i < 4; i++) {
		assert_int_equal(fixture_ledger(f, i)->filtered, 2);
		assert_int_equal(fixture_ledger(f, i)->delivered, 3);
	}
	assert_int_equal(fixture_ledger(f, 0)->filtered, 0);
	fixture_close(f, 0);
}

/* A record after the end is lost by those that would have it. */
static void a_filter_leaves_out_what_comes_late(void **state)
{
	struct fixture *f = *state;

	f->sinks[0].common.filter = as_config_text("tcp");
	fixture_open(f, 1);
	fixture_close_begin(f, 0);
	feed_mixed(f, 3);
	assert_int_equal(fixture_ledger(f, 0)->filtered, 1);
	assert_int_equal(fixture_ledger(f, 0)->lost[FFFA_RL_SHUTDOWN], 3);
	fixture_close_end(f);
}

static void a_bad_filter_is_refused(void **state)
{
	struct fixture *f = *state;
	struct fffa_err err = {""};

	f->sinks[0].common.filter = as_config_text("tcp and len > 1");
	f->conf.sink_count = 1;
	assert_int_equal(fffa_pipeline_open(&f->loop, &f->conf, 1, &f->env, &f->p, &err), -EINVAL);
	assert_non_null(strstr(err.text, "column 9: \"len\""));
	assert_int_equal(uv_run(&f->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&f->loop), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(every_record_once_in_order),
		CASE(seals_by_records),
		CASE(seals_by_bytes_and_never_beyond),
		CASE(one_record_larger_than_a_batch_goes_alone),
		CASE(seals_by_age),
		CASE(age_counts_from_the_first_record),
		CASE(sinks_with_equal_settings_share_batches),
		CASE(sinks_with_different_settings_share_no_batch),
		CASE(sinks_with_different_envelopes_share_no_batch),
		CASE(header_goes_to_those_who_want_it),
		CASE(failed_open_leaves_nothing),
		CASE(names_and_reopens_its_sinks),
		CASE(batches_have_origin_and_record_infos),
		CASE(without_identify_no_identity_is_known),
		CASE(a_filter_makes_a_stream_of_its_own),
		CASE(a_filter_leaves_out_what_comes_late),
		CASE(a_bad_filter_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
