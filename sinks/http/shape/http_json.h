/* SPDX-License-Identifier: MIT */
/* Appends JSON text to a buffer. Any thread, one at a time; a full buffer has error set. */
#ifndef FFFA_SINKS_HTTP_SHAPE_HTTP_JSON_H
#define FFFA_SINKS_HTTP_SHAPE_HTTP_JSON_H

#include <stddef.h>
#include <stdint.h>

#include "agent/base/buf.h"

void fffa_http_json_number(struct fffa_buf *b, uint64_t v);
/* A JSON string with its quotes. Bytes above 0x7f are not changed (records are UTF-8). */
void fffa_http_json_string(struct fffa_buf *b, const void *p, size_t n);
/* "KEY":"VALUE" of NUL-terminated texts. */
void fffa_http_json_pair(struct fffa_buf *b, const char *key, const char *value);

#endif
