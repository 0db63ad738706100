// SPDX-License-Identifier: MIT
#include "agent/base/buf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_BYTES ((size_t)128)

void fffa_buf_reset(struct fffa_buf *b)
{
	b->len = 0;
	b->error = 0;
}

void fffa_buf_fini(struct fffa_buf *b)
{
	free(b->ptr);
	*b = (struct fffa_buf){.max = b->max};
}

/* The size to allocate for need bytes: doubled, so that growth costs little, at most max. */
static size_t next_size(const struct fffa_buf *b, size_t need)
{
	size_t size = b->held ? b->held : FIRST_BYTES;

	while (size < need)
		size = size > SIZE_MAX / 2 ? SIZE_MAX : size * 2;
	return size < b->max ? size : b->max;
}

static int grow(struct fffa_buf *b, size_t need)
{
	size_t size = next_size(b, need);
	uint8_t *p = realloc(b->ptr, size);

	if (!p)
		return -ENOMEM;
	b->ptr = p;
	b->held = size;
	return 0;
}

uint8_t *fffa_buf_room(struct fffa_buf *b, size_t n)
{
	if (!b->error && n > b->max - b->len)
		b->error = -EMSGSIZE;
	if (!b->error && (n > b->held - b->len || !b->ptr))
		b->error = grow(b, b->len + n);
	return b->error ? NULL : b->ptr + b->len;
}

void fffa_buf_add(struct fffa_buf *b, const void *p, size_t n)
{
	uint8_t *to = fffa_buf_room(b, n);

	if (!to || !n) /* p may be NULL then */
		return;
	memcpy(to, p, n);
	b->len += n;
}

void fffa_buf_text(struct fffa_buf *b, const char *s)
{
	fffa_buf_add(b, s, strlen(s));
}

void fffa_buf_format(struct fffa_buf *b, const char *fmt, ...)
{
	char text[FFFA_BUF_FORMAT_BYTES_MAX + 1];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < sizeof(text))
		fffa_buf_add(b, text, (size_t)n);
	else if (!b->error)
		b->error = -EMSGSIZE;
}
