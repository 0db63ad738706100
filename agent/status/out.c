// SPDX-License-Identifier: MIT
#include "agent/status/out.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/encode/text.h"

#define FIRST_BYTES   4096
#define JSON_PER_TURN 64 /* input bytes, each at most six of output */

void fffa_out_init(struct fffa_out *o, size_t max)
{
	*o = (struct fffa_out){.max = max};
}

void fffa_out_fini(struct fffa_out *o)
{
	free(o->v);
	*o = (struct fffa_out){.failed = true};
}

/* Room for n more bytes, or NULL. */
static char *room(struct fffa_out *o, size_t n)
{
	size_t want = o->capacity ? o->capacity : FIRST_BYTES;
	char *v;

	if (o->failed || n > o->max - o->len) {
		o->failed = true;
		return NULL;
	}
	if (o->capacity - o->len >= n)
		return o->v + o->len;
	while (want - o->len < n)
		want *= 2;
	if (want > o->max)
		want = o->max;
	v = realloc(o->v, want);
	if (!v) {
		o->failed = true;
		return NULL;
	}
	o->v = v;
	o->capacity = want;
	return o->v + o->len;
}

void fffa_out_bytes(struct fffa_out *o, const char *s, size_t n)
{
	char *p = room(o, n);

	if (!p)
		return;
	memcpy(p, s, n);
	o->len += n;
}

void fffa_out_text(struct fffa_out *o, const char *s)
{
	fffa_out_bytes(o, s, strlen(s));
}

void fffa_out_format(struct fffa_out *o, const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(text))
		o->failed = true;
	else
		fffa_out_bytes(o, text, (size_t)n);
}

void fffa_out_label(struct fffa_out *o, const char *s)
{
	for (; *s; s++) {
		if (*s == '\\' || *s == '"')
			fffa_out_format(o, "\\%c", *s);
		else if (*s < ' ' || *s > '~')
			fffa_out_format(o, "\\\\x%02x", (unsigned char)*s);
		else
			fffa_out_bytes(o, s, 1);
	}
}

/* So many bytes of s that no character is cut in two. */
static size_t whole_characters(const char *s, size_t len)
{
	size_t n = len < JSON_PER_TURN ? len : JSON_PER_TURN;

	if (n == len)
		return n;
	for (size_t back = 0; back < 4; back++) {
		if (((unsigned char)s[n - back] & 0xc0) != 0x80)
			return n - back;
	}
	return n; /* not UTF-8 anyway */
}

void fffa_out_json(struct fffa_out *o, const char *s)
{
	uint8_t text[6 * JSON_PER_TURN + FFFA_TEXT_SLACK_BYTES];
	size_t len = strlen(s);

	fffa_out_bytes(o, "\"", 1);
	while (len) {
		size_t n = whole_characters(s, len);

		fffa_out_bytes(o, (char *)text, (size_t)(fffa_text_json(text, s, n) - text));
		s += n;
		len -= n;
	}
	fffa_out_bytes(o, "\"", 1);
}
