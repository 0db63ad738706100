// SPDX-License-Identifier: MIT
/*
 * Runs what sinks/sink.h promises against every registered sink and the scripted one. In every case
 * the fixture asserts one done for each accepted delivery, never from inside a call and never after
 * closed, and that the sink leaves nothing in the loop.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "agent/daemon/registry.h"
#include "tests/contract/peer.h"
#include "tests/contract/refusal_cases.h"
#include "tests/stubs/cmocka_all.h"
#include "tests/stubs/make_batch.h"
#include "tests/stubs/sink_fixture.h"

#define PREAMBLE     "the first line\n"
#define OPEN_RECORDS 1000 /* of the batch that is open when its sink is closed */

static const struct peer_ops *const peers[] = {&peer_file_ops,	     &peer_file_aws_ops,
					       &peer_http_ops,	     &peer_kafka_ops,
					       &peer_kafka_many_ops, &peer_spy_ops};
#define PEERS (sizeof(peers) / sizeof(peers[0]))

struct expectation {
	uint8_t *ptr;
	size_t len;
};

static void expect_more(struct expectation *e, const void *p, size_t n)
{
	e->ptr = realloc(e->ptr, e->len + n);
	assert_non_null(e->ptr);
	memcpy(e->ptr + e->len, p, n);
	e->len += n;
}

static void expect_preamble(const struct peer_ops *o, struct expectation *e)
{
	if (!o->no_preamble)
		expect_more(e, PREAMBLE, strlen(PREAMBLE));
}

static void expect_batch(struct expectation *e, const struct fffa_batch *b)
{
	expect_more(e, fffa_batch_bytes(b).ptr, fffa_batch_bytes(b).len);
}

static void expect_arrived(const struct peer_ops *o, struct peer *f, struct expectation *e)
{
	struct fffa_span got = o->bytes(f);

	assert_int_equal(got.len, e->len);
	if (e->len)
		assert_memory_equal(got.ptr, e->ptr, e->len);
	free((void *)(uintptr_t)got.ptr);
	free(e->ptr);
	memset(e, 0, sizeof(*e));
}

static void describes_itself(void **state)
{
	const struct peer_ops *o = *state;
	const struct fffa_sink_ops *s = o->sink;

	assert_true(s->name && *s->name);
	assert_true(s->formats);
	assert_non_null(s->opts);
	assert_non_null(s->create);
	assert_non_null(s->start);
	assert_non_null(s->submit);
	assert_non_null(s->close);
	for (const struct fffa_option *row = s->opts; row->key; row++) {
		assert_true(row->help && *row->help);
		assert_true(row->offset < s->conf_size);
	}
}

static void close_before_start(void **state)
{
	const struct peer_ops *o = *state;
	struct peer *f = o->open();
	struct sink_fixture r;

	sink_fixture_create(&r, o->sink, o->conf(f), PREAMBLE);
	sink_fixture_close(&r);
	o->close(f);
}

static void close_after_a_failed_start(void **state)
{
	const struct peer_ops *o = *state;
	struct peer *f = o->open();
	struct sink_fixture r;

	sink_fixture_create(&r, o->sink, o->bad_conf(f), PREAMBLE);
	assert_true(sink_fixture_start(&r) < 0);
	assert_true(r.err.text[0]);
	sink_fixture_close(&r);
	o->close(f);
}

static void close_while_idle(void **state)
{
	const struct peer_ops *o = *state;
	struct peer *f = o->open();
	struct expectation e = {0};
	struct sink_fixture r;

	sink_fixture_create(&r, o->sink, o->conf(f), PREAMBLE);
	assert_int_equal(sink_fixture_start(&r), 0);
	sink_fixture_close(&r);
	expect_preamble(o, &e);
	expect_arrived(o, f, &e);
	o->close(f);
}

