// SPDX-License-Identifier: MIT
#include "sinks/http/http.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include <uv.h>

#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/loop/worker.h"
#include "sinks/http/answer.h"
#include "sinks/http/body.h"
#include "sinks/http/exchange.h"
#include "sinks/http/options.h"
#include "sinks/http/tls_files.h"

#define GRACE_MS 1000 /* for the body of a 2xx answer, where the shape does not need it */

enum phase { FREE, MAKING, SENDING };

/* A slot has one request in flight, or room for one. */
struct slot {
	struct fffa_sink *sink;
	enum phase phase;
	struct fffa_delivery *delivery; /* borrowed; NULL when free */
	struct fffa_worker_job job;	/* while MAKING, the worker has body and made */
	struct fffa_http_body body;
	int made;			/* 0 or -errno */
	struct fffa_http_tls_set *read; /* by the job; NULL: no file has changed */
	unsigned int tls_turn;		/* that x has */
	struct fffa_span payload;
	struct fffa_http_exchange x;
	uint64_t confirmed_ms; /* loop time of a 2xx whose body is still coming; 0: none */
};

struct fffa_sink {
	const struct fffa_sink_env *env;
	const struct fffa_sink_http_conf *conf;
	const struct fffa_http_shape *shape;
	struct fffa_curl_loop *bridge;
	struct fffa_worker *worker; /* makes bodies, reads certificates */
	struct {
		bool needed;
		struct fffa_http_tls_look look; /* the worker's */
		struct fffa_http_tls_set *set;	/* NULL: not read yet */
		unsigned int turn;		/* rises with each set */
	} tls;
	struct fffa_http_target target;
	struct slot *slots;
	size_t slot_count;
	size_t making;
	bool started;
	bool shares;  /* all requests share a connection: HTTP/2, or TLS without an answer yet */
	bool refused; /* submit returned -EAGAIN, so ready is due */
	bool closing;
	atomic_bool stop_making; /* closing, for the worker */
	bool bridge_closing;	 /* the bridge is being closed */
	void (*closed)(void *arg);
	void *closed_arg;
	/*
	 * Lent to the pipeline during done. done is never called from inside submit, so one of each
	 * is enough.
	 */
	struct fffa_http_answer answer;
	uv_timer_t grace;     /* ends answers whose body does not come */
	unsigned int handles; /* of the timer and the bridge, while they close */
	long last_status;     /* 0: none yet */
	long http_version;    /* CURL_HTTP_VERSION_* */
	uint64_t connections; /* opened so far */
};

static struct slot *find_free_slot(struct fffa_sink *s)
{
	for (size_t i = 0; i < s->slot_count; i++) {
		if (s->slots[i].phase == FREE)
			return &s->slots[i];
	}
	return NULL;
}

static void finish_delivery(struct slot *t, const struct fffa_outcome *o)
{
	struct fffa_delivery *d = t->delivery;
	struct fffa_sink *s = t->sink;

	t->delivery = NULL;
	t->phase = FREE;
	t->confirmed_ms = 0;
	fffa_http__body_trim(&t->body);
	s->env->done(s->env->pipe, d, o); /* may submit the next batch, or close */
	if (s->refused && !s->closing && find_free_slot(s)) {
		s->refused = false;
		s->env->ready(s->env->pipe);
	}
}

static void finish_unsent(struct slot *t, enum fffa_verdict verdict, int cause)
{
	finish_delivery(t, &(struct fffa_outcome){.verdict = verdict, .cause = cause});
}

/* The transfer has an answer with this status, and may have failed behind it. */
static void finish_answered(struct slot *t, CURLcode result, long status)
{
	struct fffa_outcome o = {.verdict = FFFA_V_NONE};
	struct fffa_sink *s = t->sink;

	fffa_http__answer_judge(&s->answer, &s->target, &t->x,
				fffa_batch_count(fffa_delivery_batch(t->delivery)), result, status,
				&o);
	finish_delivery(t, &o);
}

