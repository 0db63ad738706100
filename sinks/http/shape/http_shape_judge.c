// SPDX-License-Identifier: MIT
/* What answers of 2xx say of single records. */
#include <jansson.h>
#include <string.h>

#include "sinks/http/shape/http_shape.h"
#include "sinks/http/shape/http_verdict.h"

/*
 * Nothing can be learnt from the answer. One that was too long is shorter for half as many records;
 * they are not written twice, as each has an _id.
 */
static enum fffa_verdict learn_nothing(const struct fffa_http_reply *reply, uint32_t count,
				       bool *known)
{
	*known = false;
	return reply->cut && count > 1 ? FFFA_V_TOO_BIG : FFFA_V_RETRY;
}

/* The items are objects with one member, named after the action. */
static enum fffa_verdict judge_item(const json_t *item)
{
	json_t *result = json_object_iter_value(json_object_iter((json_t *)(uintptr_t)item));
	json_t *status = json_object_get(result, "status");
	struct fffa_http_verdict v;

	if (!json_is_integer(status))
		return FFFA_V_RETRY;
	if (json_integer_value(status) == 409)
		return FFFA_V_DELIVERED; /* it is there: an earlier try came through */
	v = fffa_http_verdict_of_status((long)json_integer_value(status));
	return v.verdict;
}

static enum fffa_verdict summarise(const uint8_t *records, uint32_t count)
{
	uint32_t n[FFFA_V_TOO_BIG + 1] = {0};

	for (uint32_t i = 0; i < count; i++)
		n[records[i]]++;
	if (n[FFFA_V_DELIVERED] == count)
		return FFFA_V_DELIVERED;
	return n[FFFA_V_REJECTED] == count ? FFFA_V_REJECTED : FFFA_V_RETRY;
}

enum fffa_verdict fffa_http_shape__judge_bulk(const struct fffa_http_reply *reply, uint32_t count,
					      uint8_t *records, bool *known)
{
	enum fffa_verdict verdict;
	json_t *root, *items;

	root = reply->cut || !reply->len ? NULL : json_loadb(reply->body, reply->len, 0, NULL);
	items = json_object_get(root, "items");
	if (json_is_false(json_object_get(root, "errors"))) {
		verdict = FFFA_V_DELIVERED;
	} else if (!json_is_array(items) || json_array_size(items) != count) {
		verdict = learn_nothing(reply, count, known);
	} else {
		for (uint32_t i = 0; i < count; i++)
			records[i] = (uint8_t)judge_item(json_array_get(items, i));
		verdict = summarise(records, count);
	}
	json_decref(root);
	return verdict;
}

/* Protobuf's JSON writes 64-bit numbers as text; some servers write them bare. */
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
 * partialSuccess says how many, not which, and that they must not be sent again: the last so many
 * are counted as rejected. An answer that says nothing of the kind is a success.
 */
enum fffa_verdict fffa_http_shape__judge_otlp(const struct fffa_http_reply *reply, uint32_t count,
					      uint8_t *records, bool *known)
{
	json_t *root =
		reply->len && !reply->cut ? json_loadb(reply->body, reply->len, 0, NULL) : NULL;
	json_t *partial = json_object_get(root, "partialSuccess");
	uint64_t n = read_count(json_object_get(partial, "rejectedLogRecords"));

	*known = true; /* also of an answer that is no JSON: 2xx is the confirmation */
	if (n > count)
		n = count;
	memset(records + count - n, FFFA_V_REJECTED, n);
	json_decref(root);
	return summarise(records, count);
}
