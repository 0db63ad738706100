/* SPDX-License-Identifier: MIT */
/*
 * Reader of the answer of the ECS task metadata endpoint, version 4, to /task. Pure. The body may
 * be hostile: it has a bound, and each value passes fffa_ident_text_set. Source: Amazon ECS
 * Developer Guide, "Task metadata endpoint version 4".
 */
#ifndef FFFA_AGENT_ENRICH_ECS_ECS_PARSE_H
#define FFFA_AGENT_ENRICH_ECS_ECS_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/flow/ident.h"

#define FFFA_ECS_BODY_MAX_BYTES 262144 /* a task has up to ten containers, each with its labels */

/* The container instance, as the ECS agent of the host names it. */
struct fffa_ecs_instance {
	char arn[320]; /* as in struct fffa_ident_ecs */
	char id[64];
};

/* An empty string is absent. The sizes are those of agent/flow/ident.h. */
struct fffa_ecs_data {
	struct fffa_ident_ecs
		ids; /* without the container instance: the endpoint does not name it */
	/*
	 * The task has a network of its own (awsvpc), or the answer does not say. Otherwise (host,
	 * bridge) what the agent sees are flows of the whole host.
	 */
	bool own_network;
	bool fargate; /* there is no container instance */
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

/*
 * The answer of the ECS agent's introspection to /v1/metadata. It counts only when the container
 * instance is of the task's partition, region and account. 0; -EINVAL: it is not, or cannot be read;
 * out is empty then. Source: Amazon ECS Developer Guide, "Amazon ECS container introspection".
 */
int fffa_ecs_parse_instance(const char *body, size_t len, const char *task_arn,
			    struct fffa_ecs_instance *out);

#endif
