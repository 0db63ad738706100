// SPDX-License-Identifier: MIT
/* The producer's events: delivery reports, errors, log lines. */
#include <stdio.h>
#include <string.h>

#include "agent/base/log.h"
#include "sinks/kafka/judge.h"
#include "sinks/kafka/kafka_internal.h"

#define DRAIN_MESSAGES 10000 /* in one turn; one event holds at most batch.num.messages */

/* How long messages have no time of their own after a broker has refused one for it. */
#define UNTIMED_MS 600000

void fffa_kafka__events_trouble(const struct fffa_sink *s, rd_kafka_resp_err_t err,
				const char *detail)
{
	struct fffa_kafka_judgement j = fffa_kafka__judge(err);

	s->env->trouble(s->env->pipe,
			&(struct fffa_outcome){.verdict = FFFA_V_RETRY,
					       .cause = j.cause,
					       .detail = detail,
					       .reason = fffa_kafka__judge_reason(err),
					       .repair = j.repair});
}

/*
 * The broker's clock and the host's differ by more than the topic allows, or the records are older
 * than it takes. The time of a message is only that of its sending: without it the broker takes it.
 */
static void drop_times(struct fffa_sink *s)
{
	if (!s->untimed_until_ms)
		fffa_warn(s->env->tag,
			  "topic %s: the broker refuses the time of messages; they are sent again "
			  "without one: check the clocks of host and broker",
			  s->conf->topic);
	s->untimed_until_ms = uv_now(s->env->loop) + UNTIMED_MS;
}

/* True when a broker refused a batch of several messages, each of which may be small enough. */
static bool may_shrink(const struct fffa_sink *s, const rd_kafka_message_t *m)
{
	return (m->err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE ||
		m->err == RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE) &&
	       s->client.wire_bytes > 1;
}

void fffa_kafka__events_on_report(void *arg, const rd_kafka_message_t *m)
{
	struct fffa_sink *s = arg;
	struct fffa_kafka_opaque k = fffa_kafka__slot_unpack(m->_private);
	enum fffa_verdict v = fffa_kafka__judge(m->err).verdict;

	if (m->err && may_shrink(s, m)) {
		v = FFFA_V_RETRY;
		s->too_big = true;
	}
	if (m->err == RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP && s->phase == FFFA_KAFKA_UP)
		drop_times(s);
	/* Only the sink purges, and not while the producer is up: librdkafka has given up. */
	if (m->err == RD_KAFKA_RESP_ERR__FATAL ||
	    (s->phase == FFFA_KAFKA_UP && (m->err == RD_KAFKA_RESP_ERR__PURGE_QUEUE ||
					   m->err == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT)))
		s->fatal = true;
	fffa_kafka__slot_settle(&s->slots[k.slot], k.first, k.n, v, m->err);
}

static unsigned int on_reports(struct fffa_sink *s, rd_kafka_event_t *ev)
{
	const rd_kafka_message_t *m;
	unsigned int n = 0;
	bool confirmed = false;

	while ((m = rd_kafka_event_message_next(ev))) {
		fffa_kafka__events_on_report(s, m);
		confirmed = confirmed || !m->err;
		n++;
	}
	s->reported_ms = uv_now(s->env->loop);
	if (confirmed)
		s->connection_err = RD_KAFKA_RESP_ERR_NO_ERROR;
	return n;
}

static void on_error(struct fffa_sink *s, rd_kafka_event_t *ev)
{
	rd_kafka_resp_err_t err = rd_kafka_event_error(ev);
	const char *said = rd_kafka_event_error_string(ev);
	bool transient = fffa_kafka__judge_is_transient(err);
	const char *text = fffa_kafka__judge(err).text;
	char detail[384];

	if (err == RD_KAFKA_RESP_ERR__FATAL) {
		s->fatal = true;
		return;
	}
	if (err != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
		(void)snprintf(s->last_error, sizeof(s->last_error), "%s", said);
	if (transient)
		return;
	/* When all brokers are down, the reason that came before is the one that helps. */
	if (err != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || !s->connection_err)
		s->connection_err = err;
	(void)snprintf(detail, sizeof(detail), "%s: %s", text ? text : rd_kafka_err2str(err),
		       s->last_error[0] ? s->last_error : said);
	fffa_kafka__events_trouble(s, s->connection_err, detail);
}

/* Errors come as events of their own, so these lines are for debugging. */
static void on_log(const struct fffa_sink *s, rd_kafka_event_t *ev)
{
	const char *what, *text;
	int level;

	if (rd_kafka_event_log(ev, &what, &text, &level))
		return;
	fffa_log(strcmp(what, "CONFWARN") ? FFFA_LOG_DEBUG : FFFA_LOG_WARN, s->env->tag,
		 "librdkafka: %s: %s", what, text);
}

bool fffa_kafka__events_drain(struct fffa_sink *s)
{
	unsigned int n = 0;

	while (n < DRAIN_MESSAGES) {
		rd_kafka_event_t *ev = rd_kafka_queue_poll(s->client.queue, 0);

		if (!ev)
			return false;
		switch (rd_kafka_event_type(ev)) {
		case RD_KAFKA_EVENT_DR:
			n += on_reports(s, ev);
			break;
		case RD_KAFKA_EVENT_ERROR:
			on_error(s, ev);
			break;
		case RD_KAFKA_EVENT_LOG:
			on_log(s, ev);
			break;
		default:
			break;
		}
		n++;
		rd_kafka_event_destroy(ev);
	}
	return true;
}
