// SPDX-License-Identifier: MIT
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/encode/cases.h"

#define SET(array, text) ((void)snprintf((array), sizeof(array), "%s", (text)))

static void plain_tcp(struct sample *s)
{
	(void)s;
}

static void primary(struct sample *s, const char *ipv4, const char *ipv6)
{
	sample_addr(s->ident.primary_ipv4, ipv4);
	s->ident.has_primary_ipv4 = true;
	if (!ipv6)
		return;
	sample_addr(s->ident.primary_ipv6, ipv6);
	s->ident.has_primary_ipv6 = true;
}

static void egress(struct sample *s, const char *src, const char *dst, uint16_t sport,
		   uint16_t dport)
{
	sample_addrs(s, src, dst);
	s->r.key.sport = htons(sport);
	s->r.key.dport = htons(dport);
	s->r.key.view = FFFA_VIEW_EGRESS;
}

static void udp(struct sample *s)
{
	s->r.key.proto = 17;
	s->r.flags = 0;
	s->r.end_reason = FFFA_END_IDLE;
}

static void syn_ack(struct sample *s)
{
	egress(s, "10.0.5.20", "10.0.5.9", 22, 40112);
	s->r.flags = FFFA_F_SYN | FFFA_F_ACK | FFFA_F_SYNACK;
	s->r.traffic_path = 1;
	s->r.packets = 1;
	s->r.bytes = 60;
}

static void syn_ack_and_fin(struct sample *s)
{
	syn_ack(s);
	s->r.flags |= FFFA_F_FIN | FFFA_F_PSH;
}

static void bare_acks(struct sample *s)
{
	s->r.flags = FFFA_F_ACK | FFFA_F_PSH | FFFA_F_URG | FFFA_F_ECE | FFFA_F_CWR;
	s->r.end_reason = FFFA_END_ACTIVE;
}

static void reset(struct sample *s)
{
	s->r.flags = FFFA_F_RST | FFFA_F_ACK;
}

static void ping(struct sample *s)
{
	sample_icmp(s, 1, 8, 0);
	sample_addrs(s, "198.51.100.7", "10.0.5.20");
	s->r.packets = 4;
	s->r.bytes = 336;
}

static void neighbour(struct sample *s)
{
	sample_icmp(s, 58, 135, 0);
	sample_addrs(s, "fe80::1", "ff02::1:ff00:9");
}

static void ipv6(struct sample *s)
{
	sample_addrs(s, "2001:db8:1::5", "2001:db8:1::9");
	s->r.key.sport = htons(50022);
	s->r.key.dport = htons(443);
}

static void to_a_service(struct sample *s)
{
	egress(s, "10.0.5.20", "52.216.0.10", 50000, 443);
	s->r.dst_service = "S3";
	s->r.key.view |= FFFA_VIEW_HOOK_XDP;
}

static void from_a_service(struct sample *s)
{
	sample_addrs(s, "205.251.192.7", "10.0.5.20");
	udp(s);
	s->r.key.sport = htons(53);
	s->r.key.dport = htons(50000);
	s->r.src_service = "ROUTE53";
}

static void no_data(struct sample *s)
{
	primary(s, "10.0.5.20", NULL);
	s->r.status = FFFA_STATUS_NODATA;
}

static void skip_data(struct sample *s)
{
	s->r.status = FFFA_STATUS_SKIPDATA;
	s->r.lost_packets = 12;
	s->r.lost_bytes = 3456;
	s->r.lost_reason = "table_full";
}

/* An EKS node: the pod's packets carry a secondary address. */
static void pod_out(struct sample *s)
{
	primary(s, "10.0.5.20", "2001:db8:5::20");
	egress(s, "10.0.5.77", "10.0.9.9", 8080, 51000);
}

static void pod_in(struct sample *s)
{
	primary(s, "10.0.5.20", "2001:db8:5::20");
	sample_addrs(s, "10.0.9.9", "10.0.5.77");
}

static void pod_in_ipv6(struct sample *s)
{
	primary(s, "10.0.5.20", "2001:db8:5::20");
	sample_addrs(s, "2001:db8:9::9", "2001:db8:5:0:77::1");
}

/* A NAT instance: the traffic through it belongs to others. */
static void nat_in(struct sample *s)
{
	primary(s, "10.0.0.220", NULL);
	sample_addrs(s, "10.0.1.5", "203.0.113.5");
}

static void nat_back(struct sample *s)
{
	primary(s, "10.0.0.220", NULL);
	egress(s, "203.0.113.5", "10.0.1.5", 22, 40112);
}

static void geneve(struct sample *s)
{
	sample_geneve(s);
	primary(s, "10.0.1.200", NULL);
}

