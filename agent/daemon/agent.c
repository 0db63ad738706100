// SPDX-License-Identifier: MIT
/*
 * Wiring and the life of the agent. Stopping is a written list, one function after the other:
 *   begin_stop      stop the source: detach, drain table and ring (a replay: read no further)
 *   on_source_done  nothing comes any more: expire all flows (forced), as fast as the pipeline
 * takes them close_pipeline  seal, deliver until shutdown_timeout, count the rest, close the sinks
 *   on_pipeline_closed  close what is left; the loop ends by itself
 *   finish          final ledger, uv_loop_close
 */
#include "agent/daemon/agent.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "agent/daemon/agent_internal.h"
#include "agent/base/assert.h"
#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/capture/devices/devices.h"
#include "agent/capture/live_devices.h"
#include "agent/capture/privileges.h"
#include "agent/flow/parity.h"
#include "agent/daemon/status_view.h"

#define FLOWS_PER_TURN	 8192
#define METADATA_WAIT_NS (5 * FFFA_NS_PER_S)
#define REPLAY_EXPIRE_NS (FFFA_NS_PER_S / 4)

void fffa_agent__set_time(struct fffa_agent *a)
{
	if (a->replay)
		return; /* the capture's time: on_replay_time */
	a->unix_ns = fffa_clock_unix_ns(&fffa_clock_system);
	a->mono_ns = fffa_clock_mono_ns(&fffa_clock_system);
	fffa_flow_set_time(a->flows, a->mono_ns, a->unix_ns);
}

static bool is_left_out(const struct fffa_agent *a, const struct fffa_delta *d)
{
	size_t n;
	const uint8_t(*resolvers)[16] = fffa_meta_resolvers(a->meta, &n);

	return fffa_parity_leaves_out(&d->key, resolvers, n);
}

static void on_delta(void *arg, const struct fffa_delta *d)
{
	struct fffa_agent *a = arg;

	fffa_interfaces_count(&a->interfaces, d->key.ifindex, d->key.view & FFFA_VIEW_EGRESS,
			      d->packets, d->bytes);
	if (a->conf->capture.parity_filter && is_left_out(a, d)) {
		fffa_amount_add(&a->ledger.filtered, d->packets, d->bytes);
		return;
	}
	fffa_nodata_seen(&a->nodata, d);
	fffa_flow_merge(a->flows, d);
}

static void on_expect(void *arg, const struct fffa_delta *d)
{
	struct fffa_agent *a = arg;

	fffa_flow_expect(a->flows, d);
}

static void on_record(void *arg, struct fffa_record *r)
{
	struct fffa_agent *a = arg;

	if (a->live && !a->identity_known && fffa_pending_records_add(&a->pending, r))
		return;
	r->sampled = a->replay ? 0 : (uint32_t)a->conf->capture.sample;
	r->tunnel = a->replay ? fffa_replay_tunnel(a->replay, r->key.tunnel)
			      : fffa_live_tunnel(a->live, r->key.tunnel);
	fffa_meta_apply(a->meta, r);
	fffa_pipeline_record(a->pipeline, r);
}

/* Expiry and the final flush, a bounded slice each turn. */
static void on_sweep(uv_idle_t *h)
{
	struct fffa_agent *a = h->data;
	bool more;

	if (a->stage == FFFA_STAGE_FLUSH) {
		if (!fffa_pipeline_has_room(a->pipeline) && !a->hurry) {
			(void)uv_idle_stop(h);
			(void)uv_timer_start(&a->wait, fffa_agent__on_wait, 1, 0);
			return;
		}
		more = fffa_flow_flush(a->flows, FLOWS_PER_TURN);
		if (!more) {
			(void)uv_idle_stop(h);
			fffa_agent__close_pipeline(a);
		}
		return;
	}
	more = fffa_flow_expire(a->flows, FLOWS_PER_TURN);
	if (!more)
		(void)uv_idle_stop(h);
}

