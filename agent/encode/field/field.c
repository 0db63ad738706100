// SPDX-License-Identifier: MIT
#include "agent/encode/field/field.h"
#include "agent/encode/field/text.h"

#define VPC	(1U << FFFA_FORMAT_VPC)
#define FLOWLOG (1U << FFFA_FORMAT_FLOWLOG)
/* The same names and values. */
#define JSON (1U << FFFA_FORMAT_JSON | 1U << FFFA_FORMAT_MSGPACK)
#define OCSF (1U << FFFA_FORMAT_OCSF)
#define ECS  (1U << FFFA_FORMAT_ECS)

#define TYPE_INT  "int"
#define TYPE_STR  "str"
#define TYPE_BOOL "bool"
#define TYPE_IP	  "ip"
#define TYPE_NAME "str"

#define QUOTED_INT  false
#define QUOTED_STR  true
#define QUOTED_BOOL false
#define QUOTED_IP   true
#define QUOTED_NAME true

#define PACK_INT(id)  fffa_value_pack_##id
#define PACK_STR(id)  NULL
#define PACK_BOOL(id) fffa_value_pack_##id
#define PACK_IP(id)   NULL
#define PACK_NAME(id) fffa_value_pack_##id

#define IDENT	 (FFFA_WHEN_ALWAYS | FFFA_WHEN_CONST)
#define ALWAYS	 FFFA_WHEN_ALWAYS
#define FLOW	 FFFA_WHEN_FLOW
#define NETWORKS FFFA_WHEN_NETWORKS

static const struct fffa_field_info infos[FFFA_FIELD_COUNT] = {
#define FFFA_FIELD(id, vpc, t, ver, fmts, cond, max, src)                                          \
	[FFFA_FIELD_##id] = {                                                                      \
		.name = #id,                                                                       \
		.type = TYPE_##t,                                                                  \
		.source = (src),                                                                   \
		.vpc_version = (ver),                                                              \
		.formats = (fmts),                                                                 \
	},
#include "agent/encode/field/fields.def"
#undef FFFA_FIELD
};

const struct fffa_field fffa_fields[FFFA_FIELD_COUNT] = {
#define FFFA_FIELD(id, vpc, t, ver, fmts, cond, max, src)                                          \
	[FFFA_FIELD_##id] = {                                                                      \
		.vpc_name = (vpc),                                                                 \
		.write = fffa_value_##id,                                                          \
		.pack = PACK_##t(id),                                                              \
		.max_bytes = (max),                                                                \
		.quoted = QUOTED_##t,                                                              \
		.when = (cond),                                                                    \
	},
#include "agent/encode/field/fields.def"
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
