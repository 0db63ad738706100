/* SPDX-License-Identifier: MIT */
/* Who this host is: for the batches, and for the records that the pipeline itself writes. */
#ifndef FFFA_AGENT_PIPELINE_QUEUE_ORIGIN_H
#define FFFA_AGENT_PIPELINE_QUEUE_ORIGIN_H

#include "agent/flow/record.h"
#include "sinks/batch.h"

struct fffa_origin_source {
	void (*identify)(void *arg, struct fffa_record *r); /* NULL: nothing is known */
	void *arg;
	uint64_t epoch;
};

/* Fills r->ident by r->key.ifindex (0: the host alone); valid for the turn of the loop. */
void fffa_origin_identify(const struct fffa_origin_source *s, struct fffa_record *r);
/* As things stand now. */
void fffa_origin_fill(const struct fffa_origin_source *s, struct fffa_batch_origin *out);

#endif
