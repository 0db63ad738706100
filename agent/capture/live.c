// SPDX-License-Identifier: MIT
#include "agent/capture/live.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/base/histogram.h"
#include "agent/base/log.h"
#include "agent/capture/kernel/kernel.h"
#include "agent/capture/devices/link_watch.h"
#include "agent/capture/hook_watch.h"
#include "agent/capture/live_devices.h"
#include "agent/capture/live_tunnels.h"
#include "config/ports.h"
#include "agent/flow/flow_table.h"
#include "agent/loop/worker.h"

#define DELTAS_PER_TURN 8192  /* then timers and signals get their turn */
#define ARM_AFTER_MS	100   /* connection ends wake the loop at most this often */
#define RETAINED_DELTAS 16384 /* room kept between drains; a larger burst is given back */
#define ASK_EVERY_MS	1000  /* who receives a tunnel */

enum state { RUNNING, STOPPING, STOPPED };

struct fffa_live {
	struct fffa_kernel *kernel;
	struct fffa_ledger *ledger;
	struct fffa_live_events ev;
	uv_poll_t ring;
	uv_timer_t drain;
	uv_timer_t arm;
	uv_timer_t ask;
	uv_idle_t more;		    /* runs while a turn's budget left work over */
	struct fffa_worker *worker; /* NULL: not open yet */
	struct fffa_worker_job job; /* a drain */
	int handles;		    /* not closed yet, the worker among them */
	bool working;		    /* the worker drains */
	bool merging;		    /* deltas holds unread ones */
	bool ring_left;		    /* the ring's budget was used up */
	enum state state;
	int drains_left; /* while stopping */
	int drain_error;
	struct fffa_histogram drains;
	uint64_t drain_began_ns;
	struct fffa_deltas deltas;
	size_t next_delta;
	struct fffa_link_watch *watch; /* NULL: devices that appear are not noticed */
	/* Nobody changes the devices while the worker drains: it checks their hooks, too. */
	struct fffa_live_devices devices;
	struct fffa_hook_watch hooks;
	struct fffa_live_tunnels tunnels;
	bool closed_logged; /* that tunnels are not opened */
	bool conf_changed;  /* while it drained or merged, like the two below */
	bool links_changed;
	bool addresses_changed;
};

static void start_drain(struct fffa_live *l);
static void on_drain_timer(uv_timer_t *h);

static void read_settings(const struct fffa_capture_conf *conf, struct fffa_kernel_settings *s)
{
	s->sample = (uint32_t)conf->sample;
	s->tunnel_view = (enum fffa_tunnel_record)conf->tunnel_view;
	fffa_ports_of_tunnels(conf, s->geneve_ports, s->vxlan_ports);
	s->ask_receiver = fffa_ports_ask_receiver(conf);
}

static void read_ring(struct fffa_live *l)
{
	uint64_t bad = 0;
	size_t n = fffa_kernel_ring_read(l->kernel, DELTAS_PER_TURN, l->ev.delta, l->ev.arg, &bad);

	if (bad) /* only a program of another version could write them */
		fffa_error("capture", "ring events of another layout dropped count=%llu",
			   (unsigned long long)bad);
	l->ledger->lost[FFFA_PL_BAD_EVENT].packets += bad;
	l->ring_left = n >= DELTAS_PER_TURN;
}

static void report_devices(struct fffa_live *l)
{
	struct fffa_netdev list[FFFA_LIVE_DEVICES_LIST_MAX];

	l->ev.devices(l->ev.arg, list, fffa_live_devices_list(&l->devices, list));
}

static void follow_links(struct fffa_live *l)
{
	bool addresses = l->addresses_changed;

	l->links_changed = l->addresses_changed = false;
	if (l->state == RUNNING && fffa_live_devices_follow(&l->devices))
		report_devices(l);
	if (l->state == RUNNING && addresses)
		l->ev.addresses(l->ev.arg);
}

