// SPDX-License-Identifier: MIT
#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <string.h>
#include <stdbool.h>
#include <stdio.h>

#include "tests/unit/encode/model.h"

static void set_int(json_t *o, const char *name, int64_t v)
{
	json_object_set_new(o, name, json_integer(v));
}

static void set_str(json_t *o, const char *name, const char *v)
{
	if (v[0])
		json_object_set_new(o, name, json_string(v));
}

/* The packed key may hold addresses where struct in6_addr must not be. */
static bool is_mapped(const uint8_t addr[16])
{
	struct in6_addr a;

	memcpy(&a, addr, sizeof(a));
	return IN6_IS_ADDR_V4MAPPED(&a);
}

static void set_ip(json_t *o, const char *name, const uint8_t addr[16])
{
	bool mapped = is_mapped(addr);
	char text[INET6_ADDRSTRLEN];

	if (mapped)
		set_str(o, name, inet_ntop(AF_INET, addr + 12, text, sizeof(text)));
	else
		set_str(o, name, inet_ntop(AF_INET6, addr, text, sizeof(text)));
}

static int64_t floor_seconds(int64_t ms)
{
	int64_t s = ms / 1000;

	return s * 1000 > ms ? s - 1 : s;
}

static void set_always(json_t *o, const struct fffa_record *r)
{
	static const char *const statuses[] = {"OK", "NODATA", "SKIPDATA"};
	const struct fffa_ident *i = r->ident;

	set_int(o, "version", 11);
	set_str(o, "account_id", i->owner_id[0] ? i->owner_id : i->host->account_id);
	set_str(o, "interface_id", i->interface_id);
	set_int(o, "start", floor_seconds(r->start_ms));
	set_int(o, "end", floor_seconds(r->end_ms));
	set_str(o, "log_status", statuses[r->status]);
	set_str(o, "vpc_id", i->vpc_id);
	set_str(o, "subnet_id", i->subnet_id);
	set_str(o, "instance_id", i->host->instance_id);
	set_str(o, "region", i->host->region);
	set_str(o, "az_id", i->host->az_id);
	set_str(o, "az", i->host->az);
	set_int(o, "schema", 1);
	set_str(o, "agent_id", i->host->agent_id);
	set_str(o, "host_name", i->host->host_name);
	set_int(o, "epoch", (int64_t)r->epoch);
	set_int(o, "seq", (int64_t)r->seq);
	set_int(o, "start_ms", r->start_ms);
	set_int(o, "end_ms", r->end_ms);
	set_str(o, "ifname", i->ifname);
}

static void set_aws(json_t *o, const struct fffa_ident *i)
{
	const struct fffa_ident_ecs *e = &i->host->ecs;

	set_str(o, "sublocation_type", i->host->sublocation_type);
	set_str(o, "sublocation_id", i->host->sublocation_id);
	set_str(o, "ecs_cluster_arn", e->cluster_arn);
	set_str(o, "ecs_cluster_name", e->cluster_name);
	set_str(o, "ecs_container_instance_arn", e->container_instance_arn);
	set_str(o, "ecs_container_instance_id", e->container_instance_id);
	set_str(o, "ecs_container_id", e->container_id);
	set_str(o, "ecs_second_container_id", e->second_container_id);
	set_str(o, "ecs_service_name", e->service_name);
	set_str(o, "ecs_task_definition_arn", e->task_definition_arn);
	set_str(o, "ecs_task_arn", e->task_arn);
	set_str(o, "ecs_task_id", e->task_id);
	set_str(o, "instance_tag", i->host->instance_tags.v[0]);
	set_str(o, "instance_tag_2", i->host->instance_tags.v[1]);
	set_str(o, "asg_tag", i->host->asg_tags.v[0]);
	set_str(o, "asg_tag_2", i->host->asg_tags.v[1]);
	set_str(o, "interface_tag", i->interface_tags.v[0]);
	set_str(o, "interface_tag_2", i->interface_tags.v[1]);
}

static void set_protocol(json_t *o, const struct fffa_record *r)
{
	const struct fffa_key *k = &r->key;
	unsigned int port = ntohs(k->dport);
	int64_t flags = 0;

	set_int(o, "protocol", k->proto);
	if (k->proto == 1 || k->proto == 58) {
		set_int(o, "srcport", 0);
		set_int(o, "dstport", 0);
		set_int(o, "icmp_type", port / 256);
		set_int(o, "icmp_code", port % 256);
	} else {
		set_int(o, "srcport", ntohs(k->sport));
		set_int(o, "dstport", port);
	}
	if (k->proto != 6) {
		set_int(o, "tcp_flags", 0);
		return;
	}
	flags += r->flags & FFFA_F_FIN ? 1 : 0;
	flags += r->flags & FFFA_F_SYN ? 2 : 0;
	flags += r->flags & FFFA_F_RST ? 4 : 0;
	flags += r->flags & FFFA_F_SYNACK ? 16 : 0;
	set_int(o, "tcp_flags", flags);
	set_int(o, "tcp_flags_raw", r->flags % 256);
}

