/* SPDX-License-Identifier: MIT */
/* Who this host is: for batches, and for the SKIPDATA records that the pipeline writes. */
#ifndef FFFA_AGENT_PIPELINE_SPOOLER_ORIGIN_H
#define FFFA_AGENT_PIPELINE_SPOOLER_ORIGIN_H

#include "agent/flow/record.h"
#include "sinks/batch.h"

struct fffa_origin_source {
	void (*identify)(void *arg, struct fffa_record *r); /* NULL: no identity is known */
	void *arg;
	uint64_t epoch; /* of the records of this run */
};

/* Fills r->ident by r->key.ifindex (0: the host alone). It is valid for the turn of the loop. */
void fffa_origin_identify(const struct fffa_origin_source *s, struct fffa_record *r);
/* Fills out with what is known of the host now. stream: as the encoder has it. */
void fffa_origin_fill(const struct fffa_origin_source *s, const char *stream,
		      struct fffa_batch_origin *out);

/* Gives a batch that has not been named yet the name that the host has now. */
void fffa_origin_name_host(const struct fffa_origin_source *s, struct fffa_batch *b);

#endif
