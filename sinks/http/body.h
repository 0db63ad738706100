/* SPDX-License-Identifier: MIT */
/* Makes the body of a request from a batch: the shape's writer, then compression. */
#ifndef FFFA_SINKS_HTTP_BODY_H
#define FFFA_SINKS_HTTP_BODY_H

#include <zlib.h>
#include <zstd.h>

#include "sinks/http/shape/http_shape.h"

struct fffa_http_body {
	const struct fffa_http_shape *shape;
	const struct fffa_sink_http_conf *conf;
	bool json;		/* records are JSON objects */
	struct fffa_buf plain;	/* output of the shape's writer */
	struct fffa_buf packed; /* after compression */
	ZSTD_CCtx *zstd;	/* created at first use, then reused */
	z_stream *gzip;
};

/* True if the bytes of the batch are the body and nothing must be made. */
bool fffa_http__body_is_batch(const struct fffa_http_body *b);

/*
 * Makes the body on a worker thread. 0 and *out, which points into b or the batch and is valid
 * until the next call; -EMSGSIZE when the shape allows less in one request; -ENOMEM.
 */
int fffa_http__body_make(struct fffa_http_body *b, const struct fffa_batch *batch,
			 struct fffa_span *out);

/* Frees buffers that an unusually large batch has made grow. */
void fffa_http__body_trim(struct fffa_http_body *b);
void fffa_http__body_fini(struct fffa_http_body *b);

#endif
