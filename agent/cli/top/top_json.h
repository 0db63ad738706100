/* SPDX-License-Identifier: MIT */
/* Members of an agent's answer. */
#ifndef FFFA_AGENT_CLI_TOP_TOP_JSON_H
#define FFFA_AGENT_CLI_TOP_TOP_JSON_H

#include <stdint.h>

#include <jansson.h>

/* The number or text of a member; 0 and "" when o is NULL or has none. The text is of o. */
int64_t fffa_top_json_number(const json_t *o, const char *key);
const char *fffa_top_json_text(const json_t *o, const char *key);
/* The sum of all members that are numbers. */
int64_t fffa_top_json_sum(const json_t *o);

#endif
