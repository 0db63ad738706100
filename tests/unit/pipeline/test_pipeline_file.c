// SPDX-License-Identifier: MIT
/*
 * Pipeline and file sink together: after the end of a fault the file has every record exactly once.
 */
#include "tests/unit/pipeline/pipeline_fixture.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "agent/daemon/registry.h"
#include "sinks/file/file.h"

static void set_file_limit(rlim_t bytes)
{
	struct rlimit l;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &l), 0);
	l.rlim_cur = bytes < l.rlim_max ? bytes : l.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &l), 0);
}

/* Asserts that the file has the records 1 to last, each once, in order. */
static void expect_records(const char *path, uint64_t last)
{
	FILE *in = fopen(path, "r");
	char line[64];

	assert_non_null(in);
	for (uint64_t seq = 1; seq <= last; seq++) {
		char want[64];

		(void)snprintf(want, sizeof(want), "{\"seq\":%" PRIu64 "}\n", seq);
		assert_non_null(fgets(line, sizeof(line), in));
		assert_string_equal(line, want);
	}
	assert_null(fgets(line, sizeof(line), in));
	(void)fclose(in);
}

static void use_file(struct fixture *f, struct fffa_sink_file_conf *conf)
{
	f->sinks[0].ops = fffa_registry_find("file");
	assert_ptr_equal(f->sinks[0].ops, &fffa_sink_file_ops);
	assert_null(fffa_registry_find("no such sink"));
	f->sinks[0].own = conf;
}

static void finish(struct fixture *f, const char *path)
{
	fffa_pipeline_close(f->p, 0, NULL, NULL);
	f->p = NULL;
	while (uv_loop_alive(&f->loop))
		(void)uv_run(&f->loop, UV_RUN_ONCE);
	assert_int_equal(uv_loop_close(&f->loop), 0);
	expect_records(path, f->fed);
	assert_int_equal(unlink(path), 0);
}

static void exactly_once_across_a_full_disk(void **state)
{
	struct fixture *f = *state;
	char path[] = "fffa-pipe-XXXXXX";
	struct fffa_sink_file_conf conf = {.path = path, .sync = FFFA_FILE_SYNC_BATCH};
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	(void)close(fd);
	use_file(f, &conf);
	fixture_open(f, 1);
	for (rlim_t limit = 700; limit < 5000; limit += 777) {
		uint64_t retries = fixture_ledger(f, 0)->retries;

		set_file_limit(limit);
		fixture_feed(f, 100);
		while (fixture_ledger(f, 0)->retries < retries + 2)
			fixture_turn(f);
		assert_true(fixture_ledger(f, 0)->in_flight > 0);
	}
	set_file_limit(RLIM_INFINITY);
	fixture_settle(f);
	assert_int_equal(fixture_ledger(f, 0)->delivered, f->fed);
	finish(f, path);
}

static void every_record_through_reopens(void **state)
{
	struct fixture *f = *state;
	char path[] = "fffa-pipe-XXXXXX";
	struct fffa_sink_file_conf conf = {.path = path};
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	(void)close(fd);
	use_file(f, &conf);
	fixture_open(f, 1);
	for (int i = 0; i < 300; i++) {
		fixture_feed(f, 13);
		if (i % 7 == 0)
			fffa_pipeline_reopen(f->p);
		(void)uv_run(&f->loop, UV_RUN_NOWAIT);
	}
	fixture_settle(f);
	assert_int_equal(fixture_ledger(f, 0)->delivered, f->fed);
	finish(f, path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(exactly_once_across_a_full_disk),
		CASE(every_record_through_reopens),
	};

	(void)signal(SIGXFSZ, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
