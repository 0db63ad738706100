/* SPDX-License-Identifier: MIT */
/* Writes JSON member by member and puts the commas between them. */
#ifndef FFFA_AGENT_STATUS_TEXT_JSON_H
#define FFFA_AGENT_STATUS_TEXT_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/status/text/escape.h"

struct fffa_json {
	struct fffa_buf *out;
	bool comma; /* the next member needs one before it */
};

/* key: NULL inside a list. bracket: '{' or '['; the caller closes it with '}' or ']'. */
void fffa_json_open(struct fffa_json *j, const char *key, char bracket);
void fffa_json_close(struct fffa_json *j, char bracket);
void fffa_json_u64(struct fffa_json *j, const char *key, uint64_t v);
void fffa_json_i64(struct fffa_json *j, const char *key, int64_t v);
void fffa_json_bool(struct fffa_json *j, const char *key, bool v);
/* NULL is written as null. */
void fffa_json_text(struct fffa_json *j, const char *key, const char *v);

#endif
