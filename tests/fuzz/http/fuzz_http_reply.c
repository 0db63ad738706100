// SPDX-License-Identifier: MIT
/* The answer of a hostile server: headers, Retry-After, and bodies with verdicts for records. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sinks/http/shape/http_reply.h"
#include "sinks/http/shape/http_shape.h"

#define COUNT_MAX 64
#define NOW_S	  INT64_C(1700000000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
	if (!ok)
		abort();
}

static void check_judge(fffa_http_judge_fn judge, const struct fffa_http_reply *r, uint32_t count)
{
	uint8_t records[COUNT_MAX];
	uint32_t n[FFFA_V_LAST + 1] = {0};
	struct fffa_http_judged j = {.status = 0};
	bool known;
	enum fffa_verdict v;

	memset(records, FFFA_V_DELIVERED, count);
	v = judge(r, count, records, &j);
	known = !j.unreadable;
	require(strlen(j.type) < sizeof(j.type));
	require(v >= FFFA_V_DELIVERED && v <= FFFA_V_LAST);
	for (uint32_t i = 0; i < count; i++) {
		require(records[i] >= FFFA_V_DELIVERED && records[i] <= FFFA_V_LAST);
		n[records[i]]++;
	}
	require(v != FFFA_V_TOO_BIG || (count > 1 && !known));
	require(known || v != FFFA_V_DELIVERED); /* an unreadable answer confirms nothing */
	require(v != FFFA_V_REJECTED || n[FFFA_V_REJECTED] == count);
	require(!known || v != FFFA_V_DELIVERED || n[FFFA_V_DELIVERED] == count);
}

static void check_body(const struct fffa_http_reply *r)
{
	char line[FFFA_HTTP_EXCERPT_BYTES * 4 + 1];
	struct fffa_http_verdict v = fffa_http_verdict_of_status(400);

	fffa_http_reply_excerpt(r, line, sizeof(line));
	for (const char *p = line; *p; p++)
		require((unsigned char)*p >= 0x20 && *p != 0x7f);
	fffa_http_shape__refine_splunk(r, &v);
	require(v.verdict == FFFA_V_REFUSED || v.configured);
	fffa_http_shape__refine_elasticsearch(r, &v);
	require(v.verdict == FFFA_V_REFUSED || v.configured);
}

/* Header lines up to an empty one; the rest is the body, which arrives in pieces. */
static void receive(struct fffa_http_reply *r, char *text, size_t size)
{
	size_t piece = 1 + size / 3;

	while (size) {
		char *nl = memchr(text, '\n', size);
		size_t n = nl ? (size_t)(nl - text) + 1 : size;

		require(fffa_http__reply_on_header(text, 1, n, r) == n);
		require(strlen(r->retry_after) < sizeof(r->retry_after));
		text += n;
		size -= n;
		if (n == 1)
			break;
	}
	for (size_t n; size; text += n, size -= n) {
		n = size < piece ? size : piece;
		require(fffa_http__reply_on_body(text, 1, n, r) == n);
		require(r->len <= r->most && r->held <= r->most);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fffa_http_reply r = {0};
	uint32_t count;
	char *text;

	if (size < 2)
		return 0;
	count = 1 + data[0] % COUNT_MAX;
	r.most = (size_t)data[1] * 64;
	text = calloc(1, size - 1);
	if (!text)
		abort();
	/* A copy, so that the sanitizer sees a read behind its end. */
	memcpy(text, data + 2, size - 2);
	receive(&r, text, size - 2);
	require(fffa_http_retry_after_ms(r.retry_after, NOW_S) <= FFFA_HTTP_RETRY_AFTER_MAX_MS);
	text[size - 2] = '\0';
	require(fffa_http_retry_after_ms(text, NOW_S) <= FFFA_HTTP_RETRY_AFTER_MAX_MS);
	check_body(&r);
	check_judge(fffa_http_shape__judge_bulk, &r, count);
	check_judge(fffa_http_shape__judge_otlp, &r, count);
	fffa_http__reply_fini(&r);
	free(text);
	return 0;
}
