// SPDX-License-Identifier: MIT
/* Wires the stages and starts them; agent_stop.c stops them. */
#include "agent/daemon/agent.h"

#include <errno.h>
#include <string.h>

#include "agent/base/assert.h"
#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/base/minmax.h"
#include "agent/capture/live_devices.h"
#include "agent/daemon/agent_internal.h"
#include "agent/daemon/ledger_log.h"
#include "agent/daemon/nodata_watch.h"
#include "agent/daemon/reload.h"
#include "agent/daemon/status_view.h"
#include "agent/flow/parity.h"
#include "agent/loop/disk.h"
#include "agent/service/start_watch.h"
#include "agent/service/syscall_filter.h"

#define FLOWS_PER_TURN	 8192
#define PATIENCE_NS	 (5 * FFFA_NS_PER_S) /* a sink that takes nothing for so long is away */
#define WAIT_MS		 2		     /* until the next look for room */
#define METADATA_WAIT_NS (5 * FFFA_NS_PER_S)
#define START_SAY_NS	 (10 * FFFA_NS_PER_S)
#define TUNNEL_WARN_NS	 (60 * FFFA_NS_PER_S) /* the log says so at most this often */

static void set_time(void *arg)
{
	struct fffa_agent *a = arg;

	fffa_source_now(a->source, &a->mono_ns, &a->unix_ns);
	fffa_flow_set_time(a->flows, a->mono_ns, a->unix_ns);
}

/* For fffa_assert_set_dump. Does not ask the source, which may be what is broken. */
static void dump_ledgers(void *arg)
{
	const struct fffa_agent *a = arg;
	struct fffa_amount held = {0, 0};

	if (a->flows)
		held = fffa_flow_held(a->flows);
	fffa_ledger_log_packets(FFFA_LOG_ERROR, &a->ledger, held);
	if (a->pipeline)
		fffa_ledger_log_sinks(FFFA_LOG_ERROR, a->pipeline);
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
	if (a->filter && !fffa_filter_reads_flags(a->filter) &&
	    !fffa_filter_passes(a->filter, &d->key, 0)) {
		fffa_amount_add(&a->ledger.filtered, d->packets, d->bytes);
		return;
	}
	fffa_flow_merge(a->flows, d);
}

/* The flags of a window are known when it ends, so a filter that reads them is asked then. */
static bool is_wanted(void *arg, const struct fffa_record *r)
{
	const struct fffa_agent *a = arg;

	return !a->filter || !fffa_filter_reads_flags(a->filter) ||
	       fffa_filter_passes(a->filter, &r->key, r->flags);
}

/* Records that wait for the identity may have any id. */
static bool on_tunnel_used(void *arg, uint16_t id)
{
	const struct fffa_agent *a = arg;

	return !a->identity_known || fffa_flow_tunnel_flows(a->flows, id);
}

static void on_expect(void *arg, const struct fffa_delta *d)
{
	const struct fffa_agent *a = arg;

	fffa_flow_expect(a->flows, d);
}

static void on_record(void *arg, struct fffa_record *r)
{
	struct fffa_agent *a = arg;

	if (!a->identity_known && fffa_pending_records_add(&a->pending, r))
		return;
	r->sampled = a->source->sampled;
	r->tunnel = fffa_source_tunnel(a->source, r->key.tunnel);
	fffa_meta_apply(a->meta, r);
	fffa_meta_count_traffic(a->meta, r);
	fffa_pipeline_record(a->pipeline, r);
	fffa_status_record(a->status, r);
}

static void on_sweep(uv_idle_t *h);

static void on_wait(uv_timer_t *h)
{
	struct fffa_agent *a = h->data;

	(void)uv_idle_start(&a->sweep, on_sweep);
}

static void wait_for_room(struct fffa_agent *a)
{
	(void)uv_idle_stop(&a->sweep);
	(void)uv_timer_start(&a->wait, on_wait, WAIT_MS, 0);
}

/*
 * At the end. A replay waits for every sink. A live source has shutdown_timeout only, so it waits
 * for those that work: what is left for the last moment is lost for all of them.
 */
