// SPDX-License-Identifier: MIT
#include "agent/daemon/reload.h"

#include "agent/base/log.h"
#include "agent/daemon/agent_internal.h"
#include "agent/daemon/nodata_watch.h"
#include "agent/daemon/registry.h"
#include "config/change.h"

#define TAG "reload"

static void on_problem(void *arg, const char *line)
{
	(void)arg;
	fffa_error(TAG, "%s", line);
}

static void on_change(void *arg, const char *key, bool taken)
{
	uint64_t *pending = arg;

	*pending += !taken;
	if (taken)
		fffa_info(TAG, "%s: the new value is in use", key);
	else
		fffa_warn(TAG, "%s: the new value needs a restart; the old one stays in use", key);
}

/*
 * Reads path and takes over what it may into conf. 0, or -EINVAL or -errno with all as it was.
 * *pending: number of keys that need a restart.
 */
static int load_config(const char *path, struct fffa_config *conf, uint64_t *pending)
{
	struct fffa_sink_schema rows[FFFA_REGISTRY_ROWS];
	struct fffa_config next;
	int rc;

	fffa_registry_schema(rows);
	rc = fffa_config_load(path, rows, &next, on_problem, NULL);
	if (rc) {
		fffa_error(TAG, "%s: not taken over; the agent keeps its configuration", path);
		return rc;
	}
	*pending = 0;
	fffa_change_apply(conf, &next, on_change, pending);
	fffa_config_free(&next);
	fffa_log_setup((enum fffa_log_level)conf->log_level,
		       (enum fffa_log_format)conf->log_format);
	return 0;
}

static void reload_config(struct fffa_agent *a)
{
	const struct fffa_flows_conf *f = &a->reloadable->flows;
	int64_t active_ns = f->active_timeout_ns;

	a->last_reload_failed = load_config(a->config_file, a->reloadable, &a->pending_restart);
	if (a->last_reload_failed) {
		a->reloads_failed++;
		return;
	}
	a->reloads_done++;
	fffa_flow_set_timeouts(a->flows, (uint64_t)f->idle_timeout_ns,
			       (uint64_t)f->active_timeout_ns);
	if (f->active_timeout_ns != active_ns)
		fffa_nodata_watch_start(&a->nodata, a->conf, a->source);
}

void fffa_reload_on_hup(void *arg)
{
	struct fffa_agent *a = arg;

	if (a->config_file && a->stage == FFFA_STAGE_RUN)
		reload_config(a);
	fffa_info("agent", "reopening files");
	if (a->pipeline && a->stage < FFFA_STAGE_CLOSE)
		fffa_pipeline_reopen(a->pipeline);
}
