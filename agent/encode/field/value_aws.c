// SPDX-License-Identifier: MIT
/* Values of versions 7 to 11 of VPC Flow Logs: container, tags, next hop, and what is never known. */
#include "agent/encode/field/value_internal.h"

IDENT_LONG_VALUE(ecs_cluster_arn, host->ecs.cluster_arn)
IDENT_LONG_VALUE(ecs_cluster_name, host->ecs.cluster_name)
IDENT_LONG_VALUE(ecs_container_instance_arn, host->ecs.container_instance_arn)
IDENT_LONG_VALUE(ecs_container_instance_id, host->ecs.container_instance_id)
IDENT_LONG_VALUE(ecs_container_id, host->ecs.container_id)
IDENT_LONG_VALUE(ecs_second_container_id, host->ecs.second_container_id)
IDENT_LONG_VALUE(ecs_service_name, host->ecs.service_name)
IDENT_LONG_VALUE(ecs_task_definition_arn, host->ecs.task_definition_arn)
IDENT_LONG_VALUE(ecs_task_arn, host->ecs.task_arn)
IDENT_LONG_VALUE(ecs_task_id, host->ecs.task_id)
IDENT_LONG_VALUE(instance_tag, host->instance_tags.v[0])
IDENT_LONG_VALUE(instance_tag_2, host->instance_tags.v[1])
IDENT_LONG_VALUE(interface_tag, interface_tags.v[0])
IDENT_LONG_VALUE(interface_tag_2, interface_tags.v[1])
IDENT_LONG_VALUE(asg_tag, host->asg_tags.v[0])
IDENT_LONG_VALUE(asg_tag_2, host->asg_tags.v[1])

/* What only AWS can know; fields.def says why. */
UNKNOWN_VALUE(reject_reason)
UNKNOWN_VALUE(resource_id)
UINT_VALUE(encryption_status, false, 0)
UNKNOWN_VALUE(interface_type)
UNKNOWN_VALUE(next_hop_interface_id)

/* What metadata.networks says of the next hop. */
#define NEXT_HOP_VALUE(id)                                                                         \
	VALUE(next_hop_##id)                                                                       \
	{                                                                                          \
		return r->next_hop ? fffa_text_array(p, r->next_hop->id) : p;                      \
	}

NEXT_HOP_VALUE(subnet_id)
NEXT_HOP_VALUE(az_id)
NEXT_HOP_VALUE(vpc_id)

VALUE(next_hop_interface_type)
{
	return r->next_hop_type ? fffa_text_long(p, r->next_hop_type, 32) : p;
}
