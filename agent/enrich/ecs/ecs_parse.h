/* SPDX-License-Identifier: MIT */
/*
 * Pure reader of what the ECS task metadata endpoint, version 4, answers to /task. Hostile input: a size cap, every
 * value through fffa_ident_text_set. Source: Amazon ECS Developer Guide, "Task metadata endpoint version 4".
 */
#ifndef FFFA_AGENT_ENRICH_ECS_ECS_PARSE_H
#define FFFA_AGENT_ENRICH_ECS_ECS_PARSE_H

#include <stddef.h>
#include <stdint.h>

#include "agent/flow/ident.h"

#define FFFA_ECS_BODY_MAX_BYTES 262144 /* a task has up to ten containers, each with its labels */

/* Empty string: absent. Sizes are those of agent/flow/ident.h. */
struct fffa_ecs_data {
	struct fffa_ident_ecs
		ids; /* without the container instance: the endpoint does not name it */
	char account_id[16];
	char region[32];
	char az[40];
	char vpc_id[32]; /* told on EC2 */
};

/*
 * The cluster may be named in short or by its ARN, the task definition is put together from family and revision.
 * Values that may not enter a record or do not fit are absent and counted in *rejected (added to). 0; -EFBIG;
 * -EINVAL when it is no JSON object or has no usable TaskARN (out is empty then).
 */
int fffa_ecs_parse_task(const char *body, size_t len, struct fffa_ecs_data *out,
			uint32_t *rejected);

#endif
