/* SPDX-License-Identifier: MIT */
/* Sections: a map of the tree over the fields of its options; the list of sinks. */
#ifndef FFFA_CONFIG_READ_H
#define FFFA_CONFIG_READ_H

#include "config/set.h"

/* Gives every field the default of its row. 0; -EINVAL when a row is wrong (reported), -ENOMEM. */
int fffa_read_defaults(const struct fffa_scope *s);
/*
 * Reads a map (or nothing at all) over the fields; a value that cannot be read is reported and
 * keeps its default. Returns 0 or -ENOMEM.
 */
int fffa_read_section(const struct fffa_scope *s, const struct fffa_node *map);

/* A variable's name with its NUL; a longer one is cut, and never set. */
#define FFFA_READ_VARIABLE_BYTES 256

/*
 * The value of the variable for prefix and key, borrowed until the next one is read, and its name.
 * NULL: it is not set.
 */
const char *fffa_read_variable(const struct fffa_scope *s, const char *prefix, const char *key,
			       char name[FFFA_READ_VARIABLE_BYTES]);

/*
 * Reads each field that the environment has a variable for: prefix ("FFFA_"), then the key in
 * capitals with _ for every other character. Lists are separated by commas, maps are YAML. It wins
 * over what was read before. Returns 0 or -ENOMEM.
 */
int fffa_read_environment(const struct fffa_scope *s, const char *prefix);

/* sinks: a list of maps, or NULL for the built-in one. Same returns as fffa_read_section. */
int fffa_read_sinks(const struct fffa_scope *s, const struct fffa_node *list,
		    const struct fffa_sink_schema *schema, struct fffa_config *c);
void fffa_read_sinks_clear(struct fffa_config *c);
/* Frees what one of them holds. */
void fffa_read_sink_clear(struct fffa_sink_conf *c);

/* Binds the rows of a sink, the common ones first, to conf. 0 or -E2BIG. */
int fffa_read_sink_fields(struct fffa_sink_conf *conf, struct fffa_fields *f);

#endif
