// SPDX-License-Identifier: MIT
/*
 * OCSF 1.1.0, class 4001 (Network Activity), profiles cloud, host, security_control and datetime.
 * Source: the schema's events/network/network_activity, its objects and profiles. Values stand
 * where AWS's own mapping of VPC Flow Logs puts them. NODATA and SKIPDATA are activities of kind
 * Other on the interface itself. A value that is not known is absent, never "-".
 */
#include <string.h>

#include "agent/encode/shapes/shape_internal.h"

#define IDLE (NODATA | SKIP)

/* The cloud profile demands a provider, also outside EC2. */
static uint8_t *write_provider(FFFA_VALUE_ARGS)
{
	const struct fffa_ident_host *h = r->ident->host;

	if (h->account_id[0] || h->region[0] || h->instance_id[0])
		return fffa_text_lit(p, "AWS");
	return fffa_text_lit(p, "Unknown");
}

static bool same_addr(const uint8_t a[16], const uint8_t b[16])
{
	return memcmp(a, b, 16) == 0;
}

/* The interface's own address, where the packet says another. */
static uint8_t *write_own_src(FFFA_VALUE_ARGS)
{
	const uint8_t *addr = fffa_value__src(r);

	return same_addr(addr, r->key.src) ? p : fffa_value__ip(p, r, addr);
}

static uint8_t *write_own_dst(FFFA_VALUE_ARGS)
{
	const uint8_t *addr = fffa_value__dst(r);

	return same_addr(addr, r->key.dst) ? p : fffa_value__ip(p, r, addr);
}

static uint8_t *write_version_id(FFFA_VALUE_ARGS)
{
	*p = fffa_value__is_ipv4(r) ? '4' : '6';
	return p + 1;
}

/* Path 1 (same VPC) is boundary 4, and so on to path 8; anything else is 99, Other. */
static uint8_t *write_boundary_id(FFFA_VALUE_ARGS)
{
	if (fffa_value_traffic_path(p, r, c) == p)
		return fffa_text_lit(p, "99");
	return fffa_text_u64(p, r->traffic_path + 3U);
}

/* The text that the schema asks for with 99. */
static uint8_t *write_boundary(FFFA_VALUE_ARGS)
{
	return fffa_value_traffic_path(p, r, c) == p ? fffa_text_lit(p, "Unknown") : p;
}

static uint8_t *write_duration_ms(FFFA_VALUE_ARGS)
{
	return fffa_text_u64(p, fffa_shape_duration_ms(r, INT64_MAX));
}

#define ENDPOINT_IDS(cond)                                                                         \
	ROW_IF((cond) | CONST, "interface_name", ifname),                                          \
		ROW_IF((cond) | CONST, "interface_uid", interface_id),                             \
		ROW_IF((cond) | CONST, "instance_uid", instance_id),                               \
		ROW_IF((cond) | CONST, "subnet_uid", subnet_id),                                   \
		ROW_IF((cond) | CONST, "vpc_uid", vpc_id)

#define OTHER                                                                                      \
	"\"activity_id\":99,\"type_uid\":400199,\"type_name\":\"Network Activity: Other\","        \
	"\"action_id\":0,\"action\":\"Unknown\",\"disposition_id\":0,\"disposition\":\"Unknown\","

