// SPDX-License-Identifier: MIT
#include "sinks/http/buf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_BYTES ((size_t)16384)

void fffa_http_buf_reset(struct fffa_http_buf *b)
{
	b->len = 0;
	b->error = 0;
}

void fffa_http_buf_fini(struct fffa_http_buf *b)
{
	free(b->ptr);
	b->ptr = NULL;
	b->len = b->held = 0;
}

static int grow(struct fffa_http_buf *b, size_t need)
{
	size_t held = b->held ? b->held : FIRST_BYTES;
	uint8_t *p;

	while (held < need)
		held *= 2;
	p = realloc(b->ptr, held);
	if (!p)
		return -ENOMEM;
	b->ptr = p;
	b->held = held;
	return 0;
}

uint8_t *fffa_http_buf_room(struct fffa_http_buf *b, size_t want)
{
	if (!b->error && b->most && want > b->most - b->len)
		b->error = -EMSGSIZE;
	if (!b->error && want > b->held - b->len)
		b->error = grow(b, b->len + want);
	return b->error ? NULL : b->ptr + b->len;
}

void fffa_http_buf_add(struct fffa_http_buf *b, const void *p, size_t n)
{
	uint8_t *to = fffa_http_buf_room(b, n);

	if (!to)
		return;
	memcpy(to, p, n);
	b->len += n;
}

void fffa_http_buf_text(struct fffa_http_buf *b, const char *s)
{
	fffa_http_buf_add(b, s, strlen(s));
}

void fffa_http_buf_number(struct fffa_http_buf *b, uint64_t v)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	fffa_http_buf_add(b, digits + at, sizeof(digits) - at);
}

static void escape(struct fffa_http_buf *b, uint8_t c)
{
	static const char hex[] = "0123456789abcdef";
	char text[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};

	if (c == '"' || c == '\\') {
		text[1] = (char)c;
		fffa_http_buf_add(b, text, 2);
	} else {
		fffa_http_buf_add(b, text, 6);
	}
}

void fffa_http_buf_string(struct fffa_http_buf *b, const void *p, size_t n)
{
	const uint8_t *s = p;
	size_t run = 0, i;

	fffa_http_buf_add(b, "\"", 1);
	for (i = 0; i < n; i++) {
		if (s[i] >= 0x20 && s[i] != '"' && s[i] != '\\')
			continue;
		fffa_http_buf_add(b, s + run, i - run);
		escape(b, s[i]);
		run = i + 1;
	}
	fffa_http_buf_add(b, s + run, n - run);
	fffa_http_buf_add(b, "\"", 1);
}

void fffa_http_buf_pair(struct fffa_http_buf *b, const char *key, const char *value)
{
	fffa_http_buf_string(b, key, strlen(key));
	fffa_http_buf_add(b, ":", 1);
	fffa_http_buf_string(b, value, strlen(value));
}
