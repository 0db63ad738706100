/* SPDX-License-Identifier: MIT */
/* Which sinks this program has. */
#ifndef FFFA_AGENT_DAEMON_REGISTRY_H
#define FFFA_AGENT_DAEMON_REGISTRY_H

#include "sinks/sink.h"

/* The constant registry: NULL-terminated. */
extern const struct fffa_sink_ops *const fffa_sink_registry[];
/* NULL when no sink has that name. */
const struct fffa_sink_ops *fffa_sink_find(const char *name);

#endif
