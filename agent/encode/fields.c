/* SPDX-License-Identifier: MIT */
#include "agent/encode/fields.h"
#include "agent/encode/text.h"

#define VPC	(1U << FFFA_FORMAT_VPC)
#define FLOWLOG (1U << FFFA_FORMAT_FLOWLOG)
#define JSON	(1U << FFFA_FORMAT_JSON)

#define TYPE_INT  "int"
#define TYPE_STR  "str"
#define TYPE_BOOL "bool"
#define TYPE_IP	  "ip"

#define QUOTED_INT  false
#define QUOTED_STR  true
#define QUOTED_BOOL false
#define QUOTED_IP   true

#define ALWAYS true
#define FLOW   false

static const struct fffa_field_info infos[FFFA_FIELD_COUNT] = {
#define FFFA_FIELD(id, vpc, t, ver, fmts, when, max, src)                                          \
	[FFFA_FIELD_##id] = {                                                                      \
		.name = #id,                                                                       \
		.type = TYPE_##t,                                                                  \
		.source = (src),                                                                   \
		.vpc_version = (ver),                                                              \
		.formats = (fmts),                                                                 \
	},
#include "agent/encode/fields.def"
#undef FFFA_FIELD
};

const struct fffa_field fffa_fields[FFFA_FIELD_COUNT] = {
#define FFFA_FIELD(id, vpc, t, ver, fmts, when, max, src)                                          \
	[FFFA_FIELD_##id] = {                                                                      \
		.vpc_name = (vpc),                                                                 \
		.write = fffa_value_##id,                                                          \
		.max_bytes = (max),                                                                \
		.quoted = QUOTED_##t,                                                              \
		.always = (when),                                                                  \
	},
#include "agent/encode/fields.def"
#undef FFFA_FIELD
};

const struct fffa_field_info *fffa_field_table(size_t *count)
{
	*count = FFFA_FIELD_COUNT;
	return infos;
}

const char *fffa_field_name(enum fffa_format format, size_t id)
{
	if (!(infos[id].formats & 1U << format))
		return NULL;
	return format == FFFA_FORMAT_VPC ? fffa_fields[id].vpc_name : infos[id].name;
}