static void set_tunnel(json_t *o, const struct fffa_record *r)
{
	const struct fffa_tunnel *t = r->tunnel;
	char text[32];

	json_object_set_new(o, "encapsulated", json_boolean(t));
	if (!t)
		return;
	set_str(o, "tunnel", t->type == FFFA_TUNNEL_GENEVE ? "geneve" : "vxlan");
	set_ip(o, "tunnel_src", t->src);
	set_ip(o, "tunnel_dst", t->dst);
	set_int(o, "vni", t->vni);
	snprintf(text, sizeof(text), "eni-%017" PRIx64, (uint64_t)t->gwlbe_id);
	set_str(o, "gwlbe_id", t->has & FFFA_TUNNEL_HAS_GWLBE ? text : "");
	snprintf(text, sizeof(text), "%016" PRIx64, (uint64_t)t->attachment_id);
	set_str(o, "gwlb_attachment_id", t->has & FFFA_TUNNEL_HAS_ATTACHMENT ? text : "");
	if (t->has & FFFA_TUNNEL_HAS_COOKIE)
		set_int(o, "gwlb_flow_cookie", r->cookie);
}

/* fe80::/10, ff00::/8, :: */
static bool is_of_the_link(const uint8_t a[16])
{
	bool zero = true;

	for (int i = 0; i < 16; i++)
		zero = zero && !a[i];
	return zero || a[0] == 0xff || (a[0] == 0xfe && a[1] / 64 == 2);
}

static void set_own_end(json_t *o, const struct fffa_record *r, const char *name,
			const uint8_t addr[16], bool own)
{
	const struct fffa_ident *i = r->ident;

	if (own && is_mapped(addr))
		set_ip(o, name, i->has_primary_ipv4 ? i->primary_ipv4 : addr);
	else if (own)
		set_ip(o, name,
		       i->has_primary_ipv6 && !is_of_the_link(addr) ? i->primary_ipv6 : addr);
	else
		set_ip(o, name, addr);
}

static void set_networks(json_t *o, const struct fffa_record *r)
{
	const struct fffa_network *src = r->src_network, *dst = r->dst_network, *hop = r->next_hop;

	set_str(o, "src_network", src ? src->name : "");
	set_str(o, "dst_network", dst ? dst->name : "");
	set_str(o, "src_az_id", src ? src->az_id : "");
	set_str(o, "dst_az_id", dst ? dst->az_id : "");
	set_str(o, "next_hop_subnet_id", hop ? hop->subnet_id : "");
	set_str(o, "next_hop_az_id", hop ? hop->az_id : "");
	set_str(o, "next_hop_vpc_id", hop ? hop->vpc_id : "");
	set_str(o, "next_hop_interface_type", r->next_hop_type ? r->next_hop_type : "");
}

static void set_flow(json_t *o, const struct fffa_record *r)
{
	static const char *const ends[] = {"", "idle", "active", "end", "forced", "resources"};
	const struct fffa_key *k = &r->key;

	set_own_end(o, r, "srcaddr", k->src, k->view & FFFA_VIEW_EGRESS);
	set_own_end(o, r, "dstaddr", k->dst, !(k->view & FFFA_VIEW_EGRESS));
	set_str(o, "pkt_src_aws_service", r->src_service ? r->src_service : "");
	set_str(o, "pkt_dst_aws_service", r->dst_service ? r->dst_service : "");
	if (k->view & FFFA_VIEW_EGRESS && r->traffic_path > 0 && r->traffic_path < 9)
		set_int(o, "traffic_path", r->traffic_path);
	set_ip(o, "pkt_srcaddr", k->src);
	set_ip(o, "pkt_dstaddr", k->dst);
	set_int(o, "packets", (int64_t)r->packets);
	set_int(o, "bytes", (int64_t)r->bytes);
	set_str(o, "action", "ACCEPT");
	set_str(o, "type", is_mapped(k->src) ? "IPv4" : "IPv6");
	set_str(o, "flow_direction", k->view & FFFA_VIEW_EGRESS ? "egress" : "ingress");
	set_str(o, "hook", k->view & FFFA_VIEW_HOOK_XDP ? "xdp" : "tc");
	set_str(o, "end_reason", ends[r->end_reason]);
	set_networks(o, r);
}

static void set_loss(json_t *o, const struct fffa_record *r)
{
	if (r->status != FFFA_STATUS_SKIPDATA)
		return;
	if (r->lost_packets)
		set_int(o, "lost_packets", (int64_t)r->lost_packets);
	if (r->lost_bytes)
		set_int(o, "lost_bytes", (int64_t)r->lost_bytes);
	if (r->lost_records)
		set_int(o, "lost_records", (int64_t)r->lost_records);
	set_str(o, "lost_reason", r->lost_reason ? r->lost_reason : "");
}

json_t *model_json(const struct fffa_record *r)
{
	json_t *o = json_object();

	set_always(o, r);
	set_aws(o, r->ident);
	set_loss(o, r);
	if (r->status != FFFA_STATUS_OK)
		return o;
	if (r->sampled > 1)
		set_int(o, "sampled", r->sampled);
	set_flow(o, r);
	set_protocol(o, r);
	set_tunnel(o, r);
	return o;
}
