// SPDX-License-Identifier: MIT
/*
 * The queue of requests that wait for their turn. libcurl gets a request only when it can start
 * at once. Time limits do not run in libcurl's own queue, and versions differ in what wakes it:
 * in 8.14 a connection that turns out to be HTTP/1.1 does not.
 */
#include <errno.h>

#include "agent/loop/curl_internal.h"

static void link_request(struct fffa_curl_loop *c, struct fffa_curl_request *r)
{
	r->prev = NULL;
	r->next = c->active;
	if (r->next)
		r->next->prev = r;
	c->active = r;
	r->active = true;
}

void fffa_curl_queue_remove(struct fffa_curl_loop *c, struct fffa_curl_request *r)
{
	if (r->begun && !c->closing) /* else close has done it */
		(void)curl_multi_remove_handle(r->pool->multi, r->easy);
	if (r->next)
		r->next->prev = r->prev;
	if (r->prev)
		r->prev->next = r->next;
	else
		c->active = r->next;
	r->active = r->failing = false;
}

void fffa_curl_queue_finish(struct fffa_curl_loop *c, struct fffa_curl_request *r, CURLcode result)
{
	bool distrust = result == CURLE_OPERATION_TIMEDOUT && r->connected;

	fffa_curl_queue_remove(c, r);
	/* Without memory for another pool it stays in use, and TCP finds out. */
	if (distrust && r->pool == c->pools)
		(void)fffa_curl_pool_open(c);
	r->done(r, result);
}

/*
 * For CURLOPT_PREREQFUNCTION: the connection is established, with TLS, and its protocol is known.
 */
/* NOLINTNEXTLINE(readability-non-const-parameter): libcurl names the type */
static int on_connected(void *arg, char *peer_ip, char *own_ip, int peer_port, int own_port)
{
	struct fffa_curl_request *r = arg;

	(void)peer_ip;
	(void)own_ip;
	(void)peer_port;
	(void)own_port;
	r->connected = true;
	return CURL_PREREQFUNC_OK;
}

/*
 * For CURLOPT_SOCKOPTFUNCTION. When a connection turns out to be dead, libcurl makes another one
 * for the same request.
 */
static int on_socket(void *arg, curl_socket_t fd, curlsocktype purpose)
{
	struct fffa_curl_request *r = arg;

	(void)fd;
	(void)purpose;
	r->connected = false;
	return CURL_SOCKOPT_OK;
}

static CURLcode watch_connect(struct fffa_curl_request *r)
{
	r->connected = false;
	if (curl_easy_setopt(r->easy, CURLOPT_PREREQDATA, r) ||
	    curl_easy_setopt(r->easy, CURLOPT_PREREQFUNCTION, on_connected) ||
	    curl_easy_setopt(r->easy, CURLOPT_SOCKOPTDATA, r) ||
	    curl_easy_setopt(r->easy, CURLOPT_SOCKOPTFUNCTION, on_socket))
		return CURLE_FAILED_INIT;
	return CURLE_OK;
}

static int begin_transfer(struct fffa_curl_loop *c, struct fffa_curl_request *r)
{
	CURLMcode code;

	if (watch_connect(r))
		return -EIO;
	if (r->timeout_ms &&
	    curl_easy_setopt(r->easy, CURLOPT_TIMEOUT_MS, (long)(r->due_ms - uv_now(c->loop))))
		return -EIO;
	code = curl_multi_add_handle(c->pools->multi, r->easy);
	if (code == CURLM_OUT_OF_MEMORY)
		return -ENOMEM;
	if (code != CURLM_OK)
		return -EIO;
	r->pool = c->pools;
	r->begun = true;
	if (!r->pool->used)
		r->pool->first_used_ms = uv_now(c->loop);
	r->pool->used = true;
	return 0;
}

/*
 * CURLOPT_MAXLIFETIME_CONN is not enough: up to libcurl 8.14 a connection of HTTP/2 that is never
 * idle lives on, and with 8.22 several requests at once may each open a new one.
 */
static void end_old_pool(struct fffa_curl_loop *c)
{
	const struct fffa_curl_pool *p = c->pools;

	if (c->lifetime_ms && p->used && uv_now(c->loop) - p->first_used_ms >= c->lifetime_ms)
		(void)fffa_curl_pool_open(c); /* without memory the old one goes on */
}

/* The oldest request that need not wait any more, or NULL. */
static struct fffa_curl_request *next_to_begin(const struct fffa_curl_loop *c)
{
	struct fffa_curl_request *next = NULL;
	bool connected = false, alone = true;
	long begun = 0;

	for (struct fffa_curl_request *r = c->active; r; r = r->next) {
		begun += r->begun;
		if (r->begun && r->pool == c->pools) {
			connected |= r->connected;
			alone = false;
		}
	}
	if (begun >= c->max_transfers)
		return NULL;
	for (struct fffa_curl_request *r = c->active; r; r = r->next) {
		if (!r->begun && (!r->shares || connected || alone))
			next = r; /* the newest stands first */
	}
	return next;
}

static struct fffa_curl_request *next_overdue(const struct fffa_curl_loop *c)
{
	for (struct fffa_curl_request *r = c->active; r; r = r->next) {
		if (!r->begun && r->timeout_ms && r->due_ms <= uv_now(c->loop))
			return r;
	}
	return NULL;
}

static void on_timer(uv_timer_t *timer)
{
	fffa_curl_queue_run(timer->data);
}

void fffa_curl_queue_wake(struct fffa_curl_loop *c)
{
	uint64_t now = uv_now(c->loop), first = UINT64_MAX;

	if (c->closing)
		return;
	if (next_to_begin(c))
		first = now;
	for (struct fffa_curl_request *r = c->active; r; r = r->next) {
		if (!r->begun && r->timeout_ms && r->due_ms < first)
			first = r->due_ms;
	}
	if (first == UINT64_MAX)
		(void)uv_timer_stop(&c->queue_timer);
	else /* fails only when closing */
		(void)uv_timer_start(&c->queue_timer, on_timer, first > now ? first - now : 0, 0);
}

int fffa_curl_queue_enter(struct fffa_curl_loop *c, struct fffa_curl_request *r)
{
	r->begun = r->connected = false;
	r->due_ms = uv_now(c->loop) + r->timeout_ms;
	link_request(c, r);
	end_old_pool(c);
	if (next_to_begin(c) == r) {
		int rc = begin_transfer(c, r);

		if (rc)
			fffa_curl_queue_remove(c, r);
		return rc;
	}
	fffa_curl_queue_wake(c);
	return 0;
}

void fffa_curl_queue_run(struct fffa_curl_loop *c)
{
	if (!c->closing) {
		end_old_pool(c);
		fffa_curl_pool_trim(c);
	}
	while (!c->closing) {
		struct fffa_curl_request *r = next_overdue(c);
		int rc;

		if (r) {
			fffa_curl_queue_finish(c, r, CURLE_OPERATION_TIMEDOUT);
			continue;
		}
		r = next_to_begin(c);
		if (!r)
			break;
		rc = begin_transfer(c, r);
		if (rc)
			fffa_curl_queue_finish(
				c, r, rc == -ENOMEM ? CURLE_OUT_OF_MEMORY : CURLE_FAILED_INIT);
	}
	fffa_curl_queue_wake(c);
}
