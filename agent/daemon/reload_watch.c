// SPDX-License-Identifier: MIT
/* Looks whether secrets in files have changed. */
#include "agent/daemon/reload.h"

#include <string.h>

#include "agent/daemon/agent_internal.h"
#include "agent/daemon/registry.h"
#include "agent/daemon/reload_internal.h"
#include "config/change.h"

#define LOOK_MS	   1000
#define LOOK_TURNS 10

static void ignore_problem(void *arg, const char *line)
{
	(void)arg;
	(void)line; /* HUP and `fffa check` report it */
}

/* On the worker. */
static void load_again(void *arg)
{
	struct fffa_agent *a = arg;
	struct fffa_sink_schema rows[FFFA_REGISTRY_ROWS];

	fffa_registry_schema(rows);
	a->watch.loaded =
		fffa_config_load(a->config_file, rows, &a->watch.next, ignore_problem, NULL);
}

static void on_loaded(void *arg)
{
	struct fffa_agent *a = arg;

	if (a->watch.loaded)
		return;
	if (a->stage == FFFA_STAGE_RUN)
		fffa_reload__take_over_secrets(a, &a->watch.next);
	fffa_config_free(&a->watch.next);
}

/* True when it is time: seldom, and often while a wrong setting stops a sink. */
static bool should_load(struct fffa_agent *a)
{
	bool secrets = false, stopped = false;

	for (size_t i = 0; i < fffa_pipeline_sink_count(a->pipeline); i++) {
		struct fffa_sink_status s;

		fffa_pipeline_sink_status(a->pipeline, i, &s);
		stopped |= s.misconfigured;
		secrets |= fffa_change_has_secret(fffa_pipeline_sink_conf(a->pipeline, i));
	}
	return secrets && (stopped || a->watch.turns >= LOOK_TURNS);
}

static void on_look(uv_timer_t *t)
{
	struct fffa_agent *a = t->data;

	a->watch.turns++;
	if (a->stage != FFFA_STAGE_RUN || a->watch.job.submitted || !should_load(a))
		return;
	a->watch.turns = 0;
	fffa_worker_submit(a->watch.worker, &a->watch.job);
}

int fffa_reload_watch_open(struct fffa_agent *a, struct fffa_err *err)
{
	int rc;

	if (!a->config_file)
		return 0;
	rc = fffa_worker_open(&a->loop, "config", &a->watch.worker);
	if (rc)
		return fffa_fail(err, -rc, "cannot start a thread: %s", strerror(-rc));
	a->watch.job = (struct fffa_worker_job){.work = load_again, .done = on_loaded, .arg = a};
	(void)uv_timer_init(&a->loop, &a->watch.timer); /* never fails */
	a->watch.timer.data = a;
	uv_unref((uv_handle_t *)&a->watch.timer);
	(void)uv_timer_start(&a->watch.timer, on_look, LOOK_MS, LOOK_MS);
	return 0;
}

void fffa_reload_watch_close(struct fffa_agent *a)
{
	if (!a->watch.worker)
		return;
	uv_close((uv_handle_t *)&a->watch.timer, NULL);
	fffa_worker_close(a->watch.worker, NULL, NULL);
	a->watch.worker = NULL;
}
