// SPDX-License-Identifier: MIT
/*
 * The format ecs: Elastic Common Schema 8.11. Source: the ECS field reference. What has no place in
 * it stands under aws.vpcflow, named as Elastic's own reader of VPC Flow Logs does, or under fffa.
 */
#include <netinet/in.h>

#include "agent/encode/shapes/shape_internal.h"

static uint8_t *write_provider(FFFA_VALUE_ARGS)
{
	const struct fffa_ident_host *h = r->ident->host;

	if (h->account_id[0] || h->region[0] || h->instance_id[0])
		return fffa_text_lit(p, "aws");
	return p;
}

static uint8_t *write_orchestrator(FFFA_VALUE_ARGS)
{
	return r->ident->host->ecs.cluster_arn[0] ? fffa_text_lit(p, "ecs") : p;
}

static uint8_t *write_network_type(FFFA_VALUE_ARGS)
{
	return fffa_value__is_ipv4(r) ? fffa_text_lit(p, "ipv4") : fffa_text_lit(p, "ipv6");
}

/* The names of the bits of tcp_flags, as a list. */
static uint8_t *write_flag_names(FFFA_VALUE_ARGS)
{
	uint8_t *begin = p;

	(void)c;
	if (r->key.proto != IPPROTO_TCP)
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

static uint8_t *write_duration_ns(FFFA_VALUE_ARGS)
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
	OWN(ALWAYS, "duration", end_ms, write_duration_ns, FFFA_TEXT_U64_MAX, false),
	OWN(ALWAYS, "id", seq, fffa_shape_uid, FFFA_SHAPE_UID_MAX, true),
	ROW("sequence", seq),
	CLOSE,
	OPEN("agent"),
	TEXT(ALWAYS, "\"type\":\"fffa\","),
	ROW("id", agent_id),
	CLOSE,
	OPEN("host"),
	ROW("name", host_name),
	CLOSE,
	OPEN("source"),
	ROW("address", srcaddr),
	ROW("ip", srcaddr),
	ROW("port", srcport),
	SAME(packets),
	SAME(bytes),
	CLOSE,
	OPEN("destination"),
	ROW("address", dstaddr),
	ROW("ip", dstaddr),
	ROW("port", dstport),
	CLOSE,
	OPEN("network"),
	OWN(FLOW, "type", type, write_network_type, 4, true),
	OWN(FLOW, "iana_number", protocol, fffa_value_protocol, 3, true),
	OWN(FLOW, "transport", protocol, fffa_shape_transport, FFFA_SHAPE_TRANSPORT_MAX, true),
	ROW("direction", flow_direction),
	SAME(community_id),
	SAME(packets),
	SAME(bytes),
	CLOSE,
	OPEN("cloud"),
	OWN(ALWAYS | CONST, "provider", account_id, write_provider, 3, true),
	OPEN("account"),
	ROW("id", account_id),
	CLOSE,
	OPEN("instance"),
	ROW("id", instance_id),
	CLOSE,
	SAME(region),
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
	OWN(ALWAYS | CONST, "type", ecs_cluster_arn, write_orchestrator, 3, true),
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
	SAME(action),
	SAME(log_status),
	SAME(interface_id),
	SAME(vpc_id),
	SAME(subnet_id),
	SAME(tcp_flags),
	OWN(FLOW, "tcp_flags_array", tcp_flags, write_flag_names, 25, false),
	SAME(type),
	SAME(pkt_srcaddr),
	SAME(pkt_dstaddr),
	ROW("pkt_src_service", pkt_src_aws_service),
	ROW("pkt_dst_service", pkt_dst_aws_service),
	SAME(traffic_path),
	ROWS_NEXT_HOP,
	SAME(sublocation_type),
	SAME(sublocation_id),
	SAME(ecs_container_instance_arn),
	SAME(ecs_container_instance_id),
	SAME(ecs_second_container_id),
	ROWS_TASK_AND_TAGS,
	CLOSE,
	CLOSE,
	OPEN("fffa"),
	SAME(ifname),
	SAME(az),
	SAME(src_network),
	SAME(dst_network),
	SAME(src_az_id),
	SAME(dst_az_id),
	ROWS_CAPTURE_AND_LOSS,
	CLOSE,
};

const struct fffa_shape fffa_elastic_shape = {rows, sizeof(rows) / sizeof(rows[0])};
