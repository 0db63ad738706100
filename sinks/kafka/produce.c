// SPDX-License-Identifier: MIT
/*
 * Makes messages of records. The bytes stay in the batch (neither RD_KAFKA_MSG_F_COPY nor _FREE).
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sinks/kafka/judge.h"
#include "sinks/kafka/kafka_internal.h"

#define OVERHEAD_BYTES 512 /* most bytes of a message beside its value: key, headers, framing */
#define SCHEMA	       "1"

void fffa_kafka__produce_wake(const struct fffa_sink *s)
{
	static const uint64_t one = 1;

	/* The write fails only when the counter is full, and then the loop wakes anyway. */
	if (write(s->wake_fd, &one, sizeof(one)) < 0)
		return;
}

struct message {
	const uint8_t *value;
	size_t len;
	uint32_t first, n;
};

/* Takes as many records from first on as fit into one message, at least one. */
static struct message form_message(const struct fffa_sink *s, const struct fffa_batch *b,
				   uint32_t first)
{
	size_t most = s->client.message_bytes > OVERHEAD_BYTES
			      ? s->client.message_bytes - OVERHEAD_BYTES
			      : 0;
	uint32_t left = fffa_batch_count(b) - first;
	uint32_t per = (uint32_t)s->conf->records_per_message;
	const uint8_t *begin = fffa_batch_record(b, first).ptr;
	uint32_t lo = 1, hi = left < per ? left : per; /* lo fits, or is 1 */
	struct fffa_span last = fffa_batch_record(b, first + hi - 1);

	if ((size_t)(last.ptr - begin) + last.len <= most)
		lo = hi;
	while (lo < hi) {
		uint32_t mid = hi - (hi - lo) / 2;

		last = fffa_batch_record(b, first + mid - 1);
		if ((size_t)(last.ptr - begin) + last.len <= most)
			lo = mid;
		else
			hi = mid - 1;
	}
	last = fffa_batch_record(b, first + lo - 1);
	return (struct message){begin, (size_t)(last.ptr - begin) + last.len, first, lo};
}

/* Returns the key, which lies in room or in the batch; NULL: no key. */
static const char *choose_key(const struct fffa_sink *s, const struct fffa_batch *b,
			      uint32_t record, char room[17], size_t *len)
{
	static const char digits[] = "0123456789abcdef";
	const char *id = fffa_batch_origin(b)->agent_id;
	uint64_t flow;

	*len = 0;
	if (s->conf->key == FFFA_KAFKA_KEY_NONE)
		return NULL;
	if (s->conf->key == FFFA_KAFKA_KEY_INSTANCE) {
		*len = strlen(id);
		return *len ? id : NULL;
	}
	flow = fffa_batch_record_info(b, record).flow;
	for (int i = 15; i >= 0; i--, flow >>= 4)
		room[i] = digits[flow & 0xf];
	*len = 16;
	return room;
}

static rd_kafka_resp_err_t produce_message(struct fffa_sink *s, uint32_t slot,
					   const struct message *m, const struct fffa_batch *b)
{
	struct fffa_kafka_opaque opaque = {slot, m->first, m->n};
	const char *type = s->env->content_type ? s->env->content_type : "";
	size_t len = m->len, key_len;
	char room[17];
	const char *key = choose_key(s, b, m->first, room, &key_len);
	/* librdkafka sets the time of now for 0; -1 is none, and the broker checks none. */
	int64_t time_ms = uv_now(s->env->loop) < s->untimed_until_ms ? -1 : 0;
	void *value = (void *)(uintptr_t)m->value;

	if (s->strip && s->conf->records_per_message == 1 && len && m->value[len - 1] == '\n')
		len--;
	if (!s->conf->message_headers)
		return rd_kafka_producev(
			s->client.rk, RD_KAFKA_V_RKT(s->client.topic), RD_KAFKA_V_VALUE(value, len),
			RD_KAFKA_V_KEY(key, key_len), RD_KAFKA_V_TIMESTAMP(time_ms),
			RD_KAFKA_V_OPAQUE(fffa_kafka__slot_pack(opaque)), RD_KAFKA_V_END);
	return rd_kafka_producev(s->client.rk, RD_KAFKA_V_RKT(s->client.topic),
				 RD_KAFKA_V_VALUE(value, len), RD_KAFKA_V_KEY(key, key_len),
				 RD_KAFKA_V_TIMESTAMP(time_ms),
				 RD_KAFKA_V_HEADER("content-type", type, -1),
				 RD_KAFKA_V_HEADER("fffa-schema", SCHEMA, sizeof(SCHEMA) - 1),
				 RD_KAFKA_V_OPAQUE(fffa_kafka__slot_pack(opaque)), RD_KAFKA_V_END);
}

/* librdkafka did not take the message. True: the slot has no record left to send. */
static bool settle_refused(struct fffa_sink *s, struct fffa_kafka_slot *slot,
			   const struct message *m, rd_kafka_resp_err_t err)
{
	enum fffa_verdict v = fffa_kafka__judge(err).verdict;
	uint32_t n = v == FFFA_V_RETRY ? slot->count - slot->next : m->n;

	s->fatal = s->fatal || err == RD_KAFKA_RESP_ERR__FATAL;
	fffa_kafka__slot_settle(slot, slot->next, n, v, err);
	slot->next += n;
	return slot->next == slot->count;
}

void fffa_kafka__produce_more(struct fffa_sink *s)
{
	struct fffa_kafka_slot *slot = &s->slots[s->filling];
	const struct fffa_batch *b = fffa_delivery_batch(slot->d);

	while (slot->next < slot->count && s->budget) {
		struct message m = form_message(s, b, slot->next);
		rd_kafka_resp_err_t err = produce_message(s, (uint32_t)s->filling, &m, b);

		s->budget--;
		if (!err) {
			slot->next += m.n;
			continue;
		}
		if (err == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
			if (rd_kafka_outq_len(s->client.rk))
				return; /* continues when delivery reports have made room */
			err = RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE; /* never fits */
		}
		if (settle_refused(s, slot, &m, err))
			break;
	}
	if (slot->next < slot->count) {
		fffa_kafka__produce_wake(s); /* the budget ended */
		return;
	}
	s->filling = -1;
	if (slot->reported == slot->count || s->fatal)
		fffa_kafka__produce_wake(s); /* no delivery report will follow */
}
