// SPDX-License-Identifier: MIT
#include "agent/capture/devices/link_watch.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stdlib.h>

#include <libmnl/libmnl.h>

#include "agent/capture/devices/addr_news.h"

#define READS_PER_TURN 512
#define MESSAGE_BYTES  32768

struct fffa_link_watch {
	struct mnl_socket *s;
	uv_poll_t poll;
	uv_timer_t quiet;
	int handles;	/* not closed yet */
	bool addresses; /* one came or went since the last call */
	struct fffa_addr_news addr_news;
	void (*changed)(void *arg, bool addresses);
	void *arg;
};

struct look {
	struct fffa_link_watch *w;
	bool news;
};

/* Only default routes count as a change: a router's table changes all day. */
static int look(const struct nlmsghdr *h, void *arg)
{
	const struct rtmsg *m = mnl_nlmsg_get_payload(h);
	struct look *l = arg;

	if ((h->nlmsg_type != RTM_NEWROUTE && h->nlmsg_type != RTM_DELROUTE) || !m->rtm_dst_len)
		l->news = true;
	if ((h->nlmsg_type == RTM_NEWADDR || h->nlmsg_type == RTM_DELADDR) &&
	    fffa_addr_news_take(&l->w->addr_news, h))
		l->w->addresses = true;
	return MNL_CB_OK;
}

static bool read_news(struct fffa_link_watch *w)
{
	char buf[MESSAGE_BYTES];
	struct look l = {.w = w};

	for (int i = 0; i < READS_PER_TURN; i++) {
		ssize_t len = mnl_socket_recvfrom(w->s, buf, sizeof(buf));

		if (len < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		/* ENOBUFS: some were dropped, so anything may have changed. */
		if (len < 0 || mnl_cb_run(buf, (size_t)len, 0, 0, look, &l) < 0)
			l.news = w->addresses = true;
	}
	return l.news;
}

static void on_readable(uv_poll_t *h, int status, int events);

static void on_quiet(uv_timer_t *h)
{
	struct fffa_link_watch *w = h->data;
	bool addresses;

	/* This call also covers the messages that wait in the socket: timers run before readers. */
	(void)read_news(w);
	/*
	 * libuv stops watching after an overrun. Starts again here and not at once, so that a
	 * lasting error does not keep the loop busy.
	 */
	(void)uv_poll_start(&w->poll, UV_READABLE, on_readable);
	addresses = w->addresses;
	w->addresses = false;
	w->changed(w->arg, addresses);
}

/* The first change starts the timer and later ones do not move it: a device that flaps all the time
 * must not delay the others. */
static void on_readable(uv_poll_t *h, int status, int events)
{
	struct fffa_link_watch *w = h->data;
	bool news = read_news(w);

	(void)events;
	if ((status || news) && !uv_is_active((uv_handle_t *)&w->quiet))
		(void)uv_timer_start(&w->quiet, on_quiet, FFFA_LINK_WATCH_QUIET_MS, 0);
}

static void free_watch(struct fffa_link_watch *w)
{
	if (w->s)
		(void)mnl_socket_close(w->s);
	free(w);
}

static void on_closed(uv_handle_t *h)
{
	struct fffa_link_watch *w = h->data;

	if (!--w->handles)
		free_watch(w);
}

int fffa_link_watch_open(uv_loop_t *loop, void (*changed)(void *arg, bool addresses), void *arg,
			 struct fffa_link_watch **out)
{
	/*
	 * Addresses, too: with the last one of a device its routes go, and the kernel does
	 * not tell.
	 */
	unsigned int groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR |
			      RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE;
	struct fffa_link_watch *w = calloc(1, sizeof(*w));
	int rc;

	if (!w)
		return -ENOMEM;
	w->changed = changed;
	w->arg = arg;
	w->s = mnl_socket_open2(NETLINK_ROUTE, SOCK_NONBLOCK | SOCK_CLOEXEC);
	rc = !w->s || mnl_socket_bind(w->s, groups, MNL_SOCKET_AUTOPID) ? -errno : 0;
	if (!rc)
		rc = uv_poll_init(loop, &w->poll, mnl_socket_get_fd(w->s));
	if (rc) {
		free_watch(w);
		return rc;
	}
	(void)uv_timer_init(loop, &w->quiet);
	w->handles = 2;
	w->poll.data = w->quiet.data = w;
	rc = uv_poll_start(&w->poll, UV_READABLE, on_readable);
	if (!rc)
		rc = uv_timer_start(&w->quiet, on_quiet, FFFA_LINK_WATCH_QUIET_MS, 0);
	if (rc)
		fffa_link_watch_close(w);
	else
		*out = w;
	return rc;
}

void fffa_link_watch_close(struct fffa_link_watch *w)
{
	if (!w)
		return;
	uv_close((uv_handle_t *)&w->poll, on_closed);
	uv_close((uv_handle_t *)&w->quiet, on_closed);
}
