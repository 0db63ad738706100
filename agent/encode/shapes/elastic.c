/* SPDX-License-Identifier: MIT */
/*
 * Elastic Common Schema 8.11. Source: the ECS field reference; what has no place in it stands under
 * aws.vpcflow, with the names of Elastic's own reader of VPC Flow Logs, or under fffa.
 */
#include "agent/encode/shapes/shape.h"
#include "agent/encode/value.h"

#define ALWAYS FFFA_WHEN_ALWAYS
#define FLOW   FFFA_WHEN_FLOW
#define IN     FFFA_WHEN_INGRESS
#define OUT    FFFA_WHEN_EGRESS
#define NODATA FFFA_WHEN_NODATA
#define SKIP   FFFA_WHEN_SKIPDATA
#define CONST  FFFA_WHEN_CONST

#define ROW    FFFA_ROW
#define ROW_IF FFFA_ROW_IF
#define OWN    FFFA_ROW_OWN
#define TEXT   FFFA_ROW_TEXT
#define OPEN   FFFA_ROW_OPEN
#define CLOSE  FFFA_ROW_CLOSE

static uint8_t *provider(FFFA_VALUE_ARGS)
{
	const struct fffa_ident_host *h = r->ident->host;

	if (h->account_id[0] || h->region[0] || h->instance_id[0])
		return fffa_text_lit(p, "aws");
	return p;
}

static uint8_t *orchestrator(FFFA_VALUE_ARGS)
{
	return r->ident->host->ecs.cluster_arn[0] ? fffa_text_lit(p, "ecs") : p;
}

static uint8_t *network_type(FFFA_VALUE_ARGS)
{
	return fffa_text_is_ipv4(r->key.src) ? fffa_text_lit(p, "ipv4") : fffa_text_lit(p, "ipv6");
}

/* The bits of tcp_flags by name, as a list. */
static uint8_t *flag_names(FFFA_VALUE_ARGS)
{
	uint8_t *begin = p;

	if (fffa_value_tcp_flags(p, r, c) == p)
		return p;
	if (r->flags & FFFA_F_FIN)
		p = fffa_text_lit(p, ",\"fin\"");
	if (r->flags & FFFA_F_SYN)
		p = fffa_text_lit(p, ",\"syn\"");
	if (r->flags & FFFA_F_RST)
		p = fffa_text_lit(p, ",\"rst\"");
	if (r->flags & FFFA_F_SYNACK)
		p = fffa_text_lit(p, ",\"ack\"");
	if (p == begin)
		return p;
	*begin = '[';
	*p++ = ']';
	return p;
}

static uint8_t *duration_ns(FFFA_VALUE_ARGS)
{
	return fffa_text_u64(p, fffa_shape_duration_ms(r, INT64_MAX / 1000000) * 1000000);
}

