// SPDX-License-Identifier: MIT
#include "agent/base/percent.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Bytes of the UTF-8 character that begins here; 0: none does. */
static size_t utf8_length(const uint8_t *p, size_t left)
{
	/* These first bytes narrow the range of the second: overlong forms, surrogates, the end. */
	uint8_t low = *p == 0xe0 ? 0xa0 : *p == 0xf0 ? 0x90 : 0x80;
	uint8_t high = *p == 0xed ? 0x9f : *p == 0xf4 ? 0x8f : 0xbf;
	size_t n = *p < 0x80 ? 1 : *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : 4;

	if ((*p >= 0x80 && *p < 0xc2) || *p > 0xf4 || n > left)
		return 0;
	if (n > 1 && (p[1] < low || p[1] > high))
		return 0;
	for (size_t i = 2; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	}
	return n;
}

static bool is_utf8(const uint8_t *p, size_t len)
{
	while (len) {
		size_t n = utf8_length(p, len);

		if (!n)
			return false;
		p += n;
		len -= n;
	}
	return true;
}

static bool is_unreserved(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '.' || c == '_' || c == '~';
}

int fffa_percent_encode(char *dst, size_t cap, const char *src, size_t len)
{
	static const char digits[] = "0123456789ABCDEF";
	const uint8_t *p = (const uint8_t *)src;
	size_t n = 0;

	dst[0] = '\0';
	if (!is_utf8(p, len))
		return -EINVAL;
	for (size_t i = 0; i < len; i++)
		n += is_unreserved(p[i]) ? 1 : 3;
	if (n >= cap)
		return -ENAMETOOLONG;
	n = 0;
	for (size_t i = 0; i < len; i++) {
		if (is_unreserved(p[i])) {
			dst[n++] = (char)p[i];
			continue;
		}
		dst[n++] = '%';
		dst[n++] = digits[p[i] >> 4];
		dst[n++] = digits[p[i] & 0xf];
	}
	dst[n] = '\0';
	return 0;
}
