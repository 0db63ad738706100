/* SPDX-License-Identifier: MIT */
/*
 * The bytes of records by pairs of networks, for a metric with a bounded number of series: what
 * comes when there is no room is in one series named "other". Loop thread only.
 */
#ifndef FFFA_AGENT_ENRICH_NETWORKS_NETWORK_TRAFFIC_H
#define FFFA_AGENT_ENRICH_NETWORKS_NETWORK_TRAFFIC_H

#include <stddef.h>

#include "agent/flow/network.h"
#include "agent/flow/record.h"

#define FFFA_NETWORK_TRAFFIC_MAX 500 /* series, with the one for others */

struct fffa_network_traffic;

/* NULL without memory. Free with free(). */
struct fffa_network_traffic *fffa_network_traffic_new(void);

/* Adds the bytes of a record of a flow; nothing when neither end has a network. */
void fffa_network_traffic_add(struct fffa_network_traffic *t, const struct fffa_record *r);

/* The series, *n of them. Valid until the next add. */
const struct fffa_network_series *fffa_network_traffic_series(const struct fffa_network_traffic *t,
							      size_t *n);

#endif
