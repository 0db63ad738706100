// SPDX-License-Identifier: MIT
#include "agent/daemon/reload.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/base/log.h"
#include "agent/daemon/agent_internal.h"
#include "agent/daemon/nodata_watch.h"
#include "agent/daemon/registry.h"
#include "agent/daemon/reload_internal.h"
#include "agent/daemon/status_view.h"
#include "agent/service/limits.h"
#include "config/address.h"
#include "config/change.h"

#define TAG	 FFFA_RELOAD_TAG
#define METADATA "metadata."
#define LISTEN	 "status.listen"

static void on_problem(void *arg, const char *line)
{
	(void)arg;
	fffa_error(TAG, "%s", line);
}

static void log_change(uint64_t *pending, const char *key, bool taken)
{
	*pending += !taken;
	if (taken)
		fffa_info(TAG, "%s: the new value is in use", key);
	else
		fffa_warn(TAG, "%s: the new value needs a restart; the old one stays in use", key);
}

struct changes {
	uint64_t *pending;
	bool capture;  /* a key of capture is taken over */
	bool metadata; /* one of metadata is */
	bool listen;   /* status.listen is */
};

static void on_change(void *arg, const char *key, bool taken)
{
	struct changes *c = arg;

	if (taken && !strcmp(key, LISTEN)) { /* listen_again says how it ends */
		c->listen = true;
		return;
	}
	c->capture |= taken && !strncmp(key, "capture.", strlen("capture."));
	c->metadata |= taken && !strncmp(key, METADATA, strlen(METADATA));
	log_change(c->pending, key, taken);
}

static int open_status(struct fffa_agent *a, struct fffa_listener *l)
{
	struct fffa_err err = {""};
	int rc;

	a->listen = a->conf->status.listen;
	rc = fffa_status_view_listen(a, l, &err);
	if (rc)
		fffa_error(TAG, "%s", err.text);
	return rc;
}

/* next has the old address. */
static void restore_address(struct fffa_agent *a, struct fffa_config *next)
{
	char **now = &a->reloadable->status.listen, *wanted = *now;

	*now = next->status.listen;
	next->status.listen = wanted;
	a->pending_restart++;
}

/* Neither the new nor the old address could be had once. */
static bool has_lost_pages(const struct fffa_agent *a)
{
	return !a->status && *a->conf->status.listen;
}

static void say_old_address(const struct fffa_agent *a)
{
	if (has_lost_pages(a))
		fffa_error(TAG, LISTEN ": the old address cannot be had again, so there are no "
				       "status pages until the next HUP");
	else
		fffa_error(TAG, LISTEN ": the old address stays in use");
}

/* The old one goes first where both may want the same port. next has the old address. */
static void listen_again(struct fffa_agent *a, struct fffa_config *next)
{
	bool opened = a->reload.listen.opened;

	a->reload.listen.opened = false;
	if (opened && a->reload.listen.rc) {
		fffa_error(TAG, "%s", a->reload.listen.err.text);
		restore_address(a, next);
		say_old_address(a);
		return;
	}
	fffa_status_close(a->status);
	a->status = NULL;
	if (!open_status(a, opened ? &a->reload.listen.l : NULL)) {
		log_change(&a->pending_restart, LISTEN, true);
		return;
	}
	restore_address(a, next);
	(void)open_status(a, NULL);
	say_old_address(a);
}

/* One interface_id cannot name several devices: at the start that ends the agent. */
static bool may_change_metadata(const struct fffa_agent *a, const struct fffa_config *next)
{
	size_t n = 0;

	while (fffa_meta_ident(a->meta, n))
		n++;
	if (n < 2 || !fffa_source_names_one_interface(next) ||
	    fffa_source_names_one_interface(a->conf))
		return true;
	fffa_error(
		TAG,
		"metadata.static.interface_id names one interface, but %zu are captured on; name "
		"each in metadata.interfaces",
		n);
	return false;
}

static void change_metadata(struct fffa_agent *a)
{
	struct fffa_err err = {""};

	a->metadata_due = fffa_meta_change(&a->meta, &a->loop, a->source->metadata, &err) != 0;
	if (!a->metadata_due)
		return;
	fffa_error(TAG, "metadata: the old values stay in use until the next HUP: %s", err.text);
	a->pending_restart++;
}

