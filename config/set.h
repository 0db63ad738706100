/* SPDX-License-Identifier: MIT */
/* One tree node into one field, by the field's row. */
#ifndef FFFA_CONFIG_SET_H
#define FFFA_CONFIG_SET_H

#include <stdbool.h>

#include "config/config.h"
#include "config/fields.h"
#include "config/yaml/report.h"
#include "config/yaml/tree.h"

/* The section that is being read. */
struct fffa_scope {
	struct fffa_report *rep;
	const struct fffa_config_environment *environment; /* NULL: values are taken as they are */
	const char *path; /* of the section, for messages: "" or "sinks[0]" */
	struct fffa_fields *fields;
	const char *other; /* a key that someone else reads, or NULL */
	bool verbatim;	   /* rows with FFFA_OPTION_TEMPLATE are not expanded */
	bool lenient;	   /* unknown keys are not reported: the section's type is unknown itself */
};

/* The field that a value is for. */
struct fffa_target {
	const struct fffa_scope *scope;
	const struct fffa_option *opt;
	void *at;
	const char *path;  /* for messages */
	char allowed[512]; /* what fffa_value_allowed says of opt */
};

struct fffa_target fffa_set_target(const struct fffa_scope *s, const struct fffa_field *f,
				   const char *path);

/*
 * Reads node into the field, replacing what it holds. What is wrong is reported: -EINVAL or
 * -ENOMEM, and the field keeps its value.
 */
int fffa_set_node(const struct fffa_target *t, const struct fffa_node *node);
/* The same from text (malloc) that needs no expansion; taken on success only. */
int fffa_set_text(const struct fffa_target *t, unsigned int line, char *text);

/*
 * Reads a scalar to *out (malloc, caller frees), its variables expanded. A node that is not text,
 * or cannot be expanded, is reported: -EINVAL; -ENOMEM.
 */
int fffa_set_read_text(const struct fffa_scope *s, const struct fffa_node *node, const char *path,
		       const char *allowed, char **out);

/*
 * Reads the file that node names to *out (malloc, caller frees and wipes): a secret, without the
 * newline that ends it. What is wrong is reported: -EINVAL, -ENOMEM, -EFBIG or -errno.
 */
int fffa_set_read_secret(const struct fffa_scope *s, const struct fffa_node *node, const char *path,
			 char **out);

/* The same with the name of the file. */
int fffa_set_load_secret(const struct fffa_scope *s, unsigned int line, const char *path,
			 const char *name, char **out);

#endif
