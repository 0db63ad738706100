// SPDX-License-Identifier: MIT
/*
 * Writes OTLP/HTTP logs as JSON: opentelemetry.io/docs/specs/otlp, and opentelemetry-proto's
 * logs.proto in the protobuf JSON mapping, in which 64-bit numbers are text.
 */
#include <string.h>

#include "sinks/http/shape/http_shape.h"

#define DEPTH_MAX 16 /* the deepest format has four levels */

static void put_attribute(struct fffa_buf *out, const char *key, const char *value,
			  unsigned int *count)
{
	if (!fffa_http_is_set(value))
		return;
	fffa_buf_text(out, (*count)++ ? ",{\"key\":" : "{\"key\":");
	fffa_http_json_string(out, key, strlen(key));
	fffa_buf_text(out, ",\"value\":{\"stringValue\":");
	fffa_http_json_string(out, value, strlen(value));
	fffa_buf_text(out, "}}");
}

/* The attributes have the names of OpenTelemetry's semantic conventions for resources. */
static void put_resource(const struct fffa_http_source *from, struct fffa_buf *out)
{
	const struct fffa_batch_origin *o = fffa_batch_origin(from->batch);
	const struct fffa_pairs *m = &from->conf->labels;
	unsigned int n = 0;

	fffa_buf_text(out, "{\"resource\":{\"attributes\":[");
	put_attribute(out, "service.name",
		      fffa_http_is_set(from->conf->service) ? from->conf->service : "fffa", &n);
	put_attribute(out, "host.id", o->agent_id, &n);
	put_attribute(out, "host.name", fffa_batch_host(from->batch), &n);
	put_attribute(out, "cloud.account.id", o->account_id, &n);
	put_attribute(out, "cloud.region", o->region, &n);
	for (size_t i = 0; i < m->n; i++)
		put_attribute(out, m->v[i].key, m->v[i].value, &n);
	fffa_buf_text(out, "]},\"scopeLogs\":[{\"scope\":{\"name\":\"fffa\",\"version\":"
			   "\"" FFFA_VERSION "\"},\"logRecords\":[");
}

/* Returns the place behind the JSON string that begins at p; NULL if it does not end before end. */
static const uint8_t *skip_string(const uint8_t *p, const uint8_t *end)
{
	for (p++; p < end && *p != '"'; p++) {
		if (*p == '\\')
			p++;
	}
	return p < end ? p + 1 : NULL;
}

/* Returns the place behind a value that is no string, list or object. */
static const uint8_t *skip_bare(const uint8_t *p, const uint8_t *end)
{
	while (p < end && *p != ',' && *p != '}' && *p != ']')
		p++;
	return p;
}

static bool is_word(const uint8_t *p, size_t n, const char *word)
{
	return n == strlen(word) && !memcmp(p, word, n);
}

static bool is_integer(const uint8_t *p, size_t n)
{
	size_t i = n && *p == '-';

	if (i == n || n - i > 19)
		return false;
	for (; i < n; i++) {
		if (p[i] < '0' || p[i] > '9')
			return false;
	}
	return true;
}

static void put_scalar(struct fffa_buf *out, const uint8_t *p, size_t n)
{
	if (*p == '"') {
		fffa_buf_text(out, "{\"stringValue\":");
		fffa_buf_add(out, p, n);
	} else if (is_word(p, n, "true") || is_word(p, n, "false")) {
		fffa_buf_text(out, "{\"boolValue\":");
		fffa_buf_add(out, p, n);
	} else if (is_integer(p, n)) {
		fffa_buf_text(out, "{\"intValue\":\"");
		fffa_buf_add(out, p, n);
		fffa_buf_text(out, "\"");
	} else {
		fffa_buf_text(out, "{\"stringValue\":");
		fffa_http_json_string(out, p, n);
	}
	fffa_buf_text(out, "}");
}

static const uint8_t *put_list(struct fffa_buf *out, const uint8_t *p, const uint8_t *end,
			       unsigned int depth);

/*
 * Writes the JSON value at p, which has no spaces, as an AnyValue. Returns the place behind it.
 * NULL: it is not such a value, and out may have a part of it.
 */
static const uint8_t *put_value(struct fffa_buf *out, const uint8_t *p, const uint8_t *end,
				unsigned int depth)
{
	const uint8_t *stop;

	if (p == end || depth > DEPTH_MAX)
		return NULL;
	if (*p == '{' || *p == '[')
		return put_list(out, p, end, depth);
	stop = *p == '"' ? skip_string(p, end) : skip_bare(p, end);
	if (!stop || stop == p)
		return NULL;
	put_scalar(out, p, (size_t)(stop - p));
	return stop;
}

/* Writes the key at p and begins its value. Returns the place behind the colon, or NULL. */
static const uint8_t *put_key(struct fffa_buf *out, const uint8_t *p, const uint8_t *end)
{
	const uint8_t *stop = p < end && *p == '"' ? skip_string(p, end) : NULL;

	if (!stop || stop == end || *stop != ':')
		return NULL;
	fffa_buf_text(out, "{\"key\":");
	fffa_buf_add(out, p, (size_t)(stop - p));
	fffa_buf_text(out, ",\"value\":");
	return stop + 1;
}

/* put_value for an object or an array. */
static const uint8_t *put_list(struct fffa_buf *out, const uint8_t *p, const uint8_t *end,
			       unsigned int depth)
{
	bool object = *p++ == '{', first = true;

	fffa_buf_text(out,
		      object ? "{\"kvlistValue\":{\"values\":[" : "{\"arrayValue\":{\"values\":[");
	for (; p < end && *p != (object ? '}' : ']'); first = false) {
		if (!first && *p++ != ',')
			return NULL;
		fffa_buf_text(out, first ? "" : ",");
		p = object ? put_key(out, p, end) : p;
		p = p ? put_value(out, p, end, depth + 1) : NULL;
		if (!p)
			return NULL;
		fffa_buf_text(out, object ? "}" : "");
	}
	fffa_buf_text(out, "]}}");
	return p < end ? p + 1 : NULL;
}

static void put_body(struct fffa_buf *out, struct fffa_span line, bool json)
{
	const uint8_t *end = line.ptr + line.len;
	size_t before = out->len;

	if (json && line.len && *line.ptr == '{' && put_value(out, line.ptr, end, 0) == end)
		return;
	if (!out->error)
		out->len = before;
	fffa_buf_text(out, "{\"stringValue\":");
	fffa_http_json_string(out, line.ptr, line.len);
	fffa_buf_text(out, "}");
}

void fffa_http_shape__write_otlp(const struct fffa_http_source *from, struct fffa_buf *out)
{
	uint32_t n = fffa_batch_count(from->batch);

	fffa_buf_text(out, "{\"resourceLogs\":[");
	put_resource(from, out);
	for (uint32_t i = 0; i < n; i++) {
		struct fffa_record_info info = fffa_batch_record_info(from->batch, i);

		fffa_buf_text(out, i ? ",{\"timeUnixNano\":\"" : "{\"timeUnixNano\":\"");
		fffa_http_json_number(out, info.time_ms < 0 ? 0 : (uint64_t)info.time_ms);
		fffa_buf_text(out, "000000\",\"severityNumber\":9,\"body\":"); /* INFO */
		put_body(out, fffa_http_shape__line(from->batch, i), from->json);
		fffa_buf_text(out, "}");
	}
	fffa_buf_text(out, "]}]}]}");
}
