/* SPDX-License-Identifier: MIT */
/* Every text from outside passes this check before it enters an identity. */
#ifndef FFFA_AGENT_ENRICH_INPUT_IDENT_TEXT_H
#define FFFA_AGENT_ENRICH_INPUT_IDENT_TEXT_H

#include <stddef.h>

/*
 * Copies len bytes, 0 is allowed, to dst of cap bytes with a NUL. All must be printable ASCII
 * without space, quotes and backslash, so that every encoder may write them as they are. 0;
 * -EINVAL for another byte; -ENAMETOOLONG. On failure dst is empty.
 */
int fffa_ident_text_set(char *dst, size_t cap, const char *src, size_t len);

#endif
