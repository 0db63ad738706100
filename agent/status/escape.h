/* SPDX-License-Identifier: MIT */
/* Texts from outside as a page may hold them, at the end of a buffer. */
#ifndef FFFA_AGENT_STATUS_ESCAPE_H
#define FFFA_AGENT_STATUS_ESCAPE_H

#include "agent/base/buf.h"

/*
 * A label's value as Prometheus wants it (text format 0.0.4), without the quotes. What is not
 * printable ASCII is written as \\xNN, so that two names never become one.
 */
void fffa_escape_label(struct fffa_buf *o, const char *s);
/* A JSON string with its quotes; any bytes. */
void fffa_escape_json(struct fffa_buf *o, const char *s);

#endif