static const struct fffa_shape_row rows[] = {
	OWN(ALWAYS, "@timestamp", end_ms, fffa_shape_end_utc, FFFA_TEXT_UTC_MS_MAX, true),
	TEXT(ALWAYS, "\"ecs\":{\"version\":\"8.11.0\"},"),
	OPEN("event"),
	TEXT(ALWAYS, "\"kind\":\"event\",\"category\":[\"network\"],\"provider\":\"fffa\","
		     "\"dataset\":\"fffa.flows\","),
	TEXT(FLOW, "\"type\":[\"connection\",\"allowed\"],\"action\":\"accept\","
		   "\"outcome\":\"success\","),
	TEXT(NODATA, "\"type\":[\"info\"],\"action\":\"nodata\",\"outcome\":\"success\","),
	TEXT(SKIP, "\"type\":[\"info\"],\"action\":\"skipdata\",\"outcome\":\"failure\","),
	ROW("reason", lost_reason),
	OWN(ALWAYS, "start", start_ms, fffa_shape_start_utc, FFFA_TEXT_UTC_MS_MAX, true),
	OWN(ALWAYS, "end", end_ms, fffa_shape_end_utc, FFFA_TEXT_UTC_MS_MAX, true),
	OWN(ALWAYS, "duration", end_ms, duration_ns, FFFA_TEXT_U64_MAX, false),
	OWN(ALWAYS, "id", seq, fffa_shape_uid, FFFA_SHAPE_UID_MAX, true),
	ROW("sequence", seq),
	CLOSE,
	OPEN("agent"),
	TEXT(ALWAYS, "\"type\":\"fffa\","),
	ROW("id", agent_id),
	CLOSE,
	OPEN("source"),
	ROW("address", srcaddr),
	ROW("ip", srcaddr),
	ROW("port", srcport),
	ROW("packets", packets),
	ROW("bytes", bytes),
	CLOSE,
	OPEN("destination"),
	ROW("address", dstaddr),
	ROW("ip", dstaddr),
	ROW("port", dstport),
	CLOSE,
	OPEN("network"),
	OWN(FLOW, "type", type, network_type, 4, true),
	OWN(FLOW, "iana_number", protocol, fffa_value_protocol, 3, true),
	OWN(FLOW, "transport", protocol, fffa_shape_transport, FFFA_SHAPE_TRANSPORT_MAX, true),
	ROW("direction", flow_direction),
	ROW("packets", packets),
	ROW("bytes", bytes),
	CLOSE,
	OPEN("cloud"),
	OWN(ALWAYS | CONST, "provider", account_id, provider, 3, true),
	OPEN("account"),
	ROW("id", account_id),
	CLOSE,
	OPEN("instance"),
	ROW("id", instance_id),
	CLOSE,
	ROW("region", region),
	ROW("availability_zone", az_id),
	CLOSE,
	OPEN("observer"),
	TEXT(ALWAYS, "\"vendor\":\"FFFA\",\"product\":\"FFFA\",\"type\":\"sensor\","),
	OPEN("ingress"),
	OPEN("interface"),
	ROW_IF(IN | CONST, "name", ifname),
	ROW_IF(IN | CONST, "id", interface_id),
	CLOSE,
	CLOSE,
	OPEN("egress"),
	OPEN("interface"),
	ROW_IF(OUT | CONST, "name", ifname),
	ROW_IF(OUT | CONST, "id", interface_id),
	CLOSE,
	CLOSE,
	CLOSE,
	OPEN("orchestrator"),
	OWN(ALWAYS | CONST, "type", ecs_cluster_arn, orchestrator, 3, true),
	OPEN("cluster"),
	ROW("id", ecs_cluster_arn),
	ROW("name", ecs_cluster_name),
	CLOSE,
	CLOSE,
	OPEN("container"),
	ROW("id", ecs_container_id),
	CLOSE,
	OPEN("service"),
	ROW("name", ecs_service_name),
	CLOSE,
	OPEN("aws"),
	OPEN("vpcflow"),
	ROW("action", action),
	ROW("log_status", log_status),
	ROW("interface_id", interface_id),
	ROW("vpc_id", vpc_id),
	ROW("subnet_id", subnet_id),
	ROW("tcp_flags", tcp_flags),
	OWN(FLOW, "tcp_flags_array", tcp_flags, flag_names, 25, false),
	ROW("type", type),
	ROW("pkt_srcaddr", pkt_srcaddr),
	ROW("pkt_dstaddr", pkt_dstaddr),
	ROW("pkt_src_service", pkt_src_aws_service),
	ROW("pkt_dst_service", pkt_dst_aws_service),
	ROW("traffic_path", traffic_path),
	ROW("sublocation_type", sublocation_type),
	ROW("sublocation_id", sublocation_id),
	ROW("ecs_container_instance_arn", ecs_container_instance_arn),
	ROW("ecs_container_instance_id", ecs_container_instance_id),
	ROW("ecs_second_container_id", ecs_second_container_id),
	ROW("ecs_task_definition_arn", ecs_task_definition_arn),
	ROW("ecs_task_arn", ecs_task_arn),
	ROW("ecs_task_id", ecs_task_id),
	ROW("instance_tag", instance_tag),
	ROW("instance_tag_2", instance_tag_2),
	ROW("interface_tag", interface_tag),
	ROW("interface_tag_2", interface_tag_2),
	ROW("asg_tag", asg_tag),
	ROW("asg_tag_2", asg_tag_2),
	CLOSE,
	CLOSE,
	OPEN("fffa"),
	ROW("ifname", ifname),
	ROW("az", az),
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

const struct fffa_shape fffa_shape_ecs = {rows, sizeof(rows) / sizeof(rows[0])};