static void vxlan(struct sample *s)
{
	sample_geneve(s);
	s->tunnel.type = FFFA_TUNNEL_VXLAN;
	s->tunnel.has = 0;
	s->tunnel.vni = 0xabcdef;
	sample_addr(s->tunnel.src, "2001:db8::a");
	sample_addr(s->tunnel.dst, "2001:db8::b");
	ipv6(s);
}

static void nobody(struct sample *s)
{
	sample_unknown(s);
	SET(s->host.agent_id, "0123456789abcdef0123456789abcdef");
}

static void shared_subnet(struct sample *s)
{
	SET(s->ident.owner_id, "444455556666");
}

static void outpost(struct sample *s)
{
	s->host.az_id[0] = 0;
	SET(s->host.sublocation_type, "outpost");
	SET(s->host.sublocation_id, "op-0123456789abcdef0");
}

static void task(struct sample *s)
{
	struct fffa_ident_ecs *e = &s->host.ecs;

	SET(e->cluster_arn, "arn:aws:ecs:us-east-1:111122223333:cluster/shop");
	SET(e->cluster_name, "shop");
	SET(e->container_instance_arn, "arn:aws:ecs:us-east-1:111122223333:container-instance/shop/"
				       "0123456789abcdef0123456789abcdef");
	SET(e->container_instance_id, "0123456789abcdef0123456789abcdef");
	SET(e->container_id, "aaaa0123456789abcdef0123456789ab-1111111111");
	SET(e->second_container_id, "aaaa0123456789abcdef0123456789ab-2222222222");
	SET(e->service_name, "checkout");
	SET(e->task_definition_arn,
	    "arn:aws:ecs:us-east-1:111122223333:task-definition/checkout:7");
	SET(e->task_arn, "arn:aws:ecs:us-east-1:111122223333:task/shop/"
			 "aaaa0123456789abcdef0123456789ab");
	SET(e->task_id, "aaaa0123456789abcdef0123456789ab");
}

/* Tags as the metadata reader delivers them: "-" alone, and what may not stand in a line. */
static void tags(struct sample *s)
{
	SET(s->host.instance_tags.v[0], "%2D");
	SET(s->host.instance_tags.v[1], "blue%20%2F%20green");
	SET(s->ident.interface_tags.v[0], "k%3Dv");
	SET(s->ident.interface_tags.v[1], "caf%C3%A9");
	SET(s->host.asg_tags.v[0], "100%25");
}

static void other_protocol(struct sample *s)
{
	udp(s);
	s->r.key.proto = 47;
	s->r.key.sport = s->r.key.dport = 0;
}

static void sctp(struct sample *s)
{
	udp(s);
	s->r.key.proto = 132;
}

static void sampled(struct sample *s)
{
	s->r.sampled = 100;
}

static void between_networks(struct sample *s)
{
	egress(s, "10.0.5.20", "10.1.0.9", 40112, 443);
	s->src_network = (struct fffa_network){.name = "web \"a\"", .az_id = "use1-az4"};
	s->dst_network = (struct fffa_network){.name = "b\xc3\xbc"
						       "ro",
					       .az_id = "use1-az6",
					       .subnet_id = "subnet-0b",
					       .vpc_id = "vpc-12345678"};
	s->r.src_network = &s->src_network;
	s->r.dst_network = s->r.next_hop = &s->dst_network;
	s->r.traffic_path = 1;
}

static void large_numbers(struct sample *s)
{
	s->r.packets = UINT64_C(4294967297);
	s->r.bytes = UINT64_C(6442450945001);
	s->r.seq = UINT64_C(9007199254740993);
}

const struct encode_case encode_cases[] = {
	{"plain tcp", plain_tcp},
	{"syn-ack", syn_ack},
	{"syn-ack and fin in one window", syn_ack_and_fin},
	{"bare acks", bare_acks},
	{"reset", reset},
	{"ping", ping},
	{"icmpv6 neighbour", neighbour},
	{"ipv6", ipv6},
	{"to a service of AWS", to_a_service},
	{"from a service of AWS", from_a_service},
	{"nodata", no_data},
	{"skipdata", skip_data},
	{"pod, egress", pod_out},
	{"pod, ingress", pod_in},
	{"pod, ingress, ipv6", pod_in_ipv6},
	{"nat, inside leg", nat_in},
	{"nat, back leg", nat_back},
	{"geneve of a load balancer", geneve},
	{"vxlan", vxlan},
	{"identity not known", nobody},
	{"interface of another account", shared_subnet},
	{"outpost", outpost},
	{"ecs task", task},
	{"tags", tags},
	{"other protocol", other_protocol},
	{"sctp", sctp},
	{"sampled", sampled},
	{"large numbers", large_numbers},
	{"between networks", between_networks},
};
const size_t encode_case_count = sizeof(encode_cases) / sizeof(encode_cases[0]);