/* Before next is taken over: a word that cannot be had is none of it any more. */
static void set_core_dumps(struct fffa_agent *a, struct fffa_config *next)
{
	int now = a->conf->core_dumps, *wanted = &next->core_dumps;
	int rc = *wanted == now ? 0 : fffa_limits_set_core_dumps(*wanted);

	if (!rc)
		return;
	fffa_error(TAG, "log.core_dumps: cannot be set: %s", strerror(-rc));
	*wanted = now;
	a->pending_restart++;
}

/* The same for the size of the flow table. */
static void resize_flows(struct fffa_agent *a, struct fffa_config *next)
{
	int64_t now = a->conf->flows.max_flows, *wanted = &next->flows.max_flows;

	if (*wanted == now || !fffa_flow_set_max(a->flows, (uint32_t)*wanted))
		return;
	fffa_error(TAG,
		   "flows.max_flows: no memory for the flow table; the old value stays in use");
	*wanted = now;
	a->pending_restart++;
}

static void take_over(struct fffa_agent *a, struct fffa_config *next)
{
	const struct fffa_flows_conf *f = &a->reloadable->flows;
	int64_t active_ns = f->active_timeout_ns;
	struct changes c = {.pending = &a->pending_restart};
	struct fffa_err err = {""};

	a->pending_restart = 0;
	set_core_dumps(a, next);
	resize_flows(a, next);
	fffa_change_apply(a->reloadable, next, may_change_metadata(a, next) ? NULL : METADATA,
			  on_change, &c);
	fffa_log_setup((enum fffa_log_level)a->reloadable->log_level,
		       (enum fffa_log_format)a->reloadable->log_format);
	if (fffa_filter_replace(&a->filter, a->conf->capture.filter, &err)) /* it was checked */
		fffa_error(TAG, "capture.filter: %s", err.text);
	fffa_reload__take_over_sinks(a, next);
	fffa_flow_set_timeouts(a->flows, (uint64_t)f->idle_timeout_ns,
			       (uint64_t)f->active_timeout_ns,
			       (uint64_t)a->reloadable->capture.drain_interval_ns / 2);
	if (f->active_timeout_ns != active_ns) {
		fffa_source_limit_window(a->source, (uint64_t)f->active_timeout_ns);
		fffa_nodata_watch_start(&a->nodata, a->conf, a->source);
	}
	fffa_nodata_watch_follow(&a->nodata, a->conf, a->source);
	if (c.metadata || a->metadata_due)
		change_metadata(a);
	if (c.capture)
		fffa_source_change(a->source);
	if (c.listen || has_lost_pages(a))
		listen_again(a, next);
}

/* On the worker: the file may lie on a disk that stands still. */
static void work_load(void *arg)
{
	struct fffa_sink_schema rows[FFFA_REGISTRY_ROWS];
	struct fffa_agent *a = arg;

	fffa_registry_schema(rows);
	a->reload.rc = fffa_config_load(a->config_file, rows, &a->reload.next, on_problem, NULL);
}

static void on_loaded_for_hup(void *arg);

static void start_load(struct fffa_agent *a)
{
	a->reload.again = a->reload.job.submitted;
	if (a->reload.again)
		return;
	a->reload.job =
		(struct fffa_worker_job){.work = work_load, .done = on_loaded_for_hup, .arg = a};
	fffa_worker_submit(a->watch.worker, &a->reload.job);
}

static void end_reload(struct fffa_agent *a, bool taken)
{
	if (!taken)
		fffa_error(TAG, "%s: not taken over; the agent keeps its configuration",
			   a->config_file);
	a->last_reload_failed = !taken;
	a->reloads_failed += !taken;
	a->reloads_done += taken;
	if (a->reload.again)
		start_load(a);
	else
		fffa_notify_ready(&a->notify);
}

/* Logs what would keep a sink from its start. True when there is more than warnings. */
static bool log_findings(const char *name, struct fffa_err *err)
{
	static const char warning[] = "warning: ";
	char *save = NULL, *line = strtok_r(err->text, "\n", &save);
	bool wrong = false;

	for (; line; line = strtok_r(NULL, "\n", &save)) {
		bool harmless = !strncmp(line, warning, strlen(warning));

		fffa_log(harmless ? FFFA_LOG_WARN : FFFA_LOG_ERROR, TAG, "sinks[%s].%s", name,
			 line + (harmless ? strlen(warning) : 0));
		wrong |= !harmless;
	}
	return wrong;
}