static void bytes_arrive_as_they_are(void **state)
{
	const struct peer_ops *o = *state;
	static const uint32_t sizes[] = {1, 2, 1000, 1, 30000, 7};
	struct peer *f = o->open();
	struct expectation e = {0};
	struct fixture_delivery d = {0};
	struct sink_fixture r;
	uint64_t seq = 1;

	sink_fixture_create(&r, o->sink, o->conf(f), PREAMBLE);
	assert_int_equal(sink_fixture_start(&r), 0);
	expect_preamble(o, &e);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct fffa_batch *b = make_batch(seq, sizes[i], 60 + i);

		expect_batch(&e, b);
		assert_int_equal(sink_fixture_send(&r, &d, b).verdict, FFFA_V_DELIVERED);
		fixture_delivery_fini(&d);
		seq += sizes[i];
	}
	sink_fixture_close(&r);
	expect_arrived(o, f, &e);
	o->close(f);
}

/* The sink takes as many deliveries as it has room for; the others wait for ready. */
static void many_at_once(void **state)
{
	enum { N = 50 };
	const struct peer_ops *o = *state;
	struct peer *f = o->open();
	struct expectation e = {0};
	struct fixture_delivery d[N] = {0};
	struct sink_fixture r;

	sink_fixture_create(&r, o->sink, o->conf(f), PREAMBLE);
	assert_int_equal(sink_fixture_start(&r), 0);
	expect_preamble(o, &e);
	for (size_t i = 0; i < N; i++) {
		int rc = sink_fixture_submit(&r, &d[i], make_batch(1 + i * 10, 10, 50));

		expect_batch(&e, d[i].d.batch);
		while (rc == -EAGAIN) {
			size_t readies = r.readies;

			while (r.readies == readies)
				assert_true(uv_run(&r.loop, UV_RUN_ONCE) || r.readies != readies);
			rc = sink_fixture_again(&r, &d[i]);
		}
		assert_int_equal(rc, 0);
	}
	for (size_t i = 0; i < N; i++) {
		sink_fixture_wait(&r, &d[i]);
		assert_int_equal(d[i].outcome.verdict, FFFA_V_DELIVERED);
		fixture_delivery_fini(&d[i]);
	}
	sink_fixture_close(&r);
	expect_arrived(o, f, &e);
	o->close(f);
}

/* A copy of the verdicts for single records, which done lends for the call only. 0: none. */
struct record_verdicts {
	const struct fixture_delivery *d;
	uint8_t records[OPEN_RECORDS]; /* enum fffa_verdict */
};

static void copy_record_verdicts(struct sink_fixture *r)
{
	struct record_verdicts *said = r->arg;

	if (said->d->outcome.records)
		memcpy(said->records, said->d->outcome.records, sizeof(said->records));
}

/*
 * After a delivery that was cut short, each record has arrived at most once, whole and in order:
 * all that were confirmed, and others only if the peer can take what it does not confirm in time.
 */
static void expect_cut_short(const struct peer_ops *o, struct peer *f,
			     const struct record_verdicts *said)
{
	const struct fffa_batch *b = said->d->d.batch;
	struct fffa_span got = o->bytes(f);
	uint32_t arrived = 0, confirmed = 0;
	size_t len = 0;

	for (uint32_t i = 0; i < OPEN_RECORDS; i++) {
		if (said->records[i] == FFFA_V_DELIVERED)
			confirmed = i + 1;
		else if (said->records[i])
			assert_int_equal(said->records[i], FFFA_V_RETRY);
	}
	while (arrived < OPEN_RECORDS && len < got.len)
		len += fffa_batch_record(b, arrived++).len;
	assert_int_equal(got.len, len);
	if (len)
		assert_memory_equal(got.ptr, fffa_batch_bytes(b).ptr, len);
	assert_uint_in_range(arrived, confirmed, o->mute ? OPEN_RECORDS : confirmed);
	free((void *)(uintptr_t)got.ptr);
}

