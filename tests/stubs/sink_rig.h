/* SPDX-License-Identifier: MIT */
/*
 * The smallest pipeline that can test a sink: a loop, done and ready, and deliveries that remember
 * their outcome. It asserts what holds for every sink: one done for each accepted delivery, never
 * from inside a call into the sink, none after closed, and nothing left in the loop.
 */
#ifndef FFFA_TESTS_STUBS_SINK_RIG_H
#define FFFA_TESTS_STUBS_SINK_RIG_H

#include <stdbool.h>
#include <uv.h>

#include "sinks/delivery.h"
#include "sinks/sink.h"

struct sink_rig {
	const struct fffa_sink_ops *ops;
	uv_loop_t loop;
	struct fffa_sink_env env;
	struct fffa_sink *sink;
	struct fffa_err err;
	unsigned int inside; /* depth of calls into the sink */
	size_t accepted, dones, readies;
	bool closed;
	char preamble[128];
	/* Called from inside done, when the outcome is noted; may be NULL. */
	void (*on_done)(struct sink_rig *r);
	void *arg; /* the test's own */
};

/* d comes first: the sink knows only that. */
struct rig_delivery {
	struct fffa_delivery d;
	bool accepted;
	struct fffa_outcome outcome; /* FFFA_V_NONE: no done yet */
};

/* Makes the loop and creates the sink; the test fails if create fails. */
void sink_rig_create(struct sink_rig *r, const struct fffa_sink_ops *ops, const void *conf,
		     const char *preamble);
/* Returns what start returned; r->err is its text. */
int sink_rig_start(struct sink_rig *r);
/* Takes the reference of the batch; *d must live until done. Returns what submit returned. */
int sink_rig_submit(struct sink_rig *r, struct rig_delivery *d, struct fffa_batch *give_batch);
/* Submits the batch of a delivery that is done again. */
int sink_rig_again(struct sink_rig *r, struct rig_delivery *d);
/* Runs the loop until *d is done. */
void sink_rig_wait(struct sink_rig *r, const struct rig_delivery *d);
/* Submits and waits for the outcome. */
struct fffa_outcome sink_rig_send(struct sink_rig *r, struct rig_delivery *d,
				  struct fffa_batch *give_batch);
/* Ends a delivery that is done or was never accepted. */
void rig_delivery_fini(struct rig_delivery *d);
void sink_rig_reopen(struct sink_rig *r);
/* begin calls close; end runs the loop until the sink is gone and asserts a clean end. */
void sink_rig_close_begin(struct sink_rig *r);
void sink_rig_close_end(struct sink_rig *r);
void sink_rig_close(struct sink_rig *r);

#endif
