/* SPDX-License-Identifier: MIT */
/* The registry of sinks as the configuration reader wants it: it must not include the sinks itself. */
#ifndef FFFA_AGENT_DAEMON_SCHEMA_H
#define FFFA_AGENT_DAEMON_SCHEMA_H

#include "config/config.h"

#define FFFA_SCHEMA_ROWS 8 /* sink types there is room for, and the end */

/* Fills rows from the sinks' registry, as the configuration reader wants them; a row without name
 * ends them. */
void fffa_schema_fill(struct fffa_sink_schema rows[FFFA_SCHEMA_ROWS]);

#endif
