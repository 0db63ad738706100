/* SPDX-License-Identifier: MIT */
/* From a batch to the bytes of a body: the shape's writer, then compression. */
#ifndef FFFA_SINKS_HTTP_BODY_H
#define FFFA_SINKS_HTTP_BODY_H

#include <zlib.h>
#include <zstd.h>

#include "sinks/http/shape/http_shape.h"

struct fffa_http_body {
	const struct fffa_http_shape *shape;
	const struct fffa_sink_http_conf *conf;
	bool json;	       /* records are JSON objects */
	struct fffa_buf plain; /* of a shape */
	struct fffa_buf packed;
	ZSTD_CCtx *zstd; /* made when first needed, kept */
	z_stream *gzip;
};

/* Is the batch itself the body, so that there is nothing to do? */
bool fffa_http__body_is_batch(const struct fffa_http_body *b);

/*
 * Worker thread. 0 and *out, which lives in b or in the batch until the next call; -EMSGSIZE: more
 * than the shape allows in one request; -ENOMEM.
 */
int fffa_http__body_make(struct fffa_http_body *b, const struct fffa_batch *batch,
			 struct fffa_span *out);

/* Gives back what an unusually large batch has made grow. */
void fffa_http__body_trim(struct fffa_http_body *b);
void fffa_http__body_fini(struct fffa_http_body *b);

#endif
