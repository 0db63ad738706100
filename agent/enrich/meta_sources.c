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
	if (conf->ip_ranges && *conf->ip_ranges &&
	    fffa_ip_ranges_open(loop, conf->ip_ranges, (uint64_t)conf->imds.refresh_ns, changed,
				arg, &m->ranges) != 0)
		fffa_warn(TAG, "no memory for metadata.ip_ranges: AWS services of addresses stay "
			       "unknown");
}

unsigned int fffa_meta_sources_count(const struct fffa_meta_sources *m)
{
	return (m->ecs ? 1U : 0U) + (m->ranges ? 1U : 0U) + (m->kernel_name ? 1U : 0U);
}

bool fffa_meta_sources_settled(const struct fffa_meta_sources *m)
{
	return (!m->ecs || fffa_ecs_settled(m->ecs)) &&
	       (!m->ranges || fffa_ip_ranges_settled(m->ranges));
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
		fffa_ip_ranges_inherit(to->ranges, from->ranges);
}

void fffa_meta_sources_close(struct fffa_meta_sources *m, void (*closed)(void *arg), void *arg)
{
	if (m->ecs)
		fffa_ecs_close(m->ecs, closed, arg);
	if (m->ranges)
		fffa_ip_ranges_close(m->ranges, closed, arg);
	if (m->kernel_name)
		fffa_host_name_close(m->kernel_name, closed, arg);
	m->kernel_name = NULL;
	m->ecs = NULL;
	m->ranges = NULL;
}
