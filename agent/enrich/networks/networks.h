/* SPDX-License-Identifier: MIT */
/* The networks that metadata.networks names: what they say of a record's two ends. */
#ifndef FFFA_AGENT_ENRICH_NETWORKS_NETWORKS_H
#define FFFA_AGENT_ENRICH_NETWORKS_NETWORKS_H

#include "agent/base/err.h"
#include "agent/enrich/input/watched_file.h"
#include "agent/flow/record.h"

/* For fffa_watched_file_open. */
extern const struct fffa_watched_kind fffa_networks_file_kind;

/*
 * Sets the networks of a record's two ends, borrowed until another file is in use, and what they
 * say of traffic_path and of the next hop. r->ident is known. file is of fffa_networks_file_kind.
 */
void fffa_networks_apply(const struct fffa_watched_file *file, struct fffa_record *r);

/* Reads path, blocking, for `fffa check`: 0 and *count networks, or -errno and err. */
int fffa_networks_check(const char *path, size_t *count, struct fffa_err *err);

#endif
