/* SPDX-License-Identifier: MIT */
/*
 * The sources of the identity beside IMDS: the ECS task, the AWS services of addresses, and the
 * host's name.
 */
#ifndef FFFA_AGENT_ENRICH_META_SOURCES_H
#define FFFA_AGENT_ENRICH_META_SOURCES_H

#include <stdbool.h>
#include <uv.h>

#include "agent/enrich/ecs/ecs.h"
#include "agent/enrich/host_name.h"
#include "agent/enrich/imds/imds_policy.h"
#include "agent/enrich/networks/network_traffic.h"
#include "agent/enrich/networks/networks.h"
#include "agent/enrich/services/ip_ranges.h"
#include "config/config.h"

#define FFFA_META_FILES 2 /* that are read again: ranges and networks */

struct fffa_meta_tuning;

struct fffa_meta_sources {
	struct fffa_ecs *ecs;		  /* NULL: not asked */
	struct fffa_watched_file *ranges; /* NULL: no file, as networks */
	struct fffa_watched_file *networks;
	struct fffa_network_traffic *traffic;	    /* NULL: networks is, too */
	struct fffa_host_name *kernel_name;	    /* NULL: the configuration names the host */
	char host_name[FFFA_IDENT_HOST_NAME_BYTES]; /* of the configuration */
};

/*
 * Reads what conf fixes; call it once before the open. 0; -EINVAL with err, which names the key.
 */
int fffa_meta_sources_read(struct fffa_meta_sources *m, const struct fffa_metadata_conf *conf,
			   struct fffa_err *err);

/*
 * Starts the sources that conf and the environment ask for. The log names those that cannot be
 * started; they stay NULL. Calls changed on the loop, never from inside, when a source has learned
 * something or has failed for the first time. Borrows loop and conf.
 */
void fffa_meta_sources_open(struct fffa_meta_sources *m, uv_loop_t *loop,
			    const struct fffa_metadata_conf *conf,
			    const struct fffa_meta_tuning *tuning, void (*changed)(void *arg),
			    void *arg);

/* The number of sources, which is how often close calls its callback. */
unsigned int fffa_meta_sources_count(const struct fffa_meta_sources *m);

/* True when each source has answered or failed once. */
bool fffa_meta_sources_settled(const struct fffa_meta_sources *m);

/* The ECS task; NULL: there is none, or it is not known yet. */
const struct fffa_ecs_data *fffa_meta_sources_task(const struct fffa_meta_sources *m);

/* The host's name; "": not known. Valid until the loop turns. */
const char *fffa_meta_sources_host_name(const struct fffa_meta_sources *m);

/* Sets what is known of a record's addresses: AWS services, and networks. r->ident is known. */
void fffa_meta_sources_apply(const struct fffa_meta_sources *m, struct fffa_record *r);

/* Adds a record of a flow to the traffic between networks, once. */
void fffa_meta_sources_count_traffic(const struct fffa_meta_sources *m,
				     const struct fffa_record *r);

/* The i-th file that is read again: its key's last word, and how often it was bad; NULL: the end. */
const char *fffa_meta_sources_file_errors(const struct fffa_meta_sources *m, size_t i,
					  uint64_t *count);

/* How many requests failed, or values were refused, for reason e. */
uint64_t fffa_meta_sources_errors(const struct fffa_meta_sources *m, enum fffa_imds_error e);

/* What a source of to has not learned yet it takes from the same source of from. */
void fffa_meta_sources_inherit(struct fffa_meta_sources *to, struct fffa_meta_sources *from);
/* Asynchronous; calls closed once for each source. */
void fffa_meta_sources_close(struct fffa_meta_sources *m, void (*closed)(void *arg), void *arg);

#endif