static void on_done(struct fffa_curl_request *r, CURLcode result)
{
	struct slot *t = r->arg;
	struct fffa_sink *s = t->sink;
	struct fffa_outcome o = {.verdict = FFFA_V_NONE};
	long status = 0, connects = 0;

	if (s->closing && result == CURLE_ABORTED_BY_CALLBACK && !t->confirmed_ms) {
		finish_unsent(t, FFFA_V_RETRY, -ECANCELED);
		return;
	}
	if (r->begun) {
		(void)curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &status);
		(void)curl_easy_getinfo(r->easy, CURLINFO_NUM_CONNECTS, &connects);
	}
	s->connections += (uint64_t)connects;
	if (status) {
		s->last_status = status;
		(void)curl_easy_getinfo(r->easy, CURLINFO_HTTP_VERSION, &s->http_version);
		s->shares = s->http_version >= CURL_HTTP_VERSION_2_0;
	}
	if (t->x.reply.ended && t->x.reply.cut)
		result = CURLE_OK; /* there was more of the answer than anybody reads */
	if (result == CURLE_OK || status >= 300 || t->confirmed_ms) {
		finish_answered(t, result, status);
		return;
	}
	fffa_http__answer_judge_failure(&s->answer, &s->target, &t->x, result,
					r->begun && !connects, &o);
	finish_delivery(t, &o);
}

/* An answer with 2xx is enough for these slots: their bodies need not come. */
static void on_grace(uv_timer_t *timer)
{
	struct fffa_sink *s = timer->data;
	uint64_t now = uv_now(timer->loop);

	for (size_t i = 0; i < s->slot_count && !s->closing; i++) {
		struct slot *t = &s->slots[i];
		long status = t->x.reply.status;

		if (!t->confirmed_ms || now - t->confirmed_ms < GRACE_MS)
			continue;
		fffa_curl_loop_cancel(s->bridge, &t->x.request);
		s->last_status = status;
		finish_answered(t, CURLE_OK, status);
	}
	for (size_t i = 0; i < s->slot_count && !s->closing; i++) {
		if (s->slots[i].confirmed_ms && !uv_is_active((uv_handle_t *)timer))
			(void)uv_timer_start(timer, on_grace, GRACE_MS, 0);
	}
}

/* The headers of a 2xx answer are complete. In a callback of libcurl. */
static void on_confirmed(void *arg)
{
	struct slot *t = arg;
	struct fffa_sink *s = t->sink;

	t->confirmed_ms = uv_now(s->env->loop);
	if (!s->closing && !uv_is_active((uv_handle_t *)&s->grace))
		(void)uv_timer_start(&s->grace, on_grace, GRACE_MS, 0);
}

static int send_request(struct slot *t)
{
	const struct fffa_batch *b = fffa_delivery_batch(t->delivery);

	t->phase = SENDING;
	if (t->tls_turn != t->sink->tls.turn) {
		int rc = fffa_http__tls_files_apply(t->sink->tls.set, t->x.request.easy);

		if (rc)
			return rc;
		t->tls_turn = t->sink->tls.turn;
	}
	t->x.request.shares = t->sink->shares;
	return fffa_http__exchange_send(&t->x, t->sink->bridge, b, t->payload);
}

/* On the worker. */
static void make_body(void *arg)
{
	struct slot *t = arg;
	struct fffa_sink *s = t->sink;

	t->made = -ECANCELED;
	if (atomic_load(&s->stop_making))
		return;
	t->made = s->tls.needed
			  ? fffa_http__tls_files_look(&s->tls.look, s->conf, s->env->tag, &t->read)
			  : 0;
	if (t->made)
		return;
	if (fffa_http__body_is_batch(&t->body))
		t->payload = fffa_batch_bytes(fffa_delivery_batch(t->delivery));
	else
		t->made = fffa_http__body_make(&t->body, fffa_delivery_batch(t->delivery),
					       &t->payload);
}

static void free_closed(void *arg);

static void on_grace_closed(uv_handle_t *handle)
{
	free_closed(handle->data);
}

/* Closes the bridge, once the worker has no slot. */
static void close_when_idle(struct fffa_sink *s)
{
	if (!s->closing || s->making || s->bridge_closing)
		return;
	s->bridge_closing = true;
	s->handles = 2;
	uv_close((uv_handle_t *)&s->grace, on_grace_closed);
	fffa_curl_loop_close(s->bridge, free_closed, s);
}

