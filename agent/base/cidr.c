// SPDX-License-Identifier: MIT
#include "agent/base/cidr.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int fffa_cidr_parse(const char *text, struct fffa_cidr *out, struct fffa_err *err)
{
	char addr[64], *slash, *end;
	struct fffa_cidr c = {.addr = {[10] = 0xff, [11] = 0xff}};
	long max, bits;

	if ((size_t)snprintf(addr, sizeof(addr), "%s", text) >= sizeof(addr))
		return fffa_fail(err, EINVAL, "%s: not an address prefix", text);
	slash = strchr(addr, '/');
	if (slash)
		*slash++ = 0;
	if (inet_pton(AF_INET, addr, c.addr + 12) == 1)
		max = 32;
	else if (inet_pton(AF_INET6, addr, c.addr) == 1)
		max = 128;
	else
		return fffa_fail(err, EINVAL,
				 "%s: not an address prefix such as 10.0.0.0/8 or 2001:db8::/32",
				 text);
	bits = slash ? strtol(slash, &end, 10) : max;
	/* A digit first: strtol would take blanks and a sign. */
	if (slash && (!isdigit((unsigned char)*slash) || *end || bits > max))
		return fffa_fail(err, EINVAL, "%s: the prefix length must be 0 to %ld", text, max);
	c.bits = (uint8_t)(bits + 128 - max);
	*out = c;
	return 0;
}

bool fffa_cidr_has(const struct fffa_cidr *c, const uint8_t addr[16])
{
	uint32_t whole = c->bits / 8, rest = c->bits % 8;

	if (memcmp(addr, c->addr, whole) != 0)
		return false;
	return !rest || !((addr[whole] ^ c->addr[whole]) >> (8 - rest));
}
