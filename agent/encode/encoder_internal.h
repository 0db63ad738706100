/* SPDX-License-Identifier: MIT */
/*
 * Inside of an encoder: what a record is made of, as a list of steps that one loop runs for each
 * record. Steps that depend on the identity alone stand in runs that are written once for each
 * identity and then copied (identity_cache.c).
 */
#ifndef FFFA_AGENT_ENCODE_ENCODER_INTERNAL_H
#define FFFA_AGENT_ENCODE_ENCODER_INTERNAL_H

#include "agent/encode/encoder.h"
#include "agent/encode/field/field.h"
#include "agent/encode/shapes/shape.h"

/* Room for "name":" of the longest json name; copied whole, as a copy of constant size is cheaper.
 */
#define FFFA_STEP_KEY_BYTES 32
/* Fields, and for the json shapes the texts, openings and closings between them. */
#define FFFA_STEPS_MAX	     160
#define FFFA_CACHED_RUNS_MAX 48
#define FFFA_OPEN_MAX	     4

struct fffa_step {
	union {
		fffa_value_fn *write;
		const char *text; /* of kinds that are no value */
	};
	fffa_value_fn *pack; /* msgpack: writes the whole value; NULL: write's text is a string */
	uint16_t key_len;    /* of text, where that is */
	uint16_t max_bytes;  /* of the value */
	uint8_t kind;	     /* enum fffa_step_kind */
	uint8_t when;	     /* enum fffa_when */
	uint8_t id;	     /* enum fffa_field_id of a value */
	bool quoted;
	char key[FFFA_STEP_KEY_BYTES];
};

/* What the step can add to a record at most, without slack: key and value with its end. */
static inline size_t fffa_step_bound(const struct fffa_step *s)
{
	return (size_t)s->key_len + s->max_bytes + 3; /* '-' or quotes; separator; msgpack's head */
}

/* Where a record is written, and how far it has come. */
struct fffa_out {
	uint8_t *p;
	unsigned int count; /* msgpack: pairs so far */
	unsigned int
		depth; /* json shapes: objects and arrays that are open, and where they began */
	uint8_t *open[FFFA_OPEN_MAX];
};

/* Writes the steps of one format that the bits in have ask for. */
typedef void fffa_put_fn(const struct fffa_step *s, const struct fffa_step *end, unsigned int have,
			 const struct fffa_record *r, const struct fffa_consts *c,
			 struct fffa_out *o);
fffa_put_fn fffa_put_vpc, fffa_put_json, fffa_put_msgpack;

/* Steps that stand side by side and are written or copied together. */
struct fffa_run {
	uint8_t first;
	uint8_t n;
	uint8_t when; /* cached runs only */
	bool cached;  /* depends on the identity alone */
};

struct fffa_identity_cache;

struct fffa_encoder {
	enum fffa_format format;
	enum fffa_envelope envelope;
	size_t bound_bytes; /* no record and no overshoot of a writer goes beyond */
	struct fffa_consts consts;
	fffa_put_fn *put;		   /* NULL: flowlog */
	struct fffa_identity_cache *cache; /* NULL: no run is cached */
	size_t n;
	size_t run_count;
	struct fffa_run runs[FFFA_STEPS_MAX];
	struct fffa_step steps[FFFA_STEPS_MAX];
};

/* Fills e->runs from e->steps, and makes e->cache when a run is to be cached. 0 or -ENOMEM. */
int fffa_identity_cache_new(struct fffa_encoder *e);
/* NULL is allowed. */
void fffa_identity_cache_free(struct fffa_identity_cache *c);
/* Writes all runs of a record, those of its identity from the cache. */
void fffa_identity_cache_write(const struct fffa_encoder *e, const struct fffa_record *r,
			       struct fffa_out *o);

/* flowlog has no fields to choose and so no steps. */
uint8_t *fffa_flowlog_write(uint8_t *p, const struct fffa_record *r, const struct fffa_consts *c);
/* Longest line, newline included, without slack. */
size_t fffa_flowlog_bound(void);

#endif
