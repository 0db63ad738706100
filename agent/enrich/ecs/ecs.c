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

#define TAG		     "metadata"
#define AGENT_BODY_MAX_BYTES 16384
#define REQUESTS_MAX	     2

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

	struct fffa_curl_request agent_request; /* easy is NULL: the ECS agent is not asked */
	bool agent_asked;			/* the request is under way */
	struct fffa_ecs_instance instance;
	struct fffa_http_body agent_body;
	char agent_bytes[AGENT_BODY_MAX_BYTES];
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

static void set_instance(struct fffa_ecs *e)
{
	memcpy(e->known.ids.container_instance_arn, e->instance.arn, sizeof(e->instance.arn));
	memcpy(e->known.ids.container_instance_id, e->instance.id, sizeof(e->instance.id));
}

static void on_agent_done(struct fffa_curl_request *r, CURLcode result)
{
	struct fffa_ecs_instance found;
	struct fffa_ecs *e = r->arg;
	long status = 0;

	e->agent_asked = false;
	result = fffa_http_body_result(&e->agent_body, result);
	if (result == CURLE_OK)
		(void)curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status != 200 || fffa_ecs_parse_instance(e->agent_body.v, e->agent_body.len,
						     e->known.ids.task_arn, &found) != 0) {
		fffa_debug(TAG, "the ECS agent of the host names no container instance: %s",
			   result == CURLE_OK ? "no answer of use" : curl_easy_strerror(result));
		return; /* what was known stays */
	}
	if (strcmp(found.arn, e->instance.arn) == 0)
		return;
	fffa_info(TAG, "ECS container instance learned: %s", found.id);
	e->instance = found;
	set_instance(e);
	e->changed(e->arg);
}

static void ask_agent(struct fffa_ecs *e)
{
	if (!e->agent_request.easy || e->agent_asked || e->known.fargate)
		return;
	fffa_http_body_reset(&e->agent_body);
	e->agent_asked = fffa_curl_loop_start(e->bridge, &e->agent_request) == 0;
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
	set_instance(e);
	e->learned = true;
	if (e->state != STATE_KNOWN)
		fffa_info(TAG, "ECS task learned: cluster=%s task=%s service=%s%s",
			  d.ids.cluster_name, d.ids.task_id, d.ids.service_name,
			  d.own_network ? ""
					: "; flows are of the host's network, not of this task");
	e->state = STATE_KNOWN;
	fffa_backoff_reset(&e->backoff);
	start_timer(e, e->refresh_ns);
	e->changed(e->arg);
	ask_agent(e);
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

static void drop_request(struct fffa_curl_request *r)
{
	if (!r->easy)
		return;
	curl_easy_cleanup(r->easy);
	r->easy = NULL;
	curl_global_cleanup(); /* counted by libcurl */
}

/* 0 or -ENOMEM. drop_request undoes it. */
static int init_request(struct fffa_curl_request *r, struct fffa_http_body *body, const char *url,
			uint64_t timeout_ns)
{
	int rc;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return -ENOMEM;
	r->easy = curl_easy_init();
	if (!r->easy) {
		curl_global_cleanup();
		return -ENOMEM;
	}
	rc = fffa_http_bounds_set(r->easy, to_ms(timeout_ns), body);
	if (!rc && curl_easy_setopt(r->easy, CURLOPT_URL, url) != CURLE_OK)
		rc = -ENOMEM;
	return rc;
}

static int init_requests(struct fffa_ecs *e, const char *base, const struct fffa_ecs_options *o)
{
	char url[FFFA_IMDS_ENDPOINT_MAX_BYTES + sizeof("/task")];
	int rc;

	(void)snprintf(url, sizeof(url), "%s/task", base);
	e->body = (struct fffa_http_body){.v = e->bytes, .cap = sizeof(e->bytes)};
	e->request.done = on_done;
	e->agent_body = (struct fffa_http_body){.v = e->agent_bytes, .cap = sizeof(e->agent_bytes)};
	e->agent_request.done = on_agent_done;
	e->request.arg = e->agent_request.arg = e;
	rc = init_request(&e->request, &e->body, url, o->timeout_ns);
	if (!rc && o->agent_url)
		rc = init_request(&e->agent_request, &e->agent_body, o->agent_url, o->timeout_ns);
	return rc;
}

static void drop_requests(struct fffa_ecs *e)
{
	drop_request(&e->request);
	drop_request(&e->agent_request);
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
	rc = init_requests(e, base, o);
	if (!rc)
		rc = fffa_curl_loop_open(loop, REQUESTS_MAX, &e->bridge);
	if (rc) {
		drop_requests(e);
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
	if (e->agent_request.easy)
		fffa_curl_loop_cancel(e->bridge, &e->agent_request);
	drop_requests(e);
	uv_close((uv_handle_t *)&e->timer, on_timer_closed);
	fffa_curl_loop_close(e->bridge, child_closed, e);
}
