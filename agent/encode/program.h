/* SPDX-License-Identifier: MIT */
/* Inside of an encoder: the chosen fields as a list of steps that one loop runs for each record. */
#ifndef FFFA_AGENT_ENCODE_PROGRAM_H
#define FFFA_AGENT_ENCODE_PROGRAM_H

#include "agent/encode/encoder.h"
#include "agent/encode/fields.h"

/* Room for ,"name":" of the longest json name; copied whole, as a copy of constant size is cheaper.
 */
#define FFFA_STEP_KEY_BYTES 32

struct fffa_step {
	fffa_value_fn *write;
	bool always; /* runs for NODATA and SKIPDATA, too */
	bool quoted;
	uint8_t key_len;
	uint8_t id; /* enum fffa_field_id */
	char key[FFFA_STEP_KEY_BYTES];
};

struct fffa_encoder {
	enum fffa_format format;
	size_t bound_bytes; /* no record and no overshoot of a writer goes beyond */
	struct fffa_consts consts;
	size_t n;
	struct fffa_step steps[FFFA_FIELD_COUNT];
};

/* flowlog has no fields to choose and so no steps. */
uint8_t *fffa_flowlog_write(uint8_t *p, const struct fffa_record *r, const struct fffa_consts *c);
/* Longest line, newline included, without slack. */
size_t fffa_flowlog_bound(void);

#endif
