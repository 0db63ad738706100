/* SPDX-License-Identifier: MIT */
/* Writes the view in Prometheus' text format 0.0.4. Pure. */
#ifndef FFFA_AGENT_STATUS_METRICS_H
#define FFFA_AGENT_STATUS_METRICS_H

#include "agent/status/text/escape.h"
#include "agent/status/view.h"

#define FFFA_METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* Appends to o. */
void fffa_metrics_write(struct fffa_buf *o, const struct fffa_status_view *v);

#endif
