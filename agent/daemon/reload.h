/* SPDX-License-Identifier: MIT */
/* HUP: the configuration file is read again; what may change while the agent runs is taken over. */
#ifndef FFFA_AGENT_DAEMON_RELOAD_H
#define FFFA_AGENT_DAEMON_RELOAD_H

#include "config/config.h"

/*
 * Reads path whole first: when anything is wrong, every problem is logged, nothing changes and the
 * result is -EINVAL or -errno. Else *conf has the new values of keys marked FFFA_OPTION_RELOAD, each
 * change is logged, and so is each that waits for a restart. Blocks for one small file.
 */
int fffa_reload(const char *path, struct fffa_config *conf);

#endif
