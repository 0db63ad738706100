/* SPDX-License-Identifier: MIT */
/*
 * The network devices of this namespace from rtnetlink, and which device is made on which.
 * Any thread.
 */
#ifndef FFFA_AGENT_CAPTURE_DEVICES_LINKS_H
#define FFFA_AGENT_CAPTURE_DEVICES_LINKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FFFA_LINKS_MAX 16384 /* read at once; a host with more is refused */

struct fffa_link {
	uint32_t ifindex;
	uint32_t parent; /* device of this namespace that it is made on (VLAN, macvlan); 0: none */
	uint32_t master; /* bridge, bond or VRF that it is a port of; 0: none */
	uint32_t mtu_bytes;
	uint16_t type; /* ARPHRD_*, net/if_arp.h */
	bool up;
	bool default_route; /* holds an IPv4 or IPv6 default route of the main table */
	uint8_t mac[6];
	char name[16];
	char kind[16]; /* "vlan", "bridge", ...; "": a driver of hardware */
};

struct fffa_links {
	struct fffa_link *v; /* sorted by ifindex */
	size_t n;
};

/*
 * Reads all devices, and the default routes when routes is true (a router's table is long). 0, or
 * -errno with nothing held. Blocks until the kernel has answered.
 */
int fffa_links_read(struct fffa_links *out, bool routes);
void fffa_links_fini(struct fffa_links *l);
/* NULL when there is none. */
const struct fffa_link *fffa_links_find(const struct fffa_links *l, uint32_t ifindex);

#endif
