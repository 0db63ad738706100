// SPDX-License-Identifier: MIT
/* A sink that breaks the contract ends the process before it corrupts the ledger. */
#include "tests/unit/pipeline/pipeline_fixture.h"

#include <errno.h>
#include <string.h>

#include "agent/base/assert.h"
#include "agent/base/log.h"
#include "tests/stubs/death.h"

static void dump(void *arg)
{
	const struct fixture *f = arg;
	char line[512];

	(void)fffa_ledger_sink_format(fffa_pipeline_sink_ledger(f->p, 0), line, sizeof(line));
	fffa_error("ledger", "%s", line);
}

static void deliver_ten(void *arg)
{
	struct fixture *f = arg;

	fixture_open(f, 1);
	fffa_assert_set_dump(dump, f);
	fixture_feed(f, 10);
	fixture_settle(f);
}

/* The process must log want and the ledger of the ten records. */
static void expect_death(struct fixture *f, const char *want)
{
	char said[4096];

	death_expect(deliver_ten, f, said, sizeof(said));
	assert_int_equal(uv_loop_close(&f->loop), 0);
	assert_non_null(strstr(said, want));
	assert_non_null(strstr(said, "ledger: records=10 delivered=0"));
}

static struct fffa_outcome judge_beyond_the_verdicts(void *arg, const struct fffa_batch *b)
{
	static const uint8_t records[10] = {1, 1, 1, 1, 1, 1, 1, FFFA_V_LAST + 1, 1, 1};

	(void)arg;
	assert_int_equal(fffa_batch_count(b), 10);
	return (struct fffa_outcome){.verdict = FFFA_V_RETRY, .records = records};
}

static void a_record_has_a_verdict_that_does_not_exist(void **state)
{
	struct fixture *f = *state;

	f->peers[0].judge = judge_beyond_the_verdicts;
	expect_death(f, "records[i]");
}

static struct fffa_outcome forget_the_verdict(void *arg, const struct fffa_batch *b)
{
	(void)arg;
	(void)b;
	return (struct fffa_outcome){.cause = -EIO};
}

static void a_delivery_has_no_verdict(void **state)
{
	struct fixture *f = *state;

	f->peers[0].judge = forget_the_verdict;
	expect_death(f, "o->verdict");
}

static struct fffa_outcome invent_a_verdict(void *arg, const struct fffa_batch *b)
{
	(void)arg;
	(void)b;
	return outcome((enum fffa_verdict)(FFFA_V_LAST + 1), 0);
}

static void a_delivery_has_a_verdict_that_does_not_exist(void **state)
{
	struct fixture *f = *state;

	f->peers[0].judge = invent_a_verdict;
	expect_death(f, "o->verdict");
}

/* A sink that holds its deliveries, and the pipeline's callbacks. */
struct twice {
	const struct fffa_sink_env *env;
	struct fffa_delivery *delivery;
	struct fffa_sink_ops ops;
};

static struct twice twice;

static int create_twice(const struct fffa_sink_env *env, const void *conf, struct fffa_sink **out,
			struct fffa_err *err)
{
	twice.env = env;
	return spy_sink_ops.create(env, conf, out, err);
}

static int submit_twice(struct fffa_sink *s, struct fffa_delivery *d)
{
	if (!twice.delivery)
		twice.delivery = d;
	return spy_sink_ops.submit(s, d);
}

static void done_twice(void *arg)
{
	const struct fffa_outcome o = outcome(FFFA_V_RETRY, -EIO);
	struct fixture *f = arg;

	f->peers[0].hold = true;
	fixture_open(f, 1);
	fffa_assert_set_dump(dump, f);
	fixture_feed(f, 20);
	assert_int_equal(spy_open(&f->peers[0]), 2);
	twice.env->done(twice.env->pipe, twice.delivery, &o);
	twice.env->done(twice.env->pipe, twice.delivery, &o);
}

static void a_delivery_is_done_twice(void **state)
{
	struct fixture *f = *state;
	char said[4096];

	twice.ops = spy_sink_ops;
	twice.ops.create = create_twice;
	twice.ops.submit = submit_twice;
	f->sinks[0].ops = &twice.ops;
	death_expect(done_twice, f, said, sizeof(said));
	assert_int_equal(uv_loop_close(&f->loop), 0);
	assert_non_null(strstr(said, "is_sent"));
	assert_non_null(strstr(said, "ledger: records=20 delivered=0"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_record_has_a_verdict_that_does_not_exist),
		CASE(a_delivery_has_no_verdict),
		CASE(a_delivery_has_a_verdict_that_does_not_exist),
		CASE(a_delivery_is_done_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
