/* SPDX-License-Identifier: MIT */
/*
 * A shape is the form of the body that a product expects, and the meaning of its answer. Each is
 * one row. `plain` has no writer: the bytes of the batch are the body.
 */
#ifndef FFFA_SINKS_HTTP_SHAPE_HTTP_SHAPE_H
#define FFFA_SINKS_HTTP_SHAPE_HTTP_SHAPE_H

#include <stdbool.h>
#include <stdint.h>

#include "sinks/http/shape/http_json.h"
#include "sinks/http/shape/http_conf.h"
#include "sinks/http/shape/http_reply.h"
#include "sinks/http/shape/http_verdict.h"
#include "sinks/sink.h"

/* The input of a writer. Read only, so on any thread. */
struct fffa_http_source {
	const struct fffa_sink_http_conf *conf;
	const struct fffa_batch *batch;
	bool json; /* each record is a JSON object; else a line of text */
};

/* What the body of an answer tells beside the verdicts. */
struct fffa_http_judged {
	bool unreadable;  /* the answer could not be read */
	bool repair;	  /* a person must repair a configuration */
	int status;	  /* of the first record that was not taken; 0: not known */
	const char *text; /* static; NULL: there is none */
	char type[64];	  /* the server's name for that error; empty: not known */
};

/*
 * Reads what the body of a 2xx answer says of single records. Loop thread. records has one verdict
 * for each record, all DELIVERED at the call; the function changes those that differ. Returns
 * DELIVERED: all records were taken;
 * REJECTED, REFUSED: so were all records;
 * RETRY:     records holds each one's verdict, or, if unreadable, the answer could not be read;
 * TOO_BIG:   the answer did not fit into reply_max; the one for half as many records may fit.
 */
typedef enum fffa_verdict (*fffa_http_judge_fn)(const struct fffa_http_reply *reply, uint32_t count,
						uint8_t *records, struct fffa_http_judged *j);

/* Changes the verdict of an answer with 4xx to what its body says of the reason. */
typedef void (*fffa_http_refine_fn)(const struct fffa_http_reply *reply,
				    struct fffa_http_verdict *v);

struct fffa_http_shape {
	const char *name;
	const char *path;	  /* added when url has none; NULL: none */
	const char *query;	  /* always added; NULL: none */
	const char *content_type; /* NULL: the content type of the records */
	const char *token;	  /* header line in front of the token: "Authorization: Bearer " */
	unsigned int formats;	  /* bit set of 1 << enum fffa_format */
	uint32_t records_max;	  /* most in one request; 0: no bound */
	size_t bytes_max;	  /* most bytes of the uncompressed body; 0: no bound */
	size_t reply_max;	  /* most bytes of the answer to store */
	bool takes_zstd;
	bool needs_body; /* 2xx alone confirms nothing */
	void (*write)(const struct fffa_http_source *from, struct fffa_buf *out);
	fffa_http_judge_fn judge;   /* NULL: 2xx means that all records are delivered */
	fffa_http_refine_fn refine; /* NULL: the status says all */
};

/* The row of an enum fffa_http_shape_id; never NULL. */
const struct fffa_http_shape *fffa_http_shape_find(int id);

/* The record without its last newline. */
struct fffa_span fffa_http_shape__line(const struct fffa_batch *b, uint32_t i);
/* Appends "AGENT-EPOCH-"; with a record's number behind it, it is unique. */
void fffa_http_shape__put_origin(struct fffa_buf *out, const struct fffa_batch_origin *o);

void fffa_http_shape__write_splunk(const struct fffa_http_source *from, struct fffa_buf *out);
void fffa_http_shape__write_elasticsearch(const struct fffa_http_source *from,
					  struct fffa_buf *out);
void fffa_http_shape__write_otlp(const struct fffa_http_source *from, struct fffa_buf *out);
void fffa_http_shape__write_loki(const struct fffa_http_source *from, struct fffa_buf *out);
void fffa_http_shape__write_datadog(const struct fffa_http_source *from, struct fffa_buf *out);

enum fffa_verdict fffa_http_shape__judge_bulk(const struct fffa_http_reply *reply, uint32_t count,
					      uint8_t *records, struct fffa_http_judged *j);
enum fffa_verdict fffa_http_shape__judge_otlp(const struct fffa_http_reply *reply, uint32_t count,
					      uint8_t *records, struct fffa_http_judged *j);
/* For every shape, also with 5xx: a body that calls the request too large makes the verdict TOO_BIG. */
void fffa_http_shape__refine_size(const struct fffa_http_reply *reply, struct fffa_http_verdict *v);
void fffa_http_shape__refine_splunk(const struct fffa_http_reply *reply,
				    struct fffa_http_verdict *v);
void fffa_http_shape__refine_elasticsearch(const struct fffa_http_reply *reply,
					   struct fffa_http_verdict *v);

#endif
