// SPDX-License-Identifier: MIT
#include "sinks/http/shape/http_reply.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define FIRST_BYTES ((size_t)4096)
#define MAX_S	    (FFFA_HTTP_RETRY_AFTER_MAX_MS / 1000)

void fffa_http__reply_reset(struct fffa_http_reply *r)
{
	r->len = 0;
	r->cut = false;
	r->retry_after[0] = '\0';
}

void fffa_http__reply_fini(struct fffa_http_reply *r)
{
	free(r->body);
	r->body = NULL;
	r->len = r->held = 0;
}

/* Makes room for len bytes; len <= most. */
static bool grow(struct fffa_http_reply *r, size_t len)
{
	size_t held = r->held ? r->held : FIRST_BYTES;
	char *p;

	if (len <= r->held)
		return true;
	while (held < len)
		held *= 2;
	if (held > r->most)
		held = r->most;
	p = realloc(r->body, held);
	if (!p)
		return false;
	r->body = p;
	r->held = held;
	return true;
}

size_t fffa_http__reply_on_body(char *data, size_t size, size_t n, void *arg)
{
	struct fffa_http_reply *r = arg;
	size_t len = size * n; /* size is always 1 */
	size_t taken = len < r->most - r->len ? len : r->most - r->len;

	if (r->cut)
		return len;
	if (taken < len || (taken && !grow(r, r->len + taken))) {
		r->cut = true; /* what is stored has no holes */
		return len;
	}
	if (taken)
		memcpy(r->body + r->len, data, taken);
	r->len += taken;
	return len;
}

size_t fffa_http__reply_on_header(char *line, size_t size, size_t n, void *arg)
{
	static const char name[] = "retry-after:";
	struct fffa_http_reply *r = arg;
	size_t len = size * n, at = sizeof(name) - 1, end = len;

	if (len > 5 && !strncasecmp(line, "HTTP/", 5)) {
		fffa_http__reply_reset(r); /* the lines before belong to a 1xx or to a proxy */
		return len;
	}
	if (len < at || strncasecmp(line, name, at))
		return len;
	while (at < end && (line[at] == ' ' || line[at] == '\t'))
		at++;
	while (end > at && strchr(" \t\r\n", line[end - 1]))
		end--;
	r->retry_after[0] = '\0';
	if (end - at < sizeof(r->retry_after)) {
		memcpy(r->retry_after, line + at, end - at);
		r->retry_after[end - at] = '\0';
	}
	return len;
}

uint32_t fffa_http_retry_after_ms(const char *text, int64_t now_s)
{
	int64_t s = 0;
	const char *p = text;
	time_t date;

	for (; *p >= '0' && *p <= '9'; p++)
		s = s > MAX_S ? s : s * 10 + (*p - '0');
	if (*p || p == text) {
		/*
		 * Only what looks like a date: curl_getdate reads many more forms than RFC
		 * 9110 has.
		 */
		if (strlen(text) < 24 || !strchr("MTWFS", text[0]))
			return 0;
		date = curl_getdate(text, NULL);
		if (date < 0 || date <= now_s)
			return 0;
		s = date - now_s;
	}
	return (uint32_t)(s > MAX_S ? MAX_S : s) * 1000;
}
