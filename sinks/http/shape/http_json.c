// SPDX-License-Identifier: MIT
#include "sinks/http/shape/http_json.h"

#include <string.h>

void fffa_http_json_number(struct fffa_buf *b, uint64_t v)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	fffa_buf_add(b, digits + at, sizeof(digits) - at);
}

static void escape(struct fffa_buf *b, uint8_t c)
{
	static const char hex[] = "0123456789abcdef";
	char text[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};

	if (c == '"' || c == '\\') {
		text[1] = (char)c;
		fffa_buf_add(b, text, 2);
	} else {
		fffa_buf_add(b, text, 6);
	}
}

void fffa_http_json_string(struct fffa_buf *b, const void *p, size_t n)
{
	const uint8_t *s = p;
	size_t run = 0, i;

	fffa_buf_add(b, "\"", 1);
	for (i = 0; i < n; i++) {
		if (s[i] >= 0x20 && s[i] != '"' && s[i] != '\\')
			continue;
		fffa_buf_add(b, s + run, i - run);
		escape(b, s[i]);
		run = i + 1;
	}
	fffa_buf_add(b, s + run, n - run);
	fffa_buf_add(b, "\"", 1);
}

void fffa_http_json_pair(struct fffa_buf *b, const char *key, const char *value)
{
	fffa_http_json_string(b, key, strlen(key));
	fffa_buf_add(b, ":", 1);
	fffa_http_json_string(b, value, strlen(value));
}
