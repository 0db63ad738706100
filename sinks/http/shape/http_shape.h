/* SPDX-License-Identifier: MIT */
/*
 * Shapes: what a product wants the body to look like, and what its answer says. One row each;
 * `plain` has no writer: the batch's bytes are the body.
 */
#ifndef FFFA_SINKS_HTTP_SHAPE_HTTP_SHAPE_H
#define FFFA_SINKS_HTTP_SHAPE_HTTP_SHAPE_H

#include <stdbool.h>
#include <stdint.h>

#include "sinks/http/shape/http_json.h"
#include "sinks/http/shape/http_conf.h"
#include "sinks/http/shape/http_reply.h"
#include "sinks/sink.h"

/* What a writer works from; read only, so any thread. */
struct fffa_http_source {
	const struct fffa_sink_http_conf *conf;
	const struct fffa_batch *batch;
	bool json; /* each record is a JSON object; else a line of text */
};

/*
 * What an answer of 2xx says beyond that; loop thread. records: one verdict per record, to be
 * filled where they differ (all DELIVERED when called). Returns DELIVERED when all are, REJECTED when
 * none is and none will be, RETRY when records says it all (or nothing is known: *known false),
 * TOO_BIG when the answer did not fit and half as many records may help.
 */
typedef enum fffa_verdict (*fffa_http_judge_fn)(const struct fffa_http_reply *reply, uint32_t count,
						uint8_t *records, bool *known);

struct fffa_http_shape {
	const char *name;
	const char *path;	  /* when url has none; NULL: none needed */
	const char *query;	  /* always added; NULL: none */
	const char *content_type; /* NULL: that of the records */
	const char *token;	  /* header up to the token: "Authorization: Bearer " */
	unsigned int formats;	  /* bit set of 1 << enum fffa_format */
	uint32_t records_max;	  /* in one request; 0: any */
	size_t bytes_max;	  /* of the uncompressed body; 0: any */
	size_t reply_max;	  /* bytes of the answer that are kept */
	bool takes_zstd;
	void (*write)(const struct fffa_http_source *from, struct fffa_buf *out);
	fffa_http_judge_fn judge; /* NULL: 2xx is delivered */
};

const struct fffa_http_shape *fffa_http_shape_find(int id);

/* The record without the newline that ends it. */
struct fffa_span fffa_http_shape__line(const struct fffa_batch *b, uint32_t i);
/* "agent-epoch-": with a record's number behind it, unique. */
void fffa_http_shape__put_origin(struct fffa_buf *out, const struct fffa_batch_origin *o);

void fffa_http_shape__write_splunk(const struct fffa_http_source *from, struct fffa_buf *out);
void fffa_http_shape__write_elasticsearch(const struct fffa_http_source *from,
					  struct fffa_buf *out);
void fffa_http_shape__write_otlp(const struct fffa_http_source *from, struct fffa_buf *out);
void fffa_http_shape__write_loki(const struct fffa_http_source *from, struct fffa_buf *out);
void fffa_http_shape__write_datadog(const struct fffa_http_source *from, struct fffa_buf *out);

enum fffa_verdict fffa_http_shape__judge_bulk(const struct fffa_http_reply *reply, uint32_t count,
					      uint8_t *records, bool *known);
enum fffa_verdict fffa_http_shape__judge_otlp(const struct fffa_http_reply *reply, uint32_t count,
					      uint8_t *records, bool *known);

#endif
