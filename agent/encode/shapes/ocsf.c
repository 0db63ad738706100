/* SPDX-License-Identifier: MIT */
/*
 * OCSF 1.1.0, class 4001 (Network Activity), profiles cloud, security_control and datetime.
 * Source: the schema's events/network/network_activity, its objects and profiles; which of our
 * values goes where follows AWS's own mapping of VPC Flow Logs. NODATA and SKIPDATA are activities
 * of kind Other on the interface itself. A value that is not known is absent, never "-".
 */
#include <string.h>

#include "agent/encode/shapes/shape.h"
#include "agent/encode/value.h"

#define ALWAYS FFFA_WHEN_ALWAYS
#define FLOW   FFFA_WHEN_FLOW
#define IN     FFFA_WHEN_INGRESS
#define OUT    FFFA_WHEN_EGRESS
#define NODATA FFFA_WHEN_NODATA
#define SKIP   FFFA_WHEN_SKIPDATA
#define IDLE   (NODATA | SKIP)
#define CONST  FFFA_WHEN_CONST

#define ROW	   FFFA_ROW
#define ROW_IF	   FFFA_ROW_IF
#define OWN	   FFFA_ROW_OWN
#define TEXT	   FFFA_ROW_TEXT
#define OPEN	   FFFA_ROW_OPEN
#define OPEN_LIST  FFFA_ROW_OPEN_LIST
#define CLOSE	   FFFA_ROW_CLOSE
#define CLOSE_LIST FFFA_ROW_CLOSE_LIST

/* The cloud profile demands a provider; off EC2 there is none to name. */
static uint8_t *provider(FFFA_VALUE_ARGS)
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

/* The interface's own address, where the packet has another. */
static uint8_t *behind_src(FFFA_VALUE_ARGS)
{
	const uint8_t *addr = fffa_value__src(r);

	return same_addr(addr, r->key.src) ? p : fffa_text_ip(p, addr);
}

static uint8_t *behind_dst(FFFA_VALUE_ARGS)
{
	const uint8_t *addr = fffa_value__dst(r);

	return same_addr(addr, r->key.dst) ? p : fffa_text_ip(p, addr);
}

static uint8_t *version_id(FFFA_VALUE_ARGS)
{
	*p = fffa_text_is_ipv4(r->key.src) ? '4' : '6';
	return p + 1;
}

/* 1 (same VPC) is boundary 4, and so on up to 8 and 11; anything else is Other. */
static uint8_t *boundary_id(FFFA_VALUE_ARGS)
{
	if (fffa_value_traffic_path(p, r, c) == p)
		return fffa_text_lit(p, "99");
	return fffa_text_u64(p, r->traffic_path + 3U);
}

/* What the schema asks for beside 99. */
static uint8_t *boundary(FFFA_VALUE_ARGS)
{
	return fffa_value_traffic_path(p, r, c) == p ? fffa_text_lit(p, "Unknown") : p;
}

static uint8_t *duration_ms(FFFA_VALUE_ARGS)
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
	OWN(ALWAYS, "duration", end_ms, duration_ms, FFFA_TEXT_U64_MAX, false),
	OPEN("metadata"),
	TEXT(ALWAYS, "\"version\":\"1.1.0\",\"profiles\":[\"cloud\",\"security_control\","
		     "\"datetime\"],\"product\":{\"name\":\"FFFA\",\"vendor_name\":\"FFFA\","
		     "\"feature\":{\"name\":\"Flow records\"}},"),
	OWN(ALWAYS, "uid", seq, fffa_shape_uid, FFFA_SHAPE_UID_MAX, true),
	ROW("sequence", seq),
	CLOSE,
	OPEN("cloud"),
	OWN(ALWAYS | CONST, "provider", account_id, provider, 7, true),
	OPEN("account"),
	ROW("uid", account_id),
	CLOSE,
	ROW("region", region),
	ROW("zone", az_id),
	CLOSE,
	OPEN("src_endpoint"),
	ROW("ip", pkt_srcaddr),
	ROW("port", srcport),
	ROW("svc_name", pkt_src_aws_service),
	OPEN_LIST("intermediate_ips"),
	OWN(FLOW, NULL, srcaddr, behind_src, FFFA_TEXT_IP_MAX, true),
	CLOSE_LIST,
	ENDPOINT_IDS(OUT),
	CLOSE,
	OPEN("dst_endpoint"),
	ROW("ip", pkt_dstaddr),
	ROW("port", dstport),
	ROW("svc_name", pkt_dst_aws_service),
	OPEN_LIST("intermediate_ips"),
	OWN(FLOW, NULL, dstaddr, behind_dst, FFFA_TEXT_IP_MAX, true),
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
	OWN(FLOW, "protocol_ver_id", type, version_id, 1, false),
	ROW("tcp_flags", tcp_flags),
	OWN(FLOW, "boundary_id", traffic_path, boundary_id, 2, false),
	OWN(FLOW, "boundary", traffic_path, boundary, 7, true),
	CLOSE,
	OPEN("traffic"),
	ROW("packets", packets),
	ROW("bytes", bytes),
	CLOSE,
	OPEN("unmapped"),
	ROW("az", az),
	ROW("sublocation_type", sublocation_type),
	ROW("sublocation_id", sublocation_id),
	ROW("ecs_cluster_arn", ecs_cluster_arn),
	ROW("ecs_cluster_name", ecs_cluster_name),
	ROW("ecs_container_instance_arn", ecs_container_instance_arn),
	ROW("ecs_container_instance_id", ecs_container_instance_id),
	ROW("ecs_container_id", ecs_container_id),
	ROW("ecs_second_container_id", ecs_second_container_id),
	ROW("ecs_service_name", ecs_service_name),
	ROW("ecs_task_definition_arn", ecs_task_definition_arn),
	ROW("ecs_task_arn", ecs_task_arn),
	ROW("ecs_task_id", ecs_task_id),
	ROW("instance_tag", instance_tag),
	ROW("instance_tag_2", instance_tag_2),
	ROW("interface_tag", interface_tag),
	ROW("interface_tag_2", interface_tag_2),
	ROW("asg_tag", asg_tag),
	ROW("asg_tag_2", asg_tag_2),
	ROW("hook", hook),
	ROW("tcp_flags_raw", tcp_flags_raw),
	ROW("icmp_type", icmp_type),
	ROW("icmp_code", icmp_code),
	ROW("end_reason", end_reason),
	ROW("sampled", sampled),
	ROW("tunnel", tunnel),
	ROW("tunnel_src", tunnel_src),
	ROW("tunnel_dst", tunnel_dst),
	ROW("vni", vni),
	ROW("gwlbe_id", gwlbe_id),
	ROW("gwlb_attachment_id", gwlb_attachment_id),
	ROW("gwlb_flow_cookie", gwlb_flow_cookie),
	ROW("lost_packets", lost_packets),
	ROW("lost_bytes", lost_bytes),
	ROW("lost_records", lost_records),
	CLOSE,
};

const struct fffa_shape fffa_shape_ocsf = {rows, sizeof(rows) / sizeof(rows[0])};
