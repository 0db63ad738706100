// SPDX-License-Identifier: MIT
/* A sink that leaves its spool while the agent runs, one that goes, and a pipeline that uses none. */
#include "tests/component/pipeline/spool_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/stubs/log_fixture.h"

#define MIB	(1 << 20)
#define HOUR_NS UINT64_C(3600000000000)

static int change_spool(struct fixture *f, int64_t bytes, struct fffa_err *err)
{
	struct fffa_sink_conf c = fixture_copy_conf(&f->sinks[0]);
	int rc;

	c.common.queue_spool = bytes;
	rc = fffa_pipeline_change(f->p, 0, &c, err);
	if (rc)
		fffa_config_free_sink(&c);
	return rc;
}

static uint64_t spool_bytes(struct fixture *f)
{
	struct fffa_sink_status s;

	fffa_pipeline_sink_status(f->p, 0, &s);
	return s.spool_bytes;
}

/* What lies there is delivered before another spool may come. */
static void a_spool_that_is_left(void **state)
{
	struct spool_fixture *r = *state;
	struct fixture *f = spool_fixture_life(r, MIB);
	struct fffa_err err = {""};

	f->peers[0].judge = spool_fixture_refuse;
	fixture_open(f, 1);
	fixture_feed(f, 50);
	while (!spool_bytes(f))
		fixture_turn(f);
	assert_int_equal(change_spool(f, 0, &err), 0);
	assert_int_equal(change_spool(f, 0, &err), 0); /* it has left already */
	assert_int_equal(change_spool(f, MIB, &err), -EAGAIN);
	assert_string_equal(err.text, "queue.spool: the spool of before is not empty yet");
	f->peers[0].judge = NULL;
	fixture_settle(f);
	while (spool_bytes(f))
		fixture_turn(f);
	while (change_spool(f, MIB, &err)) /* its thread may still end */
		fixture_turn(f);
	fixture_feed(f, 10);
	fixture_settle(f);
	assert_int_equal(fixture_ledger(f, 0)->delivered, 60);
	f->conf.sink_count = 0; /* the sink was closed for each of its configurations */
	fixture_close(f, 0);
}

/* Whoever removes a sink reads where its spool stays. */
static void a_sink_that_goes_leaves_its_spool(void **state)
{
	struct spool_fixture *r = *state;
	struct fixture *f = spool_fixture_life(r, MIB);
	struct log_fixture log;
	char wanted[256];

	log_fixture_begin(&log);
	fixture_open(f, 1);
	fixture_feed(f, 20);
	fixture_settle(f);
	assert_int_equal(fffa_pipeline_remove(f->p, 0, HOUR_NS), 0);
	f->conf.sink_count = 0;
	fixture_close(f, 0);
	log_fixture_end(&log);
	(void)snprintf(wanted, sizeof(wanted),
		       "reload: sink a is removed: records=20 delivered=20 rejected=0 lost=0; its "
		       "spool stays in %s/a\n",
		       r->dir);
	assert_non_null(strstr(log.text, wanted));
}

/* The source can send its records again. */
static void a_pipeline_without_spools(void **state)
{
	struct spool_fixture *r = *state;
	struct fixture *f = spool_fixture_life(r, MIB);
	struct log_fixture log;
	char path[128];

	log_fixture_begin(&log);
	f->env.no_spool = true;
	fixture_open(f, 1);
	fixture_feed(f, 20);
	fixture_settle(f);
	assert_int_equal(spool_bytes(f), 0);
	(void)snprintf(path, sizeof(path), "%s/a", r->dir);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(fffa_pipeline_remove(f->p, 0, HOUR_NS), 0);
	f->conf.sink_count = 0;
	fixture_close(f, 0);
	log_fixture_end(&log);
	assert_non_null(
		strstr(log.text, "sink a is removed: records=20 delivered=20 rejected=0 lost=0\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SPOOL_CASE(a_spool_that_is_left),
		SPOOL_CASE(a_sink_that_goes_leaves_its_spool),
		SPOOL_CASE(a_pipeline_without_spools),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
