/* SPDX-License-Identifier: MIT */
/* Reads the configuration again and takes over what may change while the agent runs. */
#ifndef FFFA_AGENT_DAEMON_RELOAD_H
#define FFFA_AGENT_DAEMON_RELOAD_H

#include "config/config.h"

/*
 * Reads path and checks all of it. If there is a problem, logs every problem, changes nothing and
 * returns -EINVAL or -errno. Else puts the new values of the keys marked FFFA_OPTION_RELOAD into
 * *conf, logs each change and each key that needs a restart, and returns 0. Blocks for reading one
 * small file.
 */
int fffa_reload(const char *path, struct fffa_config *conf);

/* HUP: reloads the configuration file of the agent, a struct fffa_agent, and reopens its files. */
void fffa_reload_on_hup(void *arg);

#endif
