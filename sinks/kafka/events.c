// SPDX-License-Identifier: MIT
/* The producer's events: delivery reports, errors, log lines. */
#include <stdio.h>
#include <string.h>

#include "agent/base/log.h"
#include "sinks/kafka/judge.h"
#include "sinks/kafka/kafka_internal.h"

#define DRAIN_MESSAGES 10000 /* in one turn; one event holds at most batch.num.messages */

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
	if (confirmed && s->connection_err) {
		s->connection_err = RD_KAFKA_RESP_ERR_NO_ERROR;
		fffa_info(s->env->tag, "the brokers can be reached again");
	}
	return n;
}

static void on_error(struct fffa_sink *s, rd_kafka_event_t *ev)
{
	rd_kafka_resp_err_t err = rd_kafka_event_error(ev);
	const char *said = rd_kafka_event_error_string(ev);
	bool transient = fffa_kafka__judge_is_transient(err);
	const char *text = fffa_kafka__judge(err).text;

	if (err == RD_KAFKA_RESP_ERR__FATAL) {
		s->fatal = true;
		return;
	}
	if (err != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
		(void)snprintf(s->last_error, sizeof(s->last_error), "%s", said);
	/* When all brokers are down, the reason is logged once. */
	if (transient || err == s->connection_err ||
	    (err == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN && s->connection_err))
		return;
	s->connection_err = err;
	fffa_warn(s->env->tag, "%s, will retry: %s", text ? text : rd_kafka_err2str(err),
		  s->last_error[0] ? s->last_error : said);
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
