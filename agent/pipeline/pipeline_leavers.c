// SPDX-License-Identifier: MIT
/* Sinks that were removed while the pipeline runs, until they are closed. */
#include <inttypes.h>

#include "agent/base/log.h"
#include "agent/pipeline/pipeline_internal.h"

/* A queue is closed that no record refers to any more. */
static void on_left(void *arg)
{
	struct fffa_pipeline_leaver *l = arg;
	const struct fffa_sink_ledger *n = fffa_sink_queue_ledger(l->queue);
	const struct fffa_sink_common_conf *c = &fffa_sink_queue_conf(l->queue)->common;
	struct fffa_pipeline *p = l->p;
	bool spools = c->queue_spool && !p->no_spool;

	fffa_info("reload",
		  "sink %s is removed: records=%" PRIu64 " delivered=%" PRIu64 " rejected=%" PRIu64
		  " lost=%" PRIu64 "%s%s%s%s",
		  c->name, n->records, n->delivered, n->rejected, fffa_ledger_sink_lost(n),
		  spools ? "; its spool stays in " : "", spools ? p->conf->spool_dir : "",
		  spools ? "/" : "", spools ? c->name : "");
	fffa_sink_queue_free(l->queue);
	l->queue = NULL;
	fffa_pipeline__one_closed(p);
}

void fffa_pipeline__close_leaver(struct fffa_pipeline_leaver *l)
{
	l->closing = true;
	l->p->still_open++;
	fffa_sink_queue_close(l->queue, on_left, l);
}

bool fffa_pipeline__is_delivering(const struct fffa_pipeline *p)
{
	for (size_t i = 0; i < FFFA_CONFIG_SINKS_MAX; i++) {
		if (p->leavers[i].queue && !p->leavers[i].closing &&
		    !fffa_sink_queue_is_empty(p->leavers[i].queue))
			return true;
	}
	return false;
}

void fffa_pipeline__end_leavers(struct fffa_pipeline *p)
{
	for (size_t i = 0; i < FFFA_CONFIG_SINKS_MAX; i++) {
		if (p->leavers[i].queue && !p->leavers[i].closing)
			fffa_pipeline__close_leaver(&p->leavers[i]);
	}
}
