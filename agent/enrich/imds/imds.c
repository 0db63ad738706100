// SPDX-License-Identifier: MIT
#include "agent/enrich/imds/imds.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/enrich/imds/imds_http.h"
#include "agent/enrich/imds/imds_parse.h"
#include "agent/enrich/imds/imds_round.h"
#include "agent/loop/backoff.h"
#include "agent/loop/curl_loop.h"

struct fffa_imds {
	uv_loop_t *loop;
	struct fffa_curl_loop *bridge;
	struct fffa_imds_http http;
	uv_timer_t timer; /* every wait */
	struct fffa_imds_timing timing;
	struct fffa_imds_events events;
	uint64_t refresh_ns;
	struct fffa_backoff backoff;

	char token[FFFA_IMDS_TOKEN_MAX_BYTES + 1]; /* empty: none */
	uint64_t token_renew_ms;		   /* on the loop's clock */
	bool asking_token;
	bool second_token; /* this question was answered with 401 before */

	struct fffa_imds_round round; /* writes to filling */
	bool idle;		      /* between two rounds */
	bool triggered;		      /* another round follows this one */
	uint64_t round_end_ms;
	struct fffa_imds_data filling; /* by the round under way */
	struct fffa_imds_data known;   /* by the last whole round */
	uint32_t failures;
	uint64_t errors[FFFA_IE_MAX];

	unsigned int open_children; /* timer, bridge */
	void (*closed)(void *arg);
	void *closed_arg;
};

static void send_next(struct fffa_imds *i);

static uint64_t to_ms(uint64_t ns)
{
	return (ns + FFFA_NS_PER_MS - 1) / FFFA_NS_PER_MS;
}

static void begin_round(struct fffa_imds *i)
{
	fffa_imds_round_begin(&i->round);
	i->idle = false;
	i->triggered = false;
}

static void on_timer(uv_timer_t *timer)
{
	struct fffa_imds *i = timer->data;

	if (i->idle)
		begin_round(i);
	send_next(i);
}

static void start_timer(struct fffa_imds *i, uint64_t ns)
{
	(void)uv_timer_start(&i->timer, on_timer, to_ms(ns), 0); /* fails only when closing */
}

static void end_round(struct fffa_imds *i)
{
	fffa_imds_data_fill(&i->filling, &i->known);
	fffa_imds_data_copy(&i->known, &i->filling);
	i->idle = true;
	i->round_end_ms = uv_now(i->loop);
	start_timer(i, i->triggered ? i->timing.min_interval_ns : i->refresh_ns);
	i->events.learned(i->events.arg, &i->known);
}

static void report_failure(struct fffa_imds *i, enum fffa_imds_error error, bool refused)
{
	struct fffa_imds_failure f = {
		.error = error,
		.refused = refused,
		.token_request = i->asking_token,
		.in_a_row = ++i->failures,
		.wait_ns = refused ? i->timing.refused_ns : fffa_backoff_next_ns(&i->backoff),
	};

	i->errors[error]++;
	i->second_token = false;
	start_timer(i, f.wait_ns);
	i->events.failed(i->events.arg, &f);
}

static void next_question(struct fffa_imds *i)
{
	i->failures = 0;
	i->second_token = false;
	fffa_backoff_reset(&i->backoff);
	fffa_imds_round_next(&i->round);
}

static void take_token(struct fffa_imds *i, const struct fffa_imds_reply *r)
{
	uint64_t ttl_s = r->token_ttl_s ? r->token_ttl_s : i->timing.token_ttl_s;

	if (fffa_imds_parse_token(r->body, r->len, i->token) != 0) {
		report_failure(i, FFFA_IE_BAD_BODY, false);
		return;
	}
	i->token_renew_ms = uv_now(i->loop) + ttl_s * 800; /* 80 % of its life */
	i->asking_token = false;
	send_next(i);
}

