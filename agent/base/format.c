// SPDX-License-Identifier: MIT
#include "agent/base/format.h"

#include <errno.h>
#include <string.h>

static const struct {
	const char *name;
	const char *content_type;
} formats[FFFA_FORMAT_MAX] = {
	[FFFA_FORMAT_VPC] = {"vpc", "text/plain"},
	[FFFA_FORMAT_FLOWLOG] = {"flowlog", "text/plain"},
	[FFFA_FORMAT_JSON] = {"json", "application/x-ndjson"},
	[FFFA_FORMAT_MSGPACK] = {"msgpack", "application/msgpack"},
	[FFFA_FORMAT_OCSF] = {"ocsf", "application/x-ndjson"},
	[FFFA_FORMAT_ECS] = {"ecs", "application/x-ndjson"},
};

int fffa_format_parse(const char *name, enum fffa_format *out)
{
	for (int i = 0; i < FFFA_FORMAT_MAX; i++) {
		if (strcmp(name, formats[i].name) == 0) {
			*out = (enum fffa_format)i;
			return 0;
		}
	}
	return -EINVAL;
}

const char *fffa_format_name(enum fffa_format format)
{
	return formats[format].name;
}

const char *fffa_format_content_type(enum fffa_format format)
{
	return formats[format].content_type;
}
