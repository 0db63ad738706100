// SPDX-License-Identifier: MIT
#include "agent/cli/top/top_json.h"

int64_t fffa_top_json_number(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

const char *fffa_top_json_text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

int64_t fffa_top_json_sum(const json_t *o)
{
	const char *key;
	json_t *v;
	int64_t n = 0;

	json_object_foreach ((json_t *)o, key, v)
		n += json_integer_value(v);
	return n;
}
