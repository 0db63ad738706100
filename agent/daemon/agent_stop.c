// SPDX-License-Identifier: MIT
/*
 * Stops the agent, one function after the other (agent/README.md has the same list):
 *
 *   fffa_agent__stop                timers stop; the source stops: hooks are detached, table and
 *                                   ring are drained (a replay reads no further)
 *   on_source_ended                 in agent_events.c; no delta follows: all flows expire (forced), as fast
 *                                   as the pipeline has room
 *   fffa_agent__close_pipeline      open batches are sealed and delivered until shutdown_timeout;
 *                                   the rest stays in the spool or is counted as lost; then sinks
 *                                   and spools are closed
 *   fffa_agent__on_pipeline_closed  the sinks' ledgers are logged; the remaining handles are closed,
 *                                   so the loop ends
 *   fffa_agent__check_ledger        the packet ledger is logged and must balance
 *   run_loop                        in agent_events.c; uv_loop_close must succeed
 *
 * A thread may be stuck, as on a disk that stands still, and keep its sink from closing. So
 * on_overtime, a little after shutdown_timeout, counts what such sinks hold as lost, logs the same
 * ledgers and exits.
 */
#include <unistd.h>

#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/daemon/agent_internal.h"
#include "agent/daemon/ledger_log.h"

#define CLOSING_MS 300		       /* at least this long for sinks to close */
#define DRAIN_NS   (5 * FFFA_NS_PER_S) /* more than that for the last drains */

struct fffa_amount fffa_agent__held(struct fffa_agent *a)
{
	struct fffa_amount held = fffa_flow_held(a->flows), source = fffa_source_held(a->source);

	fffa_amount_add(&held, source.packets, source.bytes);
	return held;
}

static void on_limit(uv_timer_t *h)
{
	struct fffa_agent *a = h->data;

	a->ignore_room = true;
}

static void on_overtime(uv_timer_t *h);

void fffa_agent__start_deadline(struct fffa_agent *a)
{
	uint64_t timeout_ns = (uint64_t)a->conf->shutdown_timeout_ns;

	a->deadline_ns = fffa_clock_mono_ns(&fffa_clock_system) + timeout_ns;
	a->bounded = true;
	(void)uv_timer_start(&a->limit, on_limit, timeout_ns / FFFA_NS_PER_MS, 0);
	(void)uv_timer_start(&a->overtime, on_overtime,
			     timeout_ns / FFFA_NS_PER_MS + FFFA_AGENT_OVERTIME_MS, 0);
}

/* Time until the deadline, at least 1; 0: there is no deadline. */
static uint64_t left_ns(const struct fffa_agent *a)
{
	uint64_t now = fffa_clock_mono_ns(&fffa_clock_system);

	if (!a->bounded)
		return 0;
	return a->deadline_ns > now ? a->deadline_ns - now : 1;
}

void fffa_agent__stop(void *arg)
{
	struct fffa_agent *a = arg;

	if (a->bounded) {
		a->ignore_room = true; /* the second request */
		return;
	}
	fffa_agent__start_deadline(a);
	fffa_info("agent", "stopping");
	fffa_notify_stopping(&a->notify, (uint64_t)a->conf->shutdown_timeout_ns);
	if (a->stage != FFFA_STAGE_RUN) { /* a replay has ended and delivers without a deadline */
		if (a->pipeline && a->stage == FFFA_STAGE_CLOSE)
			fffa_pipeline_limit(a->pipeline, left_ns(a));
		return;
	}
	a->stage = FFFA_STAGE_STOP;
	(void)uv_idle_stop(&a->sweep);
	(void)uv_timer_stop(&a->wait);
	fffa_source_stop(a->source);
}

void fffa_agent__stalled(void *arg)
{
	struct fffa_agent *a = arg;

	a->code = FFFA_EXIT_FAILED;
	fffa_agent__stop(a);
	a->ignore_room = true;
	a->deadline_ns = fffa_clock_mono_ns(&fffa_clock_system);
	if (a->stage == FFFA_STAGE_CLOSE)
		fffa_pipeline_limit(a->pipeline, left_ns(a));
}

static void on_meta_closed(void *arg)
{
	(void)arg; /* it has freed itself; the loop ends when every handle is closed */
}

void fffa_agent__close_rest(struct fffa_agent *a)
{
	uv_close((uv_handle_t *)&a->sweep, NULL);
	uv_close((uv_handle_t *)&a->wait, NULL);
	uv_close((uv_handle_t *)&a->limit, NULL);
	fffa_signals_close(&a->signals);
	fffa_notify_close(&a->notify);
	fffa_reload_watch_close(a);
	if (a->meta)
		fffa_meta_close(a->meta, on_meta_closed, NULL);
	fffa_status_close(a->status);
	a->status = NULL;
	fffa_source_close(a->source);
}

static void check_sinks(struct fffa_agent *a, const struct fffa_pipeline *p)
{
	if (!fffa_ledger_log_final_sinks(p, a->source->repeatable))
		a->code = FFFA_EXIT_FAILED;
}

void fffa_agent__on_pipeline_closed(void *arg, struct fffa_pipeline *p)
{
	struct fffa_agent *a = arg;

	check_sinks(a, p);
	a->pipeline = NULL;
	fffa_agent__close_rest(a);
}

void fffa_agent__close_pipeline(struct fffa_agent *a)
{
	a->stage = FFFA_STAGE_CLOSE;
	fffa_source_checkpoint(a->source, (struct fffa_amount){0, 0}, fffa_agent__now_ms(a));
	if (a->bounded && uv_timer_get_due_in(&a->overtime) < CLOSING_MS)
		(void)uv_timer_start(&a->overtime, on_overtime, CLOSING_MS, 0);
	fffa_pipeline_close(a->pipeline, left_ns(a), fffa_agent__on_pipeline_closed, a);
}

void fffa_agent__check_ledger(struct fffa_agent *a)
{
	if (!fffa_ledger_log_final_packets(&a->ledger, fffa_agent__held(a)))
		a->code = FFFA_EXIT_FAILED;
}

/* A thread is stuck, so the loop does not end: the last ledgers, then the end of the process. */
static void exit_at_once(struct fffa_agent *a)
{
	if (a->pipeline) {
		fffa_pipeline_abandon(a->pipeline);
		check_sinks(a, a->pipeline);
	} else {
		fffa_warn("agent", "a thread still waits, perhaps for a disk that stands still; "
				   "ending without it");
	}
	if (a->started)
		fffa_agent__check_ledger(a);
	(void)fffa_log_flush(FFFA_AGENT_LOG_MS);
	_exit(a->code);
}

/* The loop works on the flows that it holds; this takes long only when they are very many. */
static bool is_still_flushing(const struct fffa_agent *a)
{
	uint64_t late_ns = fffa_clock_mono_ns(&fffa_clock_system) - a->deadline_ns;

	return a->stage == FFFA_STAGE_FLUSH || (a->stage == FFFA_STAGE_STOP && late_ns < DRAIN_NS);
}

static void on_overtime(uv_timer_t *h)
{
	struct fffa_agent *a = h->data;

	if (is_still_flushing(a))
		(void)uv_timer_start(h, on_overtime, CLOSING_MS, 0);
	else
		exit_at_once(a);
}

void fffa_agent__end_loop(struct fffa_agent *a)
{
	(void)uv_run(&a->loop, UV_RUN_DEFAULT);
	if (a->handles)
		uv_close((uv_handle_t *)&a->overtime, NULL);
	(void)uv_run(&a->loop, UV_RUN_DEFAULT);
}
