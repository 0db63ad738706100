// SPDX-License-Identifier: MIT
#include "agent/status/history.h"

#include <errno.h>

#include "agent/base/clock.h"
#include "agent/status/text/json.h"

#define SINCE_DIGITS_MAX 15

static void count_sinks(struct fffa_history_sample *s, const struct fffa_status_view *v)
{
	for (size_t i = 0; i < v->sink_count; i++) {
		const struct fffa_sink_ledger *l = v->sinks[i].ledger;

		s->delivered += l->delivered;
		for (int why = 0; why < FFFA_RL_MAX; why++)
			s->lost_records[why] += l->lost[why];
	}
}

void fffa_history_add(struct fffa_history *h, const struct fffa_status_view *v)
{
	struct fffa_history_sample s = {
		.uptime_ms = v->uptime_ns / FFFA_NS_PER_MS,
		.seen = {v->ledger->seen[0], v->ledger->seen[1]},
		.flows = v->flows_active,
		.records = v->ledger->records,
	};

	for (int why = 0; why < FFFA_PL_MAX; why++)
		s.lost_packets[why] = v->ledger->lost[why].packets;
	count_sinks(&s, v);
	h->v[(h->first + h->n) % FFFA_HISTORY_SAMPLES] = s;
	if (h->n < FFFA_HISTORY_SAMPLES)
		h->n++;
	else
		h->first = (h->first + 1) % FFFA_HISTORY_SAMPLES;
}

static const struct fffa_history_sample *sample_at(const struct fffa_history *h, size_t i)
{
	return &h->v[(h->first + i) % FFFA_HISTORY_SAMPLES];
}

/* One counter of each sample: `at` is its offset in the struct, all are 64 bits wide. */
static void put_list(struct fffa_json *j, const char *key, const struct fffa_history *h,
		     size_t from, size_t at)
{
	fffa_json_open(j, key, '[');
	for (size_t i = from; i < h->n; i++) {
		const char *sample = (const char *)sample_at(h, i);

		fffa_json_u64(j, NULL, *(const uint64_t *)(const void *)(sample + at));
	}
	fffa_json_close(j, ']');
}

static void put_losses(struct fffa_json *j, const struct fffa_history *h, size_t from)
{
	const struct fffa_history_sample *last = sample_at(h, h->n ? h->n - 1 : 0);

	fffa_json_open(j, "lost_packets", '{');
	for (int why = 0; why < FFFA_PL_MAX; why++) {
		if (last->lost_packets[why])
			put_list(j, fffa_ledger_packet_loss_name((enum fffa_packet_loss)why), h,
				 from,
				 offsetof(struct fffa_history_sample, lost_packets) +
					 (size_t)why * sizeof(uint64_t));
	}
	fffa_json_close(j, '}');
	fffa_json_open(j, "lost_records", '{');
	for (int why = 0; why < FFFA_RL_MAX; why++) {
		if (last->lost_records[why])
			put_list(j, fffa_ledger_record_loss_name((enum fffa_record_loss)why), h,
				 from,
				 offsetof(struct fffa_history_sample, lost_records) +
					 (size_t)why * sizeof(uint64_t));
	}
	fffa_json_close(j, '}');
}

void fffa_history_write(struct fffa_buf *o, const struct fffa_history *h, int64_t since_ms,
			int64_t start_ms)
{
	static const struct {
		const char *key;
		size_t at;
	} lists[] = {
		{"uptime_ms", offsetof(struct fffa_history_sample, uptime_ms)},
		{"ingress_packets", offsetof(struct fffa_history_sample, seen[0].packets)},
		{"egress_packets", offsetof(struct fffa_history_sample, seen[1].packets)},
		{"ingress_bytes", offsetof(struct fffa_history_sample, seen[0].bytes)},
		{"egress_bytes", offsetof(struct fffa_history_sample, seen[1].bytes)},
		{"flows", offsetof(struct fffa_history_sample, flows)},
		{"records", offsetof(struct fffa_history_sample, records)},
		{"delivered", offsetof(struct fffa_history_sample, delivered)},
	};
	struct fffa_json j = {.out = o};
	size_t from = 0;

	while (from < h->n && (int64_t)sample_at(h, from)->uptime_ms <= since_ms)
		from++;
	fffa_json_open(&j, NULL, '{');
	fffa_json_i64(&j, "start_ms", start_ms);
	fffa_json_u64(&j, "step_ms", FFFA_HISTORY_STEP_MS);
	fffa_json_u64(&j, "span_ms", FFFA_HISTORY_SPAN_MS);
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		put_list(&j, lists[i].key, h, from, lists[i].at);
	put_losses(&j, h, from);
	fffa_json_close(&j, '}');
	fffa_buf_text(o, "\n");
}

int fffa_history_parse_since(const char *text, int64_t *since_ms)
{
	int64_t v = 0;
	int digits = 0;

	if (text && !*text)
		return -EINVAL;
	for (; text && *text; text++, digits++) {
		if (*text < '0' || *text > '9' || digits == SINCE_DIGITS_MAX)
			return -EINVAL;
		v = v * 10 + (*text - '0');
	}
	*since_ms = digits ? v : -1;
	return 0;
}
