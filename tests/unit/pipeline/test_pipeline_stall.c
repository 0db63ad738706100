// SPDX-License-Identifier: MIT
/* A source that ends by itself gives up on a file that takes nothing, and on nothing else. */
#include "tests/unit/pipeline/pipeline_fixture.h"

#include <errno.h>
#include <string.h>

#define PATIENCE_MS 1000
#define LONG_MS	    4000 /* no busy machine stands still for so long */
#define UNUSED	    3	 /* the sink whose peer has the test's own argument */

struct stalls {
	unsigned int n;
	uint64_t at_ns; /* when the loop's turn began */
};

static void note_stall(void *arg)
{
	struct fixture *f = arg;
	struct stalls *s = f->peers[UNUSED].arg;

	s->n++;
	s->at_ns = fixture_turn_ns(f);
}

static struct fffa_outcome fail_always(void *arg, const struct fffa_batch *b)
{
	(void)arg;
	(void)b;
	return outcome(FFFA_V_RETRY, -ENOSPC);
}

/* Every second try is taken. */
static struct fffa_outcome fail_mostly(void *arg, const struct fffa_batch *b)
{
	unsigned int *n = arg;

	(void)b;
	return outcome(++*n % 2 ? FFFA_V_RETRY : FFFA_V_DELIVERED, -ENOSPC);
}

static void open_impatient(struct fixture *f, size_t n, struct stalls *s, uint64_t patience_ms)
{
	f->peers[UNUSED].arg = s;
	f->env.stalled = note_stall;
	f->env.patience_ns = patience_ms * MS;
	fixture_open(f, n);
}

static void use_type(struct fixture *f, size_t i, const char *type)
{
	f->sinks[i].common.type = (char *)(uintptr_t)type;
}

/* Two files take nothing: it is said once, when the time is over, and not before. */
static void a_file_that_takes_nothing_is_given_up(void **state)
{
	struct fixture *f = *state;
	struct stalls s = {.n = 0};
	uint64_t begin = fixture_turn_ns(f);

	for (size_t i = 0; i < 2; i++) {
		use_type(f, i, "file");
		f->peers[i].judge = fail_always;
	}
	open_impatient(f, 3, &s, PATIENCE_MS);
	fixture_feed(f, 20);
	while (!s.n)
		fixture_turn(f);
	assert_true(s.at_ns - begin >= PATIENCE_MS * (uint64_t)MS);
	assert_true(fixture_ledger(f, 0)->retries >= 2);
	fixture_run_for(f, 3 * PATIENCE_MS / 2); /* it is not looked at any more */
	assert_int_equal(s.n, 1);
	fixture_close(f, 1 * MS);
}

/* A network may come back, a file that takes some works, and one that has nothing to take. */
static void others_are_waited_for(void **state)
{
	struct fixture *f = *state;
	struct stalls s = {.n = 0};
	unsigned int tries = 0;
	uint64_t begin;

	use_type(f, 1, "file");
	use_type(f, 2, "file");
	f->sinks[1].common.retry_min_ns = f->sinks[1].common.retry_max_ns = 20 * MS;
	f->peers[0].judge = fail_always;
	f->peers[1].judge = fail_mostly;
	f->peers[1].arg = &tries;
	f->peers[1].max_open = 1;
	open_impatient(f, 3, &s, LONG_MS);
	begin = uv_hrtime();
	while (uv_hrtime() - begin < 3 * LONG_MS / 2 * (uint64_t)MS) {
		fixture_feed(f, 10);
		fixture_run_for(f, 20);
	}
	assert_int_equal(s.n, 0);
	assert_true(fixture_ledger(f, 0)->retries > 10);
	fixture_close(f, 1 * MS);
}

/* Without anybody to tell, no failure ends the wait. */
static void nobody_is_told(void **state)
{
	struct fixture *f = *state;

	use_type(f, 0, "file");
	f->peers[0].judge = fail_always;
	f->env.patience_ns = 1;
	fixture_open(f, 1);
	fixture_feed(f, 10);
	fixture_run_for(f, 450);
	f->peers[0].judge = NULL;
	fixture_settle(f);
	fixture_close(f, 0);
	fixture_expect(f, 0, 1, 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_file_that_takes_nothing_is_given_up),
		CASE(others_are_waited_for),
		CASE(nobody_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
