// SPDX-License-Identifier: MIT
#include "agent/pipeline/batcher.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/assert.h"
#include "agent/base/clock.h"
#include "agent/base/minmax.h"
#include "agent/flow/hash.h"

#define MAX_BATCH_BYTES	  ((int64_t)1 << 30)
#define MAX_BATCH_RECORDS ((int64_t)1 << 24)

static int64_t clamp(int64_t v, int64_t lo, int64_t hi)
{
	return v < lo ? lo : v > hi ? hi : v;
}

static void free_settings(struct fffa_batcher *b)
{
	fffa_encoder_free(b->encoder);
	fffa_filter_free(b->filter);
	free(b->like.format);
	free(b->like.fields);
	free(b->like.filter);
	free(b->like.name);
	b->encoder = NULL;
	b->filter = NULL;
	b->own = NULL;
	b->like.format = b->like.fields = b->like.filter = b->like.name = NULL;
}

static bool copy_text(char **to, const char *text)
{
	*to = text ? strdup(text) : NULL;
	return *to || !text;
}

static int copy_settings(struct fffa_batcher *b, const struct fffa_sink_common_conf *like,
			 struct fffa_err *err)
{
	bool complete;

	b->like = *like;
	b->like.type = NULL;
	/* Each is copied, whatever became of those before: it is freed. */
	complete = copy_text(&b->like.name, like->name);
	complete = copy_text(&b->like.format, like->format) && complete;
	complete = copy_text(&b->like.fields, like->fields) && complete;
	complete = copy_text(&b->like.filter, like->filter) && complete;
	return complete ? 0 : fffa_fail(err, ENOMEM, "no memory");
}

/*
 * A sink with a filter, and one that has had one in this run: in the common stream there would be a
 * hole of the numbers that were given out meanwhile, although nothing is lost.
 */
static bool has_own_stream(const struct fffa_stream *s, const struct fffa_sink_common_conf *c)
{
	return (c->filter && *c->filter) || (c->name && fffa_stream_has_own(s, c->name));
}

/* The numbers go on where the stream of the same sink stopped. */
static int make_filter(struct fffa_batcher *b, struct fffa_stream *stream, struct fffa_err *err)
{
	int rc = b->like.filter ? fffa_filter_new(b->like.filter, &b->filter, err) : 0;

	b->stream = stream;
	if (rc || !has_own_stream(stream, &b->like))
		return rc;
	b->own = fffa_stream_own(stream, b->like.name);
	if (!b->own)
		return fffa_fail(err, EAGAIN, "too many sinks have had a filter");
	fffa_encoder_set_stream(b->encoder, b->like.name);
	return 0;
}

static int make_encoder(struct fffa_batcher *b, struct fffa_err *err)
{
	enum fffa_format format;
	int rc;

	if (fffa_format_parse(b->like.format, &format))
		return fffa_fail(err, EINVAL, "format: %s is not known", b->like.format);
	rc = fffa_encoder_new(format, b->like.fields, &b->encoder, err);
	return rc ? rc : fffa_encoder_wrap(b->encoder, (enum fffa_envelope)b->like.envelope, err);
}

int fffa_batcher__init(struct fffa_batcher *b, uv_loop_t *loop,
		       const struct fffa_sink_common_conf *like,
		       const struct fffa_origin_source *source, struct fffa_stream *stream,
		       struct fffa_err *err)
{
	bool fresh = !b->source;
	int rc;

	FFFA_ASSERT(!b->queue_count && !b->open);
	free_settings(b);
	rc = copy_settings(b, like, err);
	if (!rc)
		rc = make_encoder(b, err);
	if (!rc)
		rc = make_filter(b, stream, err);
	if (rc) {
		free_settings(b);
		return rc;
	}
	b->bound_bytes = fffa_encoder_bound(b->encoder);
	b->source = source;
	b->max_bytes = (size_t)clamp(like->batch_bytes, 1, MAX_BATCH_BYTES);
	b->max_records = (uint32_t)clamp(like->batch_records, 1, MAX_BATCH_RECORDS);
	b->age_ms = ((uint64_t)clamp(like->batch_age_ns, 0, INT64_MAX / 2) + FFFA_NS_PER_MS - 1) /
		    FFFA_NS_PER_MS;
	if (fresh)
		(void)uv_timer_init(loop, &b->timer); /* never fails */
	b->timer.data = b;
	return 0;
}

bool fffa_batcher__is_idle(const struct fffa_batcher *b)
{
	return !b->queue_count;
}

bool fffa_batcher__has(const struct fffa_batcher *b, const struct fffa_sink_queue *q)
{
	for (size_t i = 0; i < b->queue_count; i++) {
		if (b->queues[i] == q)
			return true;
	}
	return false;
}

