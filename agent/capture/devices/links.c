// SPDX-License-Identifier: MIT
#include "agent/capture/devices/links.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <libmnl/libmnl.h>

#define READS_MAX    8	   /* of a list that changes while it is read */
#define ANSWER_BYTES 32768 /* the kernel fills at most this much at once */

/* One dump: which message to ask with, what to do with each answer. */
struct dump {
	struct mnl_socket *s;
	uint16_t type;
	unsigned char family;
	mnl_cb_t take;
	void *arg;
};

static int run_dump(const struct dump *d)
{
	char buf[ANSWER_BYTES];
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	uint32_t seq = (uint32_t)time(NULL) ^ d->type;
	ssize_t len;
	int rc;

	h->nlmsg_type = d->type;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	h->nlmsg_seq = seq;
	if (d->type == RTM_GETLINK) {
		struct ifinfomsg *i = mnl_nlmsg_put_extra_header(h, sizeof(*i));

		i->ifi_family = d->family;
		/* Statistics of each virtual function are of no use here and may be many. */
		mnl_attr_put_u32(h, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	} else {
		struct rtmsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));

		m->rtm_family = d->family;
	}
	if (mnl_socket_sendto(d->s, h, h->nlmsg_len) < 0)
		return -errno;
	do {
		len = mnl_socket_recvfrom(d->s, buf, sizeof(buf));
		if (len < 0)
			return -errno;
		rc = mnl_cb_run(buf, (size_t)len, seq, mnl_socket_get_portid(d->s), d->take,
				d->arg);
	} while (rc > MNL_CB_STOP);
	return rc == MNL_CB_ERROR ? -errno : 0;
}

static void read_kind(const struct nlattr *info, struct fffa_link *l)
{
	const struct nlattr *a;

	mnl_attr_for_each_nested(a, info)
	{
		if (mnl_attr_get_type(a) == IFLA_INFO_KIND &&
		    !mnl_attr_validate(a, MNL_TYPE_STRING))
			(void)snprintf(l->kind, sizeof(l->kind), "%.*s",
				       (int)mnl_attr_get_payload_len(a), mnl_attr_get_str(a));
	}
}

static void read_attr(const struct nlattr *a, struct fffa_link *l, bool *elsewhere)
{
	size_t len = mnl_attr_get_payload_len(a);
	bool number = len == sizeof(uint32_t);

	switch (mnl_attr_get_type(a)) {
	case IFLA_IFNAME:
		(void)snprintf(l->name, sizeof(l->name), "%.*s", (int)len, mnl_attr_get_str(a));
		break;
	case IFLA_ADDRESS:
		if (len == sizeof(l->mac))
			memcpy(l->mac, mnl_attr_get_payload(a), len);
		break;
	case IFLA_LINK:
		l->parent = number ? mnl_attr_get_u32(a) : 0;
		break;
	case IFLA_LINK_NETNSID:
		*elsewhere = true;
		break;
	case IFLA_MASTER:
		l->master = number ? mnl_attr_get_u32(a) : 0;
		break;
	case IFLA_MTU:
		l->mtu_bytes = number ? mnl_attr_get_u32(a) : 0;
		break;
	case IFLA_LINKINFO:
		read_kind(a, l);
		break;
	default:
		break;
	}
}

struct room {
	struct fffa_links *links;
	size_t capacity;
};

static struct fffa_link *add(struct room *room)
{
	struct fffa_links *l = room->links;
	struct fffa_link *v;

	if (l->n == room->capacity) {
		if (l->n == FFFA_LINKS_MAX) {
			errno = E2BIG;
			return NULL;
		}
		room->capacity = room->capacity ? room->capacity * 2 : 16;
		v = realloc(l->v, room->capacity * sizeof(*v));
		if (!v)
			return NULL;
		l->v = v;
	}
	v = &l->v[l->n++];
	memset(v, 0, sizeof(*v));
	return v;
}

static int take_link(const struct nlmsghdr *h, void *arg)
{
	const struct ifinfomsg *i = mnl_nlmsg_get_payload(h);
	const struct nlattr *a;
	bool elsewhere = false;
	struct fffa_link *l;

	if (h->nlmsg_type != RTM_NEWLINK)
		return MNL_CB_OK;
	l = add(arg);
	if (!l)
		return MNL_CB_ERROR;
	l->ifindex = (uint32_t)i->ifi_index;
	l->type = i->ifi_type;
	l->up = i->ifi_flags & IFF_UP;
	mnl_attr_for_each(a, h, sizeof(*i))
	{
		read_attr(a, l, &elsewhere);
	}
	/* The parent's number counts in its own namespace; tunnels name themselves. */
	if (elsewhere || l->parent == l->ifindex)
		l->parent = 0;
	return MNL_CB_OK;
}

