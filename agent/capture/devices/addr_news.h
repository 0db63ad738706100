/* SPDX-License-Identifier: MIT */
/*
 * Tells an address that came or went from one that was only renewed: with each router advertisement
 * and each lease the kernel tells of addresses that were there before.
 */
#ifndef FFFA_AGENT_CAPTURE_DEVICES_ADDR_NEWS_H
#define FFFA_AGENT_CAPTURE_DEVICES_ADDR_NEWS_H

#include <stdbool.h>
#include <stdint.h>

#include <libmnl/libmnl.h>

#define FFFA_ADDR_NEWS_MAX                                                                         \
	512 /* addresses remembered; beyond that all are forgotten, and news again */

struct fffa_addr {
	uint32_t ifindex;
	uint8_t bytes[16];
};

struct fffa_addr_news {
	uint32_t n;
	struct fffa_addr v[FFFA_ADDR_NEWS_MAX];
};

/* Takes an RTM_NEWADDR or RTM_DELADDR. True when it is news; an address that is valid on one link or
 * on this host only never is, one met for the first time always. */
bool fffa_addr_news_take(struct fffa_addr_news *a, const struct nlmsghdr *h);

#endif
