// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdlib.h>

#include "agent/loop/curl_internal.h"

static void on_timer(uv_timer_t *timer)
{
	struct fffa_curl_pool *p = timer->data;

	p->owner->run(p, CURL_SOCKET_TIMEOUT, 0);
}

void fffa_curl_pool_wake(struct fffa_curl_pool *p)
{
	(void)uv_timer_start(&p->timer, on_timer, 0, 0); /* fails only when closing */
}

/* For CURLMOPT_TIMERFUNCTION. */
static int set_timer(CURLM *multi, long timeout_ms, void *arg)
{
	struct fffa_curl_pool *p = arg;

	(void)multi;
	if (p->broken)
		fffa_curl_pool_wake(p);
	else if (timeout_ms < 0)
		(void)uv_timer_stop(&p->timer);
	else
		(void)uv_timer_start(&p->timer, on_timer, (uint64_t)timeout_ms, 0);
	return 0;
}

static int set_multi(struct fffa_curl_pool *p, long max_connections)
{
	if (curl_multi_setopt(p->multi, CURLMOPT_SOCKETFUNCTION, fffa_curl_socket_watch) ||
	    curl_multi_setopt(p->multi, CURLMOPT_SOCKETDATA, p) ||
	    curl_multi_setopt(p->multi, CURLMOPT_TIMERFUNCTION, set_timer) ||
	    curl_multi_setopt(p->multi, CURLMOPT_TIMERDATA, p) ||
	    curl_multi_setopt(p->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, max_connections) ||
	    curl_multi_setopt(p->multi, CURLMOPT_MAXCONNECTS, max_connections))
		return -EINVAL;
	return 0;
}

int fffa_curl_pool_open(struct fffa_curl_loop *c)
{
	struct fffa_curl_pool *p = calloc(1, sizeof(*p));
	int rc = -ENOMEM;

	if (!p)
		return -ENOMEM;
	p->owner = c;
	p->multi = curl_multi_init();
	if (p->multi)
		rc = set_multi(p, c->max_transfers);
	if (rc) {
		(void)curl_multi_cleanup(p->multi);
		free(p);
		return rc;
	}
	(void)uv_timer_init(c->loop, &p->timer); /* always 0 */
	p->timer.data = p;
	c->handles++;
	p->next = c->pools;
	c->pools = p;
	return 0;
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct fffa_curl_pool *p = handle->data;
	struct fffa_curl_loop *c = p->owner;

	free(p);
	c->handle_closed(c);
}

/* It is off the list. */
static void close_pool(struct fffa_curl_pool *p)
{
	CURLM *multi = p->multi;

	p->multi = NULL;
	(void)curl_multi_cleanup(multi); /* calls the socket function */
	fffa_curl_socket_close_all(p);
	uv_close((uv_handle_t *)&p->timer, on_timer_closed);
}

static bool has_requests(const struct fffa_curl_pool *p)
{
	for (const struct fffa_curl_request *r = p->owner->active; r; r = r->next) {
		if (r->begun && r->pool == p)
			return true;
	}
	return false;
}

void fffa_curl_pool_trim(struct fffa_curl_loop *c)
{
	struct fffa_curl_pool **link = c->pools ? &c->pools->next : &c->pools, *p;

	while ((p = *link)) {
		if (has_requests(p)) {
			link = &p->next;
			continue;
		}
		*link = p->next;
		close_pool(p);
	}
}

void fffa_curl_pool_close_all(struct fffa_curl_loop *c)
{
	struct fffa_curl_pool *p;

	while ((p = c->pools)) {
		c->pools = p->next;
		close_pool(p);
	}
}
