// SPDX-License-Identifier: MIT
/* The writers for Splunk, Elasticsearch, Loki and Datadog: each record becomes one JSON value. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sinks/http/shape/http_shape.h"

static void put_record(struct fffa_buf *out, const struct fffa_http_source *from, uint32_t i)
{
	struct fffa_span line = fffa_http_shape__line(from->batch, i);

	if (from->json)
		fffa_buf_add(out, line.ptr, line.len);
	else
		fffa_http_json_string(out, line.ptr, line.len);
}

static void put_ms(struct fffa_buf *out, int64_t ms)
{
	fffa_http_json_number(out, ms < 0 ? 0 : (uint64_t)ms);
}

/* Appends ,"KEY":"VALUE" if the value is set. */
static void put_optional(struct fffa_buf *out, const char *key, const char *value)
{
	if (!fffa_http_is_set(value))
		return;
	fffa_buf_text(out, ",");
	fffa_http_json_pair(out, key, value);
}

static void put_labels(struct fffa_buf *out, const struct fffa_pairs *m)
{
	for (size_t i = 0; i < m->n; i++) {
		fffa_buf_text(out, i ? "," : "");
		fffa_http_json_pair(out, m->v[i].key, m->v[i].value);
	}
}

/* The name that people know the host by; without one the agent's id. */
static const char *host_of(const struct fffa_batch *b)
{
	const char *name = fffa_batch_host(b);

	return *name ? name : fffa_batch_origin(b)->agent_id;
}

/*
 * "Format events for HTTP Event Collector" on docs.splunk.com: objects one after the other, the
 * time in seconds.
 */
void fffa_http_shape__write_splunk(const struct fffa_http_source *from, struct fffa_buf *out)
{
	const struct fffa_sink_http_conf *c = from->conf;
	struct fffa_buf same = {.max = SIZE_MAX}; /* the members that all events share */
	uint32_t n = fffa_batch_count(from->batch);
	char time[48];

	put_optional(&same, "host", host_of(from->batch));
	put_optional(&same, "source", c->source);
	put_optional(&same, "sourcetype", c->sourcetype);
	put_optional(&same, "index", c->index);
	if (c->labels.n) {
		fffa_buf_text(&same, ",\"fields\":{");
		put_labels(&same, &c->labels);
		fffa_buf_text(&same, "}");
	}
	fffa_buf_text(&same, ",\"event\":");
	for (uint32_t i = 0; i < n && !same.error; i++) {
		int64_t ms = fffa_batch_record_info(from->batch, i).time_ms;

		(void)snprintf(time, sizeof(time), "{\"time\":%" PRId64 ".%03d", ms / 1000,
			       (int)(ms < 0 ? 0 : ms % 1000));
		fffa_buf_text(out, time);
		fffa_buf_add(out, same.ptr, same.len);
		put_record(out, from, i);
		fffa_buf_text(out, "}\n");
	}
	if (same.error)
		out->error = same.error;
	fffa_buf_fini(&same);
}

static void put_document(struct fffa_buf *out, struct fffa_span line, int64_t time_ms, bool json)
{
	static const char stamp[] = "{\"@timestamp\":";
	size_t n = sizeof(stamp) - 1;

	if (json && line.len > n && !memcmp(line.ptr, stamp, n)) {
		fffa_buf_add(out, line.ptr,
			     line.len); /* ECS has the member, and the server refuses two */
		return;
	}
	fffa_buf_add(out, stamp, n);
	put_ms(out, time_ms);
	if (json && line.len > 2) {
		fffa_buf_text(out, ",");
		fffa_buf_add(out, line.ptr + 1, line.len - 1);
		return;
	}
	fffa_buf_text(out, ",\"message\":");
	fffa_http_json_string(out, line.ptr, line.len);
	fffa_buf_text(out, "}");
}

/*
 * Bulk API, www.elastic.co/docs: a line with the action, then a line with the document. The action
 * is "create", the only one that data streams take, with our own _id: a document that exists is
 * answered with 409, so a retry writes none twice. Data streams require @timestamp; by default, a
 * number is milliseconds.
 */