static const struct fffa_shape_row rows[] = {
	TEXT(ALWAYS, "\"category_uid\":4,\"category_name\":\"Network Activity\","
		     "\"class_uid\":4001,\"class_name\":\"Network Activity\","
		     "\"severity_id\":1,\"severity\":\"Informational\","),
	TEXT(FLOW, "\"activity_id\":6,\"activity_name\":\"Traffic\",\"type_uid\":400106,"
		   "\"type_name\":\"Network Activity: Traffic\",\"action_id\":1,"
		   "\"action\":\"Allowed\",\"disposition_id\":1,\"disposition\":\"Allowed\","
		   "\"status_id\":1,\"status\":\"Success\","),
	TEXT(NODATA, OTHER "\"activity_name\":\"NODATA\",\"status_id\":1,\"status\":\"Success\","),
	TEXT(SKIP, OTHER "\"activity_name\":\"SKIPDATA\",\"status_id\":2,\"status\":\"Failure\","),
	ROW("status_code", log_status),
	ROW("status_detail", lost_reason),
	ROW("time", end_ms),
	ROW("start_time", start_ms),
	ROW("end_time", end_ms),
	OWN(ALWAYS, "time_dt", end_ms, fffa_shape_end_utc, FFFA_TEXT_UTC_MS_MAX, true),
	OWN(ALWAYS, "start_time_dt", start_ms, fffa_shape_start_utc, FFFA_TEXT_UTC_MS_MAX, true),
	OWN(ALWAYS, "end_time_dt", end_ms, fffa_shape_end_utc, FFFA_TEXT_UTC_MS_MAX, true),
	OWN(ALWAYS, "duration", end_ms, write_duration_ms, FFFA_TEXT_U64_MAX, false),
	OPEN("metadata"),
	TEXT(ALWAYS, "\"version\":\"1.1.0\",\"profiles\":[\"cloud\",\"host\",\"security_control\","
		     "\"datetime\"],\"product\":{\"name\":\"FFFA\",\"vendor_name\":\"FFFA\","
		     "\"feature\":{\"name\":\"Flow records\"}},"),
	OWN(ALWAYS, "uid", seq, fffa_shape_uid, FFFA_SHAPE_UID_MAX, true),
	ROW("sequence", seq),
	CLOSE,
	OPEN("cloud"),
	OWN(ALWAYS | CONST, "provider", account_id, write_provider, 7, true),
	OPEN("account"),
	ROW("uid", account_id),
	CLOSE,
	SAME(region),
	ROW("zone", az_id),
	CLOSE,
	OPEN("device"),
	TEXT(ALWAYS, "\"type_id\":0,\"type\":\"Unknown\","),
	ROW("hostname", host_name),
	ROW("uid", agent_id),
	CLOSE,
	OPEN("src_endpoint"),
	ROW("ip", pkt_srcaddr),
	ROW("port", srcport),
	ROW("svc_name", pkt_src_aws_service),
	ROW("zone", src_network),
	OPEN_LIST("intermediate_ips"),
	OWN(FLOW, NULL, srcaddr, write_own_src, FFFA_TEXT_IP_MAX, true),
	CLOSE_LIST,
	ENDPOINT_IDS(OUT),
	CLOSE,
	OPEN("dst_endpoint"),
	ROW("ip", pkt_dstaddr),
	ROW("port", dstport),
	ROW("svc_name", pkt_dst_aws_service),
	ROW("zone", dst_network),
	OPEN_LIST("intermediate_ips"),
	OWN(FLOW, NULL, dstaddr, write_own_dst, FFFA_TEXT_IP_MAX, true),
	CLOSE_LIST,
	ROW_IF(IDLE | CONST, "name", agent_id),
	ENDPOINT_IDS(IN | IDLE),
	CLOSE,
	OPEN("connection_info"),
	TEXT(IN, "\"direction_id\":1,\"direction\":\"Inbound\","),
	TEXT(OUT, "\"direction_id\":2,\"direction\":\"Outbound\","),
	ROW("protocol_num", protocol),
	OWN(FLOW, "protocol_name", protocol, fffa_shape_transport, FFFA_SHAPE_TRANSPORT_MAX, true),
	ROW("protocol_ver", type),
	OWN(FLOW, "protocol_ver_id", type, write_version_id, 1, false),
	SAME(tcp_flags),
	OWN(FLOW, "boundary_id", traffic_path, write_boundary_id, 2, false),
	OWN(FLOW, "boundary", traffic_path, write_boundary, 7, true),
	CLOSE,
	OPEN("traffic"),
	SAME(packets),
	SAME(bytes),
	CLOSE,
	OPEN("unmapped"),
	SAME(community_id),
	SAME(az),
	SAME(src_az_id),
	SAME(dst_az_id),
	ROWS_NEXT_HOP,
	SAME(sublocation_type),
	SAME(sublocation_id),
	SAME(ecs_cluster_arn),
	SAME(ecs_cluster_name),
	SAME(ecs_container_instance_arn),
	SAME(ecs_container_instance_id),
	SAME(ecs_container_id),
	SAME(ecs_second_container_id),
	SAME(ecs_service_name),
	ROWS_TASK_AND_TAGS,
	ROWS_CAPTURE_AND_LOSS,
	CLOSE,
};

const struct fffa_shape fffa_ocsf_shape = {rows, sizeof(rows) / sizeof(rows[0])};