void fffa_batcher__leave(struct fffa_batcher *b, const struct fffa_sink_queue *q)
{
	size_t n = 0;

	fffa_batcher__seal(b);
	for (size_t i = 0; i < b->queue_count; i++) {
		if (b->queues[i] != q)
			b->queues[n++] = b->queues[i];
	}
	b->queue_count = n;
}

static void on_timer_closed(uv_handle_t *h)
{
	struct fffa_batcher *b = h->data;

	b->closed(b->closed_arg);
}

void fffa_batcher__close(struct fffa_batcher *b, void (*closed)(void *arg), void *arg)
{
	fffa_batch_unref(b->open);
	b->open = NULL;
	free_settings(b);
	b->closed = closed;
	b->closed_arg = arg;
	uv_close((uv_handle_t *)&b->timer, on_timer_closed);
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

bool fffa_batcher__suits(const struct fffa_batcher *b, const struct fffa_sink_common_conf *c)
{
	const struct fffa_sink_common_conf *l = &b->like;

	if ((b->own != NULL) != has_own_stream(b->stream, c) ||
	    (b->own && !same_text(l->name, c->name)))
		return false;
	return same_text(l->filter, c->filter) && same_text(l->format, c->format) &&
	       same_text(l->fields, c->fields) && l->envelope == c->envelope &&
	       l->batch_records == c->batch_records && l->batch_bytes == c->batch_bytes &&
	       l->batch_age_ns == c->batch_age_ns;
}

/* FNV-1a, 64 bits. The NUL is hashed, too, and NULL differs from the empty text. */
static uint64_t add_text(uint64_t h, const char *text)
{
	h = (h ^ (text ? 1u : 0u)) * UINT64_C(0x100000001b3);
	for (; text; text++) {
		h = (h ^ (uint8_t)*text) * UINT64_C(0x100000001b3);
		if (!*text)
			break;
	}
	return h;
}

/* A hash of the settings that the bytes of a record depend on. */
static uint64_t hash_settings(const struct fffa_sink_common_conf *c)
{
	uint64_t h = add_text(UINT64_C(0xcbf29ce484222325), c->format);

	h = add_text(h, c->fields);
	return (h ^ (uint64_t)c->envelope) * UINT64_C(0x100000001b3);
}

void fffa_batcher__feed(struct fffa_batcher *b, struct fffa_sink_queue *q)
{
	FFFA_ASSERT(b->queue_count < FFFA_CONFIG_SINKS_MAX);
	fffa_batcher__seal(b); /* its records were not made for q */
	b->queues[b->queue_count++] = q;
}

void fffa_batcher__describe(const struct fffa_batcher *b, struct fffa_sink_queue_source *out)
{
	out->encoding = (struct fffa_encoding){
		.identity = hash_settings(&b->like),
		.is_wrapped = b->like.envelope != FFFA_ENVELOPE_NONE,
		.encoder = b->encoder,
	};
	(void)fffa_format_parse(b->like.format, &out->encoding.format); /* it was parsed before */
	out->origin = b->source;
}

/* The most memory that one batch can take: its bytes, its index, and the batch itself. */
static size_t footprint_max(const struct fffa_batcher *b)
{
	size_t bytes = b->max_bytes + b->bound_bytes;
	size_t longest = b->max_records * b->bound_bytes;

	return fffa_min_size(bytes, longest) + b->max_records * (size_t)FFFA_BATCH_INDEX_BYTES +
	       512;
}

bool fffa_batcher__has_room(const struct fffa_batcher *b)
{
	size_t batch_bytes = footprint_max(b);

	/* The open batch will be queued on top of what is there. */
	for (size_t i = 0; i < b->queue_count; i++) {
		if (!fffa_sink_queue_has_room(b->queues[i], batch_bytes))
			return false;
	}
	return true;
}

bool fffa_batcher__should_wait(const struct fffa_batcher *b, uint64_t patience_ns)
{
	size_t batch_bytes = footprint_max(b);

	for (size_t i = 0; i < b->queue_count; i++) {
		if (!fffa_sink_queue_has_room(b->queues[i], batch_bytes) &&
		    fffa_sink_queue_moves(b->queues[i], patience_ns))
			return true;
	}
	return false;
}

void fffa_batcher__seal(struct fffa_batcher *b)
{
	struct fffa_batch *full = b->open;
	struct fffa_batch_origin origin;

	if (!full)
		return;
	(void)uv_timer_stop(&b->timer); /* cannot fail */
	b->open = NULL;
	fffa_origin_fill(b->source, fffa_encoder_stream(b->encoder), &origin);
	fffa_batch_set_origin(full, &origin);
	fffa_origin_name_host(b->source, full);
	fffa_batch_seal(full);
	for (size_t i = 0; i < b->queue_count; i++)
		fffa_sink_queue_offer(b->queues[i], full);
	fffa_batch_unref(full);
}

static void on_age(uv_timer_t *t)
{
	fffa_batcher__seal(t->data);
}

/* A new batch, with room for the longest record at *dst. NULL without memory. */
static struct fffa_batch *begin_batch(const struct fffa_batcher *b, uint8_t **dst)
{
	/* One record fits beyond max_bytes: its length is known only when it is encoded. */
	struct fffa_batch *fresh = fffa_batch_new(b->max_bytes + b->bound_bytes, b->max_records);

	*dst = fresh ? fffa_batch_room(fresh, b->bound_bytes) : NULL;
	if (*dst)
		return fresh;
	fffa_batch_unref(fresh);
	return NULL;
}

static void open_batch(struct fffa_batcher *b, struct fffa_batch *fresh)
{
	b->open = fresh;
	if (!fresh)
		return;
	uv_update_time(b->timer.loop);
	(void)uv_timer_start(&b->timer, on_age, b->age_ms, 0); /* fails only without a callback */
}

/* Room for the longest record in the open batch, or in a new one. NULL without memory. */
static uint8_t *lend_room(struct fffa_batcher *b)
{
	uint8_t *dst = b->open ? fffa_batch_room(b->open, b->bound_bytes) : NULL;

	if (!dst) {
		fffa_batcher__seal(b);
		open_batch(b, begin_batch(b, &dst));
	}
	return dst;
}

/*
 * The n bytes just encoded at src would make the batch too large: seals it, and begins the next one
 * with them. False without memory.
 */
static bool carry_over(struct fffa_batcher *b, const uint8_t *src, size_t n)
{
	uint8_t *dst;
	struct fffa_batch *fresh = begin_batch(b, &dst);

	if (fresh)
		memcpy(dst, src, n); /* before the seal, which gives src back */
	fffa_batcher__seal(b);
	open_batch(b, fresh);
	return fresh;
}

static void lose_record(struct fffa_batcher *b, const struct fffa_record *r)
{
	for (size_t i = 0; i < b->queue_count; i++)
		fffa_sink_queue_lose_record(b->queues[i], r, FFFA_RL_NO_MEMORY);
}

/* NODATA and SKIPDATA are about no flow. */
static bool wants(const struct fffa_batcher *b, const struct fffa_record *r)
{
	return r->status != FFFA_STATUS_OK || fffa_filter_passes(b->filter, &r->key, r->flags);
}

static void add_record(struct fffa_batcher *b, const struct fffa_record *r)
{
	uint8_t *dst;
	size_t n, len;

	for (size_t i = 0; i < b->queue_count; i++)
		fffa_sink_queue_count_record(b->queues[i]);
	dst = lend_room(b);
	if (!dst) {
		lose_record(b, r);
		return;
	}
	n = fffa_encoder_write(b->encoder, r, dst, b->bound_bytes);
	len = fffa_batch_bytes(b->open).len;
	if (len && len + n > b->max_bytes) {
		if (!carry_over(b, dst, n)) {
			lose_record(b, r);
			return;
		}
		len = 0;
	}
	fffa_batch_commit(b->open, n,
			  &(struct fffa_record_info){.seq = r->seq,
						     .flow = fffa_flow_hash(&r->key),
						     .time_ms = r->end_ms});
	if (len + n >= b->max_bytes || fffa_batch_count(b->open) >= b->max_records)
		fffa_batcher__seal(b);
}

/* False: the filter leaves r out. Else *own is r with its number in the stream of the filter. */
static bool pass_filter(struct fffa_batcher *b, const struct fffa_record *r,
			struct fffa_record *own)
{
	if (!wants(b, r)) {
		for (size_t i = 0; i < b->queue_count; i++)
			fffa_sink_queue_count_filtered(b->queues[i]);
		return false;
	}
	*own = *r;
	own->seq = fffa_stream_own_next(b->stream, b->own);
	return true;
}

void fffa_batcher__add(struct fffa_batcher *b, const struct fffa_record *r)
{
	struct fffa_record own;

	if (!b->queue_count)
		return;
	if (!b->own)
		add_record(b, r);
	else if (pass_filter(b, r, &own))
		add_record(b, &own);
}

void fffa_batcher__add_late(struct fffa_batcher *b, const struct fffa_record *r)
{
	struct fffa_record own;

	if (b->own && b->queue_count) {
		if (!pass_filter(b, r, &own))
			return;
		r = &own;
	}
	for (size_t i = 0; i < b->queue_count; i++) {
		fffa_sink_queue_count_record(b->queues[i]);
		fffa_sink_queue_lose_record(b->queues[i], r, FFFA_RL_SHUTDOWN);
	}
}

void fffa_batcher__change_stream(const struct fffa_batcher *now, const struct fffa_batcher *next)
{
	if (next->own && !(now && now->own))
		fffa_stream_own_raise(next->stream, next->own);
}

const uint64_t *fffa_batcher__given(const struct fffa_batcher *b)
{
	return b->own ? &b->own->seq : &b->stream->seq;
}
