/* SPDX-License-Identifier: MIT */
/* What the tables of OCSF and ECS are written with. */
#ifndef FFFA_AGENT_ENCODE_SHAPES_SHAPE_INTERNAL_H
#define FFFA_AGENT_ENCODE_SHAPES_SHAPE_INTERNAL_H

#include "agent/encode/field/text.h"
#include "agent/encode/shapes/shape.h"

#define ALWAYS FFFA_WHEN_ALWAYS
#define FLOW   FFFA_WHEN_FLOW
#define IN     FFFA_WHEN_INGRESS
#define OUT    FFFA_WHEN_EGRESS
#define NODATA FFFA_WHEN_NODATA
#define SKIP   FFFA_WHEN_SKIPDATA
#define CONST  FFFA_WHEN_CONST

/* A field under another name. */
#define ROW(name, field)                                                                           \
	{                                                                                          \
		.text = (name), .kind = FFFA_STEP_VALUE, .id = FFFA_FIELD_##field                  \
	}
/* A field under its own name. */
#define SAME(field) ROW(#field, field)
/* A field under another name and a further condition. */
#define ROW_IF(cond, name, field)                                                                  \
	{                                                                                          \
		.text = (name), .kind = FFFA_STEP_VALUE, .when = (cond), .id = FFFA_FIELD_##field  \
	}
/* A value of the shape's own: its writer, its longest text, and whether it has quotes. */
#define OWN(cond, name, field, fn, most, quote)                                                    \
	{                                                                                          \
		.text = (name), .write = (fn), .max_bytes = (most), .kind = FFFA_STEP_VALUE,       \
		.when = (cond), .id = FFFA_FIELD_##field, .quoted = (quote)                        \
	}
/* Whole members, each with its comma. */
#define TEXT(cond, members)                                                                        \
	{                                                                                          \
		.text = (members), .kind = FFFA_STEP_TEXT, .when = (cond) | FFFA_WHEN_CONST        \
	}
/* Around the members of an object, and the elements of an array. */
#define OPEN(name)                                                                                 \
	{                                                                                          \
		.text = "\"" name "\":{", .kind = FFFA_STEP_OPEN, .when = FFFA_WHEN_ALWAYS         \
	}
#define OPEN_LIST(name)                                                                            \
	{                                                                                          \
		.text = "\"" name "\":[", .kind = FFFA_STEP_OPEN, .when = FFFA_WHEN_ALWAYS         \
	}
#define CLOSE                                                                                      \
	{                                                                                          \
		.text = "}", .kind = FFFA_STEP_CLOSE, .when = FFFA_WHEN_ALWAYS                     \
	}
#define CLOSE_LIST                                                                                 \
	{                                                                                          \
		.text = "]", .kind = FFFA_STEP_CLOSE, .when = FFFA_WHEN_ALWAYS                     \
	}

/* Fields that have no place in either schema; both shapes show them under their own names. */
#define ROWS_TASK_AND_TAGS                                                                         \
	SAME(ecs_task_definition_arn), SAME(ecs_task_arn), SAME(ecs_task_id), SAME(instance_tag),  \
		SAME(instance_tag_2), SAME(interface_tag), SAME(interface_tag_2), SAME(asg_tag),   \
		SAME(asg_tag_2)
#define ROWS_NEXT_HOP                                                                              \
	SAME(next_hop_subnet_id), SAME(next_hop_az_id), SAME(next_hop_vpc_id),                     \
		SAME(next_hop_interface_type)
#define ROWS_CAPTURE_AND_LOSS                                                                      \
	SAME(stream), SAME(hook), SAME(tcp_flags_raw), SAME(icmp_type), SAME(icmp_code),           \
		SAME(end_reason), SAME(sampled), SAME(tunnel), SAME(tunnel_src), SAME(tunnel_dst), \
		SAME(vni), SAME(gwlbe_id), SAME(gwlb_attachment_id), SAME(gwlb_flow_cookie),       \
		SAME(lost_packets), SAME(lost_bytes), SAME(lost_records)

/* "tcp", "udp" and so on, as both shapes name them; other protocols have no name. */
fffa_value_fn fffa_shape_transport;
/* "AGENT-EPOCH-SEQ", or "AGENT.STREAM-EPOCH-SEQ": no other record has the same. */
fffa_value_fn fffa_shape_uid;
/* From the first to the last packet, at most most: readers take 63 bits. */
uint64_t fffa_shape_duration_ms(const struct fffa_record *r, uint64_t most);
fffa_value_fn fffa_shape_start_utc, fffa_shape_end_utc;
#define FFFA_SHAPE_TRANSPORT_MAX 9
#define FFFA_SHAPE_UID_MAX	 (63 + 1 + 32 + 2 + 2 * FFFA_TEXT_U64_MAX)

#endif
