// SPDX-License-Identifier: MIT
#include "agent/enrich/input/json_text.h"

#include "agent/enrich/input/ident_text.h"

void fffa_json_text_take(const json_t *object, const char *key, char *dst, size_t cap,
			 uint32_t *rejected)
{
	const json_t *v = json_object_get(object, key);

	dst[0] = '\0';
	if (!v || json_is_null(v))
		return;
	if (!json_is_string(v) ||
	    fffa_ident_text_set(dst, cap, json_string_value(v), json_string_length(v)) != 0)
		(*rejected)++;
}
