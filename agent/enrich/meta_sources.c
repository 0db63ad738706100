// SPDX-License-Identifier: MIT
#include "agent/enrich/meta_sources.h"

#include <stdlib.h>
#include <string.h>

#include "agent/base/log.h"
#include "agent/enrich/meta_tuning.h"

#define TAG "metadata"

static void open_ecs(struct fffa_meta_sources *m, uv_loop_t *loop, struct fffa_ecs_options *o)
{
	int rc;

	o->uri = getenv(FFFA_ECS_VARIABLE);
	if (!o->uri || !*o->uri)
		return;
	rc = fffa_ecs_open(loop, o, &m->ecs);
	if (rc)
		fffa_warn(TAG, "%s cannot be used, ecs fields stay unknown: %s", FFFA_ECS_VARIABLE,
			  strerror(-rc));
}

/* NULL: there is no path, or no memory. */
static struct fffa_watched_file *open_file(const struct fffa_watched_kind *kind, const char *path,
					   uv_loop_t *loop, const struct fffa_metadata_conf *conf,
					   void (*changed)(void *arg), void *arg)
{
	struct fffa_watched_file *file = NULL;

	if (path && *path &&
	    fffa_watched_file_open(loop, kind, path, (uint64_t)conf->imds.refresh_ns, changed, arg,
				   &file) != 0)
		fffa_warn(TAG, "no memory for %s: %s", kind->key, kind->missing);
	return file;
}

int fffa_meta_sources_read(struct fffa_meta_sources *m, const struct fffa_metadata_conf *conf,
			   struct fffa_err *err)
{
	return fffa_host_name_read(conf->host_name, m->host_name, err);
}

void fffa_meta_sources_open(struct fffa_meta_sources *m, uv_loop_t *loop,
			    const struct fffa_metadata_conf *conf,
			    const struct fffa_meta_tuning *tuning, void (*changed)(void *arg),
			    void *arg)
{
	struct fffa_ecs_options o = {
		.timeout_ns = (uint64_t)conf->imds.timeout_ns,
		.refresh_ns = (uint64_t)conf->imds.refresh_ns,
		.backoff_min_ns = tuning->timing.backoff_min_ns,
		.backoff_max_ns = tuning->timing.backoff_max_ns,
		.agent_url = tuning->ecs_agent_url,
		.changed = changed,
		.arg = arg,
	};

	if (conf->ecs == FFFA_ECS_AUTO)
		open_ecs(m, loop, &o);
	if (!m->host_name[0] && fffa_host_name_open(loop, changed, arg, &m->kernel_name) != 0)
		fffa_warn(TAG, "no memory for the host's name: records have none");
	m->ranges = open_file(&fffa_ip_ranges_kind, conf->ip_ranges, loop, conf, changed, arg);
	m->networks = open_file(&fffa_networks_file_kind, conf->networks, loop, conf, changed, arg);
	m->traffic = m->networks ? fffa_network_traffic_new() : NULL;
}

unsigned int fffa_meta_sources_count(const struct fffa_meta_sources *m)
{
	return (m->ecs ? 1U : 0U) + (m->ranges ? 1U : 0U) + (m->kernel_name ? 1U : 0U) +
	       (m->networks ? 1U : 0U);
}

bool fffa_meta_sources_settled(const struct fffa_meta_sources *m)
{
	return (!m->ecs || fffa_ecs_settled(m->ecs)) &&
	       (!m->ranges || fffa_watched_file_settled(m->ranges)) &&
	       (!m->networks || fffa_watched_file_settled(m->networks));
}

const struct fffa_ecs_data *fffa_meta_sources_task(const struct fffa_meta_sources *m)
{
	return m->ecs ? fffa_ecs_data(m->ecs) : NULL;
}

const char *fffa_meta_sources_host_name(const struct fffa_meta_sources *m)
{
	return m->kernel_name ? fffa_host_name_text(m->kernel_name) : m->host_name;
}

void fffa_meta_sources_apply(const struct fffa_meta_sources *m, struct fffa_record *r)
{
	if (m->ranges && r->status == FFFA_STATUS_OK)
		fffa_ip_ranges_apply(m->ranges, r);
	if (m->networks && r->status == FFFA_STATUS_OK)
		fffa_networks_apply(m->networks, r);
}

void fffa_meta_sources_count_traffic(const struct fffa_meta_sources *m, const struct fffa_record *r)
{
	if (m->traffic)
		fffa_network_traffic_add(m->traffic, r);
}

const char *fffa_meta_sources_file_errors(const struct fffa_meta_sources *m, size_t i,
					  uint64_t *count)
{
	static const char *const names[FFFA_META_FILES] = {"ip_ranges", "networks"};
	const struct fffa_watched_file *const files[FFFA_META_FILES] = {m->ranges, m->networks};

	if (i >= FFFA_META_FILES)
		return NULL;
	*count = files[i] ? fffa_watched_file_errors(files[i]) : 0;
	return names[i];
}

uint64_t fffa_meta_sources_errors(const struct fffa_meta_sources *m, enum fffa_imds_error e)
{
	return m->ecs ? fffa_ecs_errors(m->ecs)[e] : 0;
}

void fffa_meta_sources_inherit(struct fffa_meta_sources *to, struct fffa_meta_sources *from)
{
	if (to->ecs && from->ecs)
		fffa_ecs_inherit(to->ecs, from->ecs);
	if (to->ranges && from->ranges)
		fffa_watched_file_inherit(to->ranges, from->ranges);
	if (to->networks && from->networks)
		fffa_watched_file_inherit(to->networks, from->networks);
	if (to->traffic && from->traffic) {
		free(to->traffic);
		to->traffic = from->traffic; /* a counter goes on */
		from->traffic = NULL;
	}
}

void fffa_meta_sources_close(struct fffa_meta_sources *m, void (*closed)(void *arg), void *arg)
{
	if (m->ecs)
		fffa_ecs_close(m->ecs, closed, arg);
	if (m->ranges)
		fffa_watched_file_close(m->ranges, closed, arg);
	if (m->networks)
		fffa_watched_file_close(m->networks, closed, arg);
	if (m->kernel_name)
		fffa_host_name_close(m->kernel_name, closed, arg);
	m->kernel_name = NULL;
	m->ecs = NULL;
	m->ranges = NULL;
	m->networks = NULL;
	free(m->traffic);
	m->traffic = NULL;
}
