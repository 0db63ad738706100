/* SPDX-License-Identifier: MIT */
/* What the status pages show of a running agent, gathered from its parts. */
#ifndef FFFA_AGENT_DAEMON_STATUS_VIEW_H
#define FFFA_AGENT_DAEMON_STATUS_VIEW_H

#include "agent/daemon/agent_internal.h"

/* Opens the listener at a->listen, if there is one, into a->status. 0, or -errno with err. */
int fffa_status_view_open(struct fffa_agent *a, struct fffa_err *err);

#endif