void fffa_http_shape__write_elasticsearch(const struct fffa_http_source *from, struct fffa_buf *out)
{
	struct fffa_buf action = {.max = SIZE_MAX};
	uint32_t n = fffa_batch_count(from->batch);

	fffa_buf_text(&action, "{\"create\":{");
	if (fffa_http_is_set(from->conf->index)) {
		fffa_http_json_pair(&action, "_index", from->conf->index);
		fffa_buf_text(&action, ",");
	}
	fffa_buf_text(&action, "\"_id\":\"");
	fffa_http_shape__put_origin(&action, fffa_batch_origin(from->batch));
	for (uint32_t i = 0; i < n && !action.error; i++) {
		struct fffa_record_info info = fffa_batch_record_info(from->batch, i);
		struct fffa_span line = fffa_http_shape__line(from->batch, i);

		fffa_buf_add(out, action.ptr, action.len);
		fffa_http_json_number(out, info.seq);
		fffa_buf_text(out, "\"}}\n");
		put_document(out, line, info.time_ms, from->json);
		fffa_buf_text(out, "\n");
	}
	if (action.error)
		out->error = action.error;
	fffa_buf_fini(&action);
}

static bool has_label(const struct fffa_pairs *m, const char *key)
{
	for (size_t i = 0; i < m->n; i++) {
		if (!strcmp(m->v[i].key, key))
			return true;
	}
	return false;
}

/*
 * "Ingest logs", grafana.com/docs/loki: one stream with its labels; the time is a text in
 * nanoseconds. Loki drops a line that it has with the same time, so a retry writes none twice.
 */
void fffa_http_shape__write_loki(const struct fffa_http_source *from, struct fffa_buf *out)
{
	const struct fffa_batch_origin *o = fffa_batch_origin(from->batch);
	const struct fffa_pairs *labels = &from->conf->labels;
	uint32_t n = fffa_batch_count(from->batch);

	fffa_buf_text(out, "{\"streams\":[{\"stream\":{");
	put_labels(out, labels);
	if (!has_label(labels, "job")) {
		fffa_buf_text(out, labels->n ? "," : "");
		fffa_http_json_pair(out, "job",
				    fffa_http_is_set(from->conf->service) ? from->conf->service
									  : "fffa");
	}
	if (!has_label(labels, "agent_id"))
		put_optional(out, "agent_id", o->agent_id);
	fffa_buf_text(out, "},\"values\":[");
	for (uint32_t i = 0; i < n; i++) {
		struct fffa_span line = fffa_http_shape__line(from->batch, i);

		fffa_buf_text(out, i ? ",[\"" : "[\"");
		put_ms(out, fffa_batch_record_info(from->batch, i).time_ms);
		fffa_buf_text(out, "000000\",");
		fffa_http_json_string(out, line.ptr, line.len);
		fffa_buf_text(out, "]");
	}
	fffa_buf_text(out, "]}]}");
}

/* Commas separate the tags, so a comma inside a value would begin another tag. */
static void put_tags(struct fffa_buf *out, const struct fffa_pairs *m)
{
	struct fffa_buf tags = {.max = SIZE_MAX};

	for (size_t i = 0; i < m->n; i++) {
		fffa_buf_text(&tags, i ? "," : "");
		fffa_buf_text(&tags, m->v[i].key);
		fffa_buf_text(&tags, ":");
		fffa_buf_text(&tags, m->v[i].value);
	}
	fffa_buf_text(out, ",\"ddtags\":");
	fffa_http_json_string(out, tags.ptr, tags.len);
	if (tags.error && !out->error)
		out->error = tags.error;
	fffa_buf_fini(&tags);
}

/*
 * "Send logs", docs.datadoghq.com/api/latest/logs: an array of objects. message is a text; Datadog
 * parses JSON in it.
 */
void fffa_http_shape__write_datadog(const struct fffa_http_source *from, struct fffa_buf *out)
{
	const struct fffa_sink_http_conf *c = from->conf;
	struct fffa_buf same = {.max = SIZE_MAX};
	uint32_t n = fffa_batch_count(from->batch);

	put_optional(&same, "ddsource", c->source);
	put_optional(&same, "service", c->service);
	put_optional(&same, "hostname", host_of(from->batch));
	if (c->labels.n)
		put_tags(&same, &c->labels);
	fffa_buf_text(&same, ",\"message\":");
	for (uint32_t i = 0; i < n && !same.error; i++) {
		struct fffa_span line = fffa_http_shape__line(from->batch, i);

		fffa_buf_text(out, i ? ",{\"timestamp\":" : "[{\"timestamp\":");
		put_ms(out, fffa_batch_record_info(from->batch, i).time_ms);
		fffa_buf_add(out, same.ptr, same.len);
		fffa_http_json_string(out, line.ptr, line.len);
		fffa_buf_text(out, "}");
	}
	fffa_buf_text(out, "]");
	if (same.error)
		out->error = same.error;
	fffa_buf_fini(&same);
}
