/* SPDX-License-Identifier: MIT */
/*
 * The HTTP sink: one POST per batch, several in flight, driven by libcurl on the loop. Bodies are
 * built and compressed in libuv's thread pool; a plain, uncompressed body is sent from the batch as
 * it is. "Delivered" means answered with 2xx. The process must ignore SIGPIPE.
 */
#ifndef FFFA_SINKS_HTTP_HTTP_H
#define FFFA_SINKS_HTTP_HTTP_H

#include "sinks/http/shape/http_conf.h"
#include "sinks/sink.h"

extern const struct fffa_sink_ops fffa_sink_http_ops;

#endif
