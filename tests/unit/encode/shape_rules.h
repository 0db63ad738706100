/* SPDX-License-Identifier: MIT */
/* What a shape demands of a JSON object, as rows, and what our record says at the same place. */
#ifndef FFFA_TESTS_UNIT_ENCODE_SHAPE_RULES_H
#define FFFA_TESTS_UNIT_ENCODE_SHAPE_RULES_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "agent/base/format.h"
#include "agent/encode/shapes/shape.h"

enum rule_type {
	RULE_INT,
	RULE_STR,
	RULE_IP,
	RULE_TIME,
	RULE_STRS,
	RULE_IPS,
	RULE_OBJECT,
	RULE_ANY
};

struct rule {
	const char *path; /* names with dots between them; the rows are all that may be there */
	enum rule_type type;
	bool required;
	const char *model; /* the member of model_json that it must equal; NULL: none */
};

/* A field under its own name. */
#define RULE_SAME(prefix, field)                                                                   \
	{                                                                                          \
		prefix "." #field, RULE_ANY, false, #field                                         \
	}
/* The fields that both shapes show under their own names. */
#define RULES_TASK_AND_TAGS(prefix)                                                                \
	RULE_SAME(prefix, ecs_task_definition_arn), RULE_SAME(prefix, ecs_task_arn),               \
		RULE_SAME(prefix, ecs_task_id), RULE_SAME(prefix, instance_tag),                   \
		RULE_SAME(prefix, instance_tag_2), RULE_SAME(prefix, interface_tag),               \
		RULE_SAME(prefix, interface_tag_2), RULE_SAME(prefix, asg_tag),                    \
		RULE_SAME(prefix, asg_tag_2)
#define RULES_CAPTURE_AND_LOSS(prefix)                                                             \
	RULE_SAME(prefix, hook), RULE_SAME(prefix, tcp_flags_raw), RULE_SAME(prefix, icmp_type),   \
		RULE_SAME(prefix, icmp_code), RULE_SAME(prefix, end_reason),                       \
		RULE_SAME(prefix, sampled), RULE_SAME(prefix, tunnel),                             \
		RULE_SAME(prefix, tunnel_src), RULE_SAME(prefix, tunnel_dst),                      \
		RULE_SAME(prefix, vni), RULE_SAME(prefix, gwlbe_id),                               \
		RULE_SAME(prefix, gwlb_attachment_id), RULE_SAME(prefix, gwlb_flow_cookie),        \
		RULE_SAME(prefix, lost_packets), RULE_SAME(prefix, lost_bytes),                    \
		RULE_SAME(prefix, lost_records)

/* Fails unless o is what the rows say, and equals the members of model that they name. */
void shape_check(const json_t *o, const struct rule *rules, size_t n, const json_t *model);

/* The value at a path; NULL when there is none. */
json_t *shape_at(const json_t *o, const char *path);

/* Encodes r and reads the JSON back, which the caller owns. Fails unless it is one line. */
json_t *shape_encode(enum fffa_format format, const struct fffa_record *r);

void shape_check_int(const json_t *o, const char *path, int64_t want);
/* want NULL: must not be there. */
void shape_check_str(const json_t *o, const char *path, const char *want);

/* Fails unless the listing of `fffa fields` tells the truth about the shape. */
void shape_check_listing(enum fffa_format format, const struct fffa_shape *shape);

#endif
