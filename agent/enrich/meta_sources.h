/* SPDX-License-Identifier: MIT */
/* What the identity is made of beside IMDS: the ECS task that this process runs in, and the services of addresses.
 * Only for meta.c. */
#ifndef FFFA_AGENT_ENRICH_META_SOURCES_H
#define FFFA_AGENT_ENRICH_META_SOURCES_H

#include <stdbool.h>
#include <uv.h>

#include "agent/enrich/ecs/ecs.h"
#include "agent/enrich/imds/imds_policy.h"
#include "agent/enrich/services/ip_ranges.h"
#include "config/config.h"

struct fffa_meta_sources {
	struct fffa_ecs *ecs;	       /* NULL: not asked */
	struct fffa_ip_ranges *ranges; /* NULL: no file */
};

/*
 * Starts what conf and the environment ask for; what cannot be started is said in the log and left out. changed is
 * called on the loop, never from inside, when something was learned or is known not to come soon. Borrows loop and conf.
 */
void fffa_meta_sources_open(struct fffa_meta_sources *m, uv_loop_t *loop,
			    const struct fffa_metadata_conf *conf,
			    const struct fffa_imds_timing *timing, void (*changed)(void *arg),
			    void *arg);

/* How often close will call its callback. */
unsigned int fffa_meta_sources_count(const struct fffa_meta_sources *m);

/* True when each source has given its first answer, or has failed. */
bool fffa_meta_sources_settled(const struct fffa_meta_sources *m);

/* The task, NULL when there is none or it is not known. */
const struct fffa_ecs_data *fffa_meta_sources_task(const struct fffa_meta_sources *m);

/* Fills what can be told of a record's addresses. */
void fffa_meta_sources_apply(const struct fffa_meta_sources *m, struct fffa_record *r);

/* Requests and values that were of no use. */
uint64_t fffa_meta_sources_errors(const struct fffa_meta_sources *m, enum fffa_imds_error e);

/* Asynchronous; closed is called for each part. */
void fffa_meta_sources_close(struct fffa_meta_sources *m, void (*closed)(void *arg), void *arg);

#endif
