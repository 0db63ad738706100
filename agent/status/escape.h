/* SPDX-License-Identifier: MIT */
/* Appends texts from outside to a page, escaped. */
#ifndef FFFA_AGENT_STATUS_ESCAPE_H
#define FFFA_AGENT_STATUS_ESCAPE_H

#include "agent/base/buf.h"

/*
 * Appends a label's value without the quotes, as Prometheus' text format 0.0.4 asks. Control
 * characters and bytes that are not UTF-8 are written as \\xNN, so that two names never look the same.
 */
void fffa_escape_label(struct fffa_buf *o, const char *s);
/* Appends a JSON string with its quotes. s may hold any bytes. */
void fffa_escape_json(struct fffa_buf *o, const char *s);

#endif
