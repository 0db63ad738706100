// SPDX-License-Identifier: MIT
/* Reads what a 2xx answer says of single records. */
#include <jansson.h>
#include <string.h>

#include "sinks/http/shape/http_shape.h"
#include "sinks/http/shape/http_verdict.h"

/*
 * The answer cannot be read. If it was too long, the answer for half as many records is shorter.
 * Sending records again does not write them twice, as each has an _id.
 */
static enum fffa_verdict judge_unreadable(const struct fffa_http_reply *reply, uint32_t count,
					  bool *known)
{
	*known = false;
	return reply->cut && count > 1 ? FFFA_V_TOO_BIG : FFFA_V_RETRY;
}

/* An item is an object with one member, which has the name of the action. */
static enum fffa_verdict judge_item(const json_t *item)
{
	json_t *result = json_object_iter_value(json_object_iter((json_t *)(uintptr_t)item));
	json_t *status = json_object_get(result, "status");
	struct fffa_http_verdict v;

	if (!json_is_integer(status))
		return FFFA_V_RETRY;
	if (json_integer_value(status) == 409)
		return FFFA_V_DELIVERED; /* it exists: an earlier request wrote it */
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
		verdict = judge_unreadable(reply, count, known);
	} else {
		for (uint32_t i = 0; i < count; i++)
			records[i] = (uint8_t)judge_item(json_array_get(items, i));
		verdict = summarise(records, count);
	}
	json_decref(root);
	return verdict;
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
					      uint8_t *records, bool *known)
{
	json_t *root =
		reply->len && !reply->cut ? json_loadb(reply->body, reply->len, 0, NULL) : NULL;
	json_t *partial = json_object_get(root, "partialSuccess");
	uint64_t n = read_count(json_object_get(partial, "rejectedLogRecords"));

	*known = true; /* even if the answer is no JSON: 2xx is the confirmation */
	if (n > count)
		n = count;
	memset(records + count - n, FFFA_V_REJECTED, n);
	json_decref(root);
	return summarise(records, count);
}
