/* SPDX-License-Identifier: MIT */
/*
 * A batcher: one encoder and one open batch, for all sinks with the same format, fields and batch
 * settings. The batch is sealed by records, bytes or age and handed to each of these sinks by
 * reference.
 */
#ifndef FFFA_AGENT_PIPELINE_BATCHER_H
#define FFFA_AGENT_PIPELINE_BATCHER_H

#include <uv.h>

#include "agent/encode/encoder.h"
#include "agent/pipeline/queue/sink_queue.h"

struct fffa_batcher {
	const struct fffa_sink_common_conf *like; /* the first sink that it was made for */
	const struct fffa_origin_source *source;
	struct fffa_encoder *encoder;
	size_t bound_bytes; /* room that the encoder asks for */
	size_t max_bytes;   /* a batch is larger only when one record is */
	uint32_t max_records;
	uint64_t age_ms;
	struct fffa_batch *open; /* NULL: empty */
	uv_timer_t timer;	 /* age of the open batch */
	struct fffa_sink_queue *queues[FFFA_CONFIG_SINKS_MAX];
	size_t queue_count;
	size_t header_len;
	uint8_t header[FFFA_HEADER_BYTES_MAX];
};

/* The timer must have been initialised. Borrows like and source. 0, -EINVAL or -ENOMEM with err;
 * then b is as it was. */
int fffa_batcher__init(struct fffa_batcher *b, const struct fffa_sink_common_conf *like,
		       const struct fffa_origin_source *source, struct fffa_err *err);
/* Frees what init made and the open batch; the timer is the caller's. */
void fffa_batcher__fini(struct fffa_batcher *b);
/* A number of all that the bytes of a record depend on beside the record. */
uint64_t fffa_batcher__identity(const struct fffa_sink_common_conf *c);
bool fffa_batcher__suits(const struct fffa_batcher *b, const struct fffa_sink_common_conf *c);
/* q is fed with what is added from now on; at most FFFA_CONFIG_SINKS_MAX queues. */
void fffa_batcher__feed(struct fffa_batcher *b, struct fffa_sink_queue *q);
void fffa_batcher__add(struct fffa_batcher *b, const struct fffa_record *r);
/* Hands over what is open, if anything. */
void fffa_batcher__seal(struct fffa_batcher *b);
/* Most memory that one batch can hold. */
size_t fffa_batcher__footprint_max(const struct fffa_batcher *b);

#endif
