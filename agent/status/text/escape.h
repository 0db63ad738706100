/* SPDX-License-Identifier: MIT */
/* Appends texts from outside to a page, escaped. */
#ifndef FFFA_AGENT_STATUS_TEXT_ESCAPE_H
#define FFFA_AGENT_STATUS_TEXT_ESCAPE_H

#include "agent/base/buf.h"

/*
 * Appends a label's value without the quotes, as Prometheus' text format 0.0.4 asks. A byte that is
 * not UTF-8 is U+FFFD, as in records. Control characters are written as \\xNN.
 */
void fffa_escape_label(struct fffa_buf *o, const char *s);
/* Appends a JSON string with its quotes. s may hold any bytes. */
void fffa_escape_json(struct fffa_buf *o, const char *s);

#endif
