/* SPDX-License-Identifier: MIT */
/*
 * Watches the hooks: with each drain it reads who stands where, puts a hook back that was taken off
 * or that another program stands in front of, and counts what passed meanwhile. A check goes
 * through three calls: begin and end on the loop, run on the drain's thread.
 */
#ifndef FFFA_AGENT_CAPTURE_HOOK_WATCH_H
#define FFFA_AGENT_CAPTURE_HOOK_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/err.h"
#include "agent/base/ledger.h"
#include "agent/capture/devices/dev_counters.h"
#include "agent/capture/devices/devices.h"
#include "agent/capture/kernel/attach.h"
#include "agent/capture/kernel/chain.h"
#include "agent/capture/live_devices.h"

/* One hook in a check. */
struct fffa_hook_check {
	struct fffa_attachment at; /* begin: as it is; run: as it is now */
	bool may_put_back;
	bool ask_xdp;
	bool tried;
	bool put_back;
	enum fffa_place place; /* before it was put back */
	struct fffa_chain_head head, xdp;
	struct fffa_err err; /* of putting it back */
};

struct fffa_hook_check_device {
	uint32_t ifindex;
	char name[16];
	struct fffa_hook_check hook[2]; /* ingress, egress */
	bool dev_known;
	struct fffa_dev_counters dev;
};

/* Zero it before the first check. */
struct fffa_hook_watch {
	size_t n;
	struct fffa_hook_check_device v[FFFA_DEVICES_MAX];
	uint64_t others; /* packets in no flow until the last check */
};

/* Copies what run needs. Until adopt nobody may change the devices. */
void fffa_hook_watch_begin(struct fffa_hook_watch *w, const struct fffa_live_devices *d,
			   uint64_t now_ns);
/* May wait for the kernel. */
void fffa_hook_watch_run(struct fffa_hook_watch *w, struct fffa_kernel *k);
/* Takes over the attachments that run has changed. */
void fffa_hook_watch_adopt(struct fffa_hook_watch *w, struct fffa_live_devices *d, uint64_t now_ns);
/*
 * After the drain's deltas were merged and ledger's counts were read: judges each hook, logs what
 * changed and adds to ledger what passed uncounted. True when a device's NODATA must begin anew.
 */
bool fffa_hook_watch_end(struct fffa_hook_watch *w, struct fffa_live_devices *d,
			 struct fffa_ledger *ledger);

/* The first problem of all hooks; NULL: each one sees packets first. */
const char *fffa_hook_watch_problem(const struct fffa_live_devices *d);

#endif