/* The next drain takes what was counted before the change. */
static void follow_conf(struct fffa_live *l)
{
	const struct fffa_capture_conf *conf = l->devices.conf;
	uint64_t interval_ms = (uint64_t)conf->drain_interval_ns / FFFA_NS_PER_MS;
	struct fffa_kernel_settings s;

	l->conf_changed = false;
	if (l->state != RUNNING)
		return;
	read_settings(conf, &s);
	fffa_kernel_change(l->kernel, &s);
	l->ev.changed(l->ev.arg);
	if (uv_timer_get_repeat(&l->drain) != interval_ms)
		(void)uv_timer_start(&l->drain, on_drain_timer, interval_ms, interval_ms);
	follow_links(l);
}

static void log_closed_tunnels(struct fffa_live *l)
{
	if (l->closed_logged || !fffa_kernel_tunnels_closed(l->kernel))
		return;
	l->closed_logged = true;
	fffa_info(
		"capture",
		"tunnels that no socket and no tunnel device of this host receives are recorded as "
		"the packets around them; if a program reads them from a packet socket, name them: "
		"capture.decapsulate: [geneve, vxlan]");
}

/* Ends a drain whose deltas are all merged. */
static void finish_drain(struct fffa_live *l)
{
	l->merging = false;
	fffa_histogram_observe_ns(&l->drains, uv_hrtime() - l->drain_began_ns);
	if (l->deltas.capacity > RETAINED_DELTAS)
		fffa_drain_deltas_fini(&l->deltas);
	l->deltas.count = 0;
	fffa_kernel_read_counts(l->kernel, l->ledger);
	log_closed_tunnels(l);
	if (fffa_hook_watch_end(&l->hooks, &l->devices, l->ledger))
		report_devices(l);
	l->ev.turn(l->ev.arg);
	fffa_live_tunnels_turn(&l->tunnels, l->kernel, l->ev.tunnel_used, l->ev.arg);
	if (l->conf_changed)
		follow_conf(l);
	else if (l->links_changed)
		follow_links(l);
	if (l->state != STOPPING)
		return;
	if (l->drains_left)
		start_drain(l);
	else
		l->state = STOPPED;
}

static void on_more(uv_idle_t *h)
{
	struct fffa_live *l = h->data;
	size_t budget = DELTAS_PER_TURN;

	if (l->ring_left || l->state == STOPPING)
		read_ring(l);
	while (l->merging && budget-- && l->next_delta < l->deltas.count) {
		if (l->next_delta + FFFA_FLOW_AHEAD < l->deltas.count)
			l->ev.expect(l->ev.arg, &l->deltas.v[l->next_delta + FFFA_FLOW_AHEAD]);
		l->ev.delta(l->ev.arg, &l->deltas.v[l->next_delta++]);
	}
	if (l->merging && l->next_delta == l->deltas.count && !l->ring_left)
		finish_drain(l);
	if (l->merging || l->ring_left)
		return;
	(void)uv_idle_stop(&l->more);
	if (l->state == STOPPED)
		l->ev.stopped(l->ev.arg);
}

static void continue_turns(struct fffa_live *l)
{
	(void)uv_idle_start(&l->more, on_more);
}

static void work_drain(void *arg)
{
	struct fffa_live *l = arg;

	/* First: what the devices counted by now is in this drain, or was missed. */
	fffa_hook_watch_run(&l->hooks, l->kernel);
	l->drain_error = fffa_kernel_drain(l->kernel, &l->deltas);
}

static void after_drain(void *arg)
{
	struct fffa_live *l = arg;

	l->working = false;
	fffa_hook_watch_adopt(&l->hooks, &l->devices, uv_hrtime());
	if (l->state == STOPPING)
		fffa_live_devices_detach(&l->devices);
	if (l->drain_error)
		fffa_error("capture", "drain failed, entries stay in the kernel: %s",
			   strerror(-l->drain_error));
	l->next_delta = 0;
	l->merging = true;
	continue_turns(l);
}

