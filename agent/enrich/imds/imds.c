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
	bool second_token; /* this question has already brought a 401 */

	struct fffa_imds_round round; /* fills work */
	bool resting;		      /* between two rounds */
	bool again;		      /* poked meanwhile */
	uint64_t round_end_ms;
	struct fffa_imds_data work, good;
	uint32_t failures;
	uint64_t errors[FFFA_IE_MAX];

	unsigned int open_parts; /* timer, bridge */
	void (*closed)(void *arg);
	void *closed_arg;
};

static void ask(struct fffa_imds *i);

static uint64_t to_ms(uint64_t ns)
{
	return (ns + FFFA_NS_PER_MS - 1) / FFFA_NS_PER_MS;
}

static void begin_round(struct fffa_imds *i)
{
	fffa_imds_round_begin(&i->round);
	i->resting = false;
	i->again = false;
}

static void on_timer(uv_timer_t *timer)
{
	struct fffa_imds *i = timer->data;

	if (i->resting)
		begin_round(i);
	ask(i);
}

static void wait_for(struct fffa_imds *i, uint64_t ns)
{
	(void)uv_timer_start(&i->timer, on_timer, to_ms(ns), 0); /* fails only when closing */
}

static void end_round(struct fffa_imds *i)
{
	fffa_imds_data_keep(&i->work, &i->good);
	fffa_imds_data_copy(&i->good, &i->work);
	i->resting = true;
	i->round_end_ms = uv_now(i->loop);
	wait_for(i, i->again ? i->timing.gap_ns : i->refresh_ns);
	i->events.learned(i->events.arg, &i->good);
}

static void fail(struct fffa_imds *i, enum fffa_imds_error error, bool refused)
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
	wait_for(i, f.wait_ns);
	i->events.failed(i->events.arg, &f);
}

static void advance(struct fffa_imds *i)
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
		fail(i, FFFA_IE_BAD_BODY, false);
		return;
	}
	i->token_renew_ms = uv_now(i->loop) + ttl_s * 800; /* 80 % of its life */
	i->asking_token = false;
	ask(i);
}

static void on_reply(void *arg, const struct fffa_imds_reply *r)
{
	struct fffa_imds *i = arg;
	struct fffa_imds_judgement j = fffa_imds_judge(r->result, r->status, i->asking_token);
	uint32_t rejected = 0;
	int err;

	switch (j.verdict) {
	case FFFA_IV_USE:
		if (i->asking_token) {
			take_token(i, r);
			return;
		}
		err = fffa_imds_round_take(&i->round, r->body, r->len, &rejected);
		i->errors[FFFA_IE_BAD_VALUE] += rejected;
		if (err) {
			fail(i, FFFA_IE_BAD_BODY, false);
			return;
		}
		break;
	case FFFA_IV_ABSENT:
		break;
	case FFFA_IV_NEW_TOKEN:
		i->token[0] = '\0';
		if (i->second_token) {
			fail(i, j.error, false);
			return;
		}
		i->errors[j.error]++;
		i->second_token = true;
		ask(i);
		return;
	default:
		fail(i, j.error, j.verdict == FFFA_IV_REFUSED);
		return;
	}
	advance(i);
	ask(i);
}

static int get(struct fffa_imds *i)
{
	char path[FFFA_IMDS_PATH_BYTES];
	int err = fffa_imds_round_path(&i->round, path);

	return err ? err : fffa_imds_http_get(&i->http, path, i->token);
}

/* The next request of the round, or its end. */
static void ask(struct fffa_imds *i)
{
	int err;

	if (fffa_imds_round_over(&i->round)) {
		end_round(i);
		return;
	}
	i->asking_token = !i->token[0] || uv_now(i->loop) >= i->token_renew_ms;
	err = i->asking_token ? fffa_imds_http_put_token(&i->http, i->timing.token_ttl_s) : get(i);
	if (err)
		fail(i, FFFA_IE_TRANSFER, false);
}

int fffa_imds_open(uv_loop_t *loop, const struct fffa_imds_options *o, struct fffa_imds **out)
{
	struct fffa_imds *i = calloc(1, sizeof(*i));
	int err = -ENOMEM;

	if (!i)
		return err;
	i->loop = loop;
	i->timing = *o->timing;
	i->events = o->events;
	i->refresh_ns = o->refresh_ns;
	fffa_backoff_init(&i->backoff, i->timing.backoff_min_ns, i->timing.backoff_max_ns, 0);
	memcpy(i->round.tag_keys, o->tag_keys, sizeof(i->round.tag_keys));
	i->round.data = &i->work;
	i->http.done = on_reply;
	i->http.arg = i;
	memcpy(i->http.endpoint, o->endpoint, strnlen(o->endpoint, sizeof(i->http.endpoint) - 1));
	err = fffa_imds_http_init(&i->http, to_ms(o->timeout_ns));
	if (err)
		goto fail;
	err = fffa_curl_loop_open(loop, 1,
				  &i->bridge); /* last: it takes a turn of the loop to undo */
	if (err)
		goto fail;
	i->http.bridge = i->bridge;
	(void)uv_timer_init(loop, &i->timer); /* always 0 */
	i->timer.data = i;
	i->open_parts = 2;
	begin_round(i);
	wait_for(i, 0);
	*out = i;
	return 0;
fail:
	fffa_imds_http_fini(&i->http);
	free(i);
	return err;
}

void fffa_imds_poke(struct fffa_imds *i)
{
	uint64_t due_ms = i->round_end_ms + to_ms(i->timing.gap_ns), now_ms = uv_now(i->loop);

	i->again = true;
	if (!i->resting)
		return;
	due_ms = due_ms > now_ms ? due_ms - now_ms : 0;
	if (due_ms < uv_timer_get_due_in(&i->timer))
		(void)uv_timer_start(&i->timer, on_timer, due_ms, 0);
}

const uint64_t *fffa_imds_errors(const struct fffa_imds *i)
{
	return i->errors;
}

static void part_closed(void *arg)
{
	struct fffa_imds *i = arg;

	if (--i->open_parts)
		return;
	explicit_bzero(i->token, sizeof(i->token));
	i->closed(i->closed_arg);
	free(i);
}

static void on_timer_closed(uv_handle_t *handle)
{
	part_closed(handle->data);
}

void fffa_imds_close(struct fffa_imds *i, void (*closed)(void *arg), void *arg)
{
	i->closed = closed;
	i->closed_arg = arg;
	fffa_imds_http_fini(&i->http);
	uv_close((uv_handle_t *)&i->timer, on_timer_closed);
	fffa_curl_loop_close(i->bridge, part_closed, i);
}
