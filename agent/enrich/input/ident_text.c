// SPDX-License-Identifier: MIT
#include "agent/enrich/input/ident_text.h"

#include <errno.h>
#include <string.h>

int fffa_ident_text_set(char *dst, size_t cap, const char *src, size_t len)
{
	dst[0] = '\0';
	if (len >= cap)
		return -ENAMETOOLONG;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)src[i];

		if (c <= 0x20 || c >= 0x7f || c == '"' || c == '\'' || c == '\\')
			return -EINVAL;
	}
	memcpy(dst, src, len);
	dst[len] = '\0';
	return 0;
}
