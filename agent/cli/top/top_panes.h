/* SPDX-License-Identifier: MIT */
/* The panes of `fffa top` but the one of flows. s is an answer of /status. */
#ifndef FFFA_AGENT_CLI_TOP_TOP_PANES_H
#define FFFA_AGENT_CLI_TOP_TOP_PANES_H

#include <jansson.h>

#include "agent/cli/top/top_line.h"

/* Each line has room in 80 columns; a sink's last error has one of its own. */
void fffa_top_panes_sinks(struct fffa_top_lines *p, const json_t *sinks);
void fffa_top_panes_interfaces(struct fffa_top_lines *p, const json_t *s);
void fffa_top_panes_losses(struct fffa_top_lines *p, const json_t *s);
void fffa_top_panes_help(struct fffa_top_lines *p);

/* A line for each reason in lost; what: packets or records. */
void fffa_top_panes_losses_of(struct fffa_top_lines *p, const json_t *lost, const char *what);
/* up, DOWN, or idle: nothing was delivered yet, and nothing has failed. */
const char *fffa_top_panes_sink_state(const json_t *sink);
/* The lost packets by reason. Borrowed from s. */
const json_t *fffa_top_panes_lost_packets(const json_t *s);

#endif
