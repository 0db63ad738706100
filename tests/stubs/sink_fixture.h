/* SPDX-License-Identifier: MIT */
/*
 * A minimal pipeline for tests of a sink: a loop, done and ready, and deliveries that remember
 * their outcome. It asserts what holds for every sink: each accepted delivery gets one done, never
 * from inside a call into the sink and never after closed, and the sink leaves nothing in the loop.
 */
#ifndef FFFA_TESTS_STUBS_SINK_FIXTURE_H
#define FFFA_TESTS_STUBS_SINK_FIXTURE_H

#include <stdbool.h>
#include <uv.h>

#include "sinks/delivery.h"
#include "sinks/sink.h"

struct sink_fixture {
	const struct fffa_sink_ops *ops;
	uv_loop_t loop;
	struct fffa_sink_env env;
	struct fffa_sink *sink;
	struct fffa_err err;
	unsigned int inside; /* depth of calls into the sink */
	size_t accepted, dones, readies, troubles;
	char trouble[256]; /* detail of the last call of trouble */
	bool closed;
	char preamble[128];
	/* Called from inside done, after the outcome is stored; may be NULL. */
	void (*on_done)(struct sink_fixture *r);
	void *arg; /* the test's own */
};

/* d is the first member: the sink knows only that. */
struct fixture_delivery {
	struct fffa_delivery d;
	bool accepted;
	struct fffa_outcome outcome; /* FFFA_V_NONE: no done yet */
};

/* Makes the loop and creates the sink; the test fails if create fails. */
void sink_fixture_create(struct sink_fixture *r, const struct fffa_sink_ops *ops, const void *conf,
			 const char *preamble);
/* Returns what start returned; r->err has the text. */
int sink_fixture_start(struct sink_fixture *r);
/* Takes the reference of the batch; *d must live until done. Returns what submit returned. */
int sink_fixture_submit(struct sink_fixture *r, struct fixture_delivery *d,
			struct fffa_batch *give_batch);
/* Submits the batch of a finished delivery again. */
int sink_fixture_again(struct sink_fixture *r, struct fixture_delivery *d);
/* Runs the loop until *d is done. */
void sink_fixture_wait(struct sink_fixture *r, const struct fixture_delivery *d);
/* Submits and waits for the outcome. */
struct fffa_outcome sink_fixture_send(struct sink_fixture *r, struct fixture_delivery *d,
				      struct fffa_batch *give_batch);
/* Frees a delivery that is done or was never accepted. */
void fixture_delivery_fini(struct fixture_delivery *d);
void sink_fixture_reopen(struct sink_fixture *r);
/* begin calls close; end runs the loop until the sink is gone and asserts a clean end. */
void sink_fixture_close_begin(struct sink_fixture *r);
void sink_fixture_close_end(struct sink_fixture *r);
void sink_fixture_close(struct sink_fixture *r);

#endif
