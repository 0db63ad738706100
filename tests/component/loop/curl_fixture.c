// SPDX-License-Identifier: MIT
#include "tests/stubs/cmocka_all.h"

#include "tests/component/loop/curl_fixture.h"

#include <stdio.h>
#include <string.h>

#define LIMIT_NS UINT64_C(20000000000)

static void on_tick(uv_timer_t *timer)
{
	(void)timer;
}

static size_t on_body(char *data, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;

	assert_true(size * n < sizeof(t->body) - strlen(t->body));
	strncat(t->body, data, size * n);
	return size * n;
}

static void on_done(struct fffa_curl_request *r, CURLcode result)
{
	struct transfer *t = r->arg;

	assert_false(t->fixture->in_call);
	assert_false(r->active);
	t->calls++;
	t->result = result;
	t->order = ++t->fixture->dones;
	t->fixture->done_before_closed += !t->fixture->closed;
	if (t->then)
		t->then(t);
}

int curl_fixture_setup(void **state)
{
	struct curl_fixture *r = calloc(1, sizeof(*r));

	if (!r || uv_loop_init(&r->loop) != 0 || canned_server_open(&r->loop, &r->server) != 0)
		return -1;
	*state = r;
	(void)uv_timer_init(&r->loop, &r->tick);
	(void)uv_timer_start(&r->tick, on_tick, 10, 10);
	if (fffa_curl_loop_open(&r->loop, CONNECTIONS, &r->bridge) != 0)
		return -1;
	for (int i = 0; i < REQUESTS; i++) {
		struct transfer *t = &r->t[i];

		t->fixture = r;
		t->request.easy = curl_easy_init();
		t->request.done = on_done;
		t->request.arg = t;
		if (!t->request.easy)
			return -1;
		(void)curl_easy_setopt(t->request.easy, CURLOPT_PROXY, "");
		(void)curl_easy_setopt(t->request.easy, CURLOPT_TIMEOUT_MS, 15000L);
		(void)curl_easy_setopt(t->request.easy, CURLOPT_WRITEFUNCTION, on_body);
		(void)curl_easy_setopt(t->request.easy, CURLOPT_WRITEDATA, t);
	}
	return 0;
}

void await_that(struct curl_fixture *r, bool (*cond)(struct curl_fixture *r, unsigned int arg),
		unsigned int arg)
{
	uint64_t end = uv_hrtime() + LIMIT_NS;

	while (!cond(r, arg)) {
		if (uv_hrtime() > end)
			fail_msg("the condition did not come true in time");
		(void)uv_run(&r->loop, UV_RUN_ONCE);
	}
}

bool is_closed(struct curl_fixture *r, unsigned int arg)
{
	(void)arg;
	return r->closed > 0;
}

bool has_calls(struct curl_fixture *r, unsigned int n)
{
	return r->dones >= n;
}

bool has_requests(struct curl_fixture *r, unsigned int n)
{
	return r->server.requests >= n;
}

bool has_heard(struct curl_fixture *r, unsigned int n)
{
	return r->server.heard >= n;
}

static void on_closed(void *arg)
{
	struct curl_fixture *r = arg;

	assert_false(r->in_call);
	r->closed++;
	for (int i = 0; i < REQUESTS; i++)
		curl_easy_cleanup(r->t[i].request.easy);
}

void close_bridge(struct curl_fixture *r)
{
	r->in_call = true;
	fffa_curl_loop_close(r->bridge, on_closed, r);
	r->in_call = false;
	r->bridge = NULL;
}

int curl_fixture_teardown(void **state)
{
	struct curl_fixture *r = *state;

	if (r->bridge)
		close_bridge(r);
	await_that(r, is_closed, 0);
	canned_server_close(&r->server);
	uv_close((uv_handle_t *)&r->tick, NULL);
	assert_int_equal(uv_run(&r->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&r->loop), 0);
	assert_int_equal(r->closed, 1);
	free(r);
	return 0;
}

int start_url(struct transfer *t, const char *scheme, int port, const char *path)
{
	char url[64];
	int rc;

	(void)snprintf(url, sizeof(url), "%s://127.0.0.1:%d%s", scheme, port, path);
	assert_int_equal(curl_easy_setopt(t->request.easy, CURLOPT_URL, url), CURLE_OK);
	t->body[0] = '\0';
	t->fixture->in_call = true;
	rc = fffa_curl_loop_start(t->fixture->bridge, &t->request);
	t->fixture->in_call = false;
	return rc;
}

int start_at(struct transfer *t, int port, const char *path)
{
	return start_url(t, "http", port, path);
}

int start(struct transfer *t, const char *path)
{
	return start_at(t, t->fixture->server.port, path);
}

void cancel(struct transfer *t)
{
	t->fixture->in_call = true;
	fffa_curl_loop_cancel(t->fixture->bridge, &t->request);
	t->fixture->in_call = false;
}