static void on_reply(void *arg, const struct fffa_imds_reply *r)
{
	struct fffa_imds *i = arg;
	struct fffa_imds_judgement j = fffa_imds_judge(r->result, r->status, i->asking_token);
	uint32_t rejected = 0;
	int rc;

	switch (j.verdict) {
	case FFFA_IV_USE:
		if (i->asking_token) {
			take_token(i, r);
			return;
		}
		rc = fffa_imds_round_take(&i->round, r->body, r->len, &rejected);
		i->errors[FFFA_IE_BAD_VALUE] += rejected;
		if (rc) {
			report_failure(i, FFFA_IE_BAD_BODY, false);
			return;
		}
		break;
	case FFFA_IV_ABSENT:
		break;
	case FFFA_IV_NEW_TOKEN:
		i->token[0] = '\0';
		if (i->second_token) {
			report_failure(i, j.error, false);
			return;
		}
		i->errors[j.error]++;
		i->second_token = true;
		send_next(i);
		return;
	default:
		report_failure(i, j.error, j.verdict == FFFA_IV_REFUSED);
		return;
	}
	next_question(i);
	send_next(i);
}

static int send_get(struct fffa_imds *i)
{
	char path[FFFA_IMDS_PATH_BYTES];
	int rc = fffa_imds_round_path(&i->round, path);

	return rc ? rc : fffa_imds_http_get(&i->http, path, i->token);
}

/* Sends the next request of the round, or ends it. */
static void send_next(struct fffa_imds *i)
{
	int rc;

	if (fffa_imds_round_over(&i->round)) {
		end_round(i);
		return;
	}
	i->asking_token = !i->token[0] || uv_now(i->loop) >= i->token_renew_ms;
	rc = i->asking_token ? fffa_imds_http_put_token(&i->http, i->timing.token_ttl_s)
			     : send_get(i);
	if (rc)
		report_failure(i, FFFA_IE_TRANSFER, false);
}

int fffa_imds_open(uv_loop_t *loop, const struct fffa_imds_options *o, struct fffa_imds **out)
{
	struct fffa_imds *i = calloc(1, sizeof(*i));
	int rc = -ENOMEM;

	if (!i)
		return rc;
	i->loop = loop;
	i->timing = *o->timing;
	i->events = o->events;
	i->refresh_ns = o->refresh_ns;
	fffa_backoff_init(&i->backoff, i->timing.backoff_min_ns, i->timing.backoff_max_ns, 0);
	memcpy(i->round.tag_keys, o->tag_keys, sizeof(i->round.tag_keys));
	i->round.data = &i->filling;
	i->http.done = on_reply;
	i->http.arg = i;
	memcpy(i->http.endpoint, o->endpoint, strnlen(o->endpoint, sizeof(i->http.endpoint) - 1));
	rc = fffa_imds_http_init(&i->http, to_ms(o->timeout_ns));
	if (rc)
		goto fail;
	/* The last step: undoing it takes a turn of the loop. */
	rc = fffa_curl_loop_open(loop, 1, &i->bridge);
	if (rc)
		goto fail;
	i->http.bridge = i->bridge;
	(void)uv_timer_init(loop, &i->timer); /* always 0 */
	i->timer.data = i;
	i->open_children = 2;
	begin_round(i);
	start_timer(i, 0);
	*out = i;
	return 0;
fail:
	fffa_imds_http_fini(&i->http);
	free(i);
	return rc;
}

void fffa_imds_trigger(struct fffa_imds *i)
{
	uint64_t due_ms = i->round_end_ms + to_ms(i->timing.min_interval_ns),
		 now_ms = uv_now(i->loop);

	i->triggered = true;
	if (!i->idle)
		return;
	due_ms = due_ms > now_ms ? due_ms - now_ms : 0;
	if (due_ms < uv_timer_get_due_in(&i->timer))
		(void)uv_timer_start(&i->timer, on_timer, due_ms, 0);
}

const uint64_t *fffa_imds_errors(const struct fffa_imds *i)
{
	return i->errors;
}

static void child_closed(void *arg)
{
	struct fffa_imds *i = arg;

	if (--i->open_children)
		return;
	explicit_bzero(i->token, sizeof(i->token));
	i->closed(i->closed_arg);
	free(i);
}

static void on_timer_closed(uv_handle_t *handle)
{
	child_closed(handle->data);
}

void fffa_imds_close(struct fffa_imds *i, void (*closed)(void *arg), void *arg)
{
	i->closed = closed;
	i->closed_arg = arg;
	fffa_imds_http_fini(&i->http);
	uv_close((uv_handle_t *)&i->timer, on_timer_closed);
	fffa_curl_loop_close(i->bridge, child_closed, i);
}
