// SPDX-License-Identifier: MIT
/* Sinks that come, go or change while the agent runs. */
#include "agent/daemon/reload_internal.h"

#include <stdio.h>
#include <string.h>

#include "agent/base/log.h"
#include "agent/daemon/agent_internal.h"
#include "config/change.h"

#define TAG FFFA_RELOAD_TAG

/* The keys in which a sink differs. */
struct sink_keys {
	size_t n;
	const char *v[64];
};

static void on_sink_change(void *arg, const char *key)
{
	struct sink_keys *k = arg;

	if (k->n < sizeof(k->v) / sizeof(k->v[0]))
		k->v[k->n++] = key;
}

int fffa_reload__find_sink(const struct fffa_pipeline *p, const char *name)
{
	for (size_t i = 0; i < fffa_pipeline_sink_count(p); i++) {
		if (!strcmp(fffa_pipeline_sink_name(p, i), name))
			return (int)i;
	}
	return -1;
}

static bool lists_sink(const struct fffa_config *c, const char *name)
{
	for (size_t i = 0; i < c->sink_count; i++) {
		if (!strcmp(c->sinks[i].common.name, name))
			return true;
	}
	return false;
}

static void remove_sinks(struct fffa_agent *a, const struct fffa_config *next)
{
	size_t i = 0;

	while (i < fffa_pipeline_sink_count(a->pipeline)) {
		char name[64];

		(void)snprintf(name, sizeof(name), "%s", fffa_pipeline_sink_name(a->pipeline, i));
		if (lists_sink(next, name)) {
			i++;
		} else if (!fffa_pipeline_remove(a->pipeline, i,
						 (uint64_t)a->conf->shutdown_timeout_ns)) {
			fffa_info(TAG, "sinks[%s]: is removed; it delivers what it has", name);
		} else {
			fffa_error(TAG, "sinks[%s]: cannot be removed now", name);
			a->pending_restart++;
			i++;
		}
	}
}

static void change_sink(struct fffa_agent *a, size_t i, struct fffa_sink_conf *next,
			const char *name)
{
	struct sink_keys keys = {.n = 0};
	struct fffa_err err = {""};

	if (!fffa_change_sink(fffa_pipeline_sink_conf(a->pipeline, i), next, on_sink_change, &keys))
		return;
	if (fffa_pipeline_change(a->pipeline, i, next, &err)) {
		fffa_error(TAG, "sinks[%s]: cannot be changed now, the old values stay in use: %s",
			   name, err.text);
		a->pending_restart++;
		return;
	}
	for (size_t k = 0; k < keys.n; k++)
		fffa_info(TAG, "sinks[%s].%s: the new value is in use", name, keys.v[k]);
}

static void add_sink(struct fffa_agent *a, struct fffa_sink_conf *next, const char *name)
{
	struct fffa_err err = {""};

	if (fffa_pipeline_add(a->pipeline, next, &err)) {
		fffa_error(TAG, "sinks[%s]: cannot be added: %s", name, err.text);
		a->pending_restart++;
	} else {
		fffa_info(TAG, "sinks[%s]: is added", name);
	}
}

void fffa_reload__take_over_sinks(struct fffa_agent *a, struct fffa_config *next)
{
	remove_sinks(a, next);
	for (size_t i = 0; i < next->sink_count; i++) {
		struct fffa_sink_conf *s = &next->sinks[i];
		char name[64];
		int at;

		(void)snprintf(name, sizeof(name), "%s", s->common.name); /* s is emptied */
		at = fffa_reload__find_sink(a->pipeline, name);
		if (at < 0)
			add_sink(a, s, name);
		else
			change_sink(a, (size_t)at, s, name);
	}
}

void fffa_reload__take_over_secrets(struct fffa_agent *a, struct fffa_config *next)
{
	for (size_t i = 0; i < next->sink_count; i++) {
		struct fffa_sink_conf *s = &next->sinks[i];
		int at = fffa_reload__find_sink(a->pipeline, s->common.name);
		const struct fffa_sink_conf *now;
		char name[64];

		now = at < 0 ? NULL : fffa_pipeline_sink_conf(a->pipeline, (size_t)at);
		(void)snprintf(name, sizeof(name), "%s", s->common.name); /* s is emptied */
		if (now && fffa_change_is_secret(now, s))
			change_sink(a, (size_t)at, s, name);
	}
}