void fffa_agent__on_wait(uv_timer_t *h)
{
	struct fffa_agent *a = h->data;

	(void)uv_idle_start(&a->sweep, on_sweep);
}

/* What was lost since the last time goes into the stream, too. */
static void tell_loss(struct fffa_agent *a)
{
	fffa_skipdata_emit(&a->skip, &a->ledger, (int64_t)(a->unix_ns / FFFA_NS_PER_MS),
			   a->only_ifindex, on_record, a);
}

static void mark_devices(struct fffa_agent *a, bool last)
{
	const struct fffa_hooked *hooks;
	size_t n;

	hooks = fffa_live_hooks(a->live, &n);
	fffa_checkpoint_note(&a->restart, hooks, n, last);
}

static void on_draining(void *arg)
{
	mark_devices(arg, false);
}

/* After each turn of the live source. */
static void on_turn(void *arg)
{
	struct fffa_agent *a = arg;

	fffa_agent__set_time(a);
	if (a->stage == FFFA_STAGE_RUN)
		fffa_checkpoint_save(&a->restart, fffa_flow_held(a->flows),
				     (int64_t)(a->unix_ns / FFFA_NS_PER_MS));
	if (!a->identity_known || a->stage != FFFA_STAGE_RUN)
		return;
	tell_loss(a);
	fffa_nodata_turn(&a->nodata, &a->ledger, a->mono_ns, a->unix_ns, on_record, a);
	(void)uv_idle_start(&a->sweep, on_sweep);
}

/* The identity is known, or will not be for now: records may leave. */
static void on_identity(void *arg)
{
	struct fffa_agent *a = arg;

	a->identity_known = true;
	fffa_pending_records_release(&a->pending, on_record, a);
}

static void on_source_done(void *arg)
{
	struct fffa_agent *a = arg;

	fffa_agent__set_time(a);
	on_identity(a);
	tell_loss(a);
	a->stage = FFFA_STAGE_FLUSH;
	(void)uv_idle_start(&a->sweep, on_sweep);
}

static void on_replay_time(void *arg, uint64_t unix_ns)
{
	struct fffa_agent *a = arg;

	if (!a->unix_ns)
		a->skip.since_ms = (int64_t)(unix_ns / FFFA_NS_PER_MS);
	a->unix_ns = unix_ns;
	fffa_flow_set_time(a->flows, unix_ns, unix_ns);
	if (unix_ns < a->next_expiry_ns)
		return;
	a->next_expiry_ns = unix_ns + REPLAY_EXPIRE_NS;
	tell_loss(a);
	while (fffa_flow_expire(a->flows, FLOWS_PER_TURN)) {
	}
}

static bool on_has_room(void *arg)
{
	struct fffa_agent *a = arg;

	/* Asked before each piece: a replay waits for the metadata that was asked for, too. */
	return fffa_meta_settled(a->meta) && fffa_pipeline_has_room(a->pipeline);
}

static void on_replay_ended(void *arg, int error)
{
	struct fffa_agent *a = arg;

	if (error)
		a->code = FFFA_EXIT_FAILED;
	on_source_done(a);
}

/* From here on shutdown_timeout runs. */
static void bound(struct fffa_agent *a)
{
	a->deadline_ns =
		fffa_clock_mono_ns(&fffa_clock_system) + (uint64_t)a->conf->shutdown_timeout_ns;
	a->bounded = true;
	(void)uv_timer_start(&a->limit, fffa_agent__on_limit,
			     (uint64_t)a->conf->shutdown_timeout_ns / FFFA_NS_PER_MS, 0);
}

/* Until the deadline; 0: there is none. */
static uint64_t left_ns(const struct fffa_agent *a)
{
	uint64_t now = fffa_clock_mono_ns(&fffa_clock_system);

	if (!a->bounded)
		return 0;
	return a->deadline_ns > now ? a->deadline_ns - now : 1;
}

