/* SPDX-License-Identifier: MIT */
/*
 * Which names the status pages answer for. A web page elsewhere can make a browser connect to this
 * listener through a name of its own (DNS rebinding); the browser then sends that name as Host.
 */
#ifndef FFFA_AGENT_STATUS_LISTEN_HOST_HEADER_H
#define FFFA_AGENT_STATUS_LISTEN_HOST_HEADER_H

#include <stdbool.h>

/*
 * Whether a request whose Host header is host (NULL: it has none) is for the listener at `listen`,
 * an address for fffa_address_parse. Whatever the port: localhost, 127.0.0.1, [::1] and the address
 * of the listener. One that listens at all addresses also answers for every address and for own,
 * the host's name. A unix socket answers for all names.
 */
bool fffa_host_header_fits(const char *listen, const char *own, const char *host);

#endif
