/* SPDX-License-Identifier: MIT */
/* What the system must allow before the agent starts. */
#ifndef FFFA_AGENT_CLI_LIMITS_H
#define FFFA_AGENT_CLI_LIMITS_H

#include <stdbool.h>

#include "agent/daemon/agent.h"
#include "config/config.h"

/*
 * Raises the limit of open files as far as this process may, and looks whether there is room for
 * what the start opens: with too few, libraries abort or blame something else. live: the kernel's
 * tables and hooks are opened too. FFFA_EXIT_OK, or FFFA_EXIT_FAILED after a line in the log.
 */
enum fffa_exit fffa_limits_check(const struct fffa_config *conf, bool live);

#endif
