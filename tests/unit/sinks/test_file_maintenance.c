// SPDX-License-Identifier: MIT
/* Runs of a layout's maintain: one at a time, what is logged of them, and their end. */
#include "sinks/file/maintenance.h"

#include <errno.h>
#include <uv.h>

#include "tests/stubs/cmocka_all.h"
#include "tests/stubs/log_fixture.h"

struct stage;

struct fffa_file_layout {
	struct stage *stage;
};

struct stage {
	uv_loop_t loop;
	struct fffa_sink_env env;
	struct fffa_file_layout layout;
	struct fffa_file_maintenance m;
	uv_sem_t entered, go;
	int rc; /* of the next runs */
	bool cancelled;
	int runs, stopped, closed;
};

static int maintain(const struct fffa_file_layout *l, const atomic_bool *cancel)
{
	struct stage *s = l->stage;

	uv_sem_post(&s->entered);
	uv_sem_wait(&s->go);
	s->cancelled = atomic_load(cancel);
	s->runs++;
	return s->rc;
}

static const struct fffa_file_layout_ops ops = {.maintain = maintain};

static void on_stopped(void *arg)
{
	struct stage *s = arg;

	s->stopped++;
}

static void on_closed(void *arg)
{
	struct stage *s = arg;

	s->closed++;
}

static void open_stage(struct stage *s, bool needed)
{
	memset(s, 0xee, sizeof(*s)); /* open fills all of m */
	assert_int_equal(uv_loop_init(&s->loop), 0);
	assert_int_equal(uv_sem_init(&s->entered, 0), 0);
	assert_int_equal(uv_sem_init(&s->go, 0), 0);
	s->env = (struct fffa_sink_env){.loop = &s->loop, .tag = "sink.maintained"};
	s->rc = s->runs = s->stopped = s->closed = 0;
	s->layout.stage = s;
	assert_int_equal(fffa_file_maintenance_open(&s->m, &s->env, "some/path", &ops, needed,
						    on_stopped, s),
			 0);
	s->m.layout = &s->layout;
}

/* Until no run is under way. */
static void run_loop(struct stage *s)
{
	assert_int_equal(uv_run(&s->loop, UV_RUN_DEFAULT), 0);
}

static void close_stage(struct stage *s, bool open)
{
	assert_int_equal(fffa_file_maintenance_close(&s->m, on_closed, s), open);
	run_loop(s);
	assert_int_equal(s->closed, open);
	uv_sem_destroy(&s->entered);
	uv_sem_destroy(&s->go);
	assert_int_equal(uv_loop_close(&s->loop), 0);
}

static void one_run_at_a_time(void **state)
{
	struct stage s;

	(void)state;
	open_stage(&s, true);
	uv_sem_post(&s.go);
	fffa_file_maintenance_start(&s.m);
	assert_true(s.m.running);
	run_loop(&s);
	assert_int_equal(s.runs, 1);
	assert_false(s.m.running);
	uv_sem_wait(&s.entered);
	fffa_file_maintenance_start(&s.m);
	uv_sem_wait(&s.entered);
	fffa_file_maintenance_start(&s.m); /* twice during one: another one follows */
	fffa_file_maintenance_start(&s.m);
	uv_sem_post(&s.go);
	uv_sem_post(&s.go);
	run_loop(&s);
	assert_int_equal(s.runs, 3);
	assert_false(s.m.running);
	assert_false(s.cancelled);
	assert_int_equal(s.stopped, 0);
	close_stage(&s, true);
}

/* A failure is logged when it comes, not as long as it lasts. */
static void a_failure_is_logged_once(void **state)
{
	static const int results[] = {-EISDIR, -EISDIR, -EIO, -EIO, 0, -EIO, -EMEDIUMTYPE, 0};
	static const char text[] = "cannot maintain old files of some/path: ";
	struct log_fixture log;
	struct stage s;

	(void)state;
	open_stage(&s, true);
	log_fixture_begin(&log);
	for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++) {
		s.rc = results[i];
		uv_sem_post(&s.go);
		fffa_file_maintenance_start(&s.m);
		run_loop(&s);
	}
	log_fixture_end(&log);
	assert_int_equal(s.runs, 8);
	assert_int_equal(log_fixture_count(&log, text), 4);
	assert_int_equal(log_fixture_count(&log, "sink.maintained"), 4);
	assert_int_equal(log_fixture_count(&log, "path: Is a directory"), 1);
	assert_int_equal(log_fixture_count(&log, "path: Input/output error"), 2);
	assert_int_equal(log_fixture_count(&log, "path: not a regular file"), 1);
	close_stage(&s, true);
}

static void a_stop_ends_the_run_that_is_under_way(void **state)
{
	struct log_fixture log;
	struct stage s;

	(void)state;
	open_stage(&s, true);
	s.rc = -EIO; /* of which nobody wants to hear any more */
	log_fixture_begin(&log);
	fffa_file_maintenance_start(&s.m);
	uv_sem_wait(&s.entered);
	fffa_file_maintenance_start(&s.m);
	fffa_file_maintenance_stop(&s.m);
	uv_sem_post(&s.go);
	run_loop(&s);
	log_fixture_end(&log);
	assert_string_equal(log.text, "");
	assert_true(s.cancelled);
	assert_int_equal(s.runs, 1);
	assert_int_equal(s.stopped, 1);
	assert_false(s.m.running);
	fffa_file_maintenance_start(&s.m);
	assert_false(s.m.running);
	run_loop(&s);
	assert_int_equal(s.runs, 1);
	close_stage(&s, true);
}

static void a_layout_without_maintenance_has_no_thread(void **state)
{
	struct stage s;

	(void)state;
	open_stage(&s, false);
	assert_null(s.m.worker);
	fffa_file_maintenance_stop(&s.m);
	close_stage(&s, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_run_at_a_time),
		cmocka_unit_test(a_failure_is_logged_once),
		cmocka_unit_test(a_stop_ends_the_run_that_is_under_way),
		cmocka_unit_test(a_layout_without_maintenance_has_no_thread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
