// SPDX-License-Identifier: MIT
#include "sinks/http/shape/http_reply.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "agent/base/utf8.h"

#define FIRST_BYTES ((size_t)4096)
#define MAX_S	    (FFFA_HTTP_RETRY_AFTER_MAX_MS / 1000)

/* For the next answer to the same request. */
static void reset_answer(struct fffa_http_reply *r)
{
	r->len = 0;
	r->cut = false;
	r->status = 0;
	r->retry_after[0] = '\0';
}

void fffa_http__reply_reset(struct fffa_http_reply *r)
{
	reset_answer(r);
	r->received = 0;
	r->ended = false;
}

/* False: an answer without an end would keep the loop busy. */
static bool count_received(struct fffa_http_reply *r, size_t len)
{
	size_t most = r->most + FFFA_HTTP_DROPPED_BYTES_MAX;

	r->ended = r->ended || len > most - r->received;
	if (!r->ended)
		r->received += len;
	return !r->ended;
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

	if (!count_received(r, len)) {
		r->cut = true;
		return 0; /* ends the transfer */
	}
	if (r->cut)
		return len;
	if (taken && !grow(r, r->len + taken))
		taken = 0;
	if (taken)
		memcpy(r->body + r->len, data, taken);
	r->len += taken;
	r->cut = taken < len; /* what is stored has no holes */
	return len;
}

/* "HTTP/1.1 200 OK" or "HTTP/2 200": the number. 0: there is none. */
static long read_status(const char *line, size_t len)
{
	size_t at = 0;
	long n = 0;

	while (at < len && line[at] != ' ')
		at++;
	for (at++; at < len && line[at] >= '0' && line[at] <= '9' && n < 1000; at++)
		n = n * 10 + (line[at] - '0');
	return n;
}

size_t fffa_http__reply_on_header(char *line, size_t size, size_t n, void *arg)
{
	static const char name[] = "retry-after:";
	struct fffa_http_reply *r = arg;
	size_t len = size * n, at = sizeof(name) - 1, end = len;

	if (!count_received(r, len))
		return 0; /* ends the transfer */
	if (len > 5 && !strncasecmp(line, "HTTP/", 5)) {
		reset_answer(r); /* the lines before belong to a 1xx or to a proxy */
		r->status = read_status(line, len);
		return len;
	}
	if (len && (line[0] == '\r' || line[0] == '\n') && r->status / 100 == 2 && r->confirmed)
		r->confirmed(r->arg);
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

void fffa_http_reply_excerpt(const struct fffa_http_reply *r, char *out, size_t cap)
{
	const uint8_t *p = (const uint8_t *)r->body;
	size_t left = r->len < FFFA_HTTP_EXCERPT_BYTES ? r->len : FFFA_HTTP_EXCERPT_BYTES, n = 0;

	while (left && n + 5 <= cap) {
		size_t step = fffa_utf8_length(p, left);

		/* 0x80 to 0x9f as characters are control characters, too. */
		if (step > 1 && (p[0] != 0xc2 || p[1] >= 0xa0)) {
			memcpy(out + n, p, step);
			n += step;
		} else if (*p >= 0x20 && *p < 0x7f) {
			step = 1;
			out[n++] = (char)*p;
		} else {
			step = 1;
			n += (size_t)snprintf(out + n, cap - n, "\\x%02x", *p);
		}
		p += step;
		left -= step;
	}
	out[n] = '\0';
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
