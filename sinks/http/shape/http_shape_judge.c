// SPDX-License-Identifier: MIT
/* Reads what the body of an answer says: of single records, and of the reason of a refusal. */
#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <strings.h>

#include "sinks/http/shape/http_shape.h"
#include "sinks/http/shape/http_verdict.h"

#define TOO_LARGE_BYTES ((size_t)1024) /* of an answer that are searched for the reason */

/*
 * The answer cannot be read. If it was too long, the answer for half as many records is shorter.
 * Sending records again does not write them twice, as each has an _id.
 */
static enum fffa_verdict judge_unreadable(const struct fffa_http_reply *reply, uint32_t count,
					  struct fffa_http_judged *j)
{
	j->unreadable = true;
	return reply->cut && count > 1 ? FFFA_V_TOO_BIG : FFFA_V_RETRY;
}

/* Keeps status and type of the first record that was not taken. */
static void note_item(struct fffa_http_judged *j, const struct fffa_http_verdict *v, int status,
		      const json_t *result)
{
	const char *type =
		json_string_value(json_object_get(json_object_get(result, "error"), "type"));

	j->repair = j->repair || v->configured;
	if (j->status)
		return;
	j->status = status;
	j->text = v->text;
	for (size_t i = 0; type && i + 1 < sizeof(j->type) && type[i] > ' ' && type[i] <= '~'; i++)
		j->type[i] = type[i];
}

/* An item is an object with one member, which has the name of the action. */
static enum fffa_verdict judge_item(const json_t *item, struct fffa_http_judged *j)
{
	json_t *result = json_object_iter_value(json_object_iter((json_t *)(uintptr_t)item));
	json_t *status = json_object_get(result, "status");
	struct fffa_http_verdict v;

	if (!json_is_integer(status))
		return FFFA_V_RETRY;
	if (json_integer_value(status) == 409)
		return FFFA_V_DELIVERED; /* it exists: an earlier request wrote it */
	v = fffa_http_verdict_of_status((long)json_integer_value(status));
	if (v.verdict != FFFA_V_DELIVERED)
		note_item(j, &v, (int)json_integer_value(status), result);
	return v.verdict;
}

static enum fffa_verdict summarise(const uint8_t *records, uint32_t count)
{
	uint32_t n[FFFA_V_LAST + 1] = {0};

	for (uint32_t i = 0; i < count; i++)
		n[records[i]]++;
	for (int v = FFFA_V_DELIVERED; v <= FFFA_V_LAST; v++) {
		if (n[v] == count && v != FFFA_V_TOO_BIG)
			return (enum fffa_verdict)v;
	}
	return FFFA_V_RETRY;
}

enum fffa_verdict fffa_http_shape__judge_bulk(const struct fffa_http_reply *reply, uint32_t count,
					      uint8_t *records, struct fffa_http_judged *j)
{
	enum fffa_verdict verdict;
	json_t *root, *items;

	root = reply->cut || !reply->len ? NULL : json_loadb(reply->body, reply->len, 0, NULL);
	items = json_object_get(root, "items");
	if (json_is_false(json_object_get(root, "errors"))) {
		verdict = FFFA_V_DELIVERED;
	} else if (!json_is_array(items) || json_array_size(items) != count) {
		verdict = judge_unreadable(reply, count, j);
	} else {
		for (uint32_t i = 0; i < count; i++)
			records[i] = (uint8_t)judge_item(json_array_get(items, i), j);
		verdict = summarise(records, count);
	}
	json_decref(root);
	return verdict;
}

static void set_repair(struct fffa_http_verdict *v, const char *text)
{
	*v = (struct fffa_http_verdict){
		.verdict = FFFA_V_RETRY, .cause = -EINVAL, .text = text, .configured = true};
}

/*
 * The whole request was refused. What the body names lies with the settings: "index is missing"
 * when neither index nor url names one, and whatever is wrong with index or pipeline.
 */
void fffa_http_shape__refine_elasticsearch(const struct fffa_http_reply *reply,
					   struct fffa_http_verdict *v)
{
	static const char *const words[] = {"index is missing", "index_not_found_exception",
					    "invalid_index_name_exception", "pipeline with id"};

