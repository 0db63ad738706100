/* SPDX-License-Identifier: MIT */
/*
 * The HTTP sink sends each batch in one POST, several at a time, with libcurl on the loop. libuv's
 * thread pool makes and compresses the bodies; a plain body without compression is sent straight
 * from the batch. A batch is delivered when the answer is 2xx. The process must ignore SIGPIPE.
 */
#ifndef FFFA_SINKS_HTTP_HTTP_H
#define FFFA_SINKS_HTTP_HTTP_H

#include "sinks/http/shape/http_conf.h"
#include "sinks/sink.h"

extern const struct fffa_sink_ops fffa_sink_http_ops;

#endif
