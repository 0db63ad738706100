// SPDX-License-Identifier: MIT
#include "agent/enrich/input/http_bounds.h"

#include <errno.h>
#include <string.h>

#define TIMEOUT_MAX_MS 3600000

static size_t on_body(char *data, size_t size, size_t n, void *arg)
{
	struct fffa_http_body *b = arg;
	size_t len = size * n; /* size is always 1 */

	if (len > b->cap - b->len) {
		b->too_big = true;
		return 0; /* ends the transfer */
	}
	memcpy(b->v + b->len, data, len);
	b->len += len;
	return len;
}

bool fffa_http_body_count_header(struct fffa_http_body *body, size_t len)
{
	body->too_big = body->too_big || len > FFFA_HTTP_HEADER_BYTES_MAX - body->header_bytes;
	if (!body->too_big)
		body->header_bytes += len;
	return !body->too_big;
}

/* NOLINTNEXTLINE(readability-non-const-parameter): libcurl names the type */
static size_t on_header(char *line, size_t size, size_t n, void *arg)
{
	(void)line;
	return fffa_http_body_count_header(arg, size * n) ? size * n : 0;
}

int fffa_http_bounds_set(CURL *e, uint64_t timeout_ms, struct fffa_http_body *body)
{
	long limit_ms = timeout_ms > TIMEOUT_MAX_MS ? TIMEOUT_MAX_MS : (long)timeout_ms;
	CURLcode rc = CURLE_OK;

	/* The first failure sticks. Each of these fails only without memory. */
#define SET(option, value)                                                                         \
	do {                                                                                       \
		if (rc == CURLE_OK)                                                                \
			rc = curl_easy_setopt(e, option, value);                                   \
	} while (0)
	SET(CURLOPT_PROXY, "");
	SET(CURLOPT_NOPROXY, "*");
	SET(CURLOPT_FOLLOWLOCATION, 0L);
#if LIBCURL_VERSION_NUM >= 0x075500
	SET(CURLOPT_PROTOCOLS_STR, "http");
#else
	SET(CURLOPT_PROTOCOLS, (long)CURLPROTO_HTTP);
#endif
	SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
	SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	SET(CURLOPT_CONNECTTIMEOUT_MS, limit_ms);
	SET(CURLOPT_TIMEOUT_MS, limit_ms);
	SET(CURLOPT_MAXFILESIZE, (long)body->cap);
	SET(CURLOPT_USERAGENT, "fffa");
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, body);
	SET(CURLOPT_HEADERFUNCTION, on_header);
	SET(CURLOPT_HEADERDATA, body);
#undef SET
	return rc == CURLE_OK ? 0 : -ENOMEM;
}

void fffa_http_body_reset(struct fffa_http_body *body)
{
	body->len = 0;
	body->too_big = false;
	body->header_bytes = 0;
}

CURLcode fffa_http_body_result(const struct fffa_http_body *body, CURLcode result)
{
	return body->too_big ? CURLE_FILESIZE_EXCEEDED : result;
}