	for (size_t i = 0; v->verdict == FFFA_V_REFUSED && i < sizeof(words) / sizeof(words[0]);
	     i++) {
		if (reply->len && memmem(reply->body, reply->len, words[i], strlen(words[i])))
			set_repair(v,
				   "the server misses an index or pipeline: check index and url");
	}
}

/*
 * Servers in Go say so with 400 or 500: http.MaxBytesReader (the OpenTelemetry Collector), gRPC
 * behind HTTP (Loki), VictoriaLogs.
 */
static bool says_too_large(const struct fffa_http_reply *reply)
{
	static const char *const words[] = {"body too large",	       "entity too large",
					    "payload too large",       "request too large",
					    "message larger than max", "data size exceeding"};
	size_t len = reply->len < TOO_LARGE_BYTES ? reply->len : TOO_LARGE_BYTES;

	for (size_t w = 0; w < sizeof(words) / sizeof(words[0]); w++) {
		size_t n = strlen(words[w]);

		for (size_t i = 0; i + n <= len; i++) {
			if (!strncasecmp(reply->body + i, words[w], n))
				return true;
		}
	}
	return false;
}

void fffa_http_shape__refine_size(const struct fffa_http_reply *reply, struct fffa_http_verdict *v)
{
	if (v->verdict == FFFA_V_DELIVERED || v->configured || !says_too_large(reply))
		return;
	*v = (struct fffa_http_verdict){
		.verdict = FFFA_V_TOO_BIG, .cause = -EMSGSIZE, .text = "the batch is too large"};
}

/*
 * "Possible error codes" of HTTP Event Collector on docs.splunk.com. Those of the token come with
 * 401 and 403.
 */
void fffa_http_shape__refine_splunk(const struct fffa_http_reply *reply,
				    struct fffa_http_verdict *v)
{
	static const struct {
		int code;
		const char *text;
	} rows[] = {
		{7, "the server does not allow this index: check index"},
		{10, "the server asks for a data channel: check headers"},
		{11, "the server does not take the data channel: check headers"},
		{14, "acknowledgements are disabled: check url"},
		{16, "the server takes no token in the query: check url"},
	};
	json_t *root = v->verdict == FFFA_V_REFUSED && reply->len
			       ? json_loadb(reply->body, reply->len, 0, NULL)
			       : NULL;
	const json_t *code = json_object_get(root, "code");

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (json_is_integer(code) && json_integer_value(code) == rows[i].code)
			set_repair(v, rows[i].text);
	}
	json_decref(root);
}

/* Protobuf's JSON mapping writes 64-bit numbers as text; some servers write them as numbers. */
static uint64_t read_count(const json_t *v)
{
	const char *text = json_string_value(v);
	uint64_t n = 0;

	if (json_is_integer(v))
		return json_integer_value(v) > 0 ? (uint64_t)json_integer_value(v) : 0;
	for (; text && *text >= '0' && *text <= '9' && n <= UINT32_MAX; text++)
		n = n * 10 + (uint64_t)(*text - '0');
	return n;
}

/*
 * partialSuccess says how many records were rejected, but not which, and that none may be sent
 * again. So the last ones are counted as rejected. An answer without it is a success.
 */
enum fffa_verdict fffa_http_shape__judge_otlp(const struct fffa_http_reply *reply, uint32_t count,
					      uint8_t *records, struct fffa_http_judged *j)
{
	json_t *root =
		reply->len && !reply->cut ? json_loadb(reply->body, reply->len, 0, NULL) : NULL;
	json_t *partial = json_object_get(root, "partialSuccess");
	uint64_t n = read_count(json_object_get(partial, "rejectedLogRecords"));

	/* Even if the answer is no JSON, 2xx is the confirmation. */
	j->text = n ? "the server rejects some of the records" : NULL;
	if (n > count)
		n = count;
	memset(records + count - n, FFFA_V_REJECTED, n);
	json_decref(root);
	return summarise(records, count);
}
