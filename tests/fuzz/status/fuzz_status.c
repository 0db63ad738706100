// SPDX-License-Identifier: MIT
/*
 * Any bytes as a query, an address and a name. The count stays in range, labels and JSON stay one
 * value, an accepted address has a family and a length.
 */
#include <stdlib.h>
#include <string.h>

#include "agent/base/utf8.h"
#include "agent/status/largest.h"
#include "agent/status/text/escape.h"
#include "config/address.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void check_label(const char *text)
{
	struct fffa_buf o;

	o = (struct fffa_buf){.max = 1 << 16};
	fffa_escape_label(&o, text);
	for (size_t i = 0, bytes; !o.error && i < o.len; i += bytes) {
		const uint8_t *at = (const uint8_t *)o.ptr + i;

		bytes = fffa_utf8_length(at, o.len - i);
		require(bytes && *at >= ' ' && *at != 0x7f && *at != '"');
		if (*at != '\\')
			continue;
		bytes = 2;
		require(i + 1 < o.len && (at[1] == '\\' || at[1] == '"'));
	}
	fffa_buf_fini(&o);
}

static void check_json(const char *text)
{
	struct fffa_buf o;

	o = (struct fffa_buf){.max = 1 << 16};
	fffa_escape_json(&o, text);
	require(o.error || (o.len >= 2 && o.ptr[0] == '"' && o.ptr[o.len - 1] == '"'));
	for (size_t i = 1; !o.error && i + 1 < o.len; i++) {
		require((unsigned char)o.ptr[i] >= ' ' && o.ptr[i] != '"');
		if (o.ptr[i] == '\\')
			require(++i + 1 < o.len);
	}
	fffa_buf_fini(&o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fffa_address a;
	struct fffa_err err;
	char *text = malloc(size + 1);
	size_t n = 0;

	if (!text)
		return 0;
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	if (!fffa_largest_parse_count(text, &n))
		require(n >= 1 && n <= FFFA_LARGEST_MAX);
	if (!fffa_address_parse(text, &a, &err))
		require(a.sa.ss_family && a.len && a.len <= sizeof(a.sa));
	check_label(text);
	check_json(text);
	free(text);
	return 0;
}
