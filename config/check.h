/* SPDX-License-Identifier: MIT */
/* Rules that one row cannot hold: across fields, or on the inside of text. */
#ifndef FFFA_CONFIG_CHECK_H
#define FFFA_CONFIG_CHECK_H

#include "config/config.h"
#include "config/yaml/report.h"
#include "config/yaml/tree.h"

/* root: the file's map, for line numbers; may be NULL. Problems go to rep. */
void fffa_check_config(const struct fffa_config *c, struct fffa_report *rep,
		       const struct fffa_node *root);
/* Sink i, whose map is node: the common rules, then those of its type (schema, may be NULL). */
void fffa_check_sink(struct fffa_config *c, size_t i, const struct fffa_sink_schema *schema,
		     struct fffa_report *rep, const struct fffa_node *node);

#endif
