// SPDX-License-Identifier: MIT
/* What can be asked of a pipeline's sinks. */
#include "agent/pipeline/internal.h"
#include "agent/pipeline/spooler/spooler.h"

size_t fffa_pipeline_sink_count(const struct fffa_pipeline *p)
{
	return p->conf->sink_count;
}

const char *fffa_pipeline_sink_name(const struct fffa_pipeline *p, size_t i)
{
	return p->conf->sinks[i].common.name;
}

const struct fffa_sink_ledger *fffa_pipeline_sink_ledger(const struct fffa_pipeline *p, size_t i)
{
	return &p->lanes[i].ledger;
}

void fffa_pipeline_sink_status(const struct fffa_pipeline *p, size_t i,
			       struct fffa_sink_status *out)
{
	const struct fffa_lane *l = &p->lanes[i];

	*out = (struct fffa_sink_status){
		.name = l->conf->common.name,
		.type = l->conf->ops->name,
		.up = !l->down,
		.in_flight = l->ledger.in_flight,
		.queue_bytes = l->queue_bytes,
		.spool_bytes = l->spooler ? fffa_spooler__bytes(l->spooler) : 0,
		.spool_errors = l->spooler ? fffa_spooler__errors(l->spooler) : 0,
		.retries = l->ledger.retries,
		.ledger = &l->ledger,
		.latency = &l->latency,
		.last_error = l->last_error,
	};
}

void fffa_pipeline_sink_report(const struct fffa_pipeline *p, size_t i,
			       void (*put)(void *arg, const char *key, const char *value),
			       void *arg)
{
	const struct fffa_lane *l = &p->lanes[i];

	if (l->sink && l->conf->ops->report)
		l->conf->ops->report(l->sink, put, arg);
}
