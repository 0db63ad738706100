// SPDX-License-Identifier: MIT
#include <stdlib.h>

#include "agent/loop/curl_internal.h"

struct fffa_curl_socket {
	uv_poll_t poll;
	struct fffa_curl_loop *owner;
	struct fffa_curl_pool *pool; /* not when closing */
	curl_socket_t fd;
	int events; /* UV_* that libcurl waits for */
	struct fffa_curl_socket *next, *prev;
};

static void on_poll(uv_poll_t *poll, int status, int events);

/* Fails the transfers one by one. An error returned to libcurl would leave them hanging in it. */
static void fail_transfers(struct fffa_curl_pool *p)
{
	p->broken = true;
	p->owner->wake(p);
}

static void watch_socket(struct fffa_curl_socket *s)
{
	if (uv_poll_start(&s->poll, s->events, on_poll) != 0)
		fail_transfers(s->pool);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct fffa_curl_socket *s = poll->data;
	int what = 0;

	/*
	 * libuv stops at an error. libcurl finds the error itself, after it has read what arrived
	 * before; with CURL_CSELECT_ERR libcurl 7.88 would not read that.
	 */
	if (status < 0)
		events = UV_READABLE | UV_WRITABLE;
	if (events & UV_READABLE)
		what |= CURL_CSELECT_IN;
	if (events & UV_WRITABLE)
		what |= CURL_CSELECT_OUT;
	s->pool->owner->run(s->pool, s->fd, what);
	if (status < 0 && !uv_is_closing((uv_handle_t *)poll))
		watch_socket(s);
}

static void on_socket_closed(uv_handle_t *handle)
{
	struct fffa_curl_socket *s = handle->data;
	struct fffa_curl_loop *c = s->owner;

	free(s);
	c->handle_closed(c);
}

/* libcurl closes the descriptor after this returns, so the watcher must leave the poll set now. */
static void close_socket(struct fffa_curl_socket *s)
{
	struct fffa_curl_pool *p = s->pool;

	if (s->next)
		s->next->prev = s->prev;
	if (s->prev)
		s->prev->next = s->next;
	else
		p->sockets = s->next;
	uv_close((uv_handle_t *)&s->poll, on_socket_closed);
}

static struct fffa_curl_socket *open_socket(struct fffa_curl_pool *p, curl_socket_t fd)
{
	struct fffa_curl_socket *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	if (uv_poll_init_socket(p->owner->loop, &s->poll, fd) != 0) {
		free(s);
		return NULL;
	}
	s->poll.data = s;
	s->owner = p->owner;
	s->pool = p;
	s->fd = fd;
	s->next = p->sockets;
	if (s->next)
		s->next->prev = s;
	p->sockets = s;
	p->owner->handles++;
	return s;
}

int fffa_curl_socket_watch(CURL *easy, curl_socket_t fd, int what, void *arg, void *sockp)
{
	struct fffa_curl_pool *p = arg;
	struct fffa_curl_socket *s = sockp;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (s)
			close_socket(s);
		return 0;
	}
	if (!s) {
		s = open_socket(p, fd);
		if (!s) {
			fail_transfers(p);
			return 0;
		}
		(void)curl_multi_assign(p->multi, fd, s); /* fd is known: libcurl just named it */
	}
	s->events = 0;
	if (what & CURL_POLL_IN)
		s->events |= UV_READABLE;
	if (what & CURL_POLL_OUT)
		s->events |= UV_WRITABLE;
	watch_socket(s);
	return 0;
}

void fffa_curl_socket_close_all(struct fffa_curl_pool *p)
{
	while (p->sockets)
		close_socket(p->sockets);
}
