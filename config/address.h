/* SPDX-License-Identifier: MIT */
/* Where a listener is reached, as status.listen writes it. Pure. */
#ifndef FFFA_CONFIG_ADDRESS_H
#define FFFA_CONFIG_ADDRESS_H

#include <stddef.h>
#include <sys/socket.h>

#include "agent/base/err.h"

struct fffa_address {
	struct sockaddr_storage sa; /* AF_INET, AF_INET6 or AF_UNIX */
	socklen_t len;
};

/*
 * "127.0.0.1:9977", "[::1]:9977", "localhost:9977" (the IPv4 one) or "unix:/path". Names are not
 * looked up. 0, or -EINVAL with err saying what is allowed.
 */
int fffa_address_parse(const char *text, struct fffa_address *out, struct fffa_err *err);

/* The "/path" of "unix:/path", within text; NULL: it is another address. */
const char *fffa_address_path(const char *text);

#endif
