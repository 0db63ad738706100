// SPDX-License-Identifier: MIT
#include "agent/enrich/imds.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/clock.h"
#include "agent/enrich/imds_http.h"
#include "agent/enrich/imds_parse.h"
#include "agent/loop/backoff.h"
#include "agent/loop/curl_loop.h"

/* The questions of a round, in order; those from INTERFACE_ID on are asked for each interface. */
enum step {
	STEP_DOCUMENT,
	STEP_AZ,
	STEP_AZ_ID,
	STEP_REGION,
	STEP_MACS,
	STEP_INTERFACE_ID,
	STEP_SUBNET_ID,
	STEP_VPC_ID,
	STEP_OWNER_ID,
	STEP_END,
};

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

	enum step step;
	size_t iface;
	bool resting; /* between two rounds */
	uint64_t round_end_ms;
	struct fffa_imds_data work; /* of the round under way */
	struct fffa_imds_data good;
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
	memset(&i->work, 0, sizeof(i->work));
	i->step = STEP_DOCUMENT;
	i->iface = 0;
	i->resting = false;
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
	i->good = i->work;
	i->resting = true;
	i->round_end_ms = uv_now(i->loop);
	wait_for(i, i->refresh_ns);
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

/* dst and cap of the value that the step asks for. NULL: the step's answer is no single value. */
static char *value_place(struct fffa_imds *i, size_t *cap)
{
	struct fffa_imds_host *h = &i->work.host;
	struct fffa_imds_iface *f = &i->work.ifaces[i->iface];

#define PLACE(field) (*cap = sizeof(field), (field))
	switch (i->step) {
	case STEP_AZ:
		return PLACE(h->az);
	case STEP_AZ_ID:
		return PLACE(h->az_id);
	case STEP_REGION:
		return PLACE(h->region);
	case STEP_INTERFACE_ID:
		return PLACE(f->interface_id);
	case STEP_SUBNET_ID:
		return PLACE(f->subnet_id);
	case STEP_VPC_ID:
		return PLACE(f->vpc_id);
	case STEP_OWNER_ID:
		return PLACE(f->owner_id);
	default:
		return NULL;
	}
#undef PLACE
}

/* A value that may not be used leaves what is there: the document may have named it already. */
static void take_value(struct fffa_imds *i, const struct fffa_imds_reply *r)
{
	char text[64];
	size_t cap = 0;
	char *dst = value_place(i, &cap);

	if (fffa_imds_parse_value(r->body, r->len, text, cap < sizeof(text) ? cap : sizeof(text)) !=
	    0)
		i->errors[FFFA_IE_BAD_VALUE]++;
	else if (text[0])
		memcpy(dst, text, strlen(text) + 1);
}

static int take_answer(struct fffa_imds *i, const struct fffa_imds_reply *r)
{
	uint32_t rejected = 0;
	int err = 0;

	if (i->step == STEP_DOCUMENT)
		err = fffa_imds_parse_document(r->body, r->len, &i->work.host, &rejected);
	else if (i->step == STEP_MACS)
		err = fffa_imds_parse_macs(r->body, r->len, i->work.ifaces, FFFA_IMDS_IFACES_MAX,
					   &i->work.n, &rejected);
	else
		take_value(i, r);
	i->errors[FFFA_IE_BAD_VALUE] += rejected;
	return err;
}

static void advance(struct fffa_imds *i)
{
	i->failures = 0;
	i->second_token = false;
	fffa_backoff_reset(&i->backoff);
	if (i->step == STEP_OWNER_ID && i->iface + 1 < i->work.n) {
		i->iface++;
		i->step = STEP_INTERFACE_ID;
	} else if (i->step == STEP_OWNER_ID || (i->step == STEP_MACS && !i->work.n)) {
		i->step = STEP_END;
	} else {
		i->step++;
	}
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

	switch (j.verdict) {
	case FFFA_IV_USE:
		if (i->asking_token) {
			take_token(i, r);
			return;
		}
		if (take_answer(i, r) != 0) {
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

static int get_step(struct fffa_imds *i)
{
	static const char *const paths[STEP_END] = {
		[STEP_DOCUMENT] = "/latest/dynamic/instance-identity/document",
		[STEP_AZ] = "/latest/meta-data/placement/availability-zone",
		[STEP_AZ_ID] = "/latest/meta-data/placement/availability-zone-id",
		[STEP_REGION] = "/latest/meta-data/placement/region",
		[STEP_MACS] = "/latest/meta-data/network/interfaces/macs/",
		[STEP_INTERFACE_ID] = "interface-id",
		[STEP_SUBNET_ID] = "subnet-id",
		[STEP_VPC_ID] = "vpc-id",
		[STEP_OWNER_ID] = "owner-id",
	};
	char path[128];
	const uint8_t *mac;

	if (i->step < STEP_INTERFACE_ID)
		return fffa_imds_http_get(&i->http, paths[i->step], i->token);
	mac = i->work.ifaces[i->iface].mac;
	(void)snprintf(path, sizeof(path), "%s%02x:%02x:%02x:%02x:%02x:%02x/%s", paths[STEP_MACS],
		       mac[0], mac[1], mac[2], mac[3], mac[4], mac[5], paths[i->step]);
	return fffa_imds_http_get(&i->http, path, i->token);
}

/* The next request of the round, or its end. */
static void ask(struct fffa_imds *i)
{
	int err;

	if (i->step == STEP_END) {
		end_round(i);
		return;
	}
	i->asking_token = !i->token[0] || uv_now(i->loop) >= i->token_renew_ms;
	err = i->asking_token ? fffa_imds_http_put_token(&i->http, i->timing.token_ttl_s)
			      : get_step(i);
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
	i->http.done = on_reply;
	i->http.arg = i;
	(void)snprintf(i->http.endpoint, sizeof(i->http.endpoint), "%s", o->endpoint);
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
