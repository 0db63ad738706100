/* SPDX-License-Identifier: MIT */
/*
 * A batcher has one encoder and one open batch, for all sinks with the same format, fields and
 * batch settings, or for one sink with a filter. It seals the batch when it has enough records or bytes or is old enough, and
 * hands it to the queues of these sinks by reference. Loop thread only.
 */
#ifndef FFFA_AGENT_PIPELINE_BATCHER_H
#define FFFA_AGENT_PIPELINE_BATCHER_H

#include <uv.h>

#include "agent/encode/encoder.h"
#include "agent/filter/filter.h"
#include "agent/pipeline/queue/sink_queue.h"
#include "agent/spool/stream.h"

struct fffa_batcher {
	/* Settings that its sinks share; name (with own), format, fields and filter are its own. */
	struct fffa_sink_common_conf like;
	const struct fffa_origin_source *source;
	struct fffa_stream *stream;
	struct fffa_filter *filter;  /* NULL: none */
	struct fffa_stream_own *own; /* the numbers of its one sink; NULL: the common ones */
	struct fffa_encoder *encoder;
	size_t bound_bytes; /* no record is longer */
	size_t max_bytes;   /* a batch is larger only when it is one record */
	uint32_t max_records;
	uint64_t age_ms;
	struct fffa_batch *open; /* NULL: empty */
	uv_timer_t timer;	 /* age of the open batch */
	struct fffa_sink_queue *queues[FFFA_CONFIG_SINKS_MAX];
	size_t queue_count;
	void (*closed)(void *arg);
	void *closed_arg;
};

/*
 * Copies like; borrows source and stream for the life of b. b is zeroed or idle. 0, or -EINVAL or -ENOMEM with err; then b is as it
 * was. Close with fffa_batcher__close.
 */
int fffa_batcher__init(struct fffa_batcher *b, uv_loop_t *loop,
		       const struct fffa_sink_common_conf *like,
		       const struct fffa_origin_source *source, struct fffa_stream *stream,
		       struct fffa_err *err);
/* Drops the open batch. Calls closed later, on the loop. Then the memory of b may be freed. */
void fffa_batcher__close(struct fffa_batcher *b, void (*closed)(void *arg), void *arg);
/* True when a sink with these settings can share the batches of b. */
bool fffa_batcher__suits(const struct fffa_batcher *b, const struct fffa_sink_common_conf *c);
/* True when it has no queue. Then it can be made for other settings, by another init. */
bool fffa_batcher__is_idle(const struct fffa_batcher *b);
/* Hands over what is open, then q gets no records any more. */
void fffa_batcher__leave(struct fffa_batcher *b, const struct fffa_sink_queue *q);
/* True when q gets its records from b. */
bool fffa_batcher__has(const struct fffa_batcher *b, const struct fffa_sink_queue *q);
/* q gets all records that are added from now on. At most FFFA_CONFIG_SINKS_MAX queues. */
void fffa_batcher__feed(struct fffa_batcher *b, struct fffa_sink_queue *q);
/*
 * Encodes r into the open batch, unless the filter leaves it out. Without memory the record is lost
 * in each queue.
 */
void fffa_batcher__add(struct fffa_batcher *b, const struct fffa_record *r);
/* The same, but the record is lost in each queue, as the pipeline is closed. */
void fffa_batcher__add_late(struct fffa_batcher *b, const struct fffa_record *r);
/* A sink goes from the stream of now (NULL: it had none) to that of next. Tells where the numbers go on. */
void fffa_batcher__change_stream(const struct fffa_batcher *now, const struct fffa_batcher *next);
/* The last number that its queues were given; borrowed for the life of the stream. */
const uint64_t *fffa_batcher__given(const struct fffa_batcher *b);
/* Seals the open batch, if there is one, and offers it to the queues. */
void fffa_batcher__seal(struct fffa_batcher *b);
/* False when a queue has no room for one more batch from a source that can wait. */
bool fffa_batcher__has_room(const struct fffa_batcher *b);
/* True when such a queue moves, see fffa_sink_queue_moves: waiting makes room. */
bool fffa_batcher__should_wait(const struct fffa_batcher *b, uint64_t patience_ns);
/* Fills encoder, format, identity and origin of a queue's source. */
void fffa_batcher__describe(const struct fffa_batcher *b, struct fffa_sink_queue_source *out);

#endif
