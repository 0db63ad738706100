/* SPDX-License-Identifier: MIT */
/*
 * From the queue to the sink: submits batches while the sink takes them, and passes on
 * its verdicts.
 */
#ifndef FFFA_AGENT_PIPELINE_QUEUE_DELIVER_H
#define FFFA_AGENT_PIPELINE_QUEUE_DELIVER_H

#include "agent/pipeline/queue/settle.h"

#define FFFA_DELIVER_PER_TURN 64 /* deliveries, before the rest of the loop has its turn */

struct fffa_deliver {
	struct fffa_backlog *backlog;
	struct fffa_settle *settle;
	struct fffa_pause *pause;
	const struct fffa_sink_ops *ops;
	struct fffa_sink *sink; /* NULL: not opened yet, or closed */
	uint64_t identity;	/* of the encoding that the sink was opened for */
	void (*other_encoding)(void *arg);
	void *other_arg;
	uint32_t sent;			      /* deliveries that the sink holds */
	struct fffa_queued_batches submitted; /* the same */
	uint32_t budget;		      /* deliveries left in this turn of the loop */
	bool held;			      /* see fffa_deliver_hold */
	void (*quiet)(void *arg);
	void *quiet_arg;
	bool blocked;	     /* the sink answered -EAGAIN: wait for ready */
	uint64_t moved_ns;   /* when the sink showed life: a verdict, or a first submit */
	uv_idle_t next_turn; /* goes on in the next turn when the budget is used up */
	void (*emptied)(void *arg);
	void *arg;
	void (*closed)(void *arg);
	void *closed_arg;
};

/*
 * Borrows backlog, settle, pause and ops. Calls emptied(arg) whenever nothing is queued, submitted
 * or in the spool. Close with fffa_deliver_close.
 */
void fffa_deliver_init(struct fffa_deliver *d, uv_loop_t *loop, struct fffa_backlog *backlog,
		       struct fffa_settle *settle, struct fffa_pause *pause,
		       const struct fffa_sink_ops *ops, void (*emptied)(void *arg), void *arg);
/* Borrows s, which has been created for batches of an encoding with this identity. */
void fffa_deliver_set_sink(struct fffa_deliver *d, struct fffa_sink *s, uint64_t identity);
/*
 * Calls other(arg) when the next batch is of another encoding and the sink holds nothing any more.
 * The call may come more than once; hold the deliveries in it.
 */
void fffa_deliver_on_other_encoding(struct fffa_deliver *d, void (*other)(void *arg), void *arg);
/* The batch that is submitted next; NULL: none is queued. */
const struct fffa_queued_batch *fffa_deliver_next(const struct fffa_deliver *d);
/* Gives the sink back: nothing is submitted to it any more. NULL: there is none. */
struct fffa_sink *fffa_deliver_take_sink(struct fffa_deliver *d);
/* The sink; NULL: there is none. */
struct fffa_sink *fffa_deliver_sink(const struct fffa_deliver *d);

/*
 * Submits nothing any more, and calls quiet(arg) when the sink has given back what it holds, at
 * once if it holds nothing. What it gives back cancelled is queued again as if it had not been
 * tried. quiet must not close the sink: it may be called from inside done.
 */
void fffa_deliver_hold(struct fffa_deliver *d, void (*quiet)(void *arg), void *arg);
/* Goes on after hold, with another sink, as for fffa_deliver_set_sink. */
void fffa_deliver_resume(struct fffa_deliver *d, const struct fffa_sink_ops *ops,
			 struct fffa_sink *s, uint64_t identity);

/* Submits what the sink takes. deliver is a struct fffa_deliver: this is a callback, too. */
void fffa_deliver_pump(void *deliver);
/* done, ready and trouble of struct fffa_sink_env, whose pipe is the struct fffa_deliver. */
void fffa_deliver_done(void *deliver, struct fffa_delivery *delivery, const struct fffa_outcome *o);
void fffa_deliver_ready(void *deliver);
void fffa_deliver_trouble(void *deliver, const struct fffa_outcome *o);

/* The sink has had something to do for longer than patience_ns, and gave no verdict meanwhile. */
bool fffa_deliver_is_stalled(const struct fffa_deliver *d, uint64_t patience_ns);
/* Age of the oldest batch that is queued or submitted; 0: there is none. */
uint64_t fffa_deliver_oldest_ns(const struct fffa_deliver *d);
/* Nothing is queued, submitted or waits in the spool. */
bool fffa_deliver_is_idle(const struct fffa_deliver *d);
/* No idle callback submits any more. */
void fffa_deliver_stop(struct fffa_deliver *d);
/* Calls closed later, on the loop. Then the memory of d may be freed. */
void fffa_deliver_close(struct fffa_deliver *d, void (*closed)(void *arg), void *arg);

#endif
