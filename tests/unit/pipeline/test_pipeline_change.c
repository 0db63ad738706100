// SPDX-License-Identifier: MIT
/* Sinks that come, change and go while records flow: the others lose and repeat nothing. */
#include "tests/unit/pipeline/pipeline_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HOUR_NS (3600 * 1000 * MS)

/* Feeds without the checks of the fixture, which know the sinks of the start only. */
static void feed(struct fixture *f, size_t n)
{
	while (n--) {
		struct fffa_record r = {
			.ident = &f->ident, .packets = 1, .end_reason = FFFA_END_IDLE};

		fffa_pipeline_record(f->p, &r);
		assert_int_equal(r.seq, ++f->fed);
	}
}

static void turn_until_delivered(struct fixture *f, size_t i, uint64_t records)
{
	while (fffa_pipeline_sink_ledger(f->p, i)->delivered < records)
		(void)uv_run(&f->loop, UV_RUN_ONCE);
}

static void turn_for(struct fixture *f, uint64_t ms)
{
	uint64_t until = uv_hrtime() + ms * (uint64_t)MS;

	while (uv_hrtime() < until) {
		(void)uv_run(&f->loop, UV_RUN_NOWAIT);
		(void)usleep(200);
	}
}

static void on_closed(void *arg, struct fffa_pipeline *p)
{
	struct fixture *f = arg;

	for (size_t i = 0; i < fffa_pipeline_sink_count(p); i++)
		f->last[i] = *fffa_pipeline_sink_ledger(p, i);
	f->closed = true;
}

static void close_all(struct fixture *f)
{
	fffa_pipeline_close(f->p, 0, on_closed, f);
	while (uv_loop_alive(&f->loop))
		(void)uv_run(&f->loop, UV_RUN_ONCE);
	assert_true(f->closed);
	f->p = NULL;
	assert_int_equal(uv_loop_close(&f->loop), 0);
}

static void a_new_sink_gets_records_from_now_on(void **state)
{
	struct fixture *f = *state;
	struct fffa_sink_conf c = fixture_copy_conf(&f->sinks[1]);
	struct fffa_err err = {""};

	fixture_open(f, 1);
	feed(f, 25);
	assert_int_equal(fffa_pipeline_add(f->p, &c, &err), 0);
	assert_null(c.own); /* it was taken */
	assert_int_equal(fffa_pipeline_sink_count(f->p), 2);
	assert_string_equal(fffa_pipeline_sink_name(f->p, 1), "b");
	feed(f, 20);
	turn_until_delivered(f, 0, 45);
	turn_until_delivered(f, 1, 20);
	fixture_expect(f, 0, 1, 45);
	fixture_expect(f, 1, 26, 45);
	close_all(f);
	assert_int_equal(f->last[1].records, 20);
}

static void a_sink_that_cannot_be_added_is_left_out(void **state)
{
	struct fixture *f = *state;
	struct fffa_sink_conf c = fixture_copy_conf(&f->sinks[1]);
	struct fffa_err err = {""};

	fixture_open(f, 1);
	f->peers[1].start_error = -ECONNREFUSED;
	assert_int_equal(fffa_pipeline_add(f->p, &c, &err), -ECONNREFUSED);
	assert_string_equal(err.text, "the peer is not there");
	assert_int_equal(fffa_pipeline_sink_count(f->p), 1);
	feed(f, 20);
	turn_until_delivered(f, 0, 20);
	assert_int_equal(f->peers[1].closes, 1);
	c = fixture_copy_conf(&f->sinks[2]);
	free(c.common.format);
	c.common.format = strdup("none");
	assert_int_equal(fffa_pipeline_add(f->p, &c, &err), -EINVAL);
	assert_string_equal(err.text, "format: none is not known");
	assert_int_equal(fffa_pipeline_sink_count(f->p), 1);
	fffa_config_free_sink(&c);
	close_all(f);
	fixture_expect(f, 0, 1, 20);
}

