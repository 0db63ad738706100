/* SPDX-License-Identifier: MIT */
/* Chooses the network devices that the configuration selects. Pure, except fffa_devices_select. */
#ifndef FFFA_AGENT_CAPTURE_DEVICES_DEVICES_H
#define FFFA_AGENT_CAPTURE_DEVICES_DEVICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/base/err.h"
#include "agent/capture/devices/links.h"
#include "config/config.h"

#define FFFA_DEVICES_MAX 64 /* captured on at once */

/* Why a device is selected. The highest value wins when several apply. */
enum fffa_match { FFFA_MATCH_NONE, FFFA_MATCH_AUTO, FFFA_MATCH_GLOB, FFFA_MATCH_NAME };

struct fffa_netdev {
	uint32_t ifindex;
	char name[16];
	uint8_t mac[6];
	uint16_t type;	    /* ARPHRD_*, net/if_arp.h */
	bool default_route; /* holds an IPv4 or IPv6 default route */
	enum fffa_match match;
};

/* Takes the type (ARPHRD_*) as an int. */
#define FFFA_DEVICES_LINK_TYPE "packets of its link type (%d, net/if_arp.h) are not read"

/* Why a selected device is left out. */
enum fffa_left_why {
	FFFA_LEFT_LINK_TYPE,   /* has a link header that the parser does not know */
	FFFA_LEFT_SHOWN_BELOW, /* `other` sees the same packets */
	FFFA_LEFT_FULL	       /* FFFA_DEVICES_MAX others are taken before it */
};

struct fffa_left {
	uint32_t ifindex;
	char name[16];
	uint16_t type; /* ARPHRD_* */
	enum fffa_match match;
	enum fffa_left_why why;
	char other[16];
};

struct fffa_netdevs {
	struct fffa_netdev v[FFFA_DEVICES_MAX]; /* sorted by ifindex */
	size_t n;
	struct fffa_left left[FFFA_DEVICES_MAX]; /* as many as fit */
	size_t left_count;
	bool more; /* some are left out for FFFA_LEFT_FULL */
};

/* Devices that stay selected, whatever their names are now. */
struct fffa_devices_retained {
	struct {
		uint32_t ifindex;
		enum fffa_match match;
	} v[FFFA_DEVICES_MAX];
	size_t n;
};

/*
 * `auto` selects the devices that hold a default route. Globs (fnmatch) and auto skip the loopback
 * device. A device that exclude matches is never taken. A device that is not named exactly is left
 * out when a device below it is selected, too (the parent of a VLAN or macvlan, a port of a bridge
 * or bond): it would show the same packets again. retained may be NULL.
 */
void fffa_devices_choose(const struct fffa_capture_conf *conf, const struct fffa_links *links,
			 const struct fffa_devices_retained *retained, struct fffa_netdevs *out);

/* Bytes of a device type's link header (ARPHRD_*); 0: packets begin with IP. -1: not known. */
int fffa_devices_link_bytes(uint16_t type);

/* True when capture.exclude matches the device. */
bool fffa_devices_excluded(const struct fffa_capture_conf *conf, const struct fffa_link *l);
/* True when a pattern needs the default routes. */
bool fffa_devices_want_routes(const struct fffa_capture_conf *conf);

/*
 * Chooses among the devices of this network namespace, at the start. -ENODEV: none is left;
 * -ENOTSUP: no hook fits a device that is named; -E2BIG: more than FFFA_DEVICES_MAX; err says what
 * to do.
 */
int fffa_devices_select(const struct fffa_capture_conf *conf, struct fffa_netdevs *out,
			struct fffa_err *err);

/* "auto", "a glob", "its name". */
const char *fffa_devices_match_text(enum fffa_match m);

#endif
