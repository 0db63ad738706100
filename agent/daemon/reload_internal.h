/* SPDX-License-Identifier: MIT */
/* Sinks as HUP and the watch of secrets change them. On the loop. */
#ifndef FFFA_AGENT_DAEMON_RELOAD_INTERNAL_H
#define FFFA_AGENT_DAEMON_RELOAD_INTERNAL_H

#include "agent/pipeline/pipeline.h"
#include "config/config.h"

#define FFFA_RELOAD_TAG "reload"

struct fffa_agent;

/* The place of the sink with this name, or -1. */
int fffa_reload__find_sink(const struct fffa_pipeline *p, const char *name);
/*
 * Adds, removes and changes sinks until they are those of next, and takes what it uses out of next. Logs
 * each step; one that fails is counted in pending_restart.
 */
void fffa_reload__take_over_sinks(struct fffa_agent *a, struct fffa_config *next);
/* The same for sinks that differ in their secrets alone; all others stay as they are. */
void fffa_reload__take_over_secrets(struct fffa_agent *a, struct fffa_config *next);

#endif