static void on_made(void *arg)
{
	struct slot *t = arg;
	struct fffa_sink *s = t->sink;
	int rc = t->made;

	s->making--;
	if (t->read) {
		fffa_http__tls_files_free(s->tls.set);
		s->tls.set = t->read;
		s->tls.turn++;
		t->read = NULL;
	}
	if (s->closing)
		finish_unsent(t, FFFA_V_RETRY, -ECANCELED);
	else if (rc == -EMSGSIZE)
		finish_unsent(t, FFFA_V_TOO_BIG, rc);
	else if (rc || (rc = send_request(t)))
		finish_unsent(t, FFFA_V_RETRY, rc);
	close_when_idle(s);
}

static int open_helpers(struct fffa_sink *s, const struct fffa_sink_http_conf *c, uv_loop_t *loop,
			struct fffa_err *err)
{
	int rc = fffa_worker_open(loop, "http", &s->worker);

	if (rc)
		return fffa_fail(err, -rc, "cannot start a thread: %s", strerror(-rc));
	rc = fffa_curl_loop_open(loop, (long)s->slot_count, &s->bridge);
	if (!rc) {
		fffa_curl_loop_limit_lifetime(s->bridge,
					      (uint64_t)c->connection_lifetime_ns / FFFA_NS_PER_MS);
		return 0;
	}
	fffa_worker_close(s->worker, NULL, NULL);
	return fffa_fail(err, -rc, "cannot prepare libcurl: %s", strerror(-rc));
}

static int create(const struct fffa_sink_env *env, const void *conf, struct fffa_sink **out,
		  struct fffa_err *err)
{
	const struct fffa_sink_http_conf *c = conf;
	const struct fffa_http_shape *shape = fffa_http_shape_find(c->shape);
	/* By the content type and not by the format: an envelope makes JSON of text. */
	bool json = env->content_type && !strcmp(env->content_type, "application/x-ndjson");
	struct fffa_sink *s;
	int rc;

	if (fffa_http__options_check_format(c, env->format, err))
		return -EINVAL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return fffa_fail(err, ENOMEM, "no memory for the sink");
	s->slot_count = (size_t)c->requests;
	s->slots = calloc(s->slot_count, sizeof(*s->slots));
	rc = s->slots ? open_helpers(s, c, env->loop, err)
		      : fffa_fail(err, ENOMEM, "no memory for the sink");
	if (rc) {
		free(s->slots);
		free(s);
		return rc;
	}
	s->env = env;
	s->conf = c;
	s->shape = shape;
	s->tls.look.bundle = fffa_http__tls_files_bundle(c);
	s->tls.needed = s->tls.look.bundle || fffa_http__tls_files_any(c);
	(void)uv_timer_init(env->loop, &s->grace); /* cannot fail */
	s->grace.data = s;
	for (size_t i = 0; i < s->slot_count; i++) {
		struct slot *t = &s->slots[i];

		t->sink = s;
		t->job = (struct fffa_worker_job){.work = make_body, .done = on_made, .arg = t};
		t->x.request.done = on_done;
		t->x.request.arg = t;
		t->x.reply.confirmed = shape->needs_body ? NULL : on_confirmed;
		t->x.reply.arg = t;
		t->body.shape = shape;
		t->body.conf = c;
		t->body.json = json;
	}
	*out = s;
	return 0;
}

/* The first delivery would report it. */
static int check_file(const char *key, const char *path, struct fffa_err *err)
{
	if (!fffa_http_is_set(path) || !access(path, R_OK))
		return 0;
	return fffa_fail(err, errno, "%s: cannot read %s: %s", key, path, strerror(errno));
}

static int check_files(const struct fffa_sink_http_conf *c, struct fffa_err *err)
{
	int rc = check_file("tls.ca_file", c->tls.ca_file, err);

	if (!rc)
		rc = check_file("tls.cert_file", c->tls.cert_file, err);
	if (!rc)
		rc = check_file("tls.key_file", c->tls.key_file, err);
	return rc;
}

