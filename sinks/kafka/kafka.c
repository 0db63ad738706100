// SPDX-License-Identifier: MIT
#include "sinks/kafka/kafka.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "agent/base/clock.h"
#include "agent/base/log.h"
#include "agent/base/format.h"
#include "sinks/kafka/judge.h"
#include "sinks/kafka/options.h"
#include "sinks/kafka/kafka_internal.h"

#define TURN_MESSAGES  4096 /* messages made in one turn of the loop */
#define WIRE_FLOOR     16384
#define RESTART_MIN_NS (100 * FFFA_NS_PER_MS)
#define RESTART_MAX_NS (30 * FFFA_NS_PER_S)
#define STEADY_NS      (60 * FFFA_NS_PER_S) /* a life this long resets the back-off */
#define LOOK_MS	       1000
#define ANSWERS_MS     1000 /* for answers to what is on its way, when a batch was too big */
#define ALL_SLOTS      UINT64_MAX
_Static_assert(FFFA_KAFKA_SLOTS == 64, "ALL_SLOTS");

static void start_ending(struct fffa_sink *s, int cause, const char *why);
static void close_handles(struct fffa_sink *s);

/* Reports the outcome, then frees the slot: the outcome points into it. */
static void settle_slot(struct fffa_sink *s, unsigned int i, struct fffa_outcome *o)
{
	struct fffa_kafka_slot *slot = &s->slots[i];
	struct fffa_delivery *d = slot->d;
	struct fffa_kafka_judgement j = fffa_kafka__judge(slot->err);
	char detail[384];

	if (o->verdict != FFFA_V_DELIVERED && !o->detail) {
		/* The table's words, then the broker's, which people search for. */
		(void)snprintf(detail, sizeof(detail), "topic %s: %s%s%s%s", s->conf->topic,
			       j.text ? j.text : "", j.text ? " (" : "",
			       rd_kafka_err2str(slot->err), j.text ? ")" : "");
		o->detail = detail;
		o->reason = fffa_kafka__judge_reason(slot->err);
		o->repair = j.repair;
		/* A line of the sink's own has said it: see drop_times in events.c. */
		o->transient = slot->err == RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP;
	}
	s->env->done(s->env->pipe, d, o);
	slot->d = NULL;
	s->open &= ~(UINT64_C(1) << i);
}

/* Ends each delivery whose records all have a verdict. done may submit and may close the sink. */
static void settle_finished(struct fffa_sink *s)
{
	uint64_t todo = s->open;

	while (todo && s->phase == FFFA_KAFKA_UP) {
		unsigned int i = (unsigned int)__builtin_ctzll(todo);
		struct fffa_outcome o;

		todo &= todo - 1;
		if (s->slots[i].reported < s->slots[i].count)
			continue;
		fffa_kafka__slot_outcome(&s->slots[i], &o);
		settle_slot(s, i, &o);
	}
}

static bool has_room(const struct fffa_sink *s)
{
	return s->phase == FFFA_KAFKA_UP && s->filling < 0 && s->open != ALL_SLOTS && !s->fatal &&
	       !s->too_big && !s->renew;
}

static void report_ready(struct fffa_sink *s)
{
	if (!s->refused || !has_room(s) || s->closing)
		return;
	s->refused = false;
	s->env->ready(s->env->pipe);
}

/* Ends a producer that cannot be used any more. */
static void replace_producer(struct fffa_sink *s)
{
	char why[256] = "unknown reason", text[sizeof(s->end_why)];

	if (!s->fatal) {
		start_ending(s, -EMSGSIZE, "the brokers refuse batches of this size");
		return;
	}
	(void)rd_kafka_fatal_error(s->client.rk, why, sizeof(why));
	(void)snprintf(s->last_error, sizeof(s->last_error), "%s", why);
	(void)snprintf(text, sizeof(text), "the producer had a fatal error, a new one follows: %s",
		       why);
	start_ending(s, -EPROTO, text);
}

/* With nothing open nothing is sent twice. */
static void renew_when_idle(struct fffa_sink *s)
{
	if (s->renew && !s->open && s->phase == FFFA_KAFKA_UP && !s->closing)
		start_ending(s, -EAGAIN, "files of properties have changed");
}

