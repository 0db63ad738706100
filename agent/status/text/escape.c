// SPDX-License-Identifier: MIT
#include "agent/status/text/escape.h"

#include <string.h>

#include "agent/base/utf8.h"
#include "agent/encode/field/text.h"

#define JSON_PER_TURN 64 /* input bytes; each becomes at most six bytes */

void fffa_escape_label(struct fffa_buf *o, const char *s)
{
	size_t left = strlen(s), bytes;

	for (; left; s += bytes, left -= bytes) {
		unsigned char c = (unsigned char)*s;

		bytes = fffa_utf8_length((const uint8_t *)s, left);
		if (c == '\\' || c == '"') {
			fffa_buf_format(o, "\\%c", c);
		} else if (!bytes) {
			fffa_buf_text(o, "\xef\xbf\xbd");
			bytes = 1;
		} else if (c < ' ' || c == 0x7f) {
			fffa_buf_format(o, "\\\\x%02x", c);
		} else {
			fffa_buf_add(o, s, bytes);
		}
	}
}

/* The length of the next piece of s, which cuts no character in two. */
static size_t whole_characters(const char *s, size_t len)
{
	size_t n = len < JSON_PER_TURN ? len : JSON_PER_TURN;

	if (n == len)
		return n;
	for (size_t back = 0; back < 4; back++) {
		if (((unsigned char)s[n - back] & 0xc0) != 0x80)
			return n - back;
	}
	return n; /* this is not UTF-8 */
}

void fffa_escape_json(struct fffa_buf *o, const char *s)
{
	uint8_t text[6 * JSON_PER_TURN + FFFA_TEXT_SLACK_BYTES];
	size_t len = strlen(s);

	fffa_buf_add(o, "\"", 1);
	while (len) {
		size_t n = whole_characters(s, len);

		fffa_buf_add(o, text, (size_t)(fffa_text_json(text, s, n) - text));
		s += n;
		len -= n;
	}
	fffa_buf_add(o, "\"", 1);
}