void fffa_agent__begin_stop(struct fffa_agent *a)
{
	if (a->bounded) {
		a->hurry = true; /* asked twice: do not wait for room */
		return;
	}
	bound(a);
	fffa_info("agent", "stopping");
	if (a->stage !=
	    FFFA_STAGE_RUN) { /* a replay that ended by itself: it delivered without a limit */
		if (a->pipeline && a->stage == FFFA_STAGE_CLOSE)
			fffa_pipeline_limit(a->pipeline, left_ns(a));
		return;
	}
	a->stage = FFFA_STAGE_STOP;
	(void)uv_idle_stop(&a->sweep);
	if (a->live) {
		mark_devices(a, true);
		fffa_live_stop(a->live);
	} else {
		fffa_replay_stop(a->replay);
	}
}

void fffa_agent__on_limit(uv_timer_t *h)
{
	struct fffa_agent *a = h->data;

	a->hurry = true; /* what finds no room from here on is counted as lost */
}

static void on_meta_closed(void *arg)
{
	(void)arg; /* its memory is its own; the loop ends when every handle is gone */
}

static void close_rest(struct fffa_agent *a)
{
	uv_handle_t *handles[] = {(uv_handle_t *)&a->sweep, (uv_handle_t *)&a->wait,
				  (uv_handle_t *)&a->limit};

	for (size_t i = 0; i < sizeof(handles) / sizeof(handles[0]); i++)
		uv_close(handles[i], NULL);
	for (size_t i = 0; i < FFFA_AGENT_SIGNALS; i++)
		uv_close((uv_handle_t *)&a->signals[i], NULL);
	if (a->meta)
		fffa_meta_close(a->meta, on_meta_closed, NULL);
	fffa_status_close(a->status);
	a->status = NULL;
	if (a->live)
		fffa_live_close(a->live);
	a->live = NULL; /* the ledger is as of its last turn from here on */
	if (a->replay)
		fffa_replay_close(a->replay);
}

static void on_pipeline_closed(void *arg, struct fffa_pipeline *p)
{
	struct fffa_agent *a = arg;

	fffa_agent__log_sinks(p);
	for (size_t i = 0; i < fffa_pipeline_sink_count(p); i++) {
		if (!fffa_ledger_sink_balances(fffa_pipeline_sink_ledger(p, i)))
			a->code = FFFA_EXIT_FAILED;
		if (a->replay && (fffa_ledger_sink_lost(fffa_pipeline_sink_ledger(p, i)) ||
				  fffa_pipeline_sink_ledger(p, i)->rejected))
			a->code = FFFA_EXIT_FAILED; /* a replay that lost records has not done its
						       job */
	}
	a->pipeline = NULL;
	close_rest(a);
}

void fffa_agent__close_pipeline(struct fffa_agent *a)
{
	a->stage = FFFA_STAGE_CLOSE;
	fffa_checkpoint_save(&a->restart, (struct fffa_amount){0, 0},
			     (int64_t)(a->unix_ns / FFFA_NS_PER_MS));
	fffa_pipeline_close(a->pipeline, left_ns(a), on_pipeline_closed, a);
}

static void identify(void *arg, struct fffa_record *r)
{
	const struct fffa_agent *a = arg;

	fffa_meta_apply(a->meta, r);
}