static void on_wake(uv_poll_t *p, int status, int events)
{
	struct fffa_sink *s = p->data;
	uint64_t count;

	(void)status;
	(void)events;
	if (read(s->wake_fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
		return;
	if (s->phase != FFFA_KAFKA_UP)
		return;
	s->budget = TURN_MESSAGES;
	if (fffa_kafka__events_drain(s))
		fffa_kafka__produce_wake(s);
	if (s->fatal || s->too_big) {
		replace_producer(s);
		return;
	}
	settle_finished(s);
	if (s->phase == FFFA_KAFKA_UP && s->filling >= 0)
		fffa_kafka__produce_more(s);
	report_ready(s);
	renew_when_idle(s);
}

static void on_timer(uv_timer_t *t);

/* On the worker. */
static void look_at_files(void *arg)
{
	struct fffa_sink *s = arg;

	s->files_now = fffa_kafka__client_files(s->conf);
}

/* Two looks must agree: a file may be in the making. */
static void on_looked(void *arg)
{
	struct fffa_sink *s = arg;
	bool settled = s->files_now == s->files_seen;

	s->files_seen = s->files_now;
	if (s->closing || s->renew || s->phase != FFFA_KAFKA_UP || !settled ||
	    s->files_now == s->files_made)
		return;
	fffa_info(s->env->tag, "files that properties name have changed: a new producer reads them "
			       "when all is confirmed");
	s->renew = true;
	renew_when_idle(s);
}

static void on_look(uv_timer_t *t)
{
	struct fffa_sink *s = t->data;

	if (s->phase == FFFA_KAFKA_UP && !s->looking.submitted)
		fffa_worker_submit(s->worker, &s->looking);
}

static void watch_confirmations(struct fffa_sink *s)
{
	uint64_t timeout_ms = (uint64_t)s->conf->timeout_ns / FFFA_NS_PER_MS;
	uint64_t silent_ms = uv_now(s->env->loop) - s->reported_ms;
	char why[sizeof(s->end_why)];

	if (!s->open || !timeout_ms)
		return;
	if (silent_ms < timeout_ms) {
		(void)uv_timer_start(&s->timer, on_timer, timeout_ms - silent_ms, 0);
		return;
	}
	(void)snprintf(why, sizeof(why), "no delivery report for %" PRIu64 " s%s%s",
		       silent_ms / 1000, s->last_error[0] ? ": " : "", s->last_error);
	start_ending(s, -ETIMEDOUT, why);
}

static int start_producer(struct fffa_sink *s)
{
	s->phase = FFFA_KAFKA_UP;
	s->made_ns = fffa_clock_mono_ns(&fffa_clock_system);
	s->reported_ms = uv_now(s->env->loop);
	s->budget = TURN_MESSAGES;
	/*
	 * librdkafka writes to wake_fd only when its queue was empty: there may be events already.
	 */
	fffa_kafka__produce_wake(s);
	return uv_poll_start(&s->wake, UV_READABLE, on_wake);
}

static void make_client(void *arg)
{
	struct fffa_sink *s = arg;

	s->files_made = fffa_kafka__client_files(s->conf);
	(void)fffa_kafka__client_open(s->conf, s->wire_bytes, s->wake_fd, &s->client, &s->make_err);
}

static void schedule_make(struct fffa_sink *s, uint64_t delay_ns)
{
	s->phase = FFFA_KAFKA_DOWN;
	(void)uv_timer_start(&s->timer, on_timer, delay_ns / FFFA_NS_PER_MS, 0);
}

static void on_made(void *arg)
{
	struct fffa_sink *s = arg;
	char why[sizeof(s->make_err.text) + 64];

	if (!s->client.rk) {
		s->phase = FFFA_KAFKA_DOWN;
		if (s->closing) {
			close_handles(s);
			return;
		}
		s->connection_err = RD_KAFKA_RESP_ERR__FAIL;
		(void)snprintf(why, sizeof(why), "cannot create a Kafka producer: %s",
			       s->make_err.text);
		fffa_kafka__events_trouble(s, RD_KAFKA_RESP_ERR__FAIL, why);
		schedule_make(s, fffa_backoff_next_ns(&s->backoff));
		return;
	}
	s->remade++;
	(void)start_producer(s); /* cannot fail after the first time */
	if (s->closing)
		start_ending(s, -ECANCELED, NULL);
	else
		report_ready(s);
}

static void on_timer(uv_timer_t *t)
{
	struct fffa_sink *s = t->data;

	if (s->phase == FFFA_KAFKA_UP) {
		watch_confirmations(s);
	} else if (s->phase == FFFA_KAFKA_DOWN) {
		s->phase = FFFA_KAFKA_MAKING;
		fffa_worker_submit(s->worker, &s->making);
	}
}

/* On the worker, which has the slots, too. */
static void end_client(void *arg)
{
	struct fffa_sink *s = arg;
	/* The brokers answer: the smaller batches that they take are confirmed soon. */
	uint32_t wait_ms = s->too_big && !s->fatal ? ANSWERS_MS : 0;

	fffa_kafka__client_close(&s->client, wait_ms, fffa_kafka__events_on_report, s);
}

/* Ends every open delivery. Records without a verdict are to be retried. */
static void settle_all(struct fffa_sink *s)
{
	uint64_t todo = s->open;

	s->filling = -1;
	while (todo) {
		unsigned int i = (unsigned int)__builtin_ctzll(todo);
		struct fffa_kafka_slot *slot = &s->slots[i];
		struct fffa_outcome o;

		todo &= todo - 1;
		fffa_kafka__slot_settle_rest(slot, FFFA_V_RETRY, RD_KAFKA_RESP_ERR__PURGE_QUEUE);
		fffa_kafka__slot_outcome(slot, &o);
		if (o.verdict == FFFA_V_RETRY) {
			o.cause = s->closing ? -ECANCELED : s->end_cause;
			o.detail = s->closing ? "the sink was closed" : s->end_why;
		}
		settle_slot(s, i, &o);
	}
}

static void shrink_wire_bytes(struct fffa_sink *s, size_t refused)
{
	s->wire_bytes = refused > WIRE_FLOOR ? refused / 4 : 1;
	if (refused > WIRE_FLOOR && s->wire_bytes < WIRE_FLOOR)
		s->wire_bytes = WIRE_FLOOR;
	fffa_warn(s->env->tag,
		  "the brokers refuse batches of up to %zu bytes (max.message.bytes); from now on "
		  "a batch has at most %zu bytes",
		  refused, s->wire_bytes);
}

static void on_ended(void *arg)
{
	struct fffa_sink *s = arg;
	uint64_t lived_ns = fffa_clock_mono_ns(&fffa_clock_system) - s->made_ns;
	bool at_once = (s->too_big || s->renew) && !s->fatal;

	s->renew = false;
	s->phase = FFFA_KAFKA_DOWN;
	if (s->too_big)
		shrink_wire_bytes(s, s->client.wire_bytes);
	s->fatal = s->too_big = false;
	settle_all(s);
	if (s->closing) {
		close_handles(s);
		return;
	}
	if (lived_ns > STEADY_NS)
		fffa_backoff_reset(&s->backoff);
	schedule_make(s, at_once ? 0 : fffa_backoff_next_ns(&s->backoff));
}

static void start_ending(struct fffa_sink *s, int cause, const char *why)
{
	s->end_cause = cause;
	(void)snprintf(s->end_why, sizeof(s->end_why), "%s", why ? why : "");
	s->phase = FFFA_KAFKA_ENDING;
	(void)uv_poll_stop(&s->wake);
	(void)uv_timer_stop(&s->timer);
	fffa_worker_submit(s->worker, &s->ending);
}

static void on_one_closed(void *sink)
{
	struct fffa_sink *s = sink;
	void (*closed)(void *arg) = s->closed;
	void *arg = s->closed_arg;

	if (--s->handles)
		return;
	(void)close(s->wake_fd);
	for (size_t i = 0; i < FFFA_KAFKA_SLOTS; i++)
		free(s->slots[i].verdicts);
	free(s);
	closed(arg);
}

static void on_handle_closed(uv_handle_t *h)
{
	on_one_closed(h->data);
}

static void close_handles(struct fffa_sink *s)
{
	if (s->phase == FFFA_KAFKA_CLOSING)
		return;
	s->phase = FFFA_KAFKA_CLOSING;
	s->handles = 4;
	uv_close((uv_handle_t *)&s->look, on_handle_closed);
	fffa_worker_close(s->worker, on_one_closed, s);
	uv_close((uv_handle_t *)&s->wake, on_handle_closed);
	uv_close((uv_handle_t *)&s->timer, on_handle_closed);
}

static int create(const struct fffa_sink_env *env, const void *conf, struct fffa_sink **out,
		  struct fffa_err *err)
{
	struct fffa_sink *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return fffa_fail(err, ENOMEM, "no memory for the sink");
	s->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->wake_fd < 0) {
		rc = fffa_fail(err, errno, "cannot create an eventfd: %s", strerror(errno));
		free(s);
		return rc;
	}
	rc = fffa_worker_open(env->loop, "kafka", &s->worker);
	if (rc) {
		(void)fffa_fail(err, -rc, "cannot start a thread: %s", strerror(-rc));
		goto no_worker;
	}
	rc = uv_poll_init(env->loop, &s->wake, s->wake_fd);
	if (rc) {
		(void)fffa_fail(err, -rc, "cannot watch the eventfd: %s", uv_strerror(rc));
		goto no_poll;
	}
	(void)uv_timer_init(env->loop, &s->timer); /* cannot fail */
	(void)uv_timer_init(env->loop, &s->look);
	s->env = env;
	s->conf = conf;
	s->filling = -1;
	s->wake.data = s->timer.data = s->look.data = s;
	s->looking = (struct fffa_worker_job){.work = look_at_files, .done = on_looked, .arg = s};
	s->making = (struct fffa_worker_job){.work = make_client, .done = on_made, .arg = s};
	s->ending = (struct fffa_worker_job){.work = end_client, .done = on_ended, .arg = s};
	fffa_backoff_init(&s->backoff, RESTART_MIN_NS, RESTART_MAX_NS, 0);
	*out = s;
	return 0;
no_poll:
	fffa_worker_close(s->worker, NULL, NULL);
no_worker:
	(void)close(s->wake_fd);
	free(s);
	return rc;
}

static int start(struct fffa_sink *s, struct fffa_err *err)
{
	int rc;

	s->files_made = s->files_seen = fffa_kafka__client_files(s->conf);
	rc = fffa_kafka__client_open(s->conf, 0, s->wake_fd, &s->client, err);
	if (rc)
		return rc;
	if (s->files_made)
		(void)uv_timer_start(&s->look, on_look, LOOK_MS, LOOK_MS);
	s->strip = s->env->format != FFFA_FORMAT_MSGPACK;
	rc = start_producer(s);
	if (rc)
		return fffa_fail(err, -rc, "cannot watch the eventfd: %s", uv_strerror(rc));
	return 0;
}

static int submit(struct fffa_sink *s, struct fffa_delivery *d)
{
	unsigned int i;
	int rc;

	if (s->closing || s->phase == FFFA_KAFKA_NEW)
		return -ECANCELED;
	if (!has_room(s)) {
		s->refused = true;
		return -EAGAIN;
	}
	i = (unsigned int)__builtin_ctzll(~s->open);
	rc = fffa_kafka__slot_begin(&s->slots[i], d);
	if (rc)
		return rc;
	if (!s->open)
		s->reported_ms = uv_now(s->env->loop);
	s->open |= UINT64_C(1) << i;
	s->filling = (int)i;
	fffa_kafka__produce_more(s);
	if (!uv_is_active((uv_handle_t *)&s->timer))
		watch_confirmations(s);
	return 0;
}

static void report(const struct fffa_sink *s,
		   void (*put)(void *arg, const char *key, const char *value), void *arg)
{
	bool up = s->phase == FFFA_KAFKA_UP;
	char n[32];

	put(arg, "producer", up ? "up" : "being created");
	put(arg, "brokers", s->connection_err ? "not reachable" : "ok");
	(void)snprintf(n, sizeof(n), "%d", up ? rd_kafka_outq_len(s->client.rk) : 0);
	put(arg, "queued_messages", n);
	(void)snprintf(n, sizeof(n), "%d", __builtin_popcountll(s->open));
	put(arg, "open_batches", n);
	(void)snprintf(n, sizeof(n), "%" PRIu64, s->remade);
	put(arg, "producers_remade", n);
	if (s->last_error[0])
		put(arg, "last_error", s->last_error);
}

static void close_sink(struct fffa_sink *s, void (*closed)(void *arg), void *arg)
{
	s->closing = true;
	s->closed = closed;
	s->closed_arg = arg;
	if (s->phase == FFFA_KAFKA_UP)
		start_ending(s, -ECANCELED, NULL);
	else if (s->phase == FFFA_KAFKA_NEW || s->phase == FFFA_KAFKA_DOWN)
		close_handles(s);
}

const struct fffa_sink_ops fffa_sink_kafka_ops = {
	.name = "kafka",
	.formats = ~0u, /* any format: the sink does not read the bytes */
	.conf_size = sizeof(struct fffa_sink_kafka_conf),
	.opts = fffa_kafka__options,
	.check = fffa_kafka__options_check,
	.probe = fffa_kafka__options_probe,
	.create = create,
	.start = start,
	.submit = submit,
	.flush = NULL,
	.reopen = NULL,
	.report = report,
	.close = close_sink,
};
