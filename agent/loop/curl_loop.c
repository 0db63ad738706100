// SPDX-License-Identifier: MIT
#include "agent/loop/curl_loop.h"

#include <errno.h>
#include <stdlib.h>

#include "agent/loop/curl_internal.h"

static void report_finished(struct fffa_curl_pool *p)
{
	CURLMsg *msg;
	int left;

	while (p->multi && (msg = curl_multi_info_read(p->multi, &left)) != NULL) {
		struct fffa_curl_request *r = NULL;
		CURLcode result = msg->data.result; /* msg is gone once the handle is removed */

		if (msg->msg != CURLMSG_DONE)
			continue;
		(void)curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&r);
		fffa_curl_queue_finish(p->owner, r, result);
	}
}

static struct fffa_curl_request *next_failing(const struct fffa_curl_loop *c)
{
	struct fffa_curl_request *oldest = NULL;

	for (struct fffa_curl_request *r = c->active; r; r = r->next) {
		if (r->failing)
			oldest = r;
	}
	return oldest;
}

/* Fails the transfers under way in p. Those that wait, and those that done starts, go on. */
static void fail_transfers(struct fffa_curl_pool *p)
{
	struct fffa_curl_loop *c = p->owner;
	struct fffa_curl_request *r;

	p->broken = false;
	for (r = c->active; r; r = r->next)
		r->failing = r->begun && r->pool == p;
	while (!c->closing && (r = next_failing(c)))
		fffa_curl_queue_finish(c, r, CURLE_OUT_OF_MEMORY);
}

static void run_transfers(struct fffa_curl_pool *p, curl_socket_t fd, int events)
{
	struct fffa_curl_loop *c = p->owner;
	int running;

	(void)curl_multi_socket_action(p->multi, fd, events, &running);
	if (p->broken)
		fail_transfers(p);
	report_finished(p);
	fffa_curl_queue_run(c);
}

static void count_closed(struct fffa_curl_loop *c)
{
	if (--c->handles) /* the timer of the queue is one until the end */
		return;
	while (c->active)
		fffa_curl_queue_finish(c, c->active, CURLE_ABORTED_BY_CALLBACK);
	c->closed(c->closed_arg);
	free(c);
	curl_global_cleanup();
}

int fffa_curl_loop_open(uv_loop_t *loop, long max_connections, struct fffa_curl_loop **out)
{
	struct fffa_curl_loop *c;
	int rc = -ENOMEM;

	if (max_connections < 1)
		return -EINVAL;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return -ENOMEM;
	c = calloc(1, sizeof(*c));
	if (c) {
		c->loop = loop;
		c->run = run_transfers;
		c->wake = fffa_curl_pool_wake;
		c->handle_closed = count_closed;
		c->max_transfers = max_connections;
		rc = fffa_curl_pool_open(c);
	}
	if (rc) {
		free(c);
		curl_global_cleanup();
		return rc;
	}
	(void)uv_timer_init(loop, &c->queue_timer); /* always 0 */
	c->queue_timer.data = c;
	c->handles++;
	*out = c;
	return 0;
}

void fffa_curl_loop_limit_lifetime(struct fffa_curl_loop *c, uint64_t lifetime_ms)
{
	c->lifetime_ms = lifetime_ms;
}

int fffa_curl_loop_start(struct fffa_curl_loop *c, struct fffa_curl_request *r)
{
	if (c->closing)
		return -ECANCELED;
	if (r->active)
		return -EALREADY;
	if (curl_easy_setopt(r->easy, CURLOPT_PRIVATE, r) ||
	    curl_easy_setopt(r->easy, CURLOPT_NOSIGNAL, 1L))
		return -EIO;
#if LIBCURL_VERSION_NUM >= 0x075700
	/* Otherwise cancelling waits for a resolver thread, and the loop with it. */
	(void)curl_easy_setopt(r->easy, CURLOPT_QUICK_EXIT, 1L);
#endif
	return fffa_curl_queue_enter(c, r);
}

void fffa_curl_loop_cancel(struct fffa_curl_loop *c, struct fffa_curl_request *r)
{
	if (!r->active)
		return;
	fffa_curl_queue_remove(c, r);
	fffa_curl_pool_trim(c);
	fffa_curl_queue_wake(c);
}

static void on_timer_closed(uv_handle_t *handle)
{
	count_closed(handle->data);
}

void fffa_curl_loop_close(struct fffa_curl_loop *c, void (*closed)(void *arg), void *arg)
{
	for (struct fffa_curl_request *r = c->active; r; r = r->next) {
		if (r->begun)
			(void)curl_multi_remove_handle(r->pool->multi, r->easy);
	}
	c->closing = true;
	c->closed = closed;
	c->closed_arg = arg;
	fffa_curl_pool_close_all(c);
	uv_close((uv_handle_t *)&c->queue_timer, on_timer_closed);
}