static void a_removed_sink_delivers_what_it_has(void **state)
{
	struct fixture *f = *state;

	f->peers[0].hold = true;
	fixture_open(f, 3);
	feed(f, 25);
	assert_int_equal(fffa_pipeline_remove(f->p, 0, HOUR_NS), 0);
	assert_int_equal(fffa_pipeline_sink_count(f->p), 2);
	assert_string_equal(fffa_pipeline_sink_name(f->p, 0), "b"); /* they move up */
	assert_string_equal(fffa_pipeline_sink_name(f->p, 1), "c");
	assert_int_equal(f->peers[0].flushes, 1);
	feed(f, 20);
	turn_until_delivered(f, 0, 45);
	turn_for(f, 120);
	assert_int_equal(f->peers[0].closes, 0); /* it still holds some */
	while (f->peers[0].dones < f->peers[0].accepted) {
		(void)spy_release(&f->peers[0], outcome(FFFA_V_DELIVERED, 0));
		(void)uv_run(&f->loop, UV_RUN_ONCE);
	}
	while (!f->peers[0].closes)
		(void)uv_run(&f->loop, UV_RUN_ONCE);
	fixture_expect(f, 0, 1, 25);
	close_all(f);
	fixture_expect(f, 1, 1, 45);
	fixture_expect(f, 2, 1, 45);
}

static void a_removed_sink_ends_at_its_deadline(void **state)
{
	struct fixture *f = *state;
	uint64_t begin = fixture_turn_ns(f);

	f->peers[1].hold = true;
	fixture_open(f, 2);
	feed(f, 20);
	assert_int_equal(fffa_pipeline_remove(f->p, 1, 150 * MS), 0);
	while (!f->peers[1].closes)
		(void)uv_run(&f->loop, UV_RUN_ONCE);
	assert_true(uv_hrtime() - begin >= 150 * (uint64_t)MS);
	close_all(f);
	fixture_expect(f, 0, 1, 20);
	assert_int_equal(f->peers[1].len, 0);
}

/* The end of the pipeline waits for a sink that leaves, as for the others. */
static void the_end_waits_for_a_sink_that_leaves(void **state)
{
	struct fixture *f = *state;

	f->peers[1].hold = true;
	fixture_open(f, 2);
	feed(f, 20);
	assert_int_equal(fffa_pipeline_remove(f->p, 1, HOUR_NS), 0);
	fffa_pipeline_close(f->p, 0, on_closed, f);
	turn_for(f, 120);
	assert_false(f->closed);
	f->peers[1].hold = false;
	while (f->peers[1].dones < 2) {
		(void)spy_release(&f->peers[1], outcome(FFFA_V_DELIVERED, 0));
		(void)uv_run(&f->loop, UV_RUN_ONCE);
	}
	while (uv_loop_alive(&f->loop))
		(void)uv_run(&f->loop, UV_RUN_ONCE);
	assert_true(f->closed);
	f->p = NULL;
	assert_int_equal(uv_loop_close(&f->loop), 0);
	fixture_expect(f, 1, 1, 20);
}

/* At the end's deadline a sink that leaves is closed, too. */
static void a_limit_ends_a_sink_that_leaves(void **state)
{
	struct fixture *f = *state;

	f->peers[1].hold = true;
	fixture_open(f, 2);
	feed(f, 20);
	assert_int_equal(fffa_pipeline_remove(f->p, 1, HOUR_NS), 0);
	fffa_pipeline_close(f->p, HOUR_NS, on_closed, f);
	fffa_pipeline_limit(f->p, 5 * MS);
	while (uv_loop_alive(&f->loop))
		(void)uv_run(&f->loop, UV_RUN_ONCE);
	assert_true(f->closed);
	f->p = NULL;
	assert_int_equal(uv_loop_close(&f->loop), 0);
	assert_int_equal(f->peers[1].closes, 1);
}

/* Sink 0 gets another peer. What the old one did not confirm goes to the new one, in order. */
static void a_changed_sink_keeps_its_queue(void **state)
{
	struct fixture *f = *state;
	struct spy_conf other = {.peer = &f->peers[1]};
	struct fffa_sink_conf from = f->sinks[0], c;
	struct fffa_err err = {""};

	f->peers[0].max_open = 1;
	f->peers[0].hold = true;
	from.own = &other;
	c = fixture_copy_conf(&from);
	fixture_open(f, 1);
	feed(f, 40);
	assert_int_equal(fffa_pipeline_change(f->p, 0, &c, &err), 0);
	assert_null(c.own);
	assert_int_equal(f->peers[1].creates, 0); /* the old one still holds a batch */
	feed(f, 10);
	assert_true(spy_release(&f->peers[0], outcome(FFFA_V_DELIVERED, 0)));
	turn_until_delivered(f, 0, 50);
	assert_int_equal(f->peers[0].accepted, 1);
	assert_int_equal(f->peers[0].closes, 1);
	assert_int_equal(f->peers[1].creates, 1);
	fixture_expect(f, 0, 1, 10);
	fixture_expect(f, 1, 11, 50);
	close_all(f);
	assert_int_equal(f->last[0].retries, 0);
}

