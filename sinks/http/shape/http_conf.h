/* SPDX-License-Identifier: MIT */
/* The configuration of an HTTP sink. */
#ifndef FFFA_SINKS_HTTP_SHAPE_HTTP_CONF_H
#define FFFA_SINKS_HTTP_SHAPE_HTTP_CONF_H

#include <stdbool.h>
#include <stdint.h>

#include "config/option.h"

enum fffa_http_compress { FFFA_HTTP_ZSTD, FFFA_HTTP_GZIP, FFFA_HTTP_NONE };

/* What the server expects; see http_shape.h. */
enum fffa_http_shape_id {
	FFFA_HTTP_PLAIN,
	FFFA_HTTP_SPLUNK_HEC,
	FFFA_HTTP_ELASTICSEARCH,
	FFFA_HTTP_OTLP,
	FFFA_HTTP_LOKI,
	FFFA_HTTP_DATADOG,
};

/* A text that is not set is NULL or empty. */
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
	int64_t requests; /* most requests in flight */
	int64_t connection_lifetime_ns;
	struct {
		char *url;
		char *user;
		char *password;
	} proxy;
	char *index;
	char *source;
	char *sourcetype;
	char *service;
	struct fffa_pairs labels;
};

static inline bool fffa_http_is_set(const char *text)
{
	return text && *text;
}

#endif
