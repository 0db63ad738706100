// SPDX-License-Identifier: MIT
#include "agent/status/text/json.h"

#include <inttypes.h>

static void begin_member(struct fffa_json *j, const char *key)
{
	if (j->comma)
		fffa_buf_text(j->out, ",");
	j->comma = true;
	if (!key)
		return;
	fffa_escape_json(j->out, key);
	fffa_buf_text(j->out, ":");
}

void fffa_json_open(struct fffa_json *j, const char *key, char bracket)
{
	begin_member(j, key);
	fffa_buf_add(j->out, &bracket, 1);
	j->comma = false;
}

void fffa_json_close(struct fffa_json *j, char bracket)
{
	fffa_buf_add(j->out, &bracket, 1);
	j->comma = true;
}

void fffa_json_u64(struct fffa_json *j, const char *key, uint64_t v)
{
	begin_member(j, key);
	fffa_buf_format(j->out, "%" PRIu64, v);
}

void fffa_json_i64(struct fffa_json *j, const char *key, int64_t v)
{
	begin_member(j, key);
	fffa_buf_format(j->out, "%" PRId64, v);
}

void fffa_json_bool(struct fffa_json *j, const char *key, bool v)
{
	begin_member(j, key);
	fffa_buf_text(j->out, v ? "true" : "false");
}

void fffa_json_text(struct fffa_json *j, const char *key, const char *v)
{
	begin_member(j, key);
	if (v)
		fffa_escape_json(j->out, v);
	else
		fffa_buf_text(j->out, "null");
}
