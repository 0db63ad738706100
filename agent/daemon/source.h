/* SPDX-License-Identifier: MIT */
/*
 * Where deltas come from: the host's interfaces (source_live.c) or capture files (source_replay.c).
 * The agent calls both through one table. Loop thread only.
 */
#ifndef FFFA_AGENT_DAEMON_SOURCE_H
#define FFFA_AGENT_DAEMON_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "agent/base/err.h"
#include "agent/base/ledger.h"
#include "agent/capture/devices/devices.h"
#include "agent/capture/replay/replay.h"
#include "agent/flow/delta.h"
#include "config/config.h"

struct fffa_source;
struct fffa_status_view; /* agent/status/view.h */

/* What a source tells the agent, on the loop. arg is the first argument of each. */
struct fffa_source_events {
	fffa_delta_fn delta;  /* one entry handed over */
	fffa_delta_fn expect; /* an entry that is handed over FFFA_FLOW_AHEAD entries later */
	/* fffa_source_now has moved. */
	void (*time)(void *arg);
	/* Losses of packets that are counted from here on were suffered after unix_ms. Once. */
	void (*since)(void *arg, int64_t unix_ms);
	/* The deltas of one turn are handed over: flows may expire until the next turn. */
	void (*turn)(void *arg);
	/* The capture's time has moved on: every flow that is due expires before this returns. */
	void (*elapsed)(void *arg);
	/* False: the source waits a little and asks again. Only a repeatable source asks. */
	bool (*has_room)(void *arg);
	/* The devices that deltas may be of, at the start and after each change. 0; -ENOMEM or -E2BIG:
	 * the agent knows those of before. */
	int (*devices)(void *arg, const struct fffa_netdev *devices, size_t n);
	/* Addresses of this network namespace came or went. */
	void (*addresses)(void *arg);
	/* Everything is handed over: after fffa_source_stop, or by itself. error: 0 or -errno. Once. */
	void (*ended)(void *arg, int error);
	void *arg;
};

struct fffa_source_ops {
	int (*prepare)(struct fffa_source *s, struct fffa_err *err);
	int (*start)(struct fffa_source *s, uv_loop_t *loop, struct fffa_ledger *ledger,
		     const struct fffa_source_events *ev, struct fffa_err *err);
	void (*stop)(struct fffa_source *s);
	void (*close)(struct fffa_source *s);
	void (*now)(const struct fffa_source *s, uint64_t *mono_ns, uint64_t *unix_ns);
	const struct fffa_tunnel *(*tunnel)(const struct fffa_source *s, uint16_t id);
	/* The rest may be NULL, see the functions below. */
	struct fffa_amount (*held)(struct fffa_source *s);
	size_t (*watched)(const struct fffa_source *s, uint32_t *ifindexes, size_t max);
	void (*checkpoint)(struct fffa_source *s, struct fffa_amount held, int64_t unix_ms);
	void (*view)(struct fffa_source *s, struct fffa_status_view *v);
};

/* The structs of the sources begin with this one. */
struct fffa_source {
	const struct fffa_source_ops *ops;
	const struct fffa_metadata_conf *metadata; /* what the packets' identity is read with */
	uint32_t sampled; /* N where one packet in N is counted; below 2: every packet */
	/*
	 * It can be read again: it waits for room and for the metadata, what it hands over is not
	 * spooled, and a record that no sink takes is a failure.
	 */
	bool repeatable;
};

/* Both borrow their arguments for the source's life. NULL: no memory. Free with fffa_source_free. */
struct fffa_source *fffa_source_live_new(const struct fffa_config *conf);
/* replay->capture is not read: it is that of conf. */
struct fffa_source *fffa_source_replay_new(const struct fffa_config *conf,
					   const struct fffa_replay_conf *replay);

/* Checks what start needs; changes nothing. 0, or -errno with err, which says what to do. */
int fffa_source_prepare(struct fffa_source *s, struct fffa_err *err);

/*
 * Starts after prepare: deltas follow on the loop. Borrows loop, ledger and ev->arg until
 * fffa_source_free. Counts what is seen and lost in ledger. 0; -errno with err, and no delta follows.
 */
int fffa_source_start(struct fffa_source *s, uv_loop_t *loop, struct fffa_ledger *ledger,
		      const struct fffa_source_events *ev, struct fffa_err *err);

/* After start: hands over what was seen so far and no more, then ended is called. */
void fffa_source_stop(struct fffa_source *s);

/* Starts to close the handles, if there are any. The ledger does not change any more. */
void fffa_source_close(struct fffa_source *s);

/* After the loop has ended. NULL is allowed. */
void fffa_source_free(struct fffa_source *s);

/* The time of the packets, in nanoseconds: monotonic, and the same instant in Unix time. A replay has
 * one time for both. */
void fffa_source_now(const struct fffa_source *s, uint64_t *mono_ns, uint64_t *unix_ns);

/* The tunnel that a delta's id stands for; NULL: none. Borrowed until fffa_source_close. */
const struct fffa_tunnel *fffa_source_tunnel(const struct fffa_source *s, uint16_t id);

/* Brings the ledger up to now. Returns what it counts as seen and is not handed over yet. */
struct fffa_amount fffa_source_held(struct fffa_source *s);

/* True when it is known how long each device has been captured on. */
bool fffa_source_watches(const struct fffa_source *s);
/* Fills ifindexes with at most max devices that are captured on now. Returns how many. */
size_t fffa_source_watched(const struct fffa_source *s, uint32_t *ifindexes, size_t max);

/*
 * For the next start: everything handed over until now has been merged, and `held` of it is in no
 * record yet. unix_ms: now.
 */
void fffa_source_checkpoint(struct fffa_source *s, struct fffa_amount held, int64_t unix_ms);

/* Fills the source's part of a status page: hooks, kernel, held_kernel. */
void fffa_source_view(struct fffa_source *s, struct fffa_status_view *v);

#endif