/* What the old one gives back unsent is no failure. What failed in it is tried again. */
static void a_changed_sink_tries_again_what_failed(void **state)
{
	static const struct spy_step fails = {
		SPY_TAKE, {.verdict = FFFA_V_RETRY, .cause = -EIO}, 0};
	struct fixture *f = *state;
	struct spy_conf other = {.peer = &f->peers[1]};
	struct fffa_sink_conf from = f->sinks[0], c;
	struct fffa_err err = {""};
	struct fffa_sink_status s;

	f->peers[0].steps = &fails;
	f->peers[0].step_count = 1;
	f->sinks[0].common.retry_min_ns = f->sinks[0].common.retry_max_ns = 30 * MS;
	from.own = &other;
	c = fixture_copy_conf(&from);
	fixture_open(f, 1);
	feed(f, 10);
	while (!f->peers[0].dones)
		fixture_step(f);
	assert_int_equal(fffa_pipeline_change(f->p, 0, &c, &err), 0);
	turn_until_delivered(f, 0, 10);
	fixture_expect(f, 1, 1, 10);
	fffa_pipeline_sink_status(f->p, 0, &s);
	assert_true(s.up);
	assert_int_equal(s.retries, 1);
	close_all(f);
}

/* A change of the fields: from then on the records are others, also on the way to the old peer. */
static void other_fields_hold_from_the_change_on(void **state)
{
	struct fixture *f = *state;
	struct fffa_sink_conf from = f->sinks[0], c;
	struct fffa_err err = {""};
	const char *text;

	from.common.fields = (char *)(uintptr_t) "seq epoch";
	c = fixture_copy_conf(&from);
	fixture_open(f, 2);
	feed(f, 5);
	assert_int_equal(fffa_pipeline_change(f->p, 0, &c, &err), 0);
	feed(f, 5);
	turn_until_delivered(f, 0, 10);
	turn_until_delivered(f, 1, 10);
	fixture_expect(f, 1, 1, 10);
	text = fixture_expect_begin(f, 0, 1, 5);
	assert_memory_equal(text, "{\"seq\":6,\"epoch\":77}\n", 21);
	assert_int_equal(f->peers[0].creates, 2);
	close_all(f);
}

/* Opens sink 0, whose peer holds all, feeds 40 records, and changes fields and peer; then 10 more. */
static void change_while_batches_wait(struct fixture *f, struct spy_conf *other)
{
	struct fffa_sink_conf from = f->sinks[0], c;
	struct fffa_err err = {""};

	f->peers[0].max_open = 1;
	f->peers[0].hold = true;
	from.own = other;
	from.common.fields = (char *)(uintptr_t) "seq epoch";
	c = fixture_copy_conf(&from);
	fixture_open(f, 1);
	feed(f, 40);
	assert_int_equal(fffa_pipeline_change(f->p, 0, &c, &err), 0);
	feed(f, 10);
}

/* The sink of before takes all batches of before while it can. */
static void batches_of_before_go_to_the_sink_of_before(void **state)
{
	struct fixture *f = *state;
	struct spy_conf other = {.peer = &f->peers[1]};

	change_while_batches_wait(f, &other);
	assert_true(spy_release(&f->peers[0], outcome(FFFA_V_DELIVERED, 0)));
	f->peers[0].hold = false;
	turn_until_delivered(f, 0, 50);
	fixture_expect(f, 0, 1, 40);
	assert_memory_equal(f->peers[1].bytes, "{\"seq\":41,\"epoch\":77}\n", 22);
	assert_int_equal(f->peers[1].creates, 1);
	close_all(f);
}

/* When it cannot, they go to the new sink as they are, before the others. */
static void batches_of_before_stay_as_they_are(void **state)
{
	struct fixture *f = *state;
	struct spy_conf other = {.peer = &f->peers[1]};
	const char *text;

	change_while_batches_wait(f, &other);
	turn_until_delivered(f, 0, 50);
	assert_int_equal(f->peers[0].closes, 1);
	text = fixture_expect_begin(f, 1, 1, 40);
	assert_memory_equal(text, "{\"seq\":41,\"epoch\":77}\n", 22);
	assert_int_equal(f->peers[1].creates, 2); /* for each of the two encodings */
	close_all(f);
}

