/* SPDX-License-Identifier: MIT */
/*
 * The live source of deltas: attaches hooks, watches the ring, and drains the kernel's table every
 * drain_interval in a worker thread. Loop thread only.
 */
#ifndef FFFA_AGENT_CAPTURE_LIVE_H
#define FFFA_AGENT_CAPTURE_LIVE_H

#include <uv.h>

#include "agent/base/err.h"
#include "agent/base/ledger.h"
#include "agent/capture/devices/devices.h"
#include "agent/flow/delta.h"
#include "config/config.h"

struct fffa_live;
struct fffa_histogram; /* agent/base/histogram.h */
struct fffa_hooked;    /* agent/capture/live_devices.h */
struct fffa_kernel;    /* agent/capture/kernel/kernel.h */

struct fffa_live_events {
	fffa_delta_fn delta;  /* one entry handed over */
	fffa_delta_fn expect; /* the entry that comes FFFA_FLOW_AHEAD entries later */
	/* Packets that were handed over of a device's direction, since the start. */
	struct fffa_amount (*counted)(void *arg, const char *name, int dir);
	void (*draining)(void *arg); /* a drain begins: what passes from here on may not be in it */
	void (*turn)(void *arg);     /* after each turn's deltas: time to expire flows */
	/* Whether something that was handed over still needs the tunnel with this id. */
	bool (*tunnel_used)(void *arg, uint16_t id);
	/* The devices that deltas may belong to, after each change. */
	void (*devices)(void *arg, const struct fffa_netdev *devices, size_t n);
	/* The hooks follow a new configuration; the next turn ends what they counted before. */
	void (*changed)(void *arg);
	/* Addresses of this namespace came or went. */
	void (*addresses)(void *arg);
	void (*stopped)(void *arg); /* after fffa_live_stop: everything the hooks saw has been
				       handed over */
	void *arg;
};

/* Loads the programs and makes the tables; the caller closes them with fffa_kernel_close or opens
 * them with fffa_live_open. 0, or -errno with err. */
int fffa_live_load(const struct fffa_capture_conf *conf, struct fffa_kernel **out,
		   struct fffa_err *err);

/*
 * Attaches the programs to every selected device and starts. Owns the kernel from then on, whatever
 * it returns. Follows devices that
 * appear, vanish or get another name from then on. Borrows all other arguments but devices,
 * which it copies. Writes the kernel's seen and lost counts into ledger before each turn. On failure nothing
 * is left attached and err says what to do: -EPERM, -ENODEV, -ENOTSUP, -EBUSY, ...
 */
int fffa_live_open(uv_loop_t *loop, const struct fffa_capture_conf *conf,
		   struct fffa_kernel *kernel, const struct fffa_netdevs *devices,
		   struct fffa_ledger *ledger, const struct fffa_live_events *events,
		   struct fffa_live **out, struct fffa_err *err);

/*
 * The configuration that was given to fffa_live_open has new values: all but max_flows and ring_size
 * are followed, when no drain runs. Devices keep their hooks unless their choice, hook or direction
 * changed. A hook that cannot be attached is logged, and tried again at the next change.
 */
void fffa_live_change(struct fffa_live *l);

/* No delta covers more than this, also while nobody drains. See fffa_kernel_limit_window. */
void fffa_live_limit_window(struct fffa_live *l, uint64_t window_ns);

/* The tunnel of a delta's tunnel id, or NULL. */
const struct fffa_tunnel *fffa_live_tunnel(const struct fffa_live *l, uint16_t id);

/* Why not all selected devices are captured on; NULL: each hook sees packets first. */
const char *fffa_live_problem(const struct fffa_live *l);

/* The devices under capture and their hooks. Valid until the loop turns. */
const struct fffa_hooked *fffa_live_hooks(const struct fffa_live *l, size_t *n);

/* Updates the hooks' counts in the ledger, which are otherwise those of the last turn. */
void fffa_live_refresh(const struct fffa_live *l);

/* For a status page: the kernel side, and how long each drain took until all of it was merged. */
const struct fffa_kernel *fffa_live_kernel(const struct fffa_live *l);
const struct fffa_histogram *fffa_live_drains(const struct fffa_live *l);

/* Detaches, drains both generations and the ring, hands all over, then calls stopped once. */
void fffa_live_stop(struct fffa_live *l);

/* After stopped (or instead of it): frees l once its handles are closed. */
void fffa_live_close(struct fffa_live *l);

#endif
