/* SPDX-License-Identifier: MIT */
#ifndef FFFA_TESTS_STUBS_TEXT_COUNT_H
#define FFFA_TESTS_STUBS_TEXT_COUNT_H

#include <stddef.h>
#include <string.h>

/* How often sought stands in text; no byte counts twice. */
static inline size_t text_count(const char *text, const char *sought)
{
	size_t n = 0;

	for (; (text = strstr(text, sought)); text += strlen(sought))
		n++;
	return n;
}

#endif
