// SPDX-License-Identifier: MIT
#include "config/yaml/utf8.h"

#include <stddef.h>

/* One character; 0 on bad UTF-8 (and on the end). *n gets its length. RFC 3629 section 4. */
static uint32_t decode_character(const unsigned char *p, size_t *n)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	uint32_t c = *p;
	size_t len = c < 0x80 ? 1 : (c & 0xe0) == 0xc0 ? 2 : (c & 0xf0) == 0xe0 ? 3 : 4, i;

	*n = len;
	if (len == 1)
		return c;
	if (len == 4 && (c & 0xf8) != 0xf0)
		return 0;
	c &= 0x7fu >> len;
	for (i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3fu);
	}
	if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	return c;
}

bool fffa_utf8_valid(const char *text)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t n;

	for (; *p; p += n)
		if (!decode_character(p, &n))
			return false;
	return true;
}

uint32_t fffa_utf8_next(const char **p)
{
	size_t n;
	uint32_t c = decode_character((const unsigned char *)*p, &n);

	if (c)
		*p += n;
	return c;
}
