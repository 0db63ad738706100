/* SPDX-License-Identifier: MIT */
/*
 * JSON shapes that others define. Each is a table of rows, from which an encoder makes its steps.
 */
#ifndef FFFA_AGENT_ENCODE_SHAPES_SHAPE_H
#define FFFA_AGENT_ENCODE_SHAPES_SHAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/encode/field/field.h"

/* What a row stands for, and the step that an encoder makes of it. */
enum fffa_step_kind {
	FFFA_STEP_VALUE,
	FFFA_STEP_TEXT,	 /* whole members of an object, each with its comma */
	FFFA_STEP_OPEN,	 /* the key of an object or array, and its bracket */
	FFFA_STEP_CLOSE, /* the other bracket; an empty object or array is removed with its key */
};

struct fffa_shape_row {
	const char *text;     /* the name of a value, else what is written */
	fffa_value_fn *write; /* NULL: the field's own writer */
	uint16_t max_bytes;   /* of write */
	uint8_t kind;	      /* enum fffa_step_kind */
	uint8_t when;	      /* enum fffa_when; 0: as the field says */
	uint8_t id;	      /* enum fffa_field_id that the value comes from */
	bool quoted;	      /* of write; of a field: as the field says, or always when set */
};

struct fffa_shape {
	const struct fffa_shape_row *rows;
	size_t n;
};

extern const struct fffa_shape fffa_ocsf_shape;
extern const struct fffa_shape fffa_elastic_shape; /* the format ecs */

#endif
