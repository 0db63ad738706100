// SPDX-License-Identifier: MIT
#include "agent/enrich/vpc.h"

#include <string.h>

#define RESERVED_FIRST 4 /* network, router, resolver, for later */
#define ROUTER_NTH     1
#define RESOLVER_NTH   2

/* The first or last address of a prefix. */
static void first_or_last(const struct fffa_cidr *c, bool last, uint8_t out[16])
{
	for (int i = 0; i < 16; i++) {
		int fixed = c->bits - 8 * i;
		uint8_t host = fixed >= 8 ? 0 : fixed <= 0 ? 0xff : (uint8_t)(0xff >> fixed);

		out[i] = (uint8_t)(c->addr[i] & ~host) | (last ? host : 0);
	}
}

/* A prefix leaves at least four bits, so these alone rule most addresses out. */
static bool is_nth(const struct fffa_cidr *c, uint8_t nth, const uint8_t addr[16])
{
	uint8_t at[16];

	if ((addr[15] & 0xf) != nth)
		return false;
	first_or_last(c, false, at);
	at[15] = (uint8_t)(at[15] + nth);
	return memcmp(at, addr, 16) == 0;
}

static bool is_reserved(const struct fffa_cidr *subnet, const uint8_t addr[16])
{
	uint8_t last[16];

	if (!fffa_cidr_has(subnet, addr))
		return false;
	for (uint8_t i = 0; i < RESERVED_FIRST; i++) {
		if (is_nth(subnet, i, addr))
			return true;
	}
	if ((addr[15] & 0xf) != 0xf)
		return false;
	first_or_last(subnet, true, last);
	return memcmp(last, addr, 16) == 0;
}

static bool list_has(const struct fffa_imds_list *l, const uint8_t addr[16])
{
	for (size_t i = 0; i < l->n; i++) {
		if (fffa_cidr_has(&l->v[i], addr))
			return true;
	}
	return false;
}

static bool list_reserves(const struct fffa_imds_list *subnets, const uint8_t addr[16])
{
	for (size_t i = 0; i < subnets->n; i++) {
		if (is_reserved(&subnets->v[i], addr))
			return true;
	}
	return false;
}

bool fffa_vpc_holds(const struct fffa_imds_iface *i, const uint8_t addr[16])
{
	if (!fffa_addr_is_ipv4(addr))
		return list_has(&i->vpc_ipv6, addr) && !list_reserves(&i->subnet_ipv6, addr);
	if (!list_has(&i->vpc_ipv4, addr) || list_reserves(&i->subnet_ipv4, addr))
		return false;
	for (size_t k = 0; k < i->vpc_ipv4.n; k++) {
		if (is_nth(&i->vpc_ipv4.v[k], RESOLVER_NTH, addr))
			return false;
	}
	return true;
}

static bool is_among(uint8_t (*v)[16], size_t n, const uint8_t addr[16])
{
	for (size_t i = 0; i < n; i++) {
		if (memcmp(v[i], addr, 16) == 0)
			return true;
	}
	return false;
}

/* Adds the nth address of each prefix. */
static size_t add_nth(const struct fffa_imds_list *l, uint8_t nth, uint8_t (*out)[16], size_t n,
		      size_t cap)
{
	for (size_t k = 0; k < l->n && n < cap; k++) {
		uint8_t at[16];

		first_or_last(&l->v[k], false, at);
		at[15] = (uint8_t)(at[15] + nth);
		if (!is_among(out, n, at))
			memcpy(out[n++], at, 16);
	}
	return n;
}

size_t fffa_vpc_add_resolvers(const struct fffa_imds_iface *i, uint8_t (*out)[16], size_t n,
			      size_t cap)
{
	return add_nth(&i->vpc_ipv4, RESOLVER_NTH, out, n, cap);
}

size_t fffa_vpc_add_routers(const struct fffa_imds_iface *i, uint8_t (*out)[16], size_t n,
			    size_t cap)
{
	return add_nth(&i->subnet_ipv4, ROUTER_NTH, out, n, cap);
}
