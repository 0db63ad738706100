// SPDX-License-Identifier: MIT
/* What others may know of the sinks. */
#include "agent/pipeline/pipeline_internal.h"

size_t fffa_pipeline_sink_count(const struct fffa_pipeline *p)
{
	return p->queue_count;
}

const char *fffa_pipeline_sink_name(const struct fffa_pipeline *p, size_t i)
{
	return fffa_sink_queue_conf(p->queues[i])->common.name;
}

const struct fffa_sink_conf *fffa_pipeline_sink_conf(const struct fffa_pipeline *p, size_t i)
{
	return fffa_sink_queue_conf(p->queues[i]);
}

const struct fffa_sink_ledger *fffa_pipeline_sink_ledger(const struct fffa_pipeline *p, size_t i)
{
	return fffa_sink_queue_ledger(p->queues[i]);
}

void fffa_pipeline_sink_status(const struct fffa_pipeline *p, size_t i,
			       struct fffa_sink_status *out)
{
	fffa_sink_queue_status(p->queues[i], out);
}

void fffa_pipeline_sink_report(const struct fffa_pipeline *p, size_t i,
			       void (*put)(void *arg, const char *key, const char *value),
			       void *arg)
{
	fffa_sink_queue_report(p->queues[i], put, arg);
}