static struct fffa_link *find(const struct fffa_links *l, uint32_t ifindex)
{
	size_t low = 0, high = l->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (l->v[mid].ifindex < ifindex)
			low = mid + 1;
		else
			high = mid;
	}
	return low < l->n && l->v[low].ifindex == ifindex ? &l->v[low] : NULL;
}

static void set_default_route(const struct fffa_links *links, uint32_t ifindex)
{
	struct fffa_link *l = find(links, ifindex);

	if (l)
		l->default_route = true;
}

static void set_default_route_hops(const struct fffa_links *links, const struct nlattr *a)
{
	const struct rtnexthop *hop = mnl_attr_get_payload(a);
	size_t left = mnl_attr_get_payload_len(a);

	while (left >= sizeof(*hop) && hop->rtnh_len >= sizeof(*hop) && hop->rtnh_len <= left) {
		size_t step = RTNH_ALIGN(hop->rtnh_len);

		set_default_route(links, (uint32_t)hop->rtnh_ifindex);
		if (step >= left)
			break;
		left -= step;
		hop = (const void *)((const char *)hop + step);
	}
}

static int take_route(const struct nlmsghdr *h, void *arg)
{
	const struct rtmsg *m = mnl_nlmsg_get_payload(h);
	const struct fffa_links *links = arg;
	const struct nlattr *a;

	/* Unreachable and blackhole routes name a device, too, but no packet leaves by it. */
	if (h->nlmsg_type != RTM_NEWROUTE || m->rtm_dst_len || m->rtm_table != RT_TABLE_MAIN ||
	    m->rtm_type != RTN_UNICAST || m->rtm_flags & RTM_F_CLONED)
		return MNL_CB_OK;
	mnl_attr_for_each(a, h, sizeof(*m))
	{
		if (mnl_attr_get_type(a) == RTA_OIF &&
		    mnl_attr_get_payload_len(a) == sizeof(uint32_t))
			set_default_route(links, mnl_attr_get_u32(a));
		else if (mnl_attr_get_type(a) == RTA_MULTIPATH)
			set_default_route_hops(links, a);
	}
	return MNL_CB_OK;
}

static int by_ifindex(const void *a, const void *b)
{
	const struct fffa_link *x = a, *y = b;

	return x->ifindex < y->ifindex ? -1 : x->ifindex > y->ifindex;
}

/* -EINTR: something changed meanwhile. */
static int read_once(struct mnl_socket *s, struct fffa_links *out, bool routes)
{
	static const unsigned char families[] = {AF_INET, AF_INET6};
	struct room room = {.links = out};
	struct dump d = {
		.s = s, .type = RTM_GETLINK, .family = AF_UNSPEC, .take = take_link, .arg = &room};
	int rc;

	out->v = NULL;
	out->n = 0;
	rc = run_dump(&d);
	if (!rc && out->n)
		qsort(out->v, out->n, sizeof(out->v[0]), by_ifindex);
	for (size_t i = 0; !rc && routes && i < sizeof(families); i++) {
		d = (struct dump){.s = s,
				  .type = RTM_GETROUTE,
				  .family = families[i],
				  .take = take_route,
				  .arg = out};
		rc = run_dump(&d);
	}
	if (rc)
		fffa_links_fini(out);
	return rc;
}

int fffa_links_read(struct fffa_links *out, bool routes)
{
	int rc = -EINTR;

	for (int i = 0; rc == -EINTR && i < READS_MAX; i++) {
		/*
		 * A new socket each time: an interrupted dump leaves answers behind in the old one.
		 */
		struct mnl_socket *s = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);

		if (!s)
			return -errno;
		rc = mnl_socket_bind(s, 0, MNL_SOCKET_AUTOPID) ? -errno : read_once(s, out, routes);
		(void)mnl_socket_close(s);
	}
	return rc;
}

void fffa_links_fini(struct fffa_links *l)
{
	free(l->v);
	l->v = NULL;
	l->n = 0;
}

const struct fffa_link *fffa_links_find(const struct fffa_links *l, uint32_t ifindex)
{
	return find(l, ifindex);
}
