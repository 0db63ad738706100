// SPDX-License-Identifier: MIT
#include "config/yaml/utf8.h"

#include <stddef.h>
#include <string.h>

#include "agent/base/utf8.h"

/* The character at p; 0 on bad UTF-8, and at the end. *n gets its length. */
static uint32_t decode_character(const char *p, size_t *n)
{
	const uint8_t *s = (const uint8_t *)p;
	uint32_t c = *s;

	*n = fffa_utf8_length(s, strnlen(p, 4));
	if (*n < 2)
		return *n ? c : 0;
	c &= 0x7fu >> *n;
	for (size_t i = 1; i < *n; i++)
		c = c << 6 | (s[i] & 0x3fu);
	return c;
}

bool fffa_utf8_valid(const char *text)
{
	size_t n;

	for (const char *p = text; *p; p += n)
		if (!decode_character(p, &n))
			return false;
	return true;
}

uint32_t fffa_utf8_next(const char **p)
{
	size_t n;
	uint32_t c = decode_character(*p, &n);

	if (c)
		*p += n;
	return c;
}
