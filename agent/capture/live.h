/* SPDX-License-Identifier: MIT */
/*
 * The host's interfaces as a source of deltas, on the loop: hooks attached, ring watched, kernel
 * table drained every drain_interval by a worker thread. Loop thread only.
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
	fffa_delta_fn delta;	     /* one entry handed over */
	fffa_delta_fn expect;	     /* one that is handed over FFFA_FLOW_AHEAD entries on */
	void (*draining)(void *arg); /* a drain begins: what passes from here on may not be in it */
	void (*turn)(void *arg);     /* after each turn's deltas: time to expire flows */
	/* The devices that deltas may be of, after each change: those captured on, and those of late
	 */
	void (*devices)(void *arg, const struct fffa_netdev *devices, size_t n);
	/* Addresses of this namespace came or went: not what they are */
	void (*addresses)(void *arg);
	void (*stopped)(void *arg); /* after fffa_live_stop: everything the hooks saw has been
				       handed over */
	void *arg;
};

/*
 * Loads, attaches to every selected device and starts; devices that appear, vanish or get another
 * name are followed from then on. Borrows all but devices (copied). Writes seen and lost of the
 * kernel into ledger before each turn. On failure nothing is left attached and err says what to do:
 * -EPERM, -ENODEV, -ENOTSUP, -EBUSY, ...
 */
int fffa_live_open(uv_loop_t *loop, const struct fffa_capture_conf *conf,
		   const struct fffa_netdevs *devices, struct fffa_ledger *ledger,
		   const struct fffa_live_events *events, struct fffa_live **out,
		   struct fffa_err *err);

/* Identity of a delta's tunnel id, or NULL. */
const struct fffa_tunnel *fffa_live_tunnel(const struct fffa_live *l, uint16_t id);

/* The devices captured on now, their hooks and why these; valid until the loop turns. */
const struct fffa_hooked *fffa_live_hooks(const struct fffa_live *l, size_t *n);

/* Brings what the hooks count in the ledger up to now; else it is as of the last turn. */
void fffa_live_refresh(const struct fffa_live *l);

/* For a status page: the kernel side, and how long each drain took until all of it was merged. */
const struct fffa_kernel *fffa_live_kernel(const struct fffa_live *l);
const struct fffa_histogram *fffa_live_drains(const struct fffa_live *l);

/* Detaches, drains both generations and the ring, hands all of it over, then calls stopped once. */
void fffa_live_stop(struct fffa_live *l);

/* After stopped (or instead of it): frees l once its handles are closed. */
void fffa_live_close(struct fffa_live *l);

#endif
