/* SPDX-License-Identifier: MIT */
/* JSON text at the end of a buffer. Any thread, one at a time. */
#ifndef FFFA_SINKS_HTTP_SHAPE_HTTP_JSON_H
#define FFFA_SINKS_HTTP_SHAPE_HTTP_JSON_H

#include <stddef.h>
#include <stdint.h>

#include "agent/base/buf.h"

void fffa_http_json_number(struct fffa_buf *b, uint64_t v);
/* A JSON string, quotes included; bytes above 0x7f pass as they are (records are UTF-8). */
void fffa_http_json_string(struct fffa_buf *b, const void *p, size_t n);
/* "KEY":"VALUE" of NUL-terminated texts. */
void fffa_http_json_pair(struct fffa_buf *b, const char *key, const char *value);

#endif
