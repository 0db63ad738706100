/* SPDX-License-Identifier: MIT */
/*
 * The client of the ECS task metadata endpoint, version 4. It asks for the task at every refresh,
 * and waits longer after each failure, with jitter; the last good answer stays. It logs when it
 * begins and ceases to work. Loop thread only.
 *
 * After each answer it asks the host's ECS agent for the container instance, except on Fargate. Only
 * a task in the host's network reaches it, so nobody waits for it, and no answer is no error.
 */
#ifndef FFFA_AGENT_ENRICH_ECS_ECS_H
#define FFFA_AGENT_ENRICH_ECS_ECS_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "agent/enrich/ecs/ecs_parse.h"
#include "agent/enrich/imds/imds_policy.h"

struct fffa_ecs;

/* ECS sets this variable in every container of a task. */
#define FFFA_ECS_VARIABLE "ECS_CONTAINER_METADATA_URI_V4"

/* Where the ECS agent of the host answers, seen from the host's network. */
#define FFFA_ECS_AGENT_URL "http://localhost:51678/v1/metadata"

struct fffa_ecs_options {
	const char *uri;       /* what the variable holds; copied */
	const char *agent_url; /* FFFA_ECS_AGENT_URL; NULL: it is not asked; copied */
	uint64_t timeout_ns;
	uint64_t refresh_ns;
	uint64_t backoff_min_ns;
	uint64_t backoff_max_ns;
	/* Called on the loop when an answer came, or the first request failed. */
	void (*changed)(void *arg);
	void *arg;
};

/*
 * Borrows loop. The first request is sent on the loop's next turn. 0; -EINVAL: the URI is no plain
 * http URL, or too long; -ENOMEM. On failure nothing is left behind.
 */
int fffa_ecs_open(uv_loop_t *loop, const struct fffa_ecs_options *o, struct fffa_ecs **out);

/* The last good answer; NULL: none yet. Valid until the loop turns. */
const struct fffa_ecs_data *fffa_ecs_data(const struct fffa_ecs *e);

/* Takes the last good answer of from, if to has none yet. */
void fffa_ecs_inherit(struct fffa_ecs *to, const struct fffa_ecs *from);
/* True once the first request has been answered or has failed. */
bool fffa_ecs_settled(const struct fffa_ecs *e);

/* How many requests failed, or values were refused, by reason: FFFA_IE_MAX numbers. */
const uint64_t *fffa_ecs_errors(const struct fffa_ecs *e);

/* Asynchronous: drops a request under way, calls closed on the loop, then frees e. Call once. */
void fffa_ecs_close(struct fffa_ecs *e, void (*closed)(void *arg), void *arg);

#endif
