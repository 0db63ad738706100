/* SPDX-License-Identifier: MIT */
/* JSON, member by member: a comma where one belongs. */
#ifndef FFFA_AGENT_STATUS_JSON_H
#define FFFA_AGENT_STATUS_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/status/escape.h"

struct fffa_json {
	struct fffa_buf *out;
	bool comma; /* before what comes next */
};

/* key: a literal, or NULL inside a list. bracket: '{' or '['; the closing one is the caller's. */
void fffa_json_open(struct fffa_json *j, const char *key, char bracket);
void fffa_json_close(struct fffa_json *j, char bracket);
void fffa_json_u64(struct fffa_json *j, const char *key, uint64_t v);
void fffa_json_i64(struct fffa_json *j, const char *key, int64_t v);
void fffa_json_bool(struct fffa_json *j, const char *key, bool v);
/* NULL is written as null. */
void fffa_json_text(struct fffa_json *j, const char *key, const char *v);

#endif
