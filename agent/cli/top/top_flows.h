/* SPDX-License-Identifier: MIT */
/* The pane of flows of `fffa top`. answer is one of /flows. */
#ifndef FFFA_AGENT_CLI_TOP_TOP_FLOWS_H
#define FFFA_AGENT_CLI_TOP_TOP_FLOWS_H

#include <jansson.h>

#include "agent/cli/top/top_line.h"
#include "agent/cli/top/top_page.h"

void fffa_top_flows_put(struct fffa_top_lines *p, const json_t *answer,
			const struct fffa_top_view *v, const struct fffa_top_last *last);
/* Keeps the flows in last, for the rates of the next page. */
void fffa_top_flows_store(const json_t *answer, struct fffa_top_last *last);

#endif
