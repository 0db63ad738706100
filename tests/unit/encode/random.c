// SPDX-License-Identifier: MIT
#include <stdbool.h>
#include <string.h>

#include "tests/unit/encode/random.h"

static void random_name(uint64_t *seed, char *dst, size_t size)
{
	static const char chars[] = "abcdefghijklmnopqrstuvwxyz0123456789-._:/@";
	size_t len = sample_random(seed) % size; /* 0: not known */

	memset(dst, 0x5a, size); /* what follows the end must not show */
	for (size_t i = 0; i < len; i++)
		dst[i] = chars[sample_random(seed) % (sizeof(chars) - 1)];
	if (len && dst[0] == '-') /* "-" alone would look like AWS's "not known" */
		dst[0] = 'z';
	dst[len] = 0;
}

static void random_addr(uint64_t *seed, uint8_t addr[16], bool ipv4)
{
	uint64_t half[2] = {sample_random(seed), sample_random(seed)};

	memcpy(addr, half, 16);
	if (ipv4) {
		memset(addr, 0, 10);
		memset(addr + 10, 0xff, 2);
	} else if (half[0] & 1) {
		memset(addr + 4, 0, half[1] % 12);
	}
}

#define RANDOM(array) random_name(seed, (array), sizeof(array))

static void random_aws(uint64_t *seed, struct sample *s)
{
	struct fffa_ident_ecs *ecs = &s->host.ecs;

	RANDOM(s->host.sublocation_type);
	RANDOM(s->host.sublocation_id);
	RANDOM(ecs->cluster_arn);
	RANDOM(ecs->cluster_name);
	RANDOM(ecs->container_instance_arn);
	RANDOM(ecs->container_instance_id);
	RANDOM(ecs->container_id);
	RANDOM(ecs->second_container_id);
	RANDOM(ecs->service_name);
	RANDOM(ecs->task_definition_arn);
	RANDOM(ecs->task_arn);
	RANDOM(ecs->task_id);
	for (int i = 0; i < 2; i++) {
		RANDOM(s->host.instance_tags.v[i]);
		RANDOM(s->host.asg_tags.v[i]);
		RANDOM(s->ident.interface_tags.v[i]);
	}
	s->ident.has_primary_ipv4 = sample_random(seed) & 1;
	s->ident.has_primary_ipv6 = sample_random(seed) & 1;
	random_addr(seed, s->ident.primary_ipv4, true);
	random_addr(seed, s->ident.primary_ipv6, false);
	s->r.src_service = sample_random(seed) & 1 ? "S3" : NULL;
	s->r.dst_service = sample_random(seed) & 1 ? "ROUTE53_HEALTHCHECKS_PUBLISHING" : NULL;
	s->r.traffic_path = (uint8_t)(sample_random(seed) % 10);
}

static void random_network(uint64_t *seed, struct fffa_network *n)
{
	RANDOM(n->name);
	RANDOM(n->az_id);
	RANDOM(n->subnet_id);
	RANDOM(n->vpc_id);
}

/* A next hop and its type are only known of a network. */
static void random_networks(uint64_t *seed, struct sample *s)
{
	struct fffa_record *r = &s->r;

	random_network(seed, &s->src_network);
	random_network(seed, &s->dst_network);
	r->src_network = sample_random(seed) % 3 ? NULL : &s->src_network;
	r->dst_network = sample_random(seed) % 3 ? NULL : &s->dst_network;
	r->next_hop = sample_random(seed) % 2 ? r->src_network : r->dst_network;
	if (r->src_network && sample_random(seed) % 2)
		r->next_hop_type = "transit_gateway";
}

static void random_ident(uint64_t *seed, struct sample *s)
{
	random_name(seed, s->host.agent_id, sizeof(s->host.agent_id));
	random_name(seed, s->host.host_name, sizeof(s->host.host_name));
	random_name(seed, s->host.account_id, sizeof(s->host.account_id));
	random_name(seed, s->host.instance_id, sizeof(s->host.instance_id));
	random_name(seed, s->host.region, sizeof(s->host.region));
	random_name(seed, s->host.az, sizeof(s->host.az));
	random_name(seed, s->host.az_id, sizeof(s->host.az_id));
	random_name(seed, s->ident.ifname, sizeof(s->ident.ifname));
	random_name(seed, s->ident.interface_id, sizeof(s->ident.interface_id));
	random_name(seed, s->ident.subnet_id, sizeof(s->ident.subnet_id));
	random_name(seed, s->ident.vpc_id, sizeof(s->ident.vpc_id));
	random_name(seed, s->ident.owner_id, sizeof(s->ident.owner_id));
	random_aws(seed, s);
}

static void random_tunnel(uint64_t *seed, struct sample *s)
{
	s->r.tunnel = sample_random(seed) % 3 ? NULL : &s->tunnel;
	random_addr(seed, s->tunnel.src, sample_random(seed) & 1);
	random_addr(seed, s->tunnel.dst, sample_random(seed) & 1);
	s->tunnel.gwlbe_id = sample_random(seed);
	s->tunnel.attachment_id = sample_random(seed) >> (sample_random(seed) & 63);
	s->tunnel.vni = sample_random(seed) & 0xffffff;
	s->tunnel.type = sample_random(seed) & 1 ? FFFA_TUNNEL_GENEVE : FFFA_TUNNEL_VXLAN;
	s->tunnel.has = sample_random(seed) & 7;
	s->r.cookie = (uint32_t)sample_random(seed);
}

void random_record(uint64_t *seed, struct sample *s)
{
	static const uint8_t protos[] = {6, 6, 17, 1, 58, 132};
	struct fffa_record *r = &s->r;
	bool ipv4 = sample_random(seed) & 1;

	sample_tcp(s);
	random_ident(seed, s);
	random_tunnel(seed, s);
	random_networks(seed, s);
	random_addr(seed, r->key.src, ipv4);
	random_addr(seed, r->key.dst, ipv4);
	r->key.sport = (__be16)sample_random(seed);
	r->key.dport = (__be16)sample_random(seed);
	r->key.proto = sample_random(seed) % 8 ? protos[sample_random(seed) % 6]
					       : (uint8_t)sample_random(seed);
	r->key.view = sample_random(seed) & 3;
	/* jansson reads up to INT64_MAX. */
	r->packets = sample_random(seed) >> 1 >> (sample_random(seed) % 63);
	r->bytes = sample_random(seed) >> 1 >> (sample_random(seed) % 63);
	r->seq = sample_random(seed) >> 1 >> (sample_random(seed) % 63);
	r->epoch = sample_random(seed) >> 1 >> (sample_random(seed) % 63);
	r->start_ms = (int64_t)sample_random(seed) >> (sample_random(seed) & 31);
	r->end_ms = (int64_t)sample_random(seed) >> (sample_random(seed) & 31);
	r->flags = sample_random(seed) & 0x1ff;
	r->end_reason = (uint8_t)(FFFA_END_IDLE + sample_random(seed) % 5);
	r->sampled = (uint32_t)(sample_random(seed) % 5);
	r->lost_packets = sample_random(seed) % 3;
	r->lost_bytes = sample_random(seed) >> 2 >> (sample_random(seed) % 62);
	r->lost_records = sample_random(seed) % 2;
	r->lost_reason = sample_random(seed) % 2 ? "table_full" : NULL;
	if (sample_random(seed) & 1)
		fffa_ident_stamp(&s->ident);
	r->status = sample_random(seed) % 4 ? FFFA_STATUS_OK : (uint8_t)(sample_random(seed) % 3);
}
