/* SPDX-License-Identifier: MIT */
/*
 * Inside of a sink queue: sink_queue.c opens, feeds and closes it. It calls sink_queue_change.c,
 * which describes its batches to the sink and replaces the sink.
 */
#ifndef FFFA_AGENT_PIPELINE_QUEUE_SINK_QUEUE_INTERNAL_H
#define FFFA_AGENT_PIPELINE_QUEUE_SINK_QUEUE_INTERNAL_H

#include "agent/pipeline/queue/deliver.h"
#include "agent/pipeline/queue/sink_queue.h"

/* The replacement of the sink by another. */
enum fffa_sink_queue_swap {
	FFFA_SWAP_NONE,
	FFFA_SWAP_DRAINING, /* the old sink holds batches */
	FFFA_SWAP_CLOSING,  /* a sink is being closed */
	FFFA_SWAP_WAITING,  /* there is no sink; the timer opens one */
};

struct fffa_sink_queue {
	const struct fffa_sink_conf *conf;
	struct fffa_sink_conf *owned;  /* conf, if the queue frees it; else NULL */
	struct fffa_sink_conf *wanted; /* for the next sink; NULL: that of conf */
	enum fffa_sink_queue_swap swap;
	bool failed; /* the last sink could not be opened */
	uv_timer_t swap_timer;
	void (*sink_closed)(void *queue); /* NULL: the queue does not end yet */
	struct uv_loop_s *loop;
	char tag[64];
	char name[40];
	struct fffa_encodings encodings; /* of its batches */
	uint8_t preamble[FFFA_HEADER_BYTES_MAX];
	struct fffa_sink_env env;
	struct fffa_backlog backlog;
	struct fffa_pause pause;
	struct fffa_settle settle;
	struct fffa_deliver deliver;
	unsigned int open_handles;
	bool is_closed;
	void (*closed)(void *arg);
	void *closed_arg;
};

/* The retry times of a sink. */
struct fffa_retry fffa_sink_queue__retry_of(const struct fffa_sink_common_conf *c);
/* Prepares q->env for a sink that sends batches of this encoding. */
void fffa_sink_queue__describe(struct fffa_sink_queue *q, const struct fffa_encoding *e);
/* The next batch is of another encoding than those that the sink was opened for. */
void fffa_sink_queue__swap_encoding(void *queue);
/* Empties and frees c, a heap block. NULL is allowed. */
void fffa_sink_queue__free_conf(struct fffa_sink_conf *c);

#endif
