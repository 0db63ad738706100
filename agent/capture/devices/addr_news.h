/* SPDX-License-Identifier: MIT */
/*
 * Tells an address that came or went from one that was only renewed. The kernel reports known
 * addresses again with each router advertisement and each lease.
 */
#ifndef FFFA_AGENT_CAPTURE_DEVICES_ADDR_NEWS_H
#define FFFA_AGENT_CAPTURE_DEVICES_ADDR_NEWS_H

#include <stdbool.h>
#include <stdint.h>

#include <libmnl/libmnl.h>

/* Addresses that are remembered. One more clears the list, and all of them count as new again. */
#define FFFA_ADDR_NEWS_MAX 512

struct fffa_addr {
	uint32_t ifindex;
	uint8_t bytes[16];
};

struct fffa_addr_news {
	uint32_t n;
	struct fffa_addr v[FFFA_ADDR_NEWS_MAX];
};

/*
 * Takes an RTM_NEWADDR or RTM_DELADDR. True when the address came or went. Never for an address
 * that is valid on one link or on this host only; always for one that is seen for the first time.
 */
bool fffa_addr_news_take(struct fffa_addr_news *a, const struct nlmsghdr *h);

#endif
