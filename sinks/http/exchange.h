/* SPDX-License-Identifier: MIT */
/* One request at a time to the sink's URL: the libcurl handle, the headers and the answer. */
#ifndef FFFA_SINKS_HTTP_EXCHANGE_H
#define FFFA_SINKS_HTTP_EXCHANGE_H

#include "agent/loop/curl_loop.h"
#include "sinks/http/shape/http_shape.h"

/* "FFFA-Batch: AGENT-EPOCH-FIRST-LAST" */
#define FFFA_HTTP_BATCH_LINE_BYTES 192

/* Shared by all requests of a sink. */
struct fffa_http_target {
	const struct fffa_sink_http_conf *conf;
	const struct fffa_http_shape *shape;
	char *url;		    /* the shape's path and query included */
	char *shown;		    /* the same for the log: without the query */
	struct curl_slist *headers; /* sent with each request; has secrets */
};

struct fffa_http_exchange {
	struct fffa_curl_request request;
	struct curl_slist first; /* in front of the target's headers */
	char batch_line[FFFA_HTTP_BATCH_LINE_BYTES];
	char error[CURL_ERROR_SIZE];
	struct fffa_http_reply reply;
};

/*
 * content_type: that of the records, for a shape that has none. 0; -ENOMEM or -EINVAL with nothing
 * left behind.
 */
int fffa_http__exchange_target_init(struct fffa_http_target *t,
				    const struct fffa_sink_http_conf *conf,
				    const char *content_type);
void fffa_http__exchange_target_fini(struct fffa_http_target *t);

/* The caller sets done and arg of the request. 0, or -ENOMEM with nothing left behind. */
int fffa_http__exchange_init(struct fffa_http_exchange *x, const struct fffa_http_target *t);
/* Must not be called while the request is active. */
void fffa_http__exchange_fini(struct fffa_http_exchange *x);

/*
 * Posts body, which the caller keeps unchanged until done. Returns like fffa_curl_loop_start,
 * or -ENOMEM.
 */
int fffa_http__exchange_send(struct fffa_http_exchange *x, struct fffa_curl_loop *bridge,
			     const struct fffa_batch *batch, struct fffa_span body);

#endif
