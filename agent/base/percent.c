// SPDX-License-Identifier: MIT
#include "agent/base/percent.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "agent/base/utf8.h"

static bool is_utf8(const uint8_t *p, size_t len)
{
	while (len) {
		size_t n = fffa_utf8_length(p, len);

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
