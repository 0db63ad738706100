// SPDX-License-Identifier: MIT
#include "agent/loop/curl_loop.h"

#include <errno.h>
#include <stdlib.h>

#include "agent/loop/curl_internal.h"

static void report_finished(struct fffa_curl_loop *c)
{
	CURLMsg *msg;
	int left;

	while (!c->closing && (msg = curl_multi_info_read(c->multi, &left)) != NULL) {
		struct fffa_curl_request *r = NULL;
		CURLcode result = msg->data.result; /* msg is gone once the handle is removed */

		if (msg->msg != CURLMSG_DONE)
			continue;
		(void)curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&r);
		fffa_curl_queue_finish(c, r, result);
	}
}

/* Fails the transfers under way. Those that done starts stand in front of them and go on. */
static void fail_all(struct fffa_curl_loop *c)
{
	size_t n = 0;

	c->broken = false;
	for (struct fffa_curl_request *r = c->active; r; r = r->next)
		n++;
	while (n-- && !c->closing && c->active) {
		struct fffa_curl_request *last = c->active;

		while (last->next)
			last = last->next;
		fffa_curl_queue_finish(c, last, CURLE_OUT_OF_MEMORY);
	}
}

static void run_transfers(struct fffa_curl_loop *c, curl_socket_t fd, int events)
{
	int running;

	if (c->closing)
		return;
	(void)curl_multi_socket_action(c->multi, fd, events, &running);
	if (c->broken)
		fail_all(c);
	report_finished(c);
	fffa_curl_queue_run(c);
}

static void on_timer(uv_timer_t *timer)
{
	run_transfers(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

static void wake_bridge(struct fffa_curl_loop *c)
{
	(void)uv_timer_start(&c->timer, on_timer, 0, 0); /* fails only when closing */
}

/* For CURLMOPT_TIMERFUNCTION. */
static int set_timer(CURLM *multi, long timeout_ms, void *arg)
{
	struct fffa_curl_loop *c = arg;

	(void)multi;
	if (c->closing)
		return 0;
	if (timeout_ms < 0 && !c->broken)
		(void)uv_timer_stop(&c->timer);
	else
		(void)uv_timer_start(&c->timer, on_timer,
				     c->broken || timeout_ms < 0 ? 0 : (uint64_t)timeout_ms, 0);
	return 0;
}

static void count_closed(struct fffa_curl_loop *c)
{
	if (--c->handles || !c->closing)
		return;
	while (c->active)
		fffa_curl_queue_finish(c, c->active, CURLE_ABORTED_BY_CALLBACK);
	if (c->closed)
		c->closed(c->closed_arg);
	free(c);
	curl_global_cleanup();
}

static int set_multi(struct fffa_curl_loop *c, long max_connections)
{
	if (curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, fffa_curl_socket_watch) ||
	    curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c) ||
	    curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, set_timer) ||
	    curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c) ||
	    curl_multi_setopt(c->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, max_connections) ||
	    curl_multi_setopt(c->multi, CURLMOPT_MAXCONNECTS, max_connections))
		return -EINVAL;
	return 0;
}

int fffa_curl_loop_open(uv_loop_t *loop, long max_connections, struct fffa_curl_loop **out)
{
	struct fffa_curl_loop *c = NULL;
	int rc = -ENOMEM;

	if (max_connections < 1)
		return -EINVAL;
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return -ENOMEM;
	c = calloc(1, sizeof(*c));
	if (!c)
		goto fail;
	c->loop = loop;
	c->run = run_transfers;
	c->wake = wake_bridge;
	c->handle_closed = count_closed;
	c->max_transfers = max_connections;
	c->multi = curl_multi_init();
	if (!c->multi)
		goto fail;
	rc = set_multi(c, max_connections);
	if (rc)
		goto fail;
	(void)uv_timer_init(loop, &c->timer); /* always 0 */
	c->timer.data = c;
	(void)uv_timer_init(loop, &c->queue_timer);
	c->queue_timer.data = c;
	c->handles = 2;
	*out = c;
	return 0;
fail:
	if (c)
		curl_multi_cleanup(c->multi);
	free(c);
	curl_global_cleanup();
	return rc;
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
	if (c->multi && r->begun)
		(void)curl_multi_remove_handle(c->multi, r->easy);
	fffa_curl_queue_remove(c, r);
	fffa_curl_queue_wake(c);
}

static void on_timer_closed(uv_handle_t *handle)
{
	count_closed(handle->data);
}

void fffa_curl_loop_close(struct fffa_curl_loop *c, void (*closed)(void *arg), void *arg)
{
	CURLM *multi = c->multi;

	c->closing = true;
	c->closed = closed;
	c->closed_arg = arg;
	for (struct fffa_curl_request *r = c->active; r; r = r->next) {
		if (r->begun)
			(void)curl_multi_remove_handle(multi, r->easy);
	}
	(void)curl_multi_cleanup(multi); /* calls the socket function */
	c->multi = NULL;
	fffa_curl_socket_close_all(c);
	uv_close((uv_handle_t *)&c->timer, on_timer_closed);
	uv_close((uv_handle_t *)&c->queue_timer, on_timer_closed);
}