/* Closing ends the open delivery: it is done or cancelled. */
static void close_with_a_delivery_open(void **state)
{
	const struct peer_ops *o = *state;
	struct peer *f = o->open();
	struct expectation e = {0};
	struct fixture_delivery d = {0};
	struct record_verdicts said = {.d = &d};
	struct sink_fixture r;

	sink_fixture_create(&r, o->sink, o->conf(f), "");
	r.on_done = copy_record_verdicts;
	r.arg = &said;
	assert_int_equal(sink_fixture_start(&r), 0);
	assert_int_equal(sink_fixture_submit(&r, &d, make_batch(1, OPEN_RECORDS, 100)), 0);
	sink_fixture_close(&r);
	if (d.outcome.verdict == FFFA_V_DELIVERED) {
		expect_batch(&e, d.d.batch);
		expect_arrived(o, f, &e);
	} else {
		assert_int_equal(d.outcome.verdict, FFFA_V_RETRY);
		assert_int_equal(d.outcome.cause, -ECANCELED);
		expect_cut_short(o, f, &said);
	}
	fixture_delivery_fini(&d);
	o->close(f);
}

static size_t arrived_bytes(const struct peer_ops *o, struct peer *f)
{
	struct fffa_span got = o->bytes(f);

	free((void *)(uintptr_t)got.ptr);
	return got.len;
}

/* What has arrived without confirmation is not DELIVERED, and close does not wait for it. */
static void close_before_the_confirmation(void **state)
{
	const struct peer_ops *o = *state;
	struct peer *f = o->open();
	struct expectation e = {0};
	struct fixture_delivery d = {0};
	struct sink_fixture r;

	sink_fixture_create(&r, o->sink, o->conf(f), "");
	assert_int_equal(sink_fixture_start(&r), 0);
	o->mute(f);
	/* Five records, because librdkafka sends at most five requests before the first answer. */
	assert_int_equal(sink_fixture_submit(&r, &d, make_batch(1, 5, 100)), 0);
	expect_batch(&e, d.d.batch);
	while (arrived_bytes(o, f) < e.len)
		(void)uv_run(&r.loop, UV_RUN_NOWAIT);
	assert_int_equal(d.outcome.verdict, FFFA_V_NONE);
	sink_fixture_close(&r);
	assert_int_equal(d.outcome.verdict, FFFA_V_RETRY);
	assert_int_equal(d.outcome.cause, -ECANCELED);
	assert_null(d.outcome.records);
	expect_arrived(o, f, &e);
	fixture_delivery_fini(&d);
	o->close(f);
}

static void close_while_the_peer_stalls(void **state)
{
	const struct peer_ops *o = *state;
	uint32_t records = (uint32_t)(o->stall_bytes / 1000 + 1);
	struct peer *f = o->open();
	struct fixture_delivery d = {0};
	struct sink_fixture r;

	sink_fixture_create(&r, o->sink, o->stalled_conf(f), "");
	assert_int_equal(sink_fixture_start(&r), 0);
	assert_int_equal(sink_fixture_submit(&r, &d, make_batch(1, records, 1000)), 0);
	for (int i = 0; i < 50; i++)
		(void)uv_run(&r.loop, UV_RUN_NOWAIT);
	assert_int_equal(d.outcome.verdict, FFFA_V_NONE);
	sink_fixture_close(&r);
	assert_int_equal(d.outcome.verdict, FFFA_V_RETRY);
	assert_int_equal(d.outcome.cause, -ECANCELED);
	fixture_delivery_fini(&d);
	o->close(f);
}

/* The sink may have to open its file first. */
static void submit_with_patience(struct sink_fixture *r, struct fixture_delivery *d,
				 struct fffa_batch *give_batch)
{
	size_t readies = r->readies;
	int rc = sink_fixture_submit(r, d, give_batch);

	if (rc == -EAGAIN) {
		while (r->readies == readies)
			assert_true(uv_run(&r->loop, UV_RUN_ONCE) || r->readies != readies);
		rc = sink_fixture_again(r, d);
	}
	assert_int_equal(rc, 0);
}