static int open_common(struct fffa_agent *a, const struct fffa_metadata_conf *meta, bool no_spool,
		       struct fffa_err *err)
{
	static const int signals[FFFA_AGENT_SIGNALS] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1};
	struct fffa_flow_conf fc = {
		.idle_ns = (uint64_t)a->conf->flows.idle_timeout_ns,
		.active_ns = (uint64_t)a->conf->flows.active_timeout_ns,
		/* Half an interval for the last packets, at most one more until the next turn. */
		.linger_ns = (uint64_t)a->conf->capture.drain_interval_ns / 2,
		.max_flows = (uint32_t)a->conf->flows.max_flows,
	};
	struct fffa_pipeline_env env = {.identify = identify, .arg = a, .no_spool = no_spool};
	int r;

	(void)uv_idle_init(&a->loop, &a->sweep);
	(void)uv_timer_init(&a->loop, &a->wait);
	(void)uv_timer_init(&a->loop, &a->limit);
	a->sweep.data = a->wait.data = a->limit.data = a;
	a->handles = true;
	for (size_t i = 0; i < FFFA_AGENT_SIGNALS; i++) {
		(void)uv_signal_init(&a->loop, &a->signals[i]);
		a->signals[i].data = a;
		(void)uv_signal_start(&a->signals[i], fffa_agent__on_signal, signals[i]);
	}
	(void)signal(SIGPIPE, SIG_IGN); /* a closed pipe and a full quota are the sink's news */
	(void)signal(SIGXFSZ, SIG_IGN);
	r = fffa_flow_table_new(&fc, &a->ledger, on_record, a, &a->flows);
	if (r)
		return fffa_fail(err, -r, "no memory for the flow table: lower flows.max_flows");
	r = fffa_meta_open(&a->loop, meta, &a->meta, err);
	if (r)
		return r;
	return fffa_pipeline_open(&a->loop, a->conf,
				  fffa_clock_unix_ns(&fffa_clock_system) / FFFA_NS_PER_MS, &env,
				  &a->pipeline, err);
}

static int tell_devices(struct fffa_agent *a, const struct fffa_netdev *devices, size_t n)
{
	struct fffa_device d[FFFA_LIVE_DEVICES_LIST_MAX];

	for (size_t i = 0; i < n; i++) {
		d[i].ifindex = devices[i].ifindex;
		memcpy(d[i].name, devices[i].name, sizeof(d[i].name));
		memcpy(d[i].mac, devices[i].mac, sizeof(d[i].mac));
	}
	fffa_interfaces_clear(&a->interfaces);
	for (size_t i = 0; i < n; i++)
		fffa_interfaces_name(&a->interfaces, devices[i].ifindex, devices[i].name);
	a->only_ifindex = n == 1 ? devices[0].ifindex : 0;
	return fffa_meta_set_devices(a->meta, d, n);
}

static void on_devices(void *arg, const struct fffa_netdev *devices, size_t n)
{
	if (tell_devices(arg, devices, n))
		fffa_error("agent",
			   "no memory for the devices: the identity of new ones is not known");
	fffa_agent__watch_idle(arg, fffa_clock_mono_ns(&fffa_clock_system));
}

static void on_addresses(void *arg)
{
	struct fffa_agent *a = arg;

	fffa_meta_addresses_changed(a->meta);
}

/* What passed since the last agent counted is seen, and lost. */
static void count_gap(struct fffa_agent *a)
{
	const struct fffa_hooked *hooks;
	struct fffa_amount gap;
	size_t n;

	hooks = fffa_live_hooks(a->live, &n);
	gap = fffa_checkpoint_gap(&a->restart, hooks, n, &a->skip.since_ms);
	if (!gap.packets)
		return;
	fffa_amount_add(&a->ledger.unattended, gap.packets, gap.bytes);
	fffa_amount_add(&a->ledger.lost[FFFA_PL_NOT_ATTACHED], gap.packets, gap.bytes);
	fffa_warn("restart", "not counted since the last agent packets=%llu bytes=%llu",
		  (unsigned long long)gap.packets, (unsigned long long)gap.bytes);
}