/* On the worker: as `fffa check` does. */
static void work_probe(void *arg)
{
	struct fffa_agent *a = arg;
	struct fffa_err wrong = {""};

	a->reload.rc = fffa_meta_check(&a->reload.next.metadata, &wrong);
	if (a->reload.rc)
		fffa_error(TAG, "%s", wrong.text);
	for (size_t i = 0; i < a->reload.next.sink_count; i++) {
		const struct fffa_sink_conf *s = &a->reload.next.sinks[i];
		struct fffa_err err = {""};

		if (a->reload.differs[i] && s->ops->probe && s->ops->probe(s->own, &err) &&
		    log_findings(s->common.name, &err))
			a->reload.rc = -EINVAL;
	}
}

static void finish(struct fffa_agent *a)
{
	bool running = a->stage == FFFA_STAGE_RUN, good = !a->reload.rc;

	if (running && good)
		take_over(a, &a->reload.next);
	fffa_config_free(&a->reload.next);
	if (running)
		end_reload(a, good);
}

/* On the worker: a unix socket lies on a disk. */
static void work_listen(void *arg)
{
	struct fffa_agent *a = arg;

	a->reload.listen.rc = fffa_listener_open(&a->reload.listen.l, a->reload.next.status.listen,
						 &a->reload.listen.err);
}

static void work_close_listener(void *arg)
{
	struct fffa_agent *a = arg;

	fffa_listener_close(&a->reload.listen.l);
}

static void on_listener_closed(void *arg)
{
	finish(arg);
}

static void on_listening(void *arg)
{
	struct fffa_agent *a = arg;

	if (a->stage == FFFA_STAGE_RUN || a->reload.listen.rc) {
		finish(a);
		return;
	}
	a->reload.job = (struct fffa_worker_job){
		.work = work_close_listener, .done = on_listener_closed, .arg = a};
	fffa_worker_submit(a->reload.listen.worker, &a->reload.job); /* it is closing */
}

/* A unix socket is a file, which may wait for its disk. Not for two ports, which may be the same one. */
static bool opens_listener_first(const struct fffa_agent *a)
{
	const char *now = a->conf->status.listen, *next = a->reload.next.status.listen;

	return *next && (strcmp(now, next) != 0 || !a->status) &&
	       (fffa_address_path(now) || fffa_address_path(next));
}

static void on_probed(void *arg)
{
	struct fffa_agent *a = arg;

	a->reload.listen.opened =
		a->stage == FFFA_STAGE_RUN && !a->reload.rc && opens_listener_first(a);
	if (!a->reload.listen.opened) {
		finish(a);
		return;
	}
	a->reload.listen.worker = a->watch.worker;
	a->reload.job =
		(struct fffa_worker_job){.work = work_listen, .done = on_listening, .arg = a};
	fffa_worker_submit(a->watch.worker, &a->reload.job);
}

/*
 * Sinks that come or change are held against this host before anything is taken over. The others are
 * not: a disk of theirs may stand still.
 */
static void on_loaded_for_hup(void *arg)
{
	struct fffa_agent *a = arg;

	if (a->stage != FFFA_STAGE_RUN) {
		if (!a->reload.rc)
			fffa_config_free(&a->reload.next);
		return;
	}
	if (a->reload.rc) {
		end_reload(a, false);
		return;
	}
	for (size_t i = 0; i < a->reload.next.sink_count; i++) {
		const struct fffa_sink_conf *s = &a->reload.next.sinks[i];
		int at = fffa_reload__find_sink(a->pipeline, s->common.name);

		a->reload.differs[i] =
			at < 0 || fffa_change_sink(fffa_pipeline_sink_conf(a->pipeline, (size_t)at),
						   s, NULL, NULL);
	}
	a->reload.job = (struct fffa_worker_job){.work = work_probe, .done = on_probed, .arg = a};
	fffa_worker_submit(a->watch.worker, &a->reload.job);
}

void fffa_reload_on_hup(void *arg)
{
	struct fffa_agent *a = arg;
	bool running = a->stage == FFFA_STAGE_RUN;

	if (running)
		fffa_notify_reloading(&a->notify);
	if (a->watch.worker && running)
		start_load(a);
	fffa_info("agent", "reopening files");
	if (a->pipeline && a->stage < FFFA_STAGE_CLOSE)
		fffa_pipeline_reopen(a->pipeline);
	if (!a->watch.worker && running)
		fffa_notify_ready(&a->notify); /* else end_reload says so */
}
