// SPDX-License-Identifier: MIT
/* What signals ask for: HUP reads the configuration and reopens files, USR1 tells the ledger, TERM and INT end. */
#include <signal.h>

#include "agent/daemon/agent_internal.h"
#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/capture/live_devices.h"
#include "agent/daemon/reload.h"
#include "agent/daemon/status_view.h"

void fffa_agent__log_ledger(struct fffa_agent *a)
{
	struct fffa_amount held = fffa_agent__held(a);
	char line[1024];

	(void)fffa_ledger_format(&a->ledger, held, line, sizeof(line));
	fffa_info("ledger", "%s", line);
}

void fffa_agent__log_sinks(struct fffa_pipeline *p)
{
	char line[512];

	for (size_t i = 0; i < fffa_pipeline_sink_count(p); i++) {
		(void)fffa_ledger_sink_format(fffa_pipeline_sink_ledger(p, i), line, sizeof(line));
		fffa_info("ledger", "sink=%s %s", fffa_pipeline_sink_name(p, i), line);
	}
}

void fffa_agent__dump_ledgers(void *agent)
{
	struct fffa_agent *a = agent;
	struct fffa_amount held = {0, 0};
	char line[1024];

	if (a->flows)
		held = fffa_flow_held(a->flows); /* the kernel is not asked: it may be why */
	(void)fffa_ledger_format(&a->ledger, held, line, sizeof(line));
	fffa_error("ledger", "%s", line);
	if (a->pipeline)
		fffa_agent__log_sinks(a->pipeline);
}

/* Only those captured on now: a device that is gone is not one without traffic. */
void fffa_agent__watch_idle(struct fffa_agent *a, uint64_t now_ns)
{
	uint32_t ifindexes[FFFA_NODATA_DEVICES_MAX];
	size_t n;
	const struct fffa_hooked *hooked = fffa_live_hooks(a->live, &n);

	for (size_t i = 0; i < n && i < FFFA_NODATA_DEVICES_MAX; i++)
		ifindexes[i] = hooked[i].dev.ifindex;
	fffa_nodata_set_devices(&a->nodata, ifindexes,
				n < FFFA_NODATA_DEVICES_MAX ? n : FFFA_NODATA_DEVICES_MAX, now_ns);
}

/* From here on, in intervals of flows.active_timeout. */
void fffa_agent__watch_nodata(struct fffa_agent *a)
{
	/* Where packets are passed over, none counted does not mean that there was none. */
	if (!a->conf->flows.nodata || a->conf->capture.sample > 1)
		return;
	fffa_agent__set_time(a);
	fffa_nodata_init(&a->nodata, (uint64_t)a->conf->flows.active_timeout_ns, a->mono_ns);
	fffa_agent__watch_idle(a, a->mono_ns);
}

static void reload(struct fffa_agent *a)
{
	const struct fffa_flows_conf *f = &a->reloadable->flows;
	int64_t active_ns = f->active_timeout_ns;

	if (fffa_reload(a->config_file, a->reloadable)) {
		a->reloads_failed++;
		return;
	}
	a->reloads_done++;
	fffa_flow_set_timeouts(a->flows, (uint64_t)f->idle_timeout_ns,
			       (uint64_t)f->active_timeout_ns);
	if (f->active_timeout_ns != active_ns)
		fffa_agent__watch_nodata(a);
}

static void on_hup(struct fffa_agent *a)
{
	if (a->live && a->config_file && a->stage == FFFA_STAGE_RUN)
		reload(a);
	fffa_info("agent", "reopening files");
	if (a->pipeline && a->stage < FFFA_STAGE_CLOSE)
		fffa_pipeline_reopen(a->pipeline);
}

void fffa_agent__on_signal(uv_signal_t *h, int signum)
{
	struct fffa_agent *a = h->data;

	switch (signum) {
	case SIGHUP:
		on_hup(a);
		break;
	case SIGUSR1:
		fffa_agent__log_ledger(a);
		if (a->stage < FFFA_STAGE_CLOSE)
			fffa_agent__log_sinks(a->pipeline);
		break;
	default:
		fffa_agent__begin_stop(a);
	}
}
