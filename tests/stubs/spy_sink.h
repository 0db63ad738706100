/* SPDX-License-Identifier: MIT */
/*
 * A sink that does what the test says and records what it gets. The peer is a struct of the test
 * and outlives the sink.
 */
#ifndef FFFA_TESTS_STUBS_SPY_SINK_H
#define FFFA_TESTS_STUBS_SPY_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sinks/sink.h"

#define SPY_SEEN_MAX 4096

enum spy_answer {
	SPY_TAKE,   /* 0; done with outcome after delay_ms */
	SPY_HOLD,   /* 0; done only with spy_release or close */
	SPY_REFUSE, /* -EAGAIN; ready after delay_ms */
	SPY_FAIL,   /* outcome.cause as the return value */
};

struct spy_step {
	enum spy_answer answer;
	struct fffa_outcome outcome;
	uint32_t delay_ms;
};

/* One accepted delivery. */
struct spy_seen {
	const struct fffa_batch *batch; /* for comparison only: it may be gone */
	uint64_t first_seq;
	uint32_t count;
	size_t bytes;
	uint64_t at_ns;
};

struct spy_peer {
	/*
	 * One step per submit. After the last one judge decides; without judge everything
	 * is delivered.
	 */
	const struct spy_step *steps;
	size_t step_count;
	struct fffa_outcome (*judge)(void *arg, const struct fffa_batch *b);
	void *arg;
	bool hold;	 /* after the steps: every delivery is held */
	size_t max_open; /* more are refused until one is done; 0: no bound */
	int start_error;

	size_t submits, accepted, dones, readies, flushes, reopens, creates, starts, closes;
	struct spy_seen seen[SPY_SEEN_MAX]; /* the first accepted ones */
	uint8_t *bytes; /* preamble and what was delivered, in order; free with spy_peer_fini */
	size_t len, cap;
	struct fffa_sink *sink; /* NULL before create and after close */
};

struct spy_conf {
	struct spy_peer *peer;
};

extern const struct fffa_sink_ops spy_sink_ops;

/* Number of deliveries that have no done yet. */
size_t spy_open(const struct spy_peer *peer);
/* The oldest held delivery gets this outcome on the loop's next turn. False when none is held. */
bool spy_release(struct spy_peer *peer, struct fffa_outcome o);
void spy_peer_fini(struct spy_peer *peer);

#endif