static bool flush_should_wait(const struct fffa_agent *a)
{
	uint64_t patience_ns =
		fffa_min_u64(PATIENCE_NS, (uint64_t)a->conf->shutdown_timeout_ns / 2);

	if (a->ignore_room)
		return false;
	return a->source->repeatable ? !fffa_pipeline_has_room(a->pipeline)
				     : fffa_pipeline_should_wait(a->pipeline, patience_ns);
}

/*
 * Many flows may be due at once. They wait in the flow table for a sink that works, until the table
 * needs their room.
 */
static bool expiry_should_wait(const struct fffa_agent *a)
{
	uint32_t max_flows = (uint32_t)a->conf->flows.max_flows;

	return fffa_flow_count(a->flows) < max_flows - max_flows / 8 &&
	       fffa_pipeline_should_wait(a->pipeline, PATIENCE_NS);
}

/* Ends a bounded number of flows each turn, while the pipeline has room. */
static void flush_slice(struct fffa_agent *a)
{
	if (flush_should_wait(a)) {
		wait_for_room(a);
		return;
	}
	if (fffa_flow_flush(a->flows, FLOWS_PER_TURN))
		return;
	(void)uv_idle_stop(&a->sweep);
	fffa_agent__close_pipeline(a);
}

static void on_sweep(uv_idle_t *h)
{
	struct fffa_agent *a = h->data;

	if (a->stage == FFFA_STAGE_FLUSH)
		flush_slice(a);
	else if (expiry_should_wait(a))
		wait_for_room(a);
	else if (!fffa_flow_expire(a->flows, FLOWS_PER_TURN))
		(void)uv_idle_stop(h);
}

/* Puts what was lost since the last call into the stream. */
static void emit_losses(struct fffa_agent *a)
{
	uint64_t unnamed = a->ledger.no_tunnel_id - a->skip.reported_no_tunnel_id;

	if (unnamed && (!a->tunnel_warn_ns || a->mono_ns - a->tunnel_warn_ns > TUNNEL_WARN_NS)) {
		a->tunnel_warn_ns = a->mono_ns;
		fffa_warn(
			"capture",
			"no tunnel id is free: packets in new tunnels are recorded as the packets "
			"around them, until flows of others are over packets=%llu",
			(unsigned long long)a->ledger.no_tunnel_id);
	}
	fffa_skipdata_emit(&a->skip, &a->ledger, fffa_agent__now_ms(a), a->only_ifindex, on_record,
			   a);
}

static void on_since(void *arg, int64_t unix_ms)
{
	struct fffa_agent *a = arg;

	a->skip.since_ms = unix_ms;
}

static void on_turn(void *arg)
{
	struct fffa_agent *a = arg;

	set_time(a);
	if (a->stage == FFFA_STAGE_RUN)
		fffa_source_checkpoint(a->source, fffa_flow_held(a->flows), fffa_agent__now_ms(a));
	if (!a->identity_known || a->stage != FFFA_STAGE_RUN)
		return;
	emit_losses(a);
	fffa_nodata_turn(&a->nodata, &a->ledger, a->mono_ns, a->unix_ns, on_record, a);
	(void)uv_idle_start(&a->sweep, on_sweep);
}

static void on_elapsed(void *arg)
{
	struct fffa_agent *a = arg;

	emit_losses(a);
	while (fffa_flow_expire(a->flows, FLOWS_PER_TURN)) {
	}
}

/* The identity is known, or not expected any more: records may leave. */
static void on_identity(void *arg)
{
	struct fffa_agent *a = arg;

	a->identity_known = true;
	fffa_pipeline_report_missing(a->pipeline);
	fffa_pending_records_release(&a->pending, on_record, a);
}

static bool on_has_room(void *arg)
{
	const struct fffa_agent *a = arg;

	return fffa_meta_settled(a->meta) && fffa_pipeline_has_room(a->pipeline);
}

/* One id would name several interfaces. Later, a device that comes has none. */
static bool is_id_ambiguous(const struct fffa_agent *a, size_t n)
{
	return !a->started && n > 1 && fffa_source_names_one_interface(a->conf);
}

