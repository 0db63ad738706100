/* SPDX-License-Identifier: MIT */
/* What every text of the metadata must be before it is put into a record. */
#ifndef FFFA_TESTS_FUZZ_ENRICH_CHECK_TEXT_H
#define FFFA_TESTS_FUZZ_ENRICH_CHECK_TEXT_H

#include <stdlib.h>
#include <string.h>

/*
 * Aborts unless s ends within cap bytes and has only printable ASCII without quotes
 * and backslashes.
 */
static inline void check_text(const char *s, size_t cap)
{
	size_t len = strnlen(s, cap);

	if (len == cap)
		abort();
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c <= 0x20 || c >= 0x7f || c == '"' || c == '\'' || c == '\\')
			abort();
	}
}

#endif
