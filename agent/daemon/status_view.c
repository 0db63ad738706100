// SPDX-License-Identifier: MIT
#include "agent/daemon/status_view.h"

#include <uv.h>

#include "agent/base/clock.h"
#include "agent/daemon/build.h"
#include "agent/capture/kernel/kernel.h"
#include "agent/capture/live_devices.h"

struct fffa_amount fffa_agent__held(struct fffa_agent *a)
{
	struct fffa_amount held = fffa_flow_held(a->flows), kernel;

	if (!a->live)
		return held;
	fffa_live_refresh(a->live);
	kernel = fffa_ledger_held_kernel(&a->ledger);
	fffa_amount_add(&held, kernel.packets, kernel.bytes);
	return held;
}

static void view_ledger(struct fffa_agent *a, struct fffa_status_view *v)
{
	v->ledger = &a->ledger;
	v->interfaces = &a->interfaces;
	v->flows_capacity = (uint64_t)a->conf->flows.max_flows;
	if (a->live) {
		fffa_live_refresh(a->live);
		v->held_kernel = fffa_ledger_held_kernel(&a->ledger);
	}
	if (!a->flows)
		return;
	v->held_flows = fffa_flow_held(a->flows);
	v->flows_active = fffa_flow_count(a->flows);
}

static void view_hooks(const struct fffa_agent *a, struct fffa_status_view *v)
{
	static const char *const directions[] = {"ingress", "egress"};
	const struct fffa_hooked *h;
	size_t n;

	h = fffa_live_hooks(a->live, &n);
	for (size_t i = 0; i < n; i++) {
		for (int dir = 0; dir < 2; dir++) {
			if (h[i].at[dir].how == FFFA_ATTACH_NONE ||
			    v->hook_count == FFFA_STATUS_HOOKS_MAX)
				continue;
			v->hooks[v->hook_count++] = (struct fffa_status_hook){
				.interface = h[i].dev.name,
				.ifindex = h[i].dev.ifindex,
				.direction = directions[dir],
				.hook = fffa_attach_name(h[i].at[dir].how),
				.selected_by = fffa_devices_match_text(h[i].dev.match),
				.why = dir == 0 ? h[i].choice.why : "egress is always TC",
			};
		}
	}
}

static void view_kernel(const struct fffa_agent *a, struct fffa_status_kernel *out)
{
	static const char *const kinds[FFFA_RING_EVENT_KINDS] = {
		[0] = "no_room", [FFFA_EV_VICTIM] = "victim", [FFFA_EV_END] = "end"};
	const struct fffa_kernel *k = fffa_live_kernel(a->live);
	uint64_t events[FFFA_RING_EVENT_KINDS];
	struct fffa_program_runs runs;
	struct fffa_kernel_facts facts;

	fffa_kernel_facts(k, &facts);
	out->table_entries = facts.table_entries;
	out->slices = facts.slices;
	out->ring_bytes = facts.ring_bytes;
	out->clock = facts.clock;
	out->grace_period = facts.grace_period;
	out->drains = fffa_live_drains(a->live);
	fffa_kernel_ring_events(k, events);
	for (; out->ring_event_count < FFFA_RING_EVENT_KINDS; out->ring_event_count++)
		out->ring_events[out->ring_event_count] = (struct fffa_status_count){
			kinds[out->ring_event_count], events[out->ring_event_count]};
	for (int p = 0; p < FFFA_PROGRAM_MAX; p++) {
		fffa_kernel_program_runs(k, (enum fffa_program)p, &runs);
		out->programs[out->program_count++] =
			(struct fffa_status_program){runs.name, runs.run_ns, runs.runs};
	}
}

static void view_metadata(const struct fffa_meta *m, struct fffa_status_metadata *out)
{
	const struct fffa_ident_host *host = fffa_meta_host(m);
	struct fffa_status_count *e = out->errors;

	out->state = fffa_meta_state(m);
	out->endpoint = fffa_meta_endpoint(m);
	out->last_error = fffa_meta_last_error(m);
	out->age_ns = fffa_meta_age_ns(m);
	out->agent_id = host->agent_id;
	out->account_id = host->account_id;
	out->instance_id = host->instance_id;
	out->region = host->region;
	out->az = host->az;
	out->az_id = host->az_id;
	for (; out->error_count < FFFA_STATUS_REASONS_MAX; out->error_count++, e++) {
		e->name = fffa_meta_error(m, out->error_count, &e->n);
		if (!e->name)
			break;
	}
}

static void report_sink(const void *arg, size_t i,
			void (*put)(void *arg, const char *key, const char *value), void *put_arg)
{
	fffa_pipeline_sink_report(arg, i, put, put_arg);
}

static void view_sinks(const struct fffa_pipeline *p, struct fffa_status_view *v)
{
	size_t n = fffa_pipeline_sink_count(p);

	for (; v->sink_count < n && v->sink_count < FFFA_CONFIG_SINKS_MAX; v->sink_count++)
		fffa_pipeline_sink_status(p, v->sink_count, &v->sinks[v->sink_count]);
	v->sink_report = report_sink;
	v->sink_report_arg = p;
}

static const char *not_ready(const struct fffa_agent *a, const struct fffa_status_view *v)
{
	if (a->stage != FFFA_STAGE_RUN)
		return "the agent is stopping";
	if (!a->live || !v->hook_count)
		return "no interface is captured on: none of capture.interfaces is there";
	return NULL;
}

static void view(void *arg, struct fffa_status_view *v)
{
	struct fffa_agent *a = arg;

	v->version = fffa_build_version();
	v->commit = fffa_build_commit();
	v->reloads_done = a->reloads_done;
	v->reloads_failed = a->reloads_failed;
	v->config_file = a->config_file ? a->config_file : "";
	v->stage = a->stage == FFFA_STAGE_RUN ? "running" : "stopping";
	v->start_ms = a->start_ms;
	v->uptime_ns = fffa_clock_mono_ns(&fffa_clock_system) - a->start_ns;
	view_ledger(a, v);
	if (a->live) {
		view_hooks(a, v);
		view_kernel(a, &v->kernel);
	}
	if (a->meta)
		view_metadata(a->meta, &v->metadata);
	if (a->pipeline)
		view_sinks(a->pipeline, v);
	v->not_ready = not_ready(a, v);
}

static const struct fffa_flow_table *flows(void *arg)
{
	const struct fffa_agent *a = arg;

	return a->flows;
}

int fffa_agent__open_status(struct fffa_agent *a, struct fffa_err *err)
{
	struct fffa_status_source src = {.view = view, .flows = flows, .arg = a};

	a->start_ns = fffa_clock_mono_ns(&fffa_clock_system);
	a->start_ms = (int64_t)(fffa_clock_unix_ns(&fffa_clock_system) / FFFA_NS_PER_MS);
	if (!a->conf->status.listen || !*a->conf->status.listen)
		return 0;
	return fffa_status_open(&a->loop, a->conf->status.listen, &src, &a->status, err);
}
