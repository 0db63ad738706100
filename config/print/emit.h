/* SPDX-License-Identifier: MIT */
/* Writes fields as YAML. fffa_config_load reads the same values back. */
#ifndef FFFA_CONFIG_PRINT_EMIT_H
#define FFFA_CONFIG_PRINT_EMIT_H

#include <stdbool.h>
#include <stdio.h>

#include "config/config.h"
#include "config/fields.h"

struct fffa_emit {
	FILE *out;
	bool comments;	  /* above each key its help, what is allowed and the default */
	const char *lead; /* begins each line: "" or "#" */
	int indent;	  /* columns of the section */
	bool item; /* the next key begins a list item: "- " stands in the two columns before it */
	bool verbatim; /* rows with FFFA_OPTION_TEMPLATE are written as they are */
};

/*
 * Writes all fields, grouped by their dotted keys. Unset text is left out, or is a comment
 * with comments.
 */
void fffa_emit_fields(struct fffa_emit *e, const struct fffa_fields *f);
/* Writes one item of the list of sinks. */
void fffa_emit_sink(struct fffa_emit *e, const struct fffa_sink_conf *conf);
/* 0, or -EIO when something written to out was refused. */
int fffa_emit_end(FILE *out);

#endif