/* HUP may come at any time. It loses and repeats nothing. */
static void reopen_in_every_state(void **state)
{
	const struct peer_ops *o = *state;
	struct peer *f = o->open();
	struct expectation e = {0};
	struct fixture_delivery d = {0};
	struct sink_fixture r;

	sink_fixture_create(&r, o->sink, o->conf(f), PREAMBLE);
	sink_fixture_reopen(&r);
	assert_int_equal(sink_fixture_start(&r), 0);
	expect_preamble(o, &e);
	assert_int_equal(sink_fixture_send(&r, &d, make_batch(1, 10, 50)).verdict,
			 FFFA_V_DELIVERED);
	expect_batch(&e, d.d.batch);
	fixture_delivery_fini(&d);
	sink_fixture_reopen(&r);
	submit_with_patience(&r, &d, make_batch(11, 10, 50));
	expect_batch(&e, d.d.batch);
	sink_fixture_reopen(&r);
	sink_fixture_wait(&r, &d);
	assert_int_equal(d.outcome.verdict, FFFA_V_DELIVERED);
	fixture_delivery_fini(&d);
	sink_fixture_close_begin(&r);
	if (r.sink)
		sink_fixture_reopen(&r);
	sink_fixture_close_end(&r);
	expect_arrived(o, f, &e);
	o->close(f);
}

static void two_instances_at_once(void **state)
{
	const struct peer_ops *o = *state;
	struct peer *f[2] = {o->open(), o->open()};
	struct expectation e[2] = {0};
	struct fixture_delivery d[2] = {0};
	struct sink_fixture r[2];

	for (size_t i = 0; i < 2; i++) {
		sink_fixture_create(&r[i], o->sink, o->conf(f[i]), PREAMBLE);
		expect_preamble(o, &e[i]);
		assert_int_equal(sink_fixture_start(&r[i]), 0);
	}
	for (uint64_t round = 0; round < 20; round++) {
		for (size_t i = 0; i < 2; i++) {
			struct fffa_batch *b = make_batch(1 + round * 5, 5, 40 + 10 * i);

			expect_batch(&e[i], b);
			assert_int_equal(sink_fixture_send(&r[i], &d[i], b).verdict,
					 FFFA_V_DELIVERED);
			fixture_delivery_fini(&d[i]);
		}
	}
	for (size_t i = 0; i < 2; i++) {
		sink_fixture_close(&r[i]);
		expect_arrived(o, f[i], &e[i]);
		o->close(f[i]);
	}
}

/* While the peer is broken everything is RETRY. Afterwards each record is there exactly once. */
static void exactly_once_after_a_fault(void **state)
{
	const struct peer_ops *o = *state;
	struct peer *f = o->open();
	struct expectation e = {0};
	struct fixture_delivery d = {0};
	struct sink_fixture r;

	sink_fixture_create(&r, o->sink, o->conf(f), PREAMBLE);
	assert_int_equal(sink_fixture_start(&r), 0);
	expect_preamble(o, &e);
	for (uint64_t round = 0; round < 5; round++) {
		struct fffa_batch *b = make_batch(1 + 10 * round, 10, 50);

		expect_batch(&e, b);
		if (!round) { /* the first delivery makes what break_it will break */
			assert_int_equal(sink_fixture_send(&r, &d, b).verdict, FFFA_V_DELIVERED);
			fixture_delivery_fini(&d);
			continue;
		}
		o->break_it(f);
		assert_int_equal(sink_fixture_send(&r, &d, b).verdict, FFFA_V_RETRY);
		assert_int_not_equal(d.outcome.cause, 0);
		assert_int_equal(sink_fixture_again(&r, &d), 0);
		sink_fixture_wait(&r, &d);
		assert_int_equal(d.outcome.verdict, FFFA_V_RETRY);
		o->repair(f);
		assert_int_equal(sink_fixture_again(&r, &d), 0);
		sink_fixture_wait(&r, &d);
		assert_int_equal(d.outcome.verdict, FFFA_V_DELIVERED);
		fixture_delivery_fini(&d);
	}
	sink_fixture_close(&r);
	expect_arrived(o, f, &e);
	o->close(f);
}

struct chain {
	struct fixture_delivery next;
	int rc;
};

