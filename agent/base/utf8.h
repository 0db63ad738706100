/* SPDX-License-Identifier: MIT */
#ifndef FFFA_AGENT_BASE_UTF8_H
#define FFFA_AGENT_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The bytes of the well-formed UTF-8 character at s (RFC 3629, section 4), of which left bytes may be
 * read; 0: there is none.
 */
static inline size_t fffa_utf8_length(const uint8_t *s, size_t left)
{
	uint8_t low = 0x80, high = 0xbf;
	size_t n;

	if (!left || (s[0] >= 0x80 && s[0] < 0xc2) || s[0] > 0xf4)
		return 0;
	if (s[0] < 0x80)
		return 1;
	n = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	if (s[0] == 0xe0)
		low = 0xa0; /* shorter forms exist below */
	else if (s[0] == 0xed)
		high = 0x9f; /* surrogates above */
	else if (s[0] == 0xf0)
		low = 0x90; /* shorter forms exist below */
	else if (s[0] == 0xf4)
		high = 0x8f; /* beyond U+10FFFF */
	if (left < n || s[1] < low || s[1] > high)
		return 0;
	for (size_t i = 2; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	}
	return n;
}

/*
 * Whether the well-formed character at s is a control character: C0, DEL or C1 (U+0080 to U+009F), of
 * which a terminal takes U+009B for the beginning of an escape sequence.
 */
static inline bool fffa_utf8_is_control(const uint8_t *s)
{
	return s[0] < 0x20 || s[0] == 0x7f || (s[0] == 0xc2 && s[1] < 0xa0);
}

#endif
