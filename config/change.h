/* SPDX-License-Identifier: MIT */
/* Two configurations: what differs, and what of it a running agent takes over. */
#ifndef FFFA_CONFIG_CHANGE_H
#define FFFA_CONFIG_CHANGE_H

#include <stdbool.h>

#include "config/config.h"

/*
 * One key that differs ("flows.idle_timeout", "url"). taken: the running configuration has the
 * new value; else it needs a restart.
 */
typedef void (*fffa_change_fn)(void *arg, const char *key, bool taken);

/*
 * Exchanges the values of keys outside sinks with FFFA_OPTION_RELOAD that differ, but for those that begin
 * with except (NULL: none), and calls changed for each key that differs; what was exchanged is freed with
 * next. Both were made with the same schema.
 */
void fffa_change_apply(struct fffa_config *now, struct fffa_config *next, const char *except,
		       fffa_change_fn changed, void *arg);

/*
 * True when two configurations of a sink with the same name differ. Calls changed (NULL: nobody) for
 * each key that differs. A running agent can take all of them over.
 */
bool fffa_change_sink(const struct fffa_sink_conf *now, const struct fffa_sink_conf *next,
		      void (*changed)(void *arg, const char *key), void *arg);

/* True when they differ, and in nothing but secrets: SECRET rows, and maps with such values. */
bool fffa_change_is_secret(const struct fffa_sink_conf *now, const struct fffa_sink_conf *next);
/* True when the sink has a secret that may lie in a file. */
bool fffa_change_has_secret(const struct fffa_sink_conf *c);

#endif
