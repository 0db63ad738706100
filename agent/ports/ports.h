/* SPDX-License-Identifier: MIT */
/* Names of the services that IANA's registry has at ports. Pure; nothing is read or looked up. */
#ifndef FFFA_AGENT_PORTS_PORTS_H
#define FFFA_AGENT_PORTS_PORTS_H

#include <stdbool.h>
#include <stdint.h>

#define FFFA_PORTS_END_BYTES 64 /* with the name; an IPv6 address has room */

/* The name of a port of this IP protocol, as "https" for 443 of TCP; NULL: it has none here. */
const char *fffa_ports_name(int64_t protocol, int64_t port);

/* The ends of a flow whose ports are shown. */
struct fffa_ports_ends {
	const char *src_name, *dst_name; /* NULL: the number is shown */
};

/*
 * Which end is the service: the one whose port has a name. When both have one it is the lower
 * number; when both ports are the same it is both.
 */
struct fffa_ports_ends fffa_ports_service(int64_t protocol, int64_t src, int64_t dst);

/*
 * Writes "10.0.0.1:https", "[::1]:443", or the address alone when with_port is false. name: of the
 * port; NULL: its number is written. Returns dst.
 */
const char *fffa_ports_write_end(const char *address, bool with_port, int64_t port,
				 const char *name, char dst[FFFA_PORTS_END_BYTES]);

#endif
