// SPDX-License-Identifier: MIT
/* Captures as a source, with a reader of ours below: whose identity, which clock, when flows expire. */
#include <errno.h>

#include "agent/base/clock.h"
#include "agent/daemon/source/source.h"
#include "tests/stubs/cmocka_all.h"

#define MS	FFFA_NS_PER_MS
#define BEGIN	(UINT64_C(1700000000) * FFFA_NS_PER_S)
#define QUARTER (250 * MS)
#define REPLAY	((struct fffa_replay *)&fake)

static struct {
	uv_loop_t loop;
	struct fffa_config conf;
	struct fffa_replay_conf replay;
	struct fffa_ledger ledger;
	struct fffa_replay_events to; /* the source */
	struct fffa_source *source;
	struct fffa_tunnel tunnel;
	int not_opened; /* -errno */
	size_t opened, stopped, closed;
	/* The agent was told: */
	size_t deltas, times, sinces, elapsed, asked, ended;
	int64_t since_ms;
	uint64_t now_ns; /* at the last of times */
	int error;
} fake;

int __wrap_fffa_replay_open(uv_loop_t *loop, const struct fffa_replay_conf *conf,
			    struct fffa_ledger *ledger, const struct fffa_replay_events *events,
			    struct fffa_replay **out, struct fffa_err *err);
const struct fffa_tunnel *__wrap_fffa_replay_tunnel(const struct fffa_replay *r, uint16_t id);
void __wrap_fffa_replay_stop(struct fffa_replay *r);
void __wrap_fffa_replay_close(struct fffa_replay *r);

int __wrap_fffa_replay_open(uv_loop_t *loop, const struct fffa_replay_conf *conf,
			    struct fffa_ledger *ledger, const struct fffa_replay_events *events,
			    struct fffa_replay **out, struct fffa_err *err)
{
	fake.opened++;
	assert_ptr_equal(loop, &fake.loop);
	assert_ptr_equal(ledger, &fake.ledger);
	assert_true(conf->speed == 2.0);
	assert_ptr_equal(conf->capture, &fake.conf.capture);
	fake.to = *events;
	if (fake.not_opened)
		return fffa_fail(err, -fake.not_opened, "refused");
	*out = REPLAY;
	return 0;
}

const struct fffa_tunnel *__wrap_fffa_replay_tunnel(const struct fffa_replay *r, uint16_t id)
{
	assert_ptr_equal(r, REPLAY);
	return id == 7 ? &fake.tunnel : NULL;
}

void __wrap_fffa_replay_stop(struct fffa_replay *r)
{
	assert_ptr_equal(r, REPLAY);
	fake.stopped++;
}

void __wrap_fffa_replay_close(struct fffa_replay *r)
{
	assert_ptr_equal(r, REPLAY);
	fake.closed++;
}

static void on_delta(void *arg, const struct fffa_delta *d)
{
	assert_ptr_equal(arg, &fake);
	assert_int_equal(d->packets, 4);
	fake.deltas++;
}

static bool on_tunnel_used(void *arg, uint16_t id)
{
	assert_ptr_equal(arg, &fake);
	return id == 7;
}

static void on_time(void *arg)
{
	uint64_t unix_ns = 0;

	assert_ptr_equal(arg, &fake);
	fffa_source_now(fake.source, &fake.now_ns, &unix_ns);
	assert_true(fake.now_ns == unix_ns);
	fake.times++;
}

static void on_since(void *arg, int64_t unix_ms)
{
	assert_ptr_equal(arg, &fake);
	assert_int_equal(fake.times, 0);
	fake.since_ms = unix_ms;
	fake.sinces++;
}

static void on_elapsed(void *arg)
{
	assert_ptr_equal(arg, &fake);
	fake.elapsed++;
}

static bool on_has_room(void *arg)
{
	assert_ptr_equal(arg, &fake);
	return ++fake.asked == 2;
}

static void on_ended(void *arg, int error)
{
	assert_ptr_equal(arg, &fake);
	fake.ended++;
	fake.error = error;
}

static int start(struct fffa_err *err)
{
	static const struct fffa_source_events ev = {.delta = on_delta,
						     .tunnel_used = on_tunnel_used,
						     .time = on_time,
						     .since = on_since,
						     .elapsed = on_elapsed,
						     .has_room = on_has_room,
						     .ended = on_ended,
						     .arg = &fake};

	assert_int_equal(fffa_source_prepare(fake.source, err), 0);
	return fffa_source_start(fake.source, &fake.loop, &fake.ledger, &ev, err);
}

