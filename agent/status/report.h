/* SPDX-License-Identifier: MIT */
/* Writes the view as JSON, the body of /status. Pure. */
#ifndef FFFA_AGENT_STATUS_REPORT_H
#define FFFA_AGENT_STATUS_REPORT_H

#include "agent/status/text/escape.h"
#include "agent/status/view.h"

/* Appends one object and a newline to o. */
void fffa_report_write(struct fffa_buf *o, const struct fffa_status_view *v);

#endif
