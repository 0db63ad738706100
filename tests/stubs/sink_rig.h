/* SPDX-License-Identifier: MIT */
/*
 * The least pipeline that a sink can be tested with: a loop, the two calls of the contract, and
 * deliveries whose outcomes are remembered. It checks what holds for every sink: one done per
 * accepted delivery, never from inside a call into the sink, none after closed, nothing left in the
 * loop.
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
	/* Called from inside done, after the outcome was noted; may be NULL. */
	void (*on_done)(struct sink_rig *r);
	void *arg; /* the test's own */
};

/* d first: the sink holds it. */
struct rig_delivery {
	struct fffa_delivery d;
	bool accepted;
	struct fffa_outcome outcome; /* FFFA_V_NONE: no done yet */
};

/* Makes the loop and creates the sink; fails the test when create does. */
void sink_rig_create(struct sink_rig *r, const struct fffa_sink_ops *ops, const void *conf,
		     const char *preamble);
/* 0 or what start said; r->err is filled. */
int sink_rig_start(struct sink_rig *r);
/* Takes the batch's reference; d is the caller's and lives until done. Returns what submit said. */
int sink_rig_submit(struct sink_rig *r, struct rig_delivery *d, struct fffa_batch *give_batch);
/* Submits the batch of a delivery that is done once more. */
int sink_rig_again(struct sink_rig *r, struct rig_delivery *d);
/* Runs the loop until *d is done. */
void sink_rig_wait(struct sink_rig *r, const struct rig_delivery *d);
/* Submits and waits for the outcome. */
struct fffa_outcome sink_rig_send(struct sink_rig *r, struct rig_delivery *d,
				  struct fffa_batch *give_batch);
/* Ends a delivery that is done or was never accepted. */
void rig_delivery_fini(struct rig_delivery *d);
void sink_rig_reopen(struct sink_rig *r);
/* Calls close; sink_rig_close also runs the loop until the sink is gone and asserts a clean end. */
void sink_rig_close_begin(struct sink_rig *r);
void sink_rig_close_end(struct sink_rig *r);
void sink_rig_close(struct sink_rig *r);

#endif