static int setup(void **state)
{
	(void)state;
	memset(&fake, 0, sizeof(fake));
	fake.replay.speed = 2.0;
	fake.source = fffa_source_replay_new(&fake.conf, &fake.replay);
	return fake.source ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	fffa_source_free(fake.source);
	return 0;
}

/* Flows expire four times a second of the captures' time, whatever the time between packets is. */
static void test_the_clock_of_captures(void **state)
{
	static const struct {
		uint64_t after_ns;
		size_t elapsed;
	} rows[] = {{0, 1},
		    {MS, 1},
		    {QUARTER - 1, 1},
		    {QUARTER, 2},
		    {QUARTER + MS, 2},
		    {2 * QUARTER - 1, 2},
		    {3 * QUARTER, 3},
		    {4 * QUARTER - 1, 3},
		    {4 * QUARTER, 4}};
	struct fffa_err err = {""};

	(void)state;
	assert_int_equal(start(&err), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fake.to.time(fake.to.arg, BEGIN + rows[i].after_ns);
		assert_true(fake.now_ns == BEGIN + rows[i].after_ns);
		assert_int_equal(fake.times, i + 1);
		assert_int_equal(fake.elapsed, rows[i].elapsed);
	}
	assert_int_equal(fake.sinces, 1);
	assert_true(fake.since_ms == INT64_C(1700000000000));
}

static void test_events(void **state)
{
	const struct fffa_delta d = {.packets = 4};
	struct fffa_err err = {""};

	(void)state;
	assert_int_equal(start(&err), 0);
	fake.to.delta(fake.to.arg, &d);
	assert_int_equal(fake.deltas, 1);
	assert_true(fake.to.tunnel_used(fake.to.arg, 7));
	assert_false(fake.to.tunnel_used(fake.to.arg, 8));
	assert_false(fake.to.has_room(fake.to.arg));
	assert_true(fake.to.has_room(fake.to.arg));
	fake.to.ended(fake.to.arg, -EIO);
	assert_int_equal(fake.ended, 1);
	assert_int_equal(fake.error, -EIO);
	assert_ptr_equal(fffa_source_tunnel(fake.source, 7), &fake.tunnel);
	assert_null(fffa_source_tunnel(fake.source, 8));
}

static void test_start_and_end(void **state)
{
	struct fffa_err err = {""};

	(void)state;
	assert_true(fake.source->repeatable);
	assert_false(fffa_source_watches(fake.source));
	fake.not_opened = -ENOENT;
	assert_int_equal(start(&err), -ENOENT);
	assert_string_equal(err.text, "refused");
	fffa_source_close(fake.source);
	assert_int_equal(fake.closed, 0);
	fake.not_opened = 0;
	assert_int_equal(start(&err), 0);
	assert_int_equal(fake.opened, 2);
	fffa_source_stop(fake.source);
	assert_int_equal(fake.stopped, 1);
	assert_int_equal(fake.closed, 0);
	fffa_source_close(fake.source);
	fffa_source_close(fake.source);
	assert_int_equal(fake.closed, 1);
}

/* A capture from elsewhere does not get this host's identity, unless that is asked for. */
static void test_whose_identity(void **state)
{
	static const enum fffa_switch rows[][2] = {
		{FFFA_SW_AUTO, FFFA_SW_OFF}, {FFFA_SW_ON, FFFA_SW_ON}, {FFFA_SW_OFF, FFFA_SW_OFF}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fffa_source_free(fake.source);
		fake.conf.metadata.imds.enabled = rows[i][0];
		fake.conf.metadata.ecs = FFFA_ECS_AUTO;
		fake.conf.metadata.of_capture = false;
		fake.conf.metadata.fixed.n = 3;
		fake.source = fffa_source_replay_new(&fake.conf, &fake.replay);
		assert_non_null(fake.source);
		assert_int_equal(fake.source->metadata->imds.enabled, rows[i][1]);
		assert_int_equal(fake.source->metadata->ecs, FFFA_ECS_OFF);
		assert_true(fake.source->metadata->of_capture);
		assert_int_equal(fake.source->metadata->fixed.n, 3);
		assert_int_equal(fake.conf.metadata.imds.enabled, rows[i][0]);
	}
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_the_clock_of_captures),
		T(test_events),
		T(test_start_and_end),
		T(test_whose_identity),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
