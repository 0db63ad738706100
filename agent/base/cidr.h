/* SPDX-License-Identifier: MIT */
/* Address prefixes, IPv4 in its mapped form (::ffff:a.b.c.d). Pure. */
#ifndef FFFA_AGENT_BASE_CIDR_H
#define FFFA_AGENT_BASE_CIDR_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "agent/base/err.h"

struct fffa_cidr {
	uint8_t addr[16]; /* v4-mapped; bits beyond the prefix may be set */
	uint8_t bits;	  /* 0..128 */
};

/* Parses "10.0.0.0/8", "2001:db8::/32" or an address alone. 0; -EINVAL with err (may be NULL), and
 * *out is untouched. */
int fffa_cidr_parse(const char *text, struct fffa_cidr *out, struct fffa_err *err);

/* True when addr lies within the prefix. */
bool fffa_cidr_has(const struct fffa_cidr *c, const uint8_t addr[16]);

/* True when addr is ::ffff:a.b.c.d, which is how IPv4 addresses are held (RFC 4291, 2.5.5.2). */
static inline bool fffa_addr_is_ipv4(const uint8_t addr[16])
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	return memcmp(addr, mapped, sizeof(mapped)) == 0;
}

#endif