static void start_drain(struct fffa_live *l)
{
	if (l->drains_left)
		l->drains_left--;
	else
		l->ev.draining(l->ev.arg);
	if (l->state == RUNNING)
		fffa_hook_watch_begin(&l->hooks, &l->devices, uv_hrtime());
	l->working = true;
	l->drain_began_ns = uv_hrtime();
	fffa_worker_submit(l->worker, &l->job);
}

static void on_drain_timer(uv_timer_t *h)
{
	struct fffa_live *l = h->data;

	/*
	 * When another reader than on_ring took the event that woke the loop, nobody armed
	 * the ring.
	 */
	if (!uv_is_active((uv_handle_t *)&l->arm))
		fffa_kernel_ring_arm(l->kernel);
	if (l->working || l->merging)
		return; /* the last drain is not merged yet; waiting loses nothing */
	read_ring(l);
	if (l->ring_left)
		continue_turns(l);
	start_drain(l);
}

static void on_arm(uv_timer_t *h)
{
	struct fffa_live *l = h->data;

	fffa_kernel_ring_arm(l->kernel);
}

static void on_ask(uv_timer_t *h)
{
	struct fffa_live *l = h->data;

	if (fffa_ports_ask_receiver(l->devices.conf))
		fffa_kernel_tunnels_ask(l->kernel);
}

static void on_ring(uv_poll_t *h, int status, int events)
{
	struct fffa_live *l = h->data;

	(void)events;
	if (status)
		return;
	read_ring(l);
	if (l->ring_left)
		continue_turns(l);
	if (!uv_is_active((uv_handle_t *)&l->arm))
		(void)uv_timer_start(&l->arm, on_arm, ARM_AFTER_MS, 0);
}

static void on_links_changed(void *arg, bool addresses)
{
	struct fffa_live *l = arg;

	l->links_changed = true;
	l->addresses_changed |= addresses;
	if (!l->working && !l->merging)
		follow_links(l);
}

/* Without the watch the agent works on with the devices of its start. */
static void watch_links(struct fffa_live *l, uv_loop_t *loop)
{
	int rc = fffa_link_watch_open(loop, on_links_changed, l, &l->watch);

	if (rc)
		fffa_warn("capture", "interfaces that appear later will not be noticed: %s",
			  strerror(-rc));
}

static int start_handles(struct fffa_live *l, uv_loop_t *loop, const struct fffa_capture_conf *conf)
{
	uint64_t interval_ms = (uint64_t)conf->drain_interval_ns / FFFA_NS_PER_MS;
	int rc = uv_poll_init(loop, &l->ring, fffa_kernel_ring_fd(l->kernel));

	if (rc)
		return rc;
	(void)uv_timer_init(loop, &l->drain);
	(void)uv_timer_init(loop, &l->arm);
	(void)uv_timer_init(loop, &l->ask);
	(void)uv_idle_init(loop, &l->more);
	l->handles = 5;
	l->ring.data = l->drain.data = l->arm.data = l->ask.data = l->more.data = l;
	l->job = (struct fffa_worker_job){.work = work_drain, .done = after_drain, .arg = l};
	rc = fffa_worker_open(loop, "drain", &l->worker);
	if (rc)
		return rc;
	l->handles++;
	rc = uv_poll_start(&l->ring, UV_READABLE, on_ring);
	if (!rc)
		rc = uv_timer_start(&l->drain, on_drain_timer, interval_ms, interval_ms);
	if (!rc)
		rc = uv_timer_start(&l->ask, on_ask, ASK_EVERY_MS, ASK_EVERY_MS);
	return rc;
}

int fffa_live_load(const struct fffa_capture_conf *conf, struct fffa_kernel **out,
		   struct fffa_err *err)
{
	struct fffa_kernel_conf kc = {
		.max_flows = (uint64_t)conf->max_flows,
		.ring_bytes = (uint32_t)conf->ring_size,
	};

	read_settings(conf, &kc.settings);
	return fffa_kernel_open(&kc, out, err);
}

