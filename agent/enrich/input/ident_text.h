/* SPDX-License-Identifier: MIT */
/* The one door through which a text from outside becomes part of an identity. */
#ifndef FFFA_AGENT_ENRICH_INPUT_IDENT_TEXT_H
#define FFFA_AGENT_ENRICH_INPUT_IDENT_TEXT_H

#include <stddef.h>

/*
 * Copies len bytes to dst (cap bytes, NUL included) when all are printable ASCII without space,
 * quotes and backslash, so that every encoder may write them as they are. 0; -EINVAL for a byte
 * that is not allowed; -ENAMETOOLONG. On failure dst is empty. len 0 is allowed.
 */
int fffa_ident_text_set(char *dst, size_t cap, const char *src, size_t len);

#endif