/* The pipeline may submit from inside done. */
static void submit_from_done(struct sink_fixture *r)
{
	struct chain *c = r->arg;

	if (r->dones == 1)
		c->rc = sink_fixture_submit(r, &c->next, make_batch(2, 1, 50));
}

static void done_may_submit(void **state)
{
	const struct peer_ops *o = *state;
	struct peer *f = o->open();
	struct expectation e = {0};
	struct fixture_delivery d = {0};
	struct chain c = {0};
	struct sink_fixture r;

	sink_fixture_create(&r, o->sink, o->conf(f), "");
	r.on_done = submit_from_done;
	r.arg = &c;
	assert_int_equal(sink_fixture_start(&r), 0);
	assert_int_equal(sink_fixture_send(&r, &d, make_batch(1, 1, 50)).verdict, FFFA_V_DELIVERED);
	assert_int_equal(c.rc, 0);
	sink_fixture_wait(&r, &c.next);
	assert_int_equal(c.next.outcome.verdict, FFFA_V_DELIVERED);
	expect_batch(&e, d.d.batch);
	expect_batch(&e, c.next.d.batch);
	sink_fixture_close(&r);
	expect_arrived(o, f, &e);
	fixture_delivery_fini(&d);
	fixture_delivery_fini(&c.next);
	o->close(f);
}

static void every_registered_sink_has_a_peer(void **state)
{
	(void)state;
	for (size_t i = 0; fffa_registry[i]; i++) {
		bool found = false;

		for (size_t k = 0; k < PEERS; k++)
			found = found || peers[k]->sink == fffa_registry[i];
		assert_true(found);
		assert_ptr_equal(fffa_registry_find(fffa_registry[i]->name), fffa_registry[i]);
	}
}

static const struct {
	const char *name;
	CMUnitTestFunction run;
} cases[] = {
#define ROW(f)                                                                                     \
	{                                                                                          \
#f, f                                                                              \
	}
	ROW(describes_itself),
	ROW(close_before_start),
	ROW(close_after_a_failed_start),
	ROW(close_while_idle),
	ROW(bytes_arrive_as_they_are),
	ROW(many_at_once),
	ROW(close_with_a_delivery_open),
	ROW(close_before_the_confirmation),
	ROW(close_while_the_peer_stalls),
	ROW(reopen_in_every_state),
	ROW(two_instances_at_once),
	ROW(exactly_once_after_a_fault),
	ROW(done_may_submit),
	ROW(refusal_a_wrong_setting_is_retried),
	ROW(refusal_a_refusal_without_a_reason_rejects_nothing),
	ROW(refusal_reports_trouble_while_it_waits),
#undef ROW
};
#define CASES (sizeof(cases) / sizeof(cases[0]))

/* The peer cannot do what the case is about. */
static bool is_left_out(const struct peer_ops *o, CMUnitTestFunction run)
{
	return (run == close_before_the_confirmation && !o->mute) ||
	       (run == refusal_a_wrong_setting_is_retried && !o->refuse) ||
	       (run == refusal_a_refusal_without_a_reason_rejects_nothing &&
		!o->refuse_without_reason) ||
	       (run == refusal_reports_trouble_while_it_waits && !o->go_away);
}

int main(void)
{
	static char names[CASES * PEERS][64];
	struct CMUnitTest tests[CASES * PEERS + 1] = {
		cmocka_unit_test(every_registered_sink_has_a_peer)};

	(void)signal(SIGPIPE, SIG_IGN); /* as main does */
	(void)signal(SIGXFSZ, SIG_IGN);
	for (size_t i = 0; i < CASES * PEERS; i++) {
		const struct peer_ops *o = peers[i / CASES];

		if (is_left_out(o, cases[i % CASES].run))
			continue;
		(void)snprintf(names[i], sizeof(names[i]), "%s/%s", o->sink->name,
			       cases[i % CASES].name);
		tests[1 + i].name = names[i];
		tests[1 + i].test_func = cases[i % CASES].run;
		tests[1 + i].initial_state = (void *)(uintptr_t)o;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
