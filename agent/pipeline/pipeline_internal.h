/* SPDX-License-Identifier: MIT */
/* Inside of the pipeline: pipeline.c opens and feeds it, pipeline_change.c changes sinks, pipeline_close.c ends it. */
#ifndef FFFA_AGENT_PIPELINE_PIPELINE_INTERNAL_H
#define FFFA_AGENT_PIPELINE_PIPELINE_INTERNAL_H

#include "agent/pipeline/batcher.h"
#include "agent/pipeline/pipeline.h"
#include "agent/pipeline/queue/sink_queue.h"
#include "agent/spool/stream.h"

enum fffa_pipeline_phase {
	FFFA_PP_OPEN,
	FFFA_PP_DRAINING, /* batches are sealed, and delivered until the deadline */
	FFFA_PP_CLOSING,  /* queues, sinks and handles are being closed */
};

/* Of one sink, for pipeline_stall.c. */
struct fffa_pipeline_progress {
	uint64_t taken;	  /* delivered and rejected */
	uint64_t retries; /* when it took something last */
	uint64_t since_ms;
};

#define FFFA_PIPELINE_BATCHERS_MAX (2 * FFFA_CONFIG_SINKS_MAX) /* idle ones included */

/* A sink that was removed: it gets no records any more, and delivers what it has. */
struct fffa_pipeline_leaver {
	struct fffa_pipeline *p;
	struct fffa_sink_queue *queue; /* NULL: the place is free */
	uint64_t deadline_ms;	       /* of the loop's clock */
	bool closing;
};

struct fffa_pipeline {
	uv_loop_t *loop;
	const struct fffa_config *conf;
	struct fffa_origin_source source;
	struct fffa_stream stream;
	enum fffa_pipeline_phase phase;
	struct fffa_sink_queue **queues; /* room for FFFA_CONFIG_SINKS_MAX; NULL: not made yet */
	size_t queue_count;
	struct fffa_batcher
		*batchers; /* room for FFFA_PIPELINE_BATCHERS_MAX, batcher_count in use */
	size_t batcher_count;
	bool no_spool;
	bool running; /* sinks are added and changed, not started with the agent */
	struct fffa_pipeline_leaver leavers[FFFA_CONFIG_SINKS_MAX];
	uv_timer_t leave; /* looks whether leavers have delivered all */
	uv_timer_t check; /* looks in the next turn of the loop whether all is delivered */
	uv_timer_t deadline;
	struct {
		uv_timer_t timer; /* stopped: nobody watches */
		void (*stalled)(void *arg);
		void *arg;
		uint64_t patience_ms;
		struct fffa_pipeline_progress progress[FFFA_CONFIG_SINKS_MAX];
	} stall;
	size_t still_open; /* number of queues, batchers and timers */
	void (*closed)(void *arg, struct fffa_pipeline *p); /* NULL: the opening failed */
	void *closed_arg;
};

/* Makes the queue i of a sink, joins it to its batcher, and opens the sink. 0, or -errno with err. */
int fffa_pipeline__open_queue(struct fffa_pipeline *p, size_t i, const struct fffa_sink_conf *conf,
			      struct fffa_err *err);
/* The batcher for these settings, made if there is none. NULL with *rc and err. */
struct fffa_batcher *fffa_pipeline__find_batcher(struct fffa_pipeline *p,
						 const struct fffa_sink_common_conf *c,
						 struct fffa_err *err, int *rc);

/* The batcher that q gets its records from. NULL: none. */
struct fffa_batcher *fffa_pipeline__batcher_of(struct fffa_pipeline *p,
					       const struct fffa_sink_queue *q);
/* The epoch has begun: q starts. */
void fffa_pipeline__start_queue(struct fffa_pipeline *p, struct fffa_sink_queue *q);

/* A queue, a batcher or a timer is closed; arg is the pipeline, which the last one frees at the end. */
void fffa_pipeline__one_closed(void *arg);
/* Stops the timer and closes it; the pipeline waits for that. */
void fffa_pipeline__close_timer(struct fffa_pipeline *p, uv_timer_t *t);
/* A sink queue is empty; arg is the pipeline. */
void fffa_pipeline__emptied(void *arg);
/* True while a removed sink has something to deliver. */
bool fffa_pipeline__is_delivering(const struct fffa_pipeline *p);
/* Closes a removed sink, without waiting for its deliveries. */
void fffa_pipeline__close_leaver(struct fffa_pipeline_leaver *l);
/* Closes removed sinks that still deliver. */
void fffa_pipeline__end_leavers(struct fffa_pipeline *p);
/* Closes queues and handles, then frees p. Does not wait for deliveries. */
void fffa_pipeline__end(struct fffa_pipeline *p);
/* Starts to look for a sink that fails for too long, if env wants to know. */
void fffa_pipeline__watch_stall(struct fffa_pipeline *p, const struct fffa_pipeline_env *env);

#endif
