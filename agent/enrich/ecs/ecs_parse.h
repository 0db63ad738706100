/* SPDX-License-Identifier: MIT */
/*
 * Reader of the answer of the ECS task metadata endpoint, version 4, to /task. Pure. The body may
 * be hostile: it has a bound, and each value passes fffa_ident_text_set. Source: Amazon ECS
 * Developer Guide, "Task metadata endpoint version 4".
 */
#ifndef FFFA_AGENT_ENRICH_ECS_ECS_PARSE_H
#define FFFA_AGENT_ENRICH_ECS_ECS_PARSE_H

#include <stddef.h>
#include <stdint.h>

#include "agent/flow/ident.h"

#define FFFA_ECS_BODY_MAX_BYTES 262144 /* a task has up to ten containers, each with its labels */

/* An empty string is absent. The sizes are those of agent/flow/ident.h. */
struct fffa_ecs_data {
	struct fffa_ident_ecs
		ids; /* without the container instance: the endpoint does not name it */
	char account_id[16];
	char region[32];
	char az[40];
	char vpc_id[32]; /* only on EC2 */
};

/*
 * The endpoint names the cluster in short or by its ARN; the ARN of the task definition is made
 * of family and revision. A value that may not enter a record or does not fit is absent and adds
 * one to *rejected. 0; -EFBIG; -EINVAL: no JSON object, or no TaskARN that can be used. out is
 * empty then.
 */
int fffa_ecs_parse_task(const char *body, size_t len, struct fffa_ecs_data *out,
			uint32_t *rejected);

#endif