static int on_devices(void *arg, const struct fffa_netdev *devices, size_t n)
{
	struct fffa_device d[FFFA_LIVE_DEVICES_LIST_MAX];
	struct fffa_agent *a = arg;

	if (is_id_ambiguous(a, n)) {
		a->misconfigured = true;
		return -EINVAL;
	}

	for (size_t i = 0; i < n; i++) {
		d[i].ifindex = devices[i].ifindex;
		memcpy(d[i].name, devices[i].name, sizeof(d[i].name));
		memcpy(d[i].mac, devices[i].mac, sizeof(d[i].mac));
	}
	fffa_interfaces_clear(&a->interfaces);
	for (size_t i = 0; i < n; i++)
		fffa_interfaces_name(&a->interfaces, devices[i].ifindex, devices[i].name);
	a->only_ifindex = n == 1 ? devices[0].ifindex : 0;
	fffa_nodata_watch_devices(&a->nodata, a->source);
	return fffa_meta_set_devices(a->meta, d, n);
}

static void on_addresses(void *arg)
{
	struct fffa_agent *a = arg;

	fffa_meta_addresses_changed(a->meta);
}

static void on_source_ended(void *arg, int error)
{
	struct fffa_agent *a = arg;

	FFFA_ASSERT(a->stage < FFFA_STAGE_FLUSH);
	if (error)
		a->code = FFFA_EXIT_FAILED;
	set_time(a);
	on_identity(a);
	emit_losses(a);
	a->stage = FFFA_STAGE_FLUSH;
	(void)uv_idle_start(&a->sweep, on_sweep);
}

static void on_usr1(void *arg)
{
	struct fffa_agent *a = arg;

	if (!a->flows)
		return; /* the start failed */
	fffa_ledger_log_packets(FFFA_LOG_INFO, &a->ledger, fffa_agent__held(a));
	if (a->stage < FFFA_STAGE_CLOSE)
		fffa_ledger_log_sinks(FFFA_LOG_INFO, a->pipeline);
}

static void open_handles(struct fffa_agent *a)
{
	const struct fffa_signals_events ev = {.stop = fffa_agent__stop,
					       .reload = fffa_reload_on_hup,
					       .report = on_usr1,
					       .arg = a};

	(void)uv_idle_init(&a->loop, &a->sweep);
	(void)uv_timer_init(&a->loop, &a->wait);
	(void)uv_timer_init(&a->loop, &a->limit);
	(void)uv_timer_init(&a->loop, &a->overtime);
	uv_unref((uv_handle_t *)&a->overtime);
	a->sweep.data = a->wait.data = a->limit.data = a->overtime.data = a;
	fffa_signals_open(&a->signals, &a->loop, &ev);
	if (a->reloadable)
		fffa_notify_open(&a->notify, &a->loop, fffa_status_view_line, a);
	a->handles = true;
}

static void identify_record(void *arg, struct fffa_record *r)
{
	const struct fffa_agent *a = arg;

	fffa_meta_apply(a->meta, r);
}

/* A start that waits for a disk for ever would not even end on TERM. */
static int await_spool_dir(const struct fffa_agent *a, struct fffa_err *err)
{
	const char *dir = a->source->repeatable ? NULL : a->conf->spool_dir;

	if (!dir || !*dir || fffa_disk_await(dir, FFFA_DISK_WAIT_NS) != -ETIMEDOUT)
		return 0;
	return fffa_fail(err, ETIMEDOUT, "spool_dir: the disk of %s does not answer within 10 s",
			 dir);
}

