// SPDX-License-Identifier: MIT
#include "tests/unit/capture/live_lab.h"

#include <stdio.h>
#include <string.h>

#include "agent/flow/flow_table.h"

#define SOON_MS 60000

__attribute__((format(printf, 2, 3))) static void note(struct lab *lab, const char *fmt, ...)
{
	size_t len = strlen(lab->events);
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(lab->events + len, sizeof(lab->events) - len, fmt, ap);
	va_end(ap);
}

static void on_delta(void *arg, const struct fffa_delta *d)
{
	struct lab *lab = arg;

	if (!d->seen_now)
		assert_int_equal(d->packets, ++lab->next); /* in their order, each once */
	lab->from_ring |= d->seen_now;
	lab->deltas++;
	if (++lab->in_turn > lab->most_in_turn)
		lab->most_in_turn = lab->in_turn;
}

static void on_expect(void *arg, const struct fffa_delta *d)
{
	struct lab *lab = arg;

	assert_int_equal(d->packets, lab->next + 1 + FFFA_FLOW_AHEAD);
	lab->expected++;
}

static void on_draining(void *arg)
{
	struct lab *lab = arg;

	lab->draining++;
	note(lab, "draining ");
}

static void on_turn(void *arg)
{
	struct lab *lab = arg;

	lab->turns++;
	assert_int_equal(lab->ledger.seen[0].packets, lab->turns); /* were read before */
	note(lab, "turn ");
	lab->next = 0;
}

static bool on_tunnel_used(void *arg, uint16_t id)
{
	(void)arg;
	return id == 1;
}

static void on_devices(void *arg, const struct fffa_netdev *v, size_t n)
{
	(void)v;
	note(arg, "devices(%zu) ", n);
}

static void on_changed(void *arg)
{
	note(arg, "changed ");
}

static void on_addresses(void *arg)
{
	note(arg, "addresses ");
}

static void on_stopped(void *arg)
{
	struct lab *lab = arg;

	lab->stopped = true;
	note(lab, "stopped ");
}

static struct fffa_amount on_counted(void *arg, const char *name, int dir)
{
	(void)arg;
	(void)name;
	(void)dir;
	return (struct fffa_amount){0, 0};
}

static void on_loop_turn(uv_prepare_t *h)
{
	((struct lab *)h->data)->in_turn = 0;
}

static void on_limit(uv_timer_t *h)
{
	((struct lab *)h->data)->late = true;
}

int live_lab_setup(void **state)
{
	struct lab *lab = test_calloc(1, sizeof(*lab));
	void *f;

	if (live_fixture_setup(&f))
		return -1;
	lab->f = f;
	kernel_fixture_reset();
	lab->f->conf.drain_interval_ns = INT64_C(20000000);
	assert_int_equal(uv_loop_init(&lab->loop), 0);
	(void)uv_timer_init(&lab->loop, &lab->limit);
	(void)uv_prepare_init(&lab->loop, &lab->turn);
	lab->limit.data = lab->turn.data = lab;
	(void)uv_timer_start(&lab->limit, on_limit, SOON_MS, 0);
	(void)uv_prepare_start(&lab->turn, on_loop_turn);
	*state = lab;
	return 0;
}

int live_lab_teardown(void **state)
{
	struct lab *lab = *state;
	void *f = lab->f;

	if (lab->l)
		fffa_live_close(lab->l);
	uv_close((uv_handle_t *)&lab->limit, NULL);
	uv_close((uv_handle_t *)&lab->turn, NULL);
	assert_int_equal(uv_run(&lab->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&lab->loop), 0);
	assert_int_equal(kernel_fixture.closed, 1);
	kernel_fixture_close();
	test_free(lab);
	return live_fixture_teardown(&f);
}

int live_lab_try_open(struct lab *lab, struct fffa_err *err)
{
	const struct fffa_live_events events = {.delta = on_delta,
						.expect = on_expect,
						.counted = on_counted,
						.draining = on_draining,
						.turn = on_turn,
						.tunnel_used = on_tunnel_used,
						.devices = on_devices,
						.changed = on_changed,
						.addresses = on_addresses,
						.stopped = on_stopped,
						.arg = lab};
	struct fffa_links l = {.v = live_fixture.links, .n = live_fixture.n};
	struct fffa_netdevs chosen;

	live_fixture_configure(lab->f, "eth0", "");
	fffa_devices_choose(&lab->f->conf, &l, NULL, &chosen);
	return fffa_live_open(&lab->loop, &lab->f->conf, &kernel_fixture, &chosen, &lab->ledger,
			      &events, &lab->l, err);
}

void live_lab_open(struct lab *lab)
{
	struct fffa_err err;

	assert_int_equal(live_lab_try_open(lab, &err), 0);
}

void live_lab_hold_drain(struct lab *lab)
{
	kernel_fixture_hold();
	AWAIT(lab, kernel_fixture_is_held());
	lab->events[0] = '\0';
}

void live_lab_stop(struct lab *lab)
{
	fffa_live_stop(lab->l);
	AWAIT(lab, lab->stopped);
}