int fffa_live_open(uv_loop_t *loop, const struct fffa_capture_conf *conf,
		   struct fffa_kernel *kernel, const struct fffa_netdevs *devices,
		   struct fffa_ledger *ledger, const struct fffa_live_events *events,
		   struct fffa_live **out, struct fffa_err *err)
{
	struct fffa_live *l = calloc(1, sizeof(*l));
	int rc;

	if (!l) {
		fffa_kernel_close(kernel);
		return fffa_fail(err, ENOMEM, "no memory");
	}
	l->kernel = kernel;
	l->ledger = ledger;
	l->ev = *events;
	l->devices.counted = events->counted;
	l->devices.counted_arg = events->arg;
	rc = fffa_live_devices_start(&l->devices, l->kernel, conf, devices, err);
	if (!rc) {
		fffa_info("capture", "kernel table ready flows=%lld ring_bytes=%lld clock=%s",
			  (long long)conf->max_flows, (long long)conf->ring_size,
			  fffa_kernel_clock_name(l->kernel));
		rc = start_handles(l, loop, conf);
		if (rc)
			(void)fffa_fail(err, -rc, "cannot start the drain: %s", uv_strerror(rc));
	}
	if (rc) {
		fffa_live_close(l);
		return rc;
	}
	watch_links(l, loop);
	*out = l;
	return 0;
}

void fffa_live_change(struct fffa_live *l)
{
	l->conf_changed = true;
	if (!l->working && !l->merging)
		follow_conf(l);
}

void fffa_live_limit_window(struct fffa_live *l, uint64_t window_ns)
{
	fffa_kernel_limit_window(l->kernel, window_ns);
}

const struct fffa_tunnel *fffa_live_tunnel(const struct fffa_live *l, uint16_t id)
{
	return fffa_kernel_tunnel(l->kernel, id);
}

const struct fffa_hooked *fffa_live_hooks(const struct fffa_live *l, size_t *n)
{
	*n = l->devices.n;
	return l->devices.v;
}

const char *fffa_live_problem(const struct fffa_live *l)
{
	return fffa_hook_watch_problem(&l->devices);
}

void fffa_live_refresh(const struct fffa_live *l)
{
	fffa_kernel_read_counts(l->kernel, l->ledger);
}

const struct fffa_kernel *fffa_live_kernel(const struct fffa_live *l)
{
	return l->kernel;
}

const struct fffa_histogram *fffa_live_drains(const struct fffa_live *l)
{
	return &l->drains;
}

void fffa_live_stop(struct fffa_live *l)
{
	if (l->state != RUNNING)
		return;
	l->state = STOPPING;
	(void)uv_timer_stop(&l->drain);
	(void)uv_timer_stop(&l->arm);
	(void)uv_timer_stop(&l->ask);
	(void)uv_poll_stop(&l->ring);
	if (!l->working) /* else after_drain detaches */
		fffa_live_devices_detach(&l->devices);
	/* One drain for each generation. After the first one's grace period no program runs. */
	l->drains_left = 2;
	if (!l->working && !l->merging)
		start_drain(l);
}

static void free_live(struct fffa_live *l)
{
	fffa_live_devices_detach(&l->devices);
	fffa_drain_deltas_fini(&l->deltas);
	fffa_kernel_close(l->kernel);
	free(l);
}

static void on_one_closed(void *arg)
{
	struct fffa_live *l = arg;

	if (!--l->handles)
		free_live(l);
}

static void on_closed(uv_handle_t *h)
{
	on_one_closed(h->data);
}

void fffa_live_close(struct fffa_live *l)
{
	fffa_link_watch_close(l->watch);
	if (!l->handles) {
		free_live(l);
		return;
	}
	uv_close((uv_handle_t *)&l->ring, on_closed);
	uv_close((uv_handle_t *)&l->drain, on_closed);
	uv_close((uv_handle_t *)&l->arm, on_closed);
	uv_close((uv_handle_t *)&l->ask, on_closed);
	uv_close((uv_handle_t *)&l->more, on_closed);
	if (l->worker)
		fffa_worker_close(l->worker, on_one_closed, l);
}