static int open_stages(struct fffa_agent *a, struct fffa_err *err)
{
	const struct fffa_flow_conf fc = {
		.idle_ns = (uint64_t)a->conf->flows.idle_timeout_ns,
		.active_ns = (uint64_t)a->conf->flows.active_timeout_ns,
		/*
		 * Half an interval for the last packets; the next turn comes at most one
		 * interval later.
		 */
		.linger_ns = (uint64_t)a->conf->capture.drain_interval_ns / 2,
		.max_flows = (uint32_t)a->conf->flows.max_flows,
		.wants = is_wanted,
	};
	const struct fffa_pipeline_env env = {
		.identify = identify_record,
		.arg = a,
		.no_spool = a->source->repeatable,
		.boot_epoch = !a->source->repeatable,
		.stalled = a->source->repeatable ? fffa_agent__stalled : NULL,
		.patience_ns = (uint64_t)a->conf->shutdown_timeout_ns};
	uint64_t epoch = fffa_clock_unix_ns(&fffa_clock_system) / FFFA_NS_PER_MS;
	int rc = fffa_filter_new(a->conf->capture.filter, &a->filter, err);

	if (rc)
		return rc;
	rc = fffa_flow_table_new(&fc, &a->ledger, on_record, a, &a->flows);
	if (rc)
		return fffa_fail(err, -rc, "no memory for the flow table: lower flows.max_flows");
	rc = fffa_meta_open(&a->loop, a->source->metadata, &a->meta, err);
	a->misconfigured = rc == -EINVAL;
	if (rc)
		return rc;
	rc = await_spool_dir(a, err);
	if (rc)
		return rc;
	rc = fffa_pipeline_open(&a->loop, a->conf, epoch, &env, &a->pipeline, err);
	a->misconfigured = rc && rc != -ENOMEM && rc != -EAGAIN && rc != -EMFILE && rc != -ENFILE &&
			   rc != -ETIMEDOUT && rc != -EBADF /* standard output is closed */;
	return rc;
}

static void on_source_changed(void *arg)
{
	struct fffa_agent *a = arg;

	fffa_nodata_watch_follow(&a->nodata, a->conf, a->source);
}

static int start_source(struct fffa_agent *a, struct fffa_err *err)
{
	const struct fffa_source_events ev = {.delta = on_delta,
					      .expect = on_expect,
					      .counted = fffa_status_view_counted,
					      .tunnel_used = on_tunnel_used,
					      .time = set_time,
					      .since = on_since,
					      .turn = on_turn,
					      .elapsed = on_elapsed,
					      .changed = on_source_changed,
					      .has_room = on_has_room,
					      .devices = on_devices,
					      .addresses = on_addresses,
					      .ended = on_source_ended,
					      .arg = a};
	int rc = fffa_source_start(a->source, &a->loop, &a->ledger, &ev, err);

	if (rc)
		return rc;
	fffa_source_limit_window(a->source, (uint64_t)a->conf->flows.active_timeout_ns);
	fffa_nodata_watch_start(&a->nodata, a->conf, a->source);
	a->identity_known = a->source->repeatable; /* on_has_room has it wait for the metadata */
	if (!a->identity_known)
		fffa_meta_wait(a->meta, METADATA_WAIT_NS, on_identity, a);
	return 0;
}

static int start_stages(struct fffa_agent *a, struct fffa_start_watch *watch, struct fffa_err *err)
{
	int rc;

	fffa_start_watch_note(watch, "the address of the status pages is opened");
	rc = fffa_status_view_open(a, err);
	if (rc)
		return rc;
	open_handles(a);
	fffa_start_watch_note(watch, "spool_dir, spools and sinks are opened");
	rc = open_stages(a, err);
	if (!rc)
		rc = fffa_reload_watch_open(a, err);
	fffa_start_watch_note(watch, "the hooks are attached, the checkpoint is read");
	if (!rc)
		rc = start_source(a, err);
	return rc;
}

static int start_agent(struct fffa_agent *a, struct fffa_err *err)
{
	uint64_t leave_ns =
		(uint64_t)a->conf->shutdown_timeout_ns + FFFA_AGENT_OVERTIME_MS * FFFA_NS_PER_MS;
	struct fffa_start_watch *watch = fffa_start_watch_begin(START_SAY_NS, leave_ns);
	int rc = start_stages(a, watch, err);

	fffa_start_watch_end(watch);
	if (a->handles) /* else the process ends at once */
		fffa_signals_release();
	if (!rc)
		fffa_notify_ready(&a->notify);
	return rc;
}