/* More encodings than the queue can tell apart: the change fails, and what is there stays. */
static void changes_of_fields_are_bounded(void **state)
{
	struct fixture *f = *state;
	struct fffa_sink_conf from = f->sinks[0], c;
	struct fffa_err err = {""};
	char fields[32];
	int rc = 0;
	int n = 0;

	f->peers[0].max_open = 1;
	f->peers[0].hold = true;
	fixture_open(f, 1);
	feed(f, 40);
	for (; !rc; n++) {
		(void)snprintf(fields, sizeof(fields), "seq%*s", n, "");
		from.common.fields = fields;
		c = fixture_copy_conf(&from);
		rc = fffa_pipeline_change(f->p, 0, &c, &err);
		feed(f, 1);
	}
	assert_int_equal(rc, -EAGAIN);
	assert_int_equal(n, 9); /* the first one is that of the start */
	fffa_config_free_sink(&c);
	f->peers[0].hold = false;
	assert_true(spy_release(&f->peers[0], outcome(FFFA_V_DELIVERED, 0)));
	turn_until_delivered(f, 0, 49);
	fixture_expect(f, 0, 1, 49);
	close_all(f);
}

/* Of vpc the first line has the names: the new peer gets those of the new fields. */
static void the_header_is_that_of_the_new_fields(void **state)
{
	static const char header[] = "version bytes\n";
	struct fixture *f = *state;
	struct spy_conf other = {.peer = &f->peers[1]};
	struct fffa_sink_conf from, c;
	struct fffa_err err = {""};

	f->sinks[0].common.format = (char *)(uintptr_t) "vpc";
	f->sinks[0].common.fields = (char *)(uintptr_t) "${version} ${packets}";
	from = f->sinks[0];
	from.own = &other;
	from.common.fields = (char *)(uintptr_t) "${version} ${bytes}";
	c = fixture_copy_conf(&from);
	fixture_open(f, 1);
	feed(f, 10);
	turn_until_delivered(f, 0, 10);
	assert_int_equal(fffa_pipeline_change(f->p, 0, &c, &err), 0);
	feed(f, 10);
	turn_until_delivered(f, 0, 20);
	assert_memory_equal(f->peers[0].bytes, "version packets\n", 16);
	assert_memory_equal(f->peers[1].bytes, header, sizeof(header) - 1);
	close_all(f);
}

/* The same fields, but the first line is wanted now, or no more. */
static void a_header_may_come_and_go(void **state)
{
	struct fixture *f = *state;
	struct spy_conf others[2] = {{.peer = &f->peers[1]}, {.peer = &f->peers[2]}};
	struct fffa_err err = {""};

	f->sinks[0].common.format = (char *)(uintptr_t) "vpc";
	f->sinks[0].common.fields = (char *)(uintptr_t) "${version} ${packets}";
	f->sinks[0].common.header = false;
	fixture_open(f, 1);
	feed(f, 10);
	for (uint64_t i = 0; i < 2; i++) {
		struct fffa_sink_conf from = f->sinks[0], c;

		from.own = &others[i];
		from.common.header = !i;
		c = fixture_copy_conf(&from);
		turn_until_delivered(f, 0, 10 * (i + 1));
		assert_int_equal(fffa_pipeline_change(f->p, 0, &c, &err), 0);
		feed(f, 10);
	}
	turn_until_delivered(f, 0, 30);
	assert_memory_equal(f->peers[0].bytes, "2 1\n", 4);
	assert_memory_equal(f->peers[1].bytes, "version packets\n2 1\n", 20);
	assert_memory_equal(f->peers[2].bytes, "2 1\n", 4);
	close_all(f);
}

