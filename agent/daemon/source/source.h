/* SPDX-License-Identifier: MIT */
/*
 * Where deltas come from: the host's interfaces (source_live.c) or capture files (source_replay.c).
 * The agent calls both through one table. Loop thread only.
 */
#ifndef FFFA_AGENT_DAEMON_SOURCE_SOURCE_H
#define FFFA_AGENT_DAEMON_SOURCE_SOURCE_H

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
	/* Packets that were handed over of a device's direction (0 ingress, 1 egress) until now. */
	struct fffa_amount (*counted)(void *arg, const char *name, int dir);
	/* Whether a flow or a record still needs the tunnel with this id. */
	bool (*tunnel_used)(void *arg, uint16_t id);
	/* The time of fffa_source_now has changed. */
	void (*time)(void *arg);
	/* Called once, before the first delta: the ledger's losses happened after unix_ms. */
	void (*since)(void *arg, int64_t unix_ms);
	/* All deltas of this turn were handed over. Flows may expire between turns. */
	void (*turn)(void *arg);
	/*
	 * The captures' time has advanced: all flows that are due must expire before this returns.
	 */
	void (*elapsed)(void *arg);
	/* What the source says of itself, such as sampled, is another one from now on. */
	void (*changed)(void *arg);
	/* Only a repeatable source asks. False: the source waits a little and asks again. */
	bool (*has_room)(void *arg);
	/*
	 * The devices that deltas may name, at the start and after each change. Returns 0; -EINVAL
	 * at the start: the identity names one interface and these are several; -ENOMEM or -E2BIG:
	 * the agent still has the previous list.
	 */
	int (*devices)(void *arg, const struct fffa_netdev *devices, size_t n);
	/* The addresses of this network namespace have changed. */
	void (*addresses)(void *arg);
	/*
	 * Called once, when everything was handed over: by itself or after fffa_source_stop. error:
	 * 0 or -errno.
	 */
	void (*ended)(void *arg, int error);
	void *arg;
};

struct fffa_source_ops {
	int (*prepare)(struct fffa_source *s, struct fffa_err *err);
	int (*start)(struct fffa_source *s, uv_loop_t *loop, struct fffa_ledger *ledger,
		     const struct fffa_source_events *ev, struct fffa_err *err);
	void (*stop)(struct fffa_source *s);
	void (*change)(struct fffa_source *s); /* may be NULL */
	void (*close)(struct fffa_source *s);
	void (*now)(const struct fffa_source *s, uint64_t *mono_ns, uint64_t *unix_ns);
	const struct fffa_tunnel *(*tunnel)(const struct fffa_source *s, uint16_t id);
	/* Each of these may be NULL. */
	struct fffa_amount (*held)(struct fffa_source *s);
	size_t (*watched)(const struct fffa_source *s, uint32_t *ifindexes, size_t max);
	void (*checkpoint)(struct fffa_source *s, struct fffa_amount held, int64_t unix_ms);
	void (*view)(struct fffa_source *s, struct fffa_status_view *v);
	void (*limit_window)(struct fffa_source *s, uint64_t window_ns);
};

/* The struct of each source begins with this one. */
struct fffa_source {
	const struct fffa_source_ops *ops;
	const struct fffa_metadata_conf *metadata; /* how the identity of its packets is read */
	uint32_t sampled; /* N where one packet in N is counted; below 2: every packet */
	/*
	 * The same packets can be read again: the source waits for room and for the metadata, its
	 * records are not spooled, and a record that is lost or rejected is a failure.
	 */
	bool repeatable;
};

/* Both borrow their arguments until fffa_source_free, which frees the source. NULL: no memory. */
struct fffa_source *fffa_source_live_new(const struct fffa_config *conf);
/* replay->capture is not read: conf->capture is used. */
struct fffa_source *fffa_source_replay_new(const struct fffa_config *conf,
					   const struct fffa_replay_conf *replay);

/* metadata.static gives one interface id to all devices. */
bool fffa_source_names_one_interface(const struct fffa_config *conf);

/*
 * Compares conf with the devices of this host, as the start of a live source does. -EINVAL with err
 * when metadata.static.interface_id names one interface and more are captured on. 0 also when there
 * is no device to capture on, which only the start has to judge.
 */
int fffa_source_live_check(const struct fffa_config *conf, struct fffa_err *err);

/*
 * Makes what needs privileges that fffa_source_start does not need, and gives these up. Call it while
 * the process has one thread, and fffa_source_close in any case. 0, or -errno with err.
 */
int fffa_source_prepare(struct fffa_source *s, struct fffa_err *err);

/*
 * Call it after fffa_source_prepare. Starts to hand over deltas on the loop and counts in ledger
 * what is seen and lost. Borrows loop, ledger and ev->arg until fffa_source_free. 0, or -errno with
 * err: nothing is handed over.
 */
int fffa_source_start(struct fffa_source *s, uv_loop_t *loop, struct fffa_ledger *ledger,
		      const struct fffa_source_events *ev, struct fffa_err *err);

/* The configuration has new values; a replay takes none. */
void fffa_source_change(struct fffa_source *s);

/* Call it after fffa_source_start. Hands over what was seen until now, then calls ended. */
void fffa_source_stop(struct fffa_source *s);

/* Starts to close the handles, if there are any. The ledger does not change afterwards. */
void fffa_source_close(struct fffa_source *s);

/* Call it after the loop has ended. NULL is allowed. */
void fffa_source_free(struct fffa_source *s);

/*
 * The packets' clock, in nanoseconds: monotonic, and the same instant in Unix time. In a replay
 * both are the captures' time.
 */
void fffa_source_now(const struct fffa_source *s, uint64_t *mono_ns, uint64_t *unix_ns);

/* The tunnel that a delta's id stands for; NULL: none. Borrowed while a flow has the id. */
const struct fffa_tunnel *fffa_source_tunnel(const struct fffa_source *s, uint16_t id);

/* Updates the ledger. Returns what it counts as seen and what was not handed over yet. */
struct fffa_amount fffa_source_held(struct fffa_source *s);

/* True when the source knows since when it captures on each device. */
bool fffa_source_watches(const struct fffa_source *s);
/*
 * Fills ifindexes with at most max devices that are captured on now and were all the time since the
 * last drain. Returns how many.
 */
size_t fffa_source_watched(const struct fffa_source *s, uint32_t *ifindexes, size_t max);

/*
 * Writes a checkpoint for the next start: everything that was handed over has been merged, and
 * `held` of it is in no record yet. unix_ms: now.
 */
void fffa_source_checkpoint(struct fffa_source *s, struct fffa_amount held, int64_t unix_ms);

/* No delta covers more than this from now on, also after this process stood still. */
void fffa_source_limit_window(struct fffa_source *s, uint64_t window_ns);

/* Fills the source's part of the status view: hooks, kernel, held_kernel. */
void fffa_source_view(struct fffa_source *s, struct fffa_status_view *v);

#endif
