// SPDX-License-Identifier: MIT
/* What others may know of the sinks of a pipeline. */
#include "tests/unit/pipeline/pipeline_fixture.h"

#include <stdio.h>
#include <string.h>

static void say_who(const struct fffa_sink *s,
		    void (*put)(void *arg, const char *key, const char *value), void *arg)
{
	assert_non_null(s);
	put(arg, "is", "here");
}

static void append(void *arg, const char *key, const char *value)
{
	char *text = arg;

	(void)snprintf(text + strlen(text), 64 - strlen(text), "%s=%s ", key, value);
}

/* A sink that has something to say is asked; the others need not. */
static void each_sink_reports_for_itself(void **state)
{
	struct fixture *f = *state;
	struct fffa_sink_ops talks = spy_sink_ops;
	char text[64] = "";

	talks.report = say_who;
	f->sinks[1].ops = &talks;
	fixture_open(f, 2);
	fffa_pipeline_sink_report(f->p, 0, append, text);
	assert_string_equal(text, "");
	fffa_pipeline_sink_report(f->p, 1, append, text);
	assert_string_equal(text, "is=here ");
	assert_string_equal(fffa_pipeline_sink_name(f->p, 0), "a");
	assert_string_equal(fffa_pipeline_sink_name(f->p, 1), "b");
	assert_ptr_equal(fffa_pipeline_sink_conf(f->p, 1), &f->sinks[1]);
	fixture_close(f, 0);
}

static void the_status_of_a_sink(void **state)
{
	struct fixture *f = *state;
	struct fffa_sink_status s;

	f->peers[0].hold = true;
	f->peers[0].max_open = 1;
	f->sinks[0].common.queue_memory = 123456;
	f->sinks[0].common.queue_spool = 0;
	fixture_open(f, 2);
	fixture_feed(f, 30);
	fffa_pipeline_sink_status(f->p, 0, &s);
	assert_string_equal(s.name, "a");
	assert_int_equal(s.in_flight, 30);
	assert_int_equal(s.queue_capacity, 123456);
	assert_int_equal(s.spool_capacity, 0);
	assert_true(s.queue_bytes > 0 && s.queue_bytes < 123456);
	assert_ptr_equal(s.ledger, fffa_pipeline_sink_ledger(f->p, 0));
	fixture_close(f, 1 * MS);
}

/* Also the age of what the sink holds, when nothing else waits. */
static void the_oldest_record_may_be_with_the_sink(void **state)
{
	struct fixture *f = *state;
	struct fffa_sink_status s;

	f->peers[0].hold = true;
	fixture_open(f, 1);
	fffa_pipeline_sink_status(f->p, 0, &s);
	assert_int_equal(s.oldest_ns, 0);
	fixture_feed(f, 10);
	assert_int_equal(spy_open(&f->peers[0]), 1);
	uv_sleep(20);
	fffa_pipeline_sink_status(f->p, 0, &s);
	assert_true(s.oldest_ns >= 20 * (uint64_t)MS);
	fixture_close(f, 1 * MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(each_sink_reports_for_itself),
		CASE(the_status_of_a_sink),
		CASE(the_oldest_record_may_be_with_the_sink),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
