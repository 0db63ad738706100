/* SPDX-License-Identifier: MIT */
/* The pipeline's own struct: pipeline.c opens and feeds it, close.c ends it. */
#ifndef FFFA_AGENT_PIPELINE_INTERNAL_H
#define FFFA_AGENT_PIPELINE_INTERNAL_H

#include "agent/pipeline/batcher.h"
#include "agent/pipeline/queue/lane.h"
#include "agent/pipeline/pipeline.h"

enum fffa_pipeline_phase {
	FFFA_PP_OPEN,
	FFFA_PP_DRAINING, /* sealed; delivering until the deadline */
	FFFA_PP_CLOSING,  /* sinks, then handles */
};

struct fffa_pipeline {
	uv_loop_t *loop;
	const struct fffa_config *conf;
	struct fffa_origin_source source;
	bool no_spool;
	uint64_t last_seq;
	enum fffa_pipeline_phase phase;
	struct fffa_lane *lanes;       /* conf->sink_count */
	struct fffa_batcher *batchers; /* room for conf->sink_count, batcher_count in use */
	size_t batcher_count;
	uv_timer_t check; /* the next turn of the loop looks whether all is delivered */
	uv_timer_t deadline;
	size_t open_sinks;
	size_t open_spools;
	size_t open_handles;
	void (*closed)(void *arg, struct fffa_pipeline *p); /* NULL: the opening failed */
	void *closed_arg;
};

/* struct fffa_lane.emptied; arg is the pipeline. */
void fffa_pipeline__emptied(void *arg);
/* Closes sinks and handles and frees p, without waiting for deliveries. */
void fffa_pipeline__end(struct fffa_pipeline *p);

#endif
