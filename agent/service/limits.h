/* SPDX-License-Identifier: MIT */
/* What the system must allow before the agent starts. */
#ifndef FFFA_AGENT_SERVICE_LIMITS_H
#define FFFA_AGENT_SERVICE_LIMITS_H

#include <stdbool.h>

#include "config/config.h"

/*
 * Raises the limit of open files as far as this process may, and looks whether there is room for
 * what the start opens: with too few, libraries abort or blame something else. live: the kernel's
 * tables and hooks are opened too. False after a line in the log: there is no room.
 */
bool fffa_limits_check(const struct fffa_config *conf, bool live);

/*
 * Memory holds secrets and records: unless dumps are allowed, nobody dumps or reads it but root. The
 * hard limit stays, because raising it again later would need CAP_SYS_RESOURCE. 0, or -errno.
 */
int fffa_limits_set_core_dumps(bool allowed);

#endif
