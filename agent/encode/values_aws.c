/* SPDX-License-Identifier: MIT */
/* Values of versions 7 to 11 of VPC Flow Logs: the container, the tags, and what a host never
 * knows. */
#include "agent/encode/value.h"

/* The text of an array and its size. */
#define ECS(member)    r->ident->host->ecs.member, sizeof(r->ident->host->ecs.member)
#define TAG(member, n) r->ident->member.v[n], sizeof(r->ident->member.v[n])

VALUE(ecs_cluster_arn)
{
	return fffa_text_long(p, ECS(cluster_arn));
}

VALUE(ecs_cluster_name)
{
	return fffa_text_long(p, ECS(cluster_name));
}

VALUE(ecs_container_instance_arn)
{
	return fffa_text_long(p, ECS(container_instance_arn));
}

VALUE(ecs_container_instance_id)
{
	return fffa_text_long(p, ECS(container_instance_id));
}

VALUE(ecs_container_id)
{
	return fffa_text_long(p, ECS(container_id));
}

VALUE(ecs_second_container_id)
{
	return fffa_text_long(p, ECS(second_container_id));
}

VALUE(ecs_service_name)
{
	return fffa_text_long(p, ECS(service_name));
}

VALUE(ecs_task_definition_arn)
{
	return fffa_text_long(p, ECS(task_definition_arn));
}

VALUE(ecs_task_arn)
{
	return fffa_text_long(p, ECS(task_arn));
}

VALUE(ecs_task_id)
{
	return fffa_text_long(p, ECS(task_id));
}

VALUE(instance_tag)
{
	return fffa_text_long(p, TAG(host->instance_tags, 0));
}

VALUE(instance_tag_2)
{
	return fffa_text_long(p, TAG(host->instance_tags, 1));
}

VALUE(interface_tag)
{
	return fffa_text_long(p, TAG(interface_tags, 0));
}

VALUE(interface_tag_2)
{
	return fffa_text_long(p, TAG(interface_tags, 1));
}

VALUE(asg_tag)
{
	return fffa_text_long(p, TAG(host->asg_tags, 0));
}

VALUE(asg_tag_2)
{
	return fffa_text_long(p, TAG(host->asg_tags, 1));
}

/* What only AWS can know; fields.def says why. */
VALUE(reject_reason)
{
	return p;
}

VALUE(resource_id)
{
	return p;
}

UINT_VALUE(encryption_status, false, 0)
VALUE(interface_type)
{
	return p;
}

VALUE(next_hop_interface_id)
{
	return p;
}

VALUE(next_hop_subnet_id)
{
	return p;
}

VALUE(next_hop_az_id)
{
	return p;
}

VALUE(next_hop_vpc_id)
{
	return p;
}

VALUE(next_hop_interface_type)
{
	return p;
}
