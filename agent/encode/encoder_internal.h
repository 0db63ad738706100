/* SPDX-License-Identifier: MIT */
/*
 * Inside an encoder: a list of steps says what a record consists of, and one loop runs it for each
 * record. Steps that depend on the identity alone form runs, whose text is written once for each
 * identity and then copied (identity_cache.c).
 */
#ifndef FFFA_AGENT_ENCODE_ENCODER_INTERNAL_H
#define FFFA_AGENT_ENCODE_ENCODER_INTERNAL_H

#include "agent/encode/encoder.h"
#include "agent/encode/field/field.h"
#include "agent/encode/shapes/shape.h"

/* Room for the longest "name":" of json. It is copied whole: a copy of constant size is cheaper. */
#define FFFA_STEP_KEY_BYTES  32
#define FFFA_STEPS_MAX	     160 /* fields, and what stands between them in the JSON shapes */
#define FFFA_CACHED_RUNS_MAX 48
#define FFFA_OPEN_MAX	     4 /* JSON objects and arrays within each other */

struct fffa_step {
	union {
		fffa_value_fn *write;
		const char *text; /* FFFA_STEP_VALUE has none */
	};
	fffa_value_fn *pack; /* msgpack: writes the whole value; NULL: write's text is a string */
	uint16_t key_len;    /* of key, or of text */
	uint16_t max_bytes;  /* of the value */
	uint8_t kind;	     /* enum fffa_step_kind */
	uint8_t when;	     /* enum fffa_when */
	uint8_t id;	     /* enum fffa_field_id of a value */
	bool quoted;
	char key[FFFA_STEP_KEY_BYTES];
};

/* The most that the step adds to a record: key, value and what ends it; without the slack. */
static inline size_t fffa_step_bound(const struct fffa_step *s)
{
	return (size_t)s->key_len + s->max_bytes + 3; /* '-' or quotes; separator; msgpack's head */
}

/* Where a record is written, and how far it has come. */
struct fffa_out {
	uint8_t *p;
	unsigned int count;	      /* msgpack: pairs so far */
	unsigned int depth;	      /* JSON shapes: objects and arrays that are open */
	uint8_t *open[FFFA_OPEN_MAX]; /* where they begin */
};

/* Writes the steps from s to end whose condition is among the bits of have. */
typedef void fffa_put_fn(const struct fffa_step *s, const struct fffa_step *end, unsigned int have,
			 const struct fffa_record *r, const struct fffa_consts *c,
			 struct fffa_out *o);
fffa_put_fn fffa_put_vpc, fffa_put_json, fffa_put_msgpack;

/* Neighbouring steps that are written, or copied, together. */
struct fffa_run {
	uint8_t first;
	uint8_t n;
	uint8_t when; /* cached runs only */
	bool cached;  /* depends on the identity alone */
};

struct fffa_identity_cache;

struct fffa_encoder {
	unsigned int refs; /* beside the first one */
	/*
	 * Writes the records that have a network, with all fields; this one writes the others and has
	 * no steps for networks, so that they cost nothing. NULL: no field is about networks.
	 */
	struct fffa_encoder *with_networks;
	enum fffa_format format;
	enum fffa_envelope envelope;
	size_t bound_bytes; /* neither a record nor the slack of a writer goes beyond */
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

/* The format flowlog has no choice of fields, so it has no steps. */
uint8_t *fffa_flowlog_write(uint8_t *p, const struct fffa_record *r, const struct fffa_consts *c);
/* The longest line with its newline, without the slack. */
size_t fffa_flowlog_bound(void);

#endif