/* A second change comes while the first waits: only the last one counts. */
static void the_last_of_two_changes_counts(void **state)
{
	struct fixture *f = *state;
	struct spy_conf others[2] = {{.peer = &f->peers[1]}, {.peer = &f->peers[2]}};
	struct fffa_err err = {""};

	f->peers[0].hold = true;
	fixture_open(f, 1);
	feed(f, 10);
	for (size_t i = 0; i < 2; i++) {
		struct fffa_sink_conf from = f->sinks[0], c;

		from.own = &others[i];
		c = fixture_copy_conf(&from);
		assert_int_equal(fffa_pipeline_change(f->p, 0, &c, &err), 0);
	}
	assert_true(spy_release(&f->peers[0], outcome(FFFA_V_DELIVERED, 0)));
	feed(f, 10);
	turn_until_delivered(f, 0, 20);
	assert_int_equal(f->peers[1].creates, 0);
	fixture_expect(f, 2, 11, 20);
	assert_ptr_equal(((struct spy_conf *)fffa_pipeline_sink_conf(f->p, 0)->own)->peer,
			 &f->peers[2]);
	close_all(f);
}

/* A sink that cannot be opened after a change says so; the next change repairs it at once. */
static void a_change_repairs_what_a_change_broke(void **state)
{
	struct fixture *f = *state;
	struct spy_conf other = {.peer = &f->peers[1]};
	struct fffa_sink_conf from = f->sinks[0], c;
	struct fffa_err err = {""};
	struct fffa_sink_status s;

	f->peers[1].start_error = -ECONNREFUSED;
	from.own = &other;
	c = fixture_copy_conf(&from);
	fixture_open(f, 1);
	feed(f, 10);
	turn_until_delivered(f, 0, 10);
	assert_int_equal(fffa_pipeline_change(f->p, 0, &c, &err), 0);
	while (!f->peers[1].closes)
		(void)uv_run(&f->loop, UV_RUN_ONCE);
	fffa_pipeline_sink_status(f->p, 0, &s);
	assert_false(s.up);
	assert_true(s.misconfigured);
	assert_string_equal(s.last_error, "the peer is not there");
	feed(f, 10);
	c = fixture_copy_conf(&f->sinks[0]);
	assert_int_equal(fffa_pipeline_change(f->p, 0, &c, &err), 0);
	turn_until_delivered(f, 0, 20);
	assert_int_equal(f->peers[1].starts, 1); /* the broken one was not tried again */
	fixture_expect(f, 0, 1, 20);
	close_all(f);
}

/* The pipeline may end while a sink is being replaced. */
static void the_end_comes_during_a_change(void **state)
{
	struct fixture *f = *state;
	struct spy_conf other = {.peer = &f->peers[1]};
	struct fffa_sink_conf from = f->sinks[0], c;
	struct fffa_err err = {""};

	f->peers[0].hold = true;
	f->peers[1].start_error = -ECONNREFUSED;
	from.own = &other;
	fixture_open(f, 1);
	feed(f, 10);
	c = fixture_copy_conf(&from);
	assert_int_equal(fffa_pipeline_change(f->p, 0, &c, &err), 0);
	assert_true(spy_release(&f->peers[0], outcome(FFFA_V_DELIVERED, 0)));
	while (!f->peers[0].closes)
		(void)uv_run(&f->loop, UV_RUN_ONCE);
	feed(f, 10);
	fffa_pipeline_close(f->p, 1 * MS, on_closed, f);
	while (uv_loop_alive(&f->loop))
		(void)uv_run(&f->loop, UV_RUN_ONCE);
	assert_true(f->closed);
	f->p = NULL;
	assert_int_equal(uv_loop_close(&f->loop), 0);
	assert_int_equal(f->last[0].delivered, 10);
	assert_int_equal(f->last[0].lost[FFFA_RL_SHUTDOWN], 10);
	assert_true(fffa_ledger_sink_balances(&f->last[0]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_new_sink_gets_records_from_now_on),
		CASE(a_sink_that_cannot_be_added_is_left_out),
		CASE(a_removed_sink_delivers_what_it_has),
		CASE(a_removed_sink_ends_at_its_deadline),
		CASE(the_end_waits_for_a_sink_that_leaves),
		CASE(a_limit_ends_a_sink_that_leaves),
		CASE(a_changed_sink_keeps_its_queue),
		CASE(a_changed_sink_tries_again_what_failed),
		CASE(other_fields_hold_from_the_change_on),
		CASE(batches_of_before_go_to_the_sink_of_before),
		CASE(batches_of_before_stay_as_they_are),
		CASE(changes_of_fields_are_bounded),
		CASE(the_header_is_that_of_the_new_fields),
		CASE(a_header_may_come_and_go),
		CASE(the_last_of_two_changes_counts),
		CASE(a_change_repairs_what_a_change_broke),
		CASE(the_end_comes_during_a_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
