/* SPDX-License-Identifier: MIT */
/*
 * The identity of the host and its interfaces, in AWS's terms. An empty text is not known (written
 * as "-" or left out). Values come from outside. The readers admit only printable ASCII without
 * spaces, quotes and backslashes, so encoders copy them as they are.
 */
#ifndef FFFA_AGENT_FLOW_IDENT_H
#define FFFA_AGENT_FLOW_IDENT_H

#include <stdbool.h>
#include <stdint.h>

/* The longest tag value (256 characters), percent-encoded, is longer. It counts as not known. */
#define FFFA_IDENT_TAG_BYTES 768

/* The longest name of DNS (253 characters), and what the kernel allows (64), fit. */
#define FFFA_IDENT_HOST_NAME_BYTES 256

/* VPC Flow Logs has two columns for each kind of tag: *-tag and *-tag-2. Percent-encoded. */
struct fffa_ident_tags {
	char v[2][FFFA_IDENT_TAG_BYTES];
};

/*
 * The ECS task that this process runs in. Source: ECS Developer Guide, task metadata endpoint v4.
 */
struct fffa_ident_ecs {
	char cluster_arn[320];
	char cluster_name[256];
	char container_instance_arn[320];
	char container_instance_id[64];
	char container_id[128];
	char second_container_id[128];
	char service_name[256];
	char task_definition_arn[384];
	char task_arn[384];
	char task_id[64];
};

struct fffa_ident_host {
	/* Instance id, else machine id; in a container with "/" and the task's or container's id. */
	char agent_id[64];
	char host_name[FFFA_IDENT_HOST_NAME_BYTES];
	char account_id[16];
	char instance_id[32];
	char region[32];
	char az[40];		   /* zone name: us-east-1a */
	char az_id[24];		   /* zone id: use1-az4; empty in a sublocation */
	char sublocation_type[16]; /* wavelength, outpost, localzone */
	char sublocation_id[64];
	struct fffa_ident_tags instance_tags;
	struct fffa_ident_tags asg_tags;
	struct fffa_ident_ecs ecs;
};

struct fffa_ident {
	const struct fffa_ident_host *host; /* never NULL */
	uint32_t ifindex;
	char ifname[16];
	uint8_t mac[6];
	char interface_id[32]; /* eni-... */
	char subnet_id[32];
	char vpc_id[32];
	char owner_id[16]; /* account that owns the interface; empty: the host's account */
	/*
	 * The interface's primary private addresses, IPv4 as ::ffff:a.b.c.d; valid when has_. AWS
	 * shows them as srcaddr of egress and dstaddr of ingress records.
	 */
	uint8_t primary_ipv4[16];
	uint8_t primary_ipv6[16];
	bool has_primary_ipv4;
	bool has_primary_ipv6;
	struct fffa_ident_tags interface_tags;
	/* Tells contents apart, see fffa_ident_stamp; 0: not stamped. */
	uint64_t stamp;
};

/*
 * Call it when the identity and its host are complete, and again after any change. Encoders cache
 * the text of an identity as long as its stamp stays the same. Without a stamp they write the text
 * for each record, which is correct but slower.
 */
void fffa_ident_stamp(struct fffa_ident *i);

#endif
