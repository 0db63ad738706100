/* SPDX-License-Identifier: MIT */
/*
 * The devices under capture. Attaches and detaches hooks as devices come and go, and logs every
 * change with its reason. Loop thread only.
 */
#ifndef FFFA_AGENT_CAPTURE_LIVE_DEVICES_H
#define FFFA_AGENT_CAPTURE_LIVE_DEVICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/err.h"
#include "agent/capture/hook_state.h"
#include "agent/capture/kernel/attach.h"
#include "agent/capture/devices/devices.h"
#include "agent/capture/kernel/kernel.h"
#include "agent/capture/devices/preflight.h"
#include "config/config.h"

/* One device and its hooks, as a status page shows it. */
struct fffa_hooked {
	struct fffa_netdev dev;
	struct fffa_attachment
		at[2]; /* ingress, egress; NONE where capture.direction excludes it */
	struct fffa_hook_state state[2];
	struct fffa_hook_choice choice; /* of the ingress hook */
	bool renamed;			/* its name is not the one that was asked for */
};

/* A device that no hook could be attached to, and the error that was logged. */
struct fffa_hook_failure {
	uint32_t ifindex;
	int error;
	char text[200];
};

/* Packets that were handed over of a device's direction (0 ingress, 1 egress), since the start. */
typedef struct fffa_amount (*fffa_counted_fn)(void *arg, const char *name, int dir);

struct fffa_live_devices {
	const struct fffa_kernel *kernel;
	fffa_counted_fn counted; /* set by the caller, before the start */
	void *counted_arg;
	const struct fffa_capture_conf *conf; /* may get new values; hooks are as these two say: */
	int hook, direction;
	struct fffa_hooked v[FFFA_DEVICES_MAX];
	size_t n;
	struct fffa_netdev gone[FFFA_DEVICES_MAX]; /* not captured on any more, newest last */
	size_t gone_count;
	struct fffa_hook_failure failed[FFFA_DEVICES_MAX];
	size_t failed_count;
	struct fffa_netdevs chosen; /* the last choice */
	bool read_failed;
	bool no_route_logged; /* the log says that no device holds a default route */
};

/*
 * Attaches hooks to every chosen device. When one fails, the start fails and err says what to do;
 * the caller must detach in that case, too. The caller zeroes d before. Borrows kernel and conf.
 */
int fffa_live_devices_start(struct fffa_live_devices *d, const struct fffa_kernel *kernel,
			    const struct fffa_capture_conf *conf, const struct fffa_netdevs *chosen,
			    struct fffa_err *err);
/* Reads the devices again and follows the changes. True when the list below has changed. */
bool fffa_live_devices_follow(struct fffa_live_devices *d);
void fffa_live_devices_detach(struct fffa_live_devices *d);

/* The device under capture with this index; NULL: there is none. */
struct fffa_hooked *fffa_live_devices_find(struct fffa_live_devices *d, uint32_t ifindex);

#define FFFA_LIVE_DEVICES_LIST_MAX (2 * FFFA_DEVICES_MAX)
/* The devices whose packets may be in flows: those under capture, then those that were lately. */
size_t fffa_live_devices_list(const struct fffa_live_devices *d,
			      struct fffa_netdev out[FFFA_LIVE_DEVICES_LIST_MAX]);

#endif
