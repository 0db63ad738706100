/* SPDX-License-Identifier: MIT */
/* Which network devices there are, and which of them the configuration means. */
#ifndef FFFA_AGENT_CAPTURE_DEVICES_H
#define FFFA_AGENT_CAPTURE_DEVICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/err.h"
#include "config/config.h"

#define FFFA_DEVICES_MAX 64 /* captured on at once */

struct fffa_netdev {
	uint32_t ifindex;
	char name[16];
	uint8_t mac[6];
	uint16_t type;	    /* ARPHRD_*, net/if_arp.h */
	bool default_route; /* holds an IPv4 or IPv6 default route */
};

struct fffa_netdevs {
	struct fffa_netdev v[FFFA_DEVICES_MAX];
	size_t n;
};

/*
 * The devices of this network namespace that conf selects, sorted by ifindex. `auto` stands for
 * those that hold a default route; globs (fnmatch) pass over the loopback device; only devices with
 * an Ethernet header count. -ENODEV with err when none is left.
 */
int fffa_devices_select(const struct fffa_capture_conf *conf, struct fffa_netdevs *out,
			struct fffa_err *err);

#endif
