// SPDX-License-Identifier: MIT
#include "agent/capture/devices/addr_news.h"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <string.h>

/* False: the address is valid on one link or on this host only. */
static bool read_addr(const struct nlmsghdr *h, struct fffa_addr *out)
{
	const struct ifaddrmsg *m = mnl_nlmsg_get_payload(h);
	const struct nlattr *attr;
	bool found = false, local = false;

	if (mnl_nlmsg_get_payload_len(h) < sizeof(*m) || m->ifa_scope >= RT_SCOPE_LINK)
		return false;
	memset(out, 0, sizeof(*out));
	out->ifindex = m->ifa_index;
	mnl_attr_for_each(attr, h, sizeof(*m))
	{
		uint16_t type = mnl_attr_get_type(attr), len = mnl_attr_get_payload_len(attr);

		/* On a point-to-point link IFA_ADDRESS is the other end. */
		if ((type != IFA_LOCAL && (type != IFA_ADDRESS || local)) || len > 16)
			continue;
		memset(out->bytes, 0, sizeof(out->bytes));
		memcpy(out->bytes, mnl_attr_get_payload(attr), len);
		local = type == IFA_LOCAL;
		found = true;
	}
	return found;
}

bool fffa_addr_news_take(struct fffa_addr_news *a, const struct nlmsghdr *h)
{
	struct fffa_addr addr;
	uint32_t i = 0;

	if (!read_addr(h, &addr))
		return false;
	while (i < a->n && memcmp(&a->v[i], &addr, sizeof(addr)) != 0)
		i++;
	if (h->nlmsg_type == RTM_DELADDR) {
		if (i < a->n)
			a->v[i] = a->v[--a->n];
		return true;
	}
	if (i < a->n)
		return false;
	if (a->n == FFFA_ADDR_NEWS_MAX)
		a->n = 0;
	a->v[a->n++] = addr;
	return true;
}
