/* SPDX-License-Identifier: MIT */
/*
 * The devices that are captured on, kept in step with what is there: hooks attached and detached,
 * every change logged with its reason. Loop thread only.
 */
#ifndef FFFA_AGENT_CAPTURE_LIVE_DEVICES_H
#define FFFA_AGENT_CAPTURE_LIVE_DEVICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/err.h"
#include "agent/capture/kernel/attach.h"
#include "agent/capture/devices/devices.h"
#include "agent/capture/kernel/kernel.h"
#include "agent/capture/devices/preflight.h"
#include "config/config.h"

/* One device and its hooks, as a status page shows it. */
struct fffa_hooked {
	struct fffa_netdev dev;
	struct fffa_attachment at[2]; /* ingress, egress; how is NONE where capture.direction leaves
					 it out */
	struct fffa_hook_choice choice; /* of the ingress hook */
	bool renamed;			/* its name is not the one that was asked for */
};

/* What has been said of a device that could not be attached to. */
struct fffa_hook_failure {
	uint32_t ifindex;
	int error;
};

struct fffa_live_devices {
	const struct fffa_kernel *kernel;
	const struct fffa_capture_conf *conf;
	struct fffa_hooked v[FFFA_DEVICES_MAX];
	size_t n;
	struct fffa_netdev gone[FFFA_DEVICES_MAX]; /* not captured on any more, the newest last */
	size_t gone_count;
	struct fffa_hook_failure failed[FFFA_DEVICES_MAX];
	size_t failed_count;
	struct fffa_netdevs chosen; /* the last choice */
	bool read_failed;
	bool no_route_logged; /* it has been said that no device holds a default route */
};

/* Attaches to every device chosen; one that fails fails the start and err says what to do. The
 * caller detaches then, too. d is zeroed before. Borrows kernel and conf. */
int fffa_live_devices_start(struct fffa_live_devices *d, const struct fffa_kernel *kernel,
			    const struct fffa_capture_conf *conf, const struct fffa_netdevs *chosen,
			    struct fffa_err *err);
/* Looks what there is now and follows it. True when the list below has changed. */
bool fffa_live_devices_follow(struct fffa_live_devices *d);
void fffa_live_devices_detach(struct fffa_live_devices *d);

#define FFFA_LIVE_DEVICES_LIST_MAX (2 * FFFA_DEVICES_MAX)
/* The devices whose packets may be in flows: those captured on, then those of late. */
size_t fffa_live_devices_list(const struct fffa_live_devices *d,
			      struct fffa_netdev out[FFFA_LIVE_DEVICES_LIST_MAX]);

#endif
