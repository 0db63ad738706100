/* SPDX-License-Identifier: MIT */
/* Batch x sink -> delivery: submits what is queued while the sink takes it, and hears its verdicts. */
#ifndef FFFA_AGENT_PIPELINE_QUEUE_DELIVER_H
#define FFFA_AGENT_PIPELINE_QUEUE_DELIVER_H

#include "agent/pipeline/queue/settle.h"

#define FFFA_DELIVER_PER_TURN 64 /* deliveries; then the rest of the loop has its turn */

struct fffa_deliver {
	struct fffa_backlog *backlog;
	struct fffa_settle *settle;
	struct fffa_pause *pause;
	const struct fffa_sink_ops *ops;
	struct fffa_sink *sink; /* NULL: before it is opened and after it is closed */
	uint32_t sent;		/* deliveries that the sink holds */
	uint32_t budget;	/* deliveries until the loop gets its turn */
	bool blocked;		/* the sink said -EAGAIN */
	uv_idle_t next_turn;	/* the budget was used up: go on in the next turn */
	void (*emptied)(void *arg);
	void *arg;
	void (*closed)(void *arg);
	void *closed_arg;
};

/*
 * Borrows backlog, settle, pause and ops. emptied is called when nothing is queued, submitted or in
 * the spool; it may be called again. Close with fffa_deliver_close.
 */
void fffa_deliver_init(struct fffa_deliver *d, uv_loop_t *loop, struct fffa_backlog *backlog,
		       struct fffa_settle *settle, struct fffa_pause *pause,
		       const struct fffa_sink_ops *ops, void (*emptied)(void *arg), void *arg);
void fffa_deliver_set_sink(struct fffa_deliver *d, struct fffa_sink *s);
/* Gives the sink back; NULL: there is none. */
struct fffa_sink *fffa_deliver_take_sink(struct fffa_deliver *d);
/* NULL: there is none. */
struct fffa_sink *fffa_deliver_sink(const struct fffa_deliver *d);

/* Submits what the sink takes. deliver: a struct fffa_deliver, as callbacks have it. */
void fffa_deliver_pump(void *deliver);
/* done and ready of struct fffa_sink_env; its pipe is the struct fffa_deliver. */
void fffa_deliver_done(void *deliver, struct fffa_delivery *delivery, const struct fffa_outcome *o);
void fffa_deliver_ready(void *deliver);

/* Nothing is queued, submitted or waits in the spool. */
bool fffa_deliver_is_idle(const struct fffa_deliver *d);
/* Nothing starts by itself any more. */
void fffa_deliver_stop(struct fffa_deliver *d);
/* Calls closed later, on the loop; then d's memory may go. */
void fffa_deliver_close(struct fffa_deliver *d, void (*closed)(void *arg), void *arg);

#endif
