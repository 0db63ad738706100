// SPDX-License-Identifier: MIT
#include "agent/daemon/status_view.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/daemon/build.h"
#include "agent/loop/disk.h"
#include "config/address.h"

static void view_ledger(struct fffa_agent *a, struct fffa_status_view *v)
{
	v->ledger = &a->ledger;
	v->interfaces = &a->interfaces;
	v->flows_capacity = (uint64_t)a->conf->flows.max_flows;
	if (!a->flows)
		return;
	v->held_flows = fffa_flow_held(a->flows);
	v->flows_active = fffa_flow_count(a->flows);
}

static void view_metadata(const struct fffa_meta *m, struct fffa_status_metadata *out)
{
	const struct fffa_ident_host *host = fffa_meta_host(m);
	struct fffa_status_count *e = out->errors;

	out->state = fffa_meta_state(m);
	out->endpoint = fffa_meta_endpoint(m);
	out->last_error = fffa_meta_last_error(m);
	out->age_ns = fffa_meta_age_ns(m);
	out->series = fffa_meta_traffic(m, &out->series_count);
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

static const char *explain_not_ready(struct fffa_agent *a, const struct fffa_status_view *v)
{
	if (a->stage != FFFA_STAGE_RUN)
		return "the agent is stopping";
	if (!v->hook_count)
		return "no interface is captured: none of capture.interfaces exists";
	if (v->not_ready) /* by the source */
		return v->not_ready;
	for (size_t i = 0; i < v->sink_count; i++) {
		if (v->sinks[i].misconfigured) {
			(void)snprintf(a->not_ready, sizeof(a->not_ready), "sink %s: %s",
				       v->sinks[i].name, v->sinks[i].last_error);
			return a->not_ready;
		}
	}
	return NULL;
}

static void fill_view(void *arg, struct fffa_status_view *v)
{
	struct fffa_agent *a = arg;

	v->version = fffa_build_version();
	v->commit = fffa_build_commit();
	v->reloads_done = a->reloads_done;
	v->reloads_failed = a->reloads_failed;
	v->last_reload_failed = a->last_reload_failed;
	v->pending_restart = a->pending_restart;
	v->log_lines_lost = fffa_log_lost();
	v->config_file = a->config_file ? a->config_file : "";
	v->stage = a->stage == FFFA_STAGE_RUN ? "running" : "stopping";
	v->start_ms = a->start_ms;
	v->uptime_ns = fffa_clock_mono_ns(&fffa_clock_system) - a->start_ns;
	fffa_source_view(a->source, v);
	view_ledger(a, v);
	if (a->meta)
		view_metadata(a->meta, &v->metadata);
	if (a->pipeline)
		view_sinks(a->pipeline, v);
	v->not_ready = explain_not_ready(a, v);
}

/* "2 interfaces, 10 flows, sinks 1 of 2 up; lost 3 packets"; what is not in order comes first. */
void fffa_status_view_line(void *agent, char *line, size_t cap)
{
	struct fffa_amount lost = {0, 0};
	struct fffa_agent *a = agent;
	struct fffa_status_view v = {.version = NULL};
	size_t devices = 0, up = 0;

	fill_view(a, &v);
	for (size_t i = 0; i < v.hook_count; i++)
		devices += !i || v.hooks[i].ifindex != v.hooks[i - 1].ifindex;
	for (size_t i = 0; i < v.sink_count; i++)
		up += v.sinks[i].up;
	for (int why = 0; why < FFFA_PL_MAX; why++)
		fffa_amount_add(&lost, v.ledger->lost[why].packets, v.ledger->lost[why].bytes);
	(void)snprintf(line, cap,
		       "%s%s%s%zu interfaces, %llu flows, %zu of %zu sinks up, %llu packets lost",
		       v.not_ready ? "not ready: " : "", v.not_ready ? v.not_ready : "",
		       v.not_ready ? "; " : "", devices, (unsigned long long)v.flows_active, up,
		       v.sink_count, (unsigned long long)lost.packets);
}

struct fffa_amount fffa_status_view_counted(void *agent, const char *name, int dir)
{
	const struct fffa_agent *a = agent;

	return fffa_interfaces_amount(&a->interfaces, name, dir);
}

static const struct fffa_flow_table *find_flows(void *arg)
{
	const struct fffa_agent *a = arg;

	return a->flows;
}

int fffa_status_view_listen(struct fffa_agent *a, struct fffa_listener *l, struct fffa_err *err)
{
	struct fffa_status_source src = {.view = fill_view, .flows = find_flows, .arg = a};
	struct fffa_listener own;
	int rc;

	if (!a->listen || !*a->listen)
		return 0;
	if (l)
		return fffa_status_open(&a->loop, a->listen, l, &src, &a->status, err);
	rc = fffa_listener_open(&own, a->listen, err);
	return rc ? rc : fffa_status_open(&a->loop, a->listen, &own, &src, &a->status, err);
}

static int await_disk(const char *listen, struct fffa_err *err)
{
	const char *path = listen ? fffa_address_path(listen) : NULL;
	char dir[PATH_MAX] = "";
	char *end;

	if (!path)
		return 0;
	(void)snprintf(dir, sizeof(dir), "%s", path);
	end = strrchr(dir, '/');
	if (end)
		end[end == dir] = '\0';
	if (fffa_disk_await(dir, FFFA_DISK_WAIT_NS) != -ETIMEDOUT)
		return 0;
	return fffa_fail(err, ETIMEDOUT,
			 "status.listen: the disk of %s does not answer within 10 s", dir);
}

int fffa_status_view_open(struct fffa_agent *a, struct fffa_err *err)
{
	int rc;

	a->start_ns = fffa_clock_mono_ns(&fffa_clock_system);
	a->start_ms = (int64_t)(fffa_clock_unix_ns(&fffa_clock_system) / FFFA_NS_PER_MS);
	rc = await_disk(a->listen, err);
	return rc ? rc : fffa_status_view_listen(a, NULL, err);
}