static enum fffa_exit exit_code_of(const struct fffa_agent *a, int error)
{
	if (a->misconfigured)
		return FFFA_EXIT_CONFIG;
	return error == -EPERM || error == -EACCES ? FFFA_EXIT_PRIVILEGE : FFFA_EXIT_FAILED;
}

/* Closes, on the loop, what was opened before the start failed. */
static void abandon_start(struct fffa_agent *a, int error)
{
	a->code = exit_code_of(a, error);
	a->stage = FFFA_STAGE_CLOSE;
	if (a->handles)
		fffa_agent__start_deadline(a);
	if (a->pipeline)
		fffa_pipeline_close(a->pipeline, 1, fffa_agent__on_pipeline_closed, a);
	else if (a->handles)
		fffa_agent__close_rest(a);
	else
		fffa_source_close(a->source);
}

static enum fffa_exit run_loop(struct fffa_agent *a)
{
	struct fffa_err err = {""};
	int rc = uv_loop_init(&a->loop);

	if (rc) {
		fffa_error("agent", "cannot create an event loop: %s", uv_strerror(rc));
		return FFFA_EXIT_FAILED;
	}
	fffa_assert_set_dump(dump_ledgers, a);
	rc = start_agent(a, &err);
	if (rc) {
		fffa_error("agent", "%s%s", err.text,
			   rc == -EAGAIN ? "; if threads are missing, raise TasksMax=, ulimit -u "
					   "or the container's pids limit"
					 : "");
		abandon_start(a, rc);
	}
	a->started = !rc;
	fffa_agent__end_loop(a);
	if (!rc)
		fffa_agent__check_ledger(a);
	fffa_assert_set_dump(NULL, NULL);
	fffa_flow_table_free(a->flows);
	fffa_filter_free(a->filter);
	rc = uv_loop_close(&a->loop);
	if (rc) {
		fffa_error("agent", "the event loop did not close: %s", uv_strerror(rc));
		a->code = FFFA_EXIT_FAILED;
	}
	return a->code;
}

/* While there is one thread; those to come inherit the filter. */
static void restrict_system_calls(const struct fffa_agent *a)
{
	struct fffa_err err = {""};
	int rc = a->conf->seccomp ? fffa_syscall_filter_apply(&err) : 0;

	if (rc)
		fffa_log(rc == -ENOTSUP ? FFFA_LOG_DEBUG : FFFA_LOG_WARN, "agent", "%s", err.text);
}

/* A reader of standard error that stands still must not hold up the loop. */
static enum fffa_exit run_with_log(struct fffa_agent *a)
{
	int rc = fffa_log_start_thread();
	enum fffa_exit code;

	if (rc)
		fffa_warn("agent", "cannot start a thread for the log: %s", strerror(-rc));
	code = run_loop(a);
	fffa_log_stop_thread(FFFA_AGENT_LOG_MS);
	return code;
}

/* Frees a->source. */
static enum fffa_exit run_agent(struct fffa_agent *a)
{
	struct fffa_err err = {"no memory"};
	enum fffa_exit code;
	int rc;

	fffa_signals_hold(); /* loading takes a moment */
	rc = a->source ? fffa_source_prepare(a->source, &err) : -ENOMEM;

	if (rc) {
		fffa_error("agent", "%s", err.text);
		code = exit_code_of(a, rc);
		if (a->source)
			fffa_source_close(a->source);
	} else {
		restrict_system_calls(a);
		code = run_with_log(a);
	}
	fffa_source_free(a->source);
	return code;
}

enum fffa_exit fffa_agent_run(struct fffa_config *conf, const char *config_file)
{
	struct fffa_agent a = {.conf = conf,
			       .reloadable = conf,
			       .config_file = config_file,
			       .listen = conf->status.listen,
			       .source = fffa_source_live_new(conf)};

	return run_agent(&a);
}

enum fffa_exit fffa_agent_replay(const struct fffa_config *conf,
				 const struct fffa_replay_conf *replay)
{
	struct fffa_agent a = {.conf = conf, .source = fffa_source_replay_new(conf, replay)};

	return run_agent(&a);
}
