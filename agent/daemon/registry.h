/* SPDX-License-Identifier: MIT */
/* The sink types of this program. */
#ifndef FFFA_AGENT_DAEMON_REGISTRY_H
#define FFFA_AGENT_DAEMON_REGISTRY_H

#include "config/config.h"
#include "sinks/sink.h"

/* NULL ends the list. */
extern const struct fffa_sink_ops *const fffa_registry[];

/* The sink type of that name; NULL: there is none. */
const struct fffa_sink_ops *fffa_registry_find(const char *name);

#define FFFA_REGISTRY_ROWS 8 /* room for the sink types and the row that ends them */

/* Fills rows with the sink types for the configuration reader, which must not include the sinks
 * itself. A row without name ends them. */
void fffa_registry_schema(struct fffa_sink_schema rows[FFFA_REGISTRY_ROWS]);
/* The same, and the configuration is also held against this host: files, folders, libraries. */
void fffa_registry_schema_probing(struct fffa_sink_schema rows[FFFA_REGISTRY_ROWS]);

#endif
