// SPDX-License-Identifier: MIT
/* Wires the stages and starts them; agent_events.c runs them, agent_stop.c stops them. */
#include "agent/daemon/agent.h"

#include <errno.h>
#include <string.h>

#include "agent/base/assert.h"
#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/daemon/agent_internal.h"
#include "agent/daemon/ledger_log.h"
#include "agent/daemon/reload.h"
#include "agent/daemon/status_view.h"
#include "agent/loop/disk.h"
#include "agent/service/start_watch.h"
#include "agent/service/syscall_filter.h"

#define START_SAY_NS (10 * FFFA_NS_PER_S)

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
		.wants = fffa_agent__is_wanted,
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
	rc = fffa_flow_table_new(&fc, &a->ledger, fffa_agent__on_record, a, &a->flows);
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
		rc = fffa_agent__start_source(a, err);
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
