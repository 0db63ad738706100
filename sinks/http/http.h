/* SPDX-License-Identifier: MIT */
/*
 * The HTTP sink: one POST per batch, several in flight, driven by libcurl on the loop. Bodies are
 * built and compressed in libuv's thread pool; a plain, uncompressed body is sent from the batch as
 * it is. "Delivered" means answered with 2xx. The process must ignore SIGPIPE.
 */
#ifndef FFFA_SINKS_HTTP_HTTP_H
#define FFFA_SINKS_HTTP_HTTP_H

#include "sinks/sink.h"

enum fffa_http_compress { FFFA_HTTP_ZSTD, FFFA_HTTP_GZIP, FFFA_HTTP_NONE };

/* What the far end expects; see shape.h. */
enum fffa_http_shape_id {
	FFFA_HTTP_PLAIN,
	FFFA_HTTP_SPLUNK_HEC,
	FFFA_HTTP_ELASTICSEARCH,
	FFFA_HTTP_OTLP,
	FFFA_HTTP_LOKI,
	FFFA_HTTP_DATADOG,
};

/* Texts may be NULL or empty where not set. */
struct fffa_sink_http_conf {
	char *url;
	int shape;    /* enum fffa_http_shape_id */
	int compress; /* enum fffa_http_compress */
	struct fffa_pairs headers;
	struct {
		char *user;
		char *password;
		char *bearer;
	} auth;
	struct {
		char *ca_file;
		char *cert_file;
		char *key_file;
		bool verify;
	} tls;
	int64_t timeout_ns;
	int64_t requests; /* in flight at most */
	char *proxy;
	char *index;
	char *source;
	char *sourcetype;
	char *service;
	struct fffa_pairs labels;
};

extern const struct fffa_sink_ops fffa_sink_http_ops;

#endif