static int start_live(struct fffa_agent *a, struct fffa_err *err)
{
	struct fffa_live_events ev = {.delta = on_delta,
				      .expect = on_expect,
				      .draining = on_draining,
				      .turn = on_turn,
				      .devices = on_devices,
				      .addresses = on_addresses,
				      .stopped = on_source_done,
				      .arg = a};
	struct fffa_netdevs devices;
	int r = fffa_privileges_check(err);

	if (!r)
		r = fffa_devices_select(&a->conf->capture, &devices, err);
	if (!r)
		r = fffa_agent__open_status(a, err);
	if (!r)
		r = open_common(a, &a->conf->metadata, false, err);
	if (r)
		return r;
	r = tell_devices(a, devices.v, devices.n);
	if (r)
		return fffa_fail(err, -r, "no memory for the devices");
	fffa_agent__set_time(a);
	a->skip.since_ms = (int64_t)(a->unix_ns / FFFA_NS_PER_MS);
	r = fffa_live_open(&a->loop, &a->conf->capture, &devices, &a->ledger, &ev, &a->live, err);
	if (r)
		return r;
	fffa_checkpoint_init(&a->restart, &a->loop, a->conf->spool_dir);
	count_gap(a);
	fffa_agent__watch_nodata(a);
	fffa_meta_wait(a->meta, METADATA_WAIT_NS, on_identity, a);
	return 0;
}

static int start_replay(struct fffa_agent *a, struct fffa_replay_conf *conf, struct fffa_err *err)
{
	struct fffa_replay_events ev = {.delta = on_delta,
					.time = on_replay_time,
					.has_room = on_has_room,
					.ended = on_replay_ended,
					.arg = a};
	int r;

	/* A capture from elsewhere must not get this host's identity by itself. */
	a->replay_meta = a->conf->metadata;
	if (a->replay_meta.imds.enabled == FFFA_SW_AUTO)
		a->replay_meta.imds.enabled = FFFA_SW_OFF;
	a->replay_meta.ecs = FFFA_ECS_OFF;
	conf->capture = &a->conf->capture;
	r = open_common(a, &a->replay_meta, true, err);
	if (!r)
		r = fffa_replay_open(&a->loop, conf, &a->ledger, &ev, &a->replay, err);
	return r;
}

static enum fffa_exit exit_code_of(int r)
{
	return r == -EPERM || r == -EACCES ? FFFA_EXIT_PRIVILEGE : FFFA_EXIT_FAILED;
}

/* Everything is closed: the books. */
static void finish(struct fffa_agent *a)
{
	fffa_agent__log_ledger(a);
	if (!fffa_ledger_balances(&a->ledger, fffa_flow_held(a->flows))) {
		fffa_error("ledger", "the counts do not balance: please report this");
		a->code = FFFA_EXIT_FAILED;
	}
}

static enum fffa_exit run(struct fffa_agent *a, struct fffa_replay_conf *replay)
{
	struct fffa_err err = {""};
	int r = uv_loop_init(&a->loop);

	if (r) {
		fffa_error("agent", "cannot make an event loop: %s", uv_strerror(r));
		return FFFA_EXIT_FAILED;
	}
	fffa_assert_set_dump(fffa_agent__dump_ledgers, a);
	r = replay ? start_replay(a, replay, &err) : start_live(a, &err);
	if (r) {
		fffa_error("agent", "%s", err.text);
		a->code = exit_code_of(r);
		a->stage = FFFA_STAGE_CLOSE;
		if (a->pipeline)
			fffa_pipeline_close(a->pipeline, 1, on_pipeline_closed, a);
		else if (a->handles)
			close_rest(a);
	}
	(void)uv_run(&a->loop, UV_RUN_DEFAULT);
	if (!r)
		finish(a);
	fffa_assert_set_dump(NULL, NULL);
	fffa_flow_table_free(a->flows);
	r = uv_loop_close(&a->loop);
	if (r) {
		fffa_error("agent", "the event loop did not close: %s", uv_strerror(r));
		a->code = FFFA_EXIT_FAILED;
	}
	return a->code;
}

enum fffa_exit fffa_agent_run(struct fffa_config *conf, const char *config_file)
{
	struct fffa_agent a = {
		.conf = conf, .reloadable = conf, .config_file = config_file, .code = FFFA_EXIT_OK};

	return run(&a, NULL);
}

enum fffa_exit fffa_agent_replay(const struct fffa_config *conf, struct fffa_replay_conf *r)
{
	struct fffa_agent a = {.conf = conf, .code = FFFA_EXIT_OK};

	return run(&a, r);
}
