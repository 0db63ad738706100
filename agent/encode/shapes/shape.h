/* SPDX-License-Identifier: MIT */
/* JSON shapes that others have defined: a table of rows each, from which steps are made. */
#ifndef FFFA_AGENT_ENCODE_SHAPES_SHAPE_H
#define FFFA_AGENT_ENCODE_SHAPES_SHAPE_H

#include "agent/encode/fields.h"
#include "agent/encode/program.h"

struct fffa_shape_row {
	const char *text;     /* of a value: its name; else what is written */
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

extern const struct fffa_shape fffa_shape_ocsf; /* ocsf.c */
extern const struct fffa_shape fffa_shape_ecs;	/* elastic.c */

/* Rows. A field under another name; the same under a further condition; a value of the shape's own;
 * whole members, each with its comma; an object or array. */
#define FFFA_ROW(name, field)                                                                      \
	{                                                                                          \
		.text = (name), .kind = FFFA_STEP_VALUE, .id = FFFA_FIELD_##field                  \
	}
#define FFFA_ROW_IF(cond, name, field)                                                             \
	{                                                                                          \
		.text = (name), .kind = FFFA_STEP_VALUE, .when = (cond), .id = FFFA_FIELD_##field  \
	}
#define FFFA_ROW_OWN(cond, name, field, fn, most, quote)                                           \
	{                                                                                          \
		.text = (name), .write = (fn), .max_bytes = (most), .kind = FFFA_STEP_VALUE,       \
		.when = (cond), .id = FFFA_FIELD_##field, .quoted = (quote)                        \
	}
#define FFFA_ROW_TEXT(cond, members)                                                               \
	{                                                                                          \
		.text = (members), .kind = FFFA_STEP_TEXT, .when = (cond) | FFFA_WHEN_CONST        \
	}
#define FFFA_ROW_OPEN(name)                                                                        \
	{                                                                                          \
		.text = "\"" name "\":{", .kind = FFFA_STEP_OPEN, .when = FFFA_WHEN_ALWAYS         \
	}
#define FFFA_ROW_OPEN_LIST(name)                                                                   \
	{                                                                                          \
		.text = "\"" name "\":[", .kind = FFFA_STEP_OPEN, .when = FFFA_WHEN_ALWAYS         \
	}
#define FFFA_ROW_CLOSE                                                                             \
	{                                                                                          \
		.text = "}", .kind = FFFA_STEP_CLOSE, .when = FFFA_WHEN_ALWAYS                     \
	}
#define FFFA_ROW_CLOSE_LIST                                                                        \
	{                                                                                          \
		.text = "]", .kind = FFFA_STEP_CLOSE, .when = FFFA_WHEN_ALWAYS                     \
	}

/* "tcp", "udp", ...: the names that both shapes use; unknown protocols have none. */
fffa_value_fn fffa_shape_transport;
/* agent id, epoch and number with '-' between them: unlike any other record's. */
fffa_value_fn fffa_shape_uid;
/* From the first to the last packet, at most the given number: what readers take ends at 63 bits. */
uint64_t fffa_shape_duration_ms(const struct fffa_record *r, uint64_t most);
fffa_value_fn fffa_shape_start_utc, fffa_shape_end_utc;
#define FFFA_SHAPE_TRANSPORT_MAX 9
#define FFFA_SHAPE_UID_MAX	 (63 + 2 + 2 * FFFA_TEXT_U64_MAX)

#endif
