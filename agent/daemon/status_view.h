/* SPDX-License-Identifier: MIT */
/* What the status pages show of a running agent, gathered from its parts. */
#ifndef FFFA_AGENT_DAEMON_STATUS_VIEW_H
#define FFFA_AGENT_DAEMON_STATUS_VIEW_H

#include "agent/daemon/agent_internal.h"

/* Opens the listener that the configuration asks for; none is no error. */
int fffa_agent__open_status(struct fffa_agent *a, struct fffa_err *err);

/* Packets and bytes seen and in no record yet, after the hooks' counters were read: kernel and flow
 * table. */
struct fffa_amount fffa_agent__held(struct fffa_agent *a);

#endif
