// SPDX-License-Identifier: MIT
#include "agent/enrich/ecs/ecs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/enrich/input/http_bounds.h"
#include "agent/enrich/imds/imds_endpoint.h"
#include "agent/loop/backoff.h"
#include "agent/loop/curl_loop.h"

#define TAG "metadata"

enum state { STATE_FIRST, STATE_KNOWN, STATE_FAILING };

struct fffa_ecs {
	struct fffa_curl_loop *bridge;
	struct fffa_curl_request request;
	uv_timer_t timer; /* every wait */
	uint64_t refresh_ns;
	struct fffa_backoff backoff;
	void (*changed)(void *arg);
	void *arg;

	enum state state;
	bool learned; /* known has an answer */
	struct fffa_ecs_data known;
	uint64_t errors[FFFA_IE_MAX];

	unsigned int open_children; /* timer, bridge */
	void (*closed)(void *arg);
	void *closed_arg;
	struct fffa_http_body body;
	char bytes[FFFA_ECS_BODY_MAX_BYTES];
};

static void send_request(struct fffa_ecs *e);

static uint64_t to_ms(uint64_t ns)
{
	return (ns + FFFA_NS_PER_MS - 1) / FFFA_NS_PER_MS;
}

static void on_timer(uv_timer_t *timer)
{
	send_request(timer->data);
}

static void start_timer(struct fffa_ecs *e, uint64_t ns)
{
	(void)uv_timer_start(&e->timer, on_timer, to_ms(ns), 0); /* fails only when closing */
}

static void report_failure(struct fffa_ecs *e, enum fffa_imds_error error)
{
	bool first = e->state == STATE_FIRST;

	e->errors[error]++;
	if (e->state != STATE_FAILING)
		fffa_warn(TAG, "ECS task metadata failed: reason=%s; %s",
			  fffa_imds_error_name(error),
			  e->learned ? "the last good answer stays in use"
				     : "ecs fields stay unknown until it answers");
	e->state = STATE_FAILING;
	start_timer(e, fffa_backoff_next_ns(&e->backoff));
	if (first)
		e->changed(e->arg);
}

static void take_answer(struct fffa_ecs *e)
{
	struct fffa_ecs_data d;
	uint32_t rejected = 0;

	if (fffa_ecs_parse_task(e->body.v, e->body.len, &d, &rejected) != 0) {
		report_failure(e, FFFA_IE_BAD_BODY);
		return;
	}
	e->errors[FFFA_IE_BAD_VALUE] += rejected;
	e->known = d;
	e->learned = true;
	if (e->state != STATE_KNOWN)
		fffa_info(TAG, "ECS task learned: cluster=%s task=%s service=%s",
			  d.ids.cluster_name, d.ids.task_id, d.ids.service_name);
	e->state = STATE_KNOWN;
	fffa_backoff_reset(&e->backoff);
	start_timer(e, e->refresh_ns);
	e->changed(e->arg);
}

static void on_done(struct fffa_curl_request *r, CURLcode result)
{
	struct fffa_ecs *e = r->arg;
	struct fffa_imds_judgement j;
	long status = 0;

	if (result == CURLE_OK)
		(void)curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &status);
	j = fffa_imds_judge(fffa_http_body_result(&e->body, result), status, false);
	if (j.verdict == FFFA_IV_USE)
		take_answer(e);
	else /* without metadata yet, the endpoint answers 404 */
		report_failure(e, j.verdict == FFFA_IV_ABSENT ? FFFA_IE_UNEXPECTED : j.error);
}

static void send_request(struct fffa_ecs *e)
{
	fffa_http_body_reset(&e->body);
	if (fffa_curl_loop_start(e->bridge, &e->request) != 0)
		report_failure(e, FFFA_IE_TRANSFER);
}

/* Undoes init_request. */
static void drop_request(struct fffa_ecs *e)
{
	curl_easy_cleanup(e->request.easy);
	e->request.easy = NULL;
	curl_global_cleanup(); /* counted by libcurl */
}

static int init_request(struct fffa_ecs *e, const char *base, uint64_t timeout_ns)
{
	char url[FFFA_IMDS_ENDPOINT_MAX_BYTES + sizeof("/task")];
	int rc;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return -ENOMEM;
	(void)snprintf(url, sizeof(url), "%s/task", base);
	e->body.v = e->bytes;
	e->body.cap = sizeof(e->bytes);
	e->request.easy = curl_easy_init();
	e->request.done = on_done;
	e->request.arg = e;
	rc = e->request.easy ? fffa_http_bounds_set(e->request.easy, to_ms(timeout_ns), &e->body)
			     : -ENOMEM;
	if (!rc && curl_easy_setopt(e->request.easy, CURLOPT_URL, url) != CURLE_OK)
		rc = -ENOMEM;
	if (rc)
		drop_request(e);
	return rc;
}

int fffa_ecs_open(uv_loop_t *loop, const struct fffa_ecs_options *o, struct fffa_ecs **out)
{
	char base[FFFA_IMDS_ENDPOINT_MAX_BYTES];
	struct fffa_ecs *e;
	int rc = fffa_imds_endpoint_take(o->uri, FFFA_ECS_VARIABLE, base, NULL);

	if (rc)
		return rc;
	e = calloc(1, sizeof(*e));
	if (!e)
		return -ENOMEM;
	e->refresh_ns = o->refresh_ns;
	e->changed = o->changed;
	e->arg = o->arg;
	fffa_backoff_init(&e->backoff, o->backoff_min_ns, o->backoff_max_ns, 0);
	rc = init_request(e, base, o->timeout_ns);
	if (rc) {
		free(e);
		return rc;
	}
	rc = fffa_curl_loop_open(loop, 1, &e->bridge);
	if (rc) {
		drop_request(e);
		free(e);
		return rc;
	}
	(void)uv_timer_init(loop, &e->timer); /* always 0 */
	e->timer.data = e;
	e->open_children = 2;
	start_timer(e, 0);
	*out = e;
	return 0;
}

const struct fffa_ecs_data *fffa_ecs_data(const struct fffa_ecs *e)
{
	return e->learned ? &e->known : NULL;
}

void fffa_ecs_inherit(struct fffa_ecs *to, const struct fffa_ecs *from)
{
	if (to->learned || !from->learned)
		return;
	to->known = from->known;
	to->learned = true;
}

bool fffa_ecs_settled(const struct fffa_ecs *e)
{
	return e->state != STATE_FIRST;
}

const uint64_t *fffa_ecs_errors(const struct fffa_ecs *e)
{
	return e->errors;
}

static void child_closed(void *arg)
{
	struct fffa_ecs *e = arg;

	if (--e->open_children)
		return;
	e->closed(e->closed_arg);
	free(e);
}

static void on_timer_closed(uv_handle_t *handle)
{
	child_closed(handle->data);
}

void fffa_ecs_close(struct fffa_ecs *e, void (*closed)(void *arg), void *arg)
{
	e->closed = closed;
	e->closed_arg = arg;
	fffa_curl_loop_cancel(e->bridge, &e->request);
	drop_request(e);
	uv_close((uv_handle_t *)&e->timer, on_timer_closed);
	fffa_curl_loop_close(e->bridge, child_closed, e);
}