static int start(struct fffa_sink *s, struct fffa_err *err)
{
	int rc = s->env->running ? 0 : check_files(s->conf, err);

	if (rc)
		return rc;
	rc = fffa_http__exchange_target_init(&s->target, s->conf, s->env->content_type);
	for (size_t i = 0; !rc && i < s->slot_count; i++)
		rc = fffa_http__exchange_init(&s->slots[i].x, &s->target);
	if (rc)
		return fffa_fail(err, -rc, "cannot prepare requests: %s", strerror(-rc));
	s->shares = !strncasecmp(s->conf->url, "https:", 6);
	if (!s->conf->tls.verify && s->shares)
		fffa_warn(s->env->tag,
			  "tls.verify is off: any server that answers gets the records");
	s->started = true;
	return 0;
}

static int submit(struct fffa_sink *s, struct fffa_delivery *d)
{
	struct slot *t;
	int rc;

	if (s->closing || !s->started)
		return -ECANCELED;
	t = find_free_slot(s);
	if (!t) {
		s->refused = true;
		return -EAGAIN;
	}
	t->delivery = d;
	if (s->tls.needed || !fffa_http__body_is_batch(&t->body)) {
		t->phase = MAKING;
		s->making++;
		fffa_worker_submit(s->worker, &t->job);
		return 0;
	}
	t->payload = fffa_batch_bytes(fffa_delivery_batch(d));
	rc = send_request(t);
	if (rc) {
		t->phase = FREE;
		t->delivery = NULL;
		return rc == -EAGAIN ? -EIO : rc;
	}
	return 0;
}

static const char *version_name(long version)
{
	switch (version) {
	case CURL_HTTP_VERSION_1_0:
		return "1.0";
	case CURL_HTTP_VERSION_1_1:
		return "1.1";
	case CURL_HTTP_VERSION_2_0:
		return "2";
	default:
		return "-";
	}
}

static void report(const struct fffa_sink *s,
		   void (*put)(void *arg, const char *key, const char *value), void *arg)
{
	char text[32];
	size_t busy = 0;

	for (size_t i = 0; i < s->slot_count; i++)
		busy += s->slots[i].phase != FREE;
	(void)snprintf(text, sizeof(text), "%ld", s->last_status);
	put(arg, "last_status", s->last_status ? text : "-");
	put(arg, "http_version", version_name(s->http_version));
	(void)snprintf(text, sizeof(text), "%" PRIu64, s->connections);
	put(arg, "connections_made", text);
	(void)snprintf(text, sizeof(text), "%zu", busy);
	put(arg, "requests_in_flight", text);
}

static void on_worker_closed(void *arg)
{
	struct fffa_sink *s = arg;
	void (*closed)(void *arg) = s->closed;
	void *closed_arg = s->closed_arg;

	free(s);
	closed(closed_arg);
}

/* The timer or the bridge is closed; after both the worker is. */
static void free_closed(void *arg)
{
	struct fffa_sink *s = arg;

	if (--s->handles)
		return;
	for (size_t i = 0; i < s->slot_count; i++) {
		fffa_http__exchange_fini(&s->slots[i].x);
		fffa_http__body_fini(&s->slots[i].body);
	}
	fffa_http__exchange_target_fini(&s->target);
	fffa_http__answer_fini(&s->answer);
	fffa_http__tls_files_free(s->tls.set);
	free(s->slots);
	fffa_worker_close(s->worker, on_worker_closed, s);
}

static void close_sink(struct fffa_sink *s, void (*closed)(void *arg), void *arg)
{
	s->closing = true;
	s->closed = closed;
	s->closed_arg = arg;
	atomic_store(&s->stop_making, true);
	close_when_idle(s);
}

const struct fffa_sink_ops fffa_sink_http_ops = {
	.name = "http",
	.formats = ~0u,
	.conf_size = sizeof(struct fffa_sink_http_conf),
	.opts = fffa_http__options,
	.check = fffa_http__options_check,
	.check_format = fffa_http__options_check_format,
	.probe = fffa_http__options_probe,
	.create = create,
	.start = start,
	.submit = submit,
	.flush = NULL,	/* nothing is buffered */
	.reopen = NULL, /* certificates are looked at for each delivery */
	.report = report,
	.close = close_sink,
};
