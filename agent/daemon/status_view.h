/* SPDX-License-Identifier: MIT */
/* Fills the status view from the agent's parts. */
#ifndef FFFA_AGENT_DAEMON_STATUS_VIEW_H
#define FFFA_AGENT_DAEMON_STATUS_VIEW_H

#include "agent/daemon/agent_internal.h"

/*
 * Opens the status listener at a->listen into a->status. An empty or NULL a->listen is none. 0, or
 * -errno with err; -ETIMEDOUT when the disk of a unix socket stands still.
 */
int fffa_status_view_open(struct fffa_agent *a, struct fffa_err *err);

/*
 * The same again, after a->status was closed and a->listen changed. l: what was opened there before,
 * and is taken; NULL: nothing was.
 */
int fffa_status_view_listen(struct fffa_agent *a, struct fffa_listener *l, struct fffa_err *err);

/* What was handed over of a direction (0 ingress, 1 egress) since the start, to a struct fffa_agent. */
struct fffa_amount fffa_status_view_counted(void *agent, const char *name, int dir);

/* For fffa_notify_open: one line about the agent now. agent: the struct fffa_agent. */
void fffa_status_view_line(void *agent, char *line, size_t cap);

#endif
