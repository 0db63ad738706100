// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/check.h"
#include "config/read.h"
#include "config/rows.h"

/* What runs when no sink is configured. */
#define BUILT_IN_NAME "stdout"
static const char built_in[] = "- name: " BUILT_IN_NAME "\n"
			       "  type: file\n"
			       "  path: \"-\"\n";
/* The environment names another type. */
static const char built_in_other[] = "- name: " BUILT_IN_NAME "\n";

int fffa_read_sink_fields(struct fffa_sink_conf *conf, struct fffa_fields *f)
{
	int rc = fffa_fields_add(f, fffa_sink_common_rows, &conf->common);

	return rc ? rc : fffa_fields_add(f, conf->opts, conf->own);
}

void fffa_read_sink_clear(struct fffa_sink_conf *c)
{
	fffa_fields_clear_all(fffa_sink_common_rows, &c->common);
	if (c->own)
		fffa_fields_clear_all(c->opts, c->own);
	free(c->own);
	memset(c, 0, sizeof(*c));
}

void fffa_read_sinks_clear(struct fffa_config *c)
{
	size_t i;

	for (i = 0; i < c->sink_count; i++)
		fffa_read_sink_clear(&c->sinks[i]);
	free(c->sinks);
	c->sinks = NULL;
	c->sink_count = 0;
}

static void list_types(const struct fffa_sink_schema *schema, char *dst, size_t cap)
{
	size_t n = 0;

	*dst = '\0';
	for (; schema && schema->name && n < cap; schema++)
		n += (size_t)snprintf(dst + n, cap - n, "%s%s", n ? ", " : "", schema->name);
}

/* The keys that decide how the others are read, before these are read. */
struct first_keys {
	const struct fffa_node *item;
	char variables[FFFA_READ_VARIABLE_BYTES]; /* what the names of its variables begin with */
};

/*
 * The text of a key that decides how the others are read; NULL when it is not there or wrong, which
 * is reported when its turn comes. Freed by the caller.
 */
static int peek_text(const struct fffa_scope *s, const struct fffa_node *item, const char *key,
		     char **text)
{
	const struct fffa_node *node = fffa_tree_get(item, key);
	struct fffa_report quiet = {.file = ""};
	struct fffa_scope look = *s;

	*text = NULL;
	look.rep = &quiet;
	if (node && fffa_set_read_text(&look, node, "", "", text) == -ENOMEM)
		return fffa_report_nomem(s->rep);
	return 0;
}

/* The same of the environment, which wins; *variable is empty when it has none. */
static int peek_key(const struct fffa_scope *s, const struct first_keys *k, const char *key,
		    char **text, char variable[FFFA_READ_VARIABLE_BYTES])
{
	const char *value = NULL;

	if (k->variables[0])
		value = fffa_read_variable(s, k->variables, key, variable);
	if (!value) {
		variable[0] = '\0';
		return peek_text(s, k->item, key, text);
	}
	*text = strdup(value);
	return *text ? 0 : fffa_report_nomem(s->rep);
}

/* FFFA_SINKS_NAME_: NAME is that of the file. Empty without a name. */
static int name_variables(const struct fffa_scope *s, struct first_keys *k)
{
	char *name;
	int rc = peek_text(s, k->item, "name", &name);

	k->variables[0] = '\0';
	if (name)
		(void)snprintf(k->variables, sizeof(k->variables), "FFFA_SINKS_%.64s_", name);
	free(name);
	return rc;
}

static void report_type(const struct fffa_scope *s, unsigned int place, const char *variable,
			const char *type, const char *known)
{
	struct fffa_path path = fffa_report_path_join(s->path, "type");
	struct fffa_report rep = *s->rep;

	if (*variable) {
		rep.file = variable;
		place = 0;
	}
	fffa_report_problem(&rep, place, path.text, "\"%s\" is unknown; allowed: %s",
			    fffa_report_printable(type).text, known);
	s->rep->count = rep.count;
}

/* Sets *out to the schema of the sink's type; NULL when that is missing or unknown. */
static int find_type(const struct fffa_scope *s, const struct first_keys *k,
		     const struct fffa_sink_schema *schema, const struct fffa_sink_schema **out)
{
	const struct fffa_node *node = fffa_tree_get(k->item, "type");
	char known[256], variable[FFFA_READ_VARIABLE_BYTES], *type;
	int rc = peek_key(s, k, "type", &type, variable);

	*out = NULL;
	list_types(schema, known, sizeof(known));
	if (!rc && !node && !type)
		fffa_report_problem(s->rep, k->item->line,
				    fffa_report_path_join(s->path, "type").text,
				    "is missing; allowed: %s", known);
	if (!type)
		return rc;
	for (; schema && schema->name && !*out; schema++)
		if (!strcmp(schema->name, type))
			*out = schema;
	if (!*out)
		report_type(s, node ? node->line : 0, variable, type, known);
	free(type);
	return 0;
}

/* The fields of a vpc sink, the default format, hold "${name}" of their own. */
static int find_syntax(struct fffa_scope *s, const struct first_keys *k)
{
	char variable[FFFA_READ_VARIABLE_BYTES], *format;
	int rc = peek_key(s, k, "format", &format, variable);

	s->verbatim = !format || !strcmp(format, "vpc");
	free(format);
	return rc;
}

static int make_own(const struct fffa_sink_schema *schema, struct fffa_sink_conf *conf)
{
	if (!schema)
		return 0;
	conf->own = calloc(1, schema->conf_size ? schema->conf_size : 1);
	if (!conf->own)
		return -ENOMEM;
	conf->ops = schema->ops;
	conf->opts = schema->opts;
	return 0;
}

/* Reads item into the last sink of c. */
static int read_sink(struct fffa_scope *s, const struct fffa_node *item,
		     const struct fffa_sink_schema *schema, struct fffa_config *c)
{
	size_t i = c->sink_count - 1;
	struct fffa_path path = fffa_report_path_index("sinks", i);
	struct fffa_sink_conf *conf = &c->sinks[i];
	struct first_keys first = {.item = item};
	struct fffa_fields fields = {.n = 0};
	const struct fffa_sink_schema *type;
	int rc;

	if (item->kind == FFFA_NODE_BAD)
		return 0;
	s->path = path.text;
	s->fields = &fields;
	s->other = NULL;
	if (item->kind != FFFA_NODE_MAP) {
		fffa_report_problem(s->rep, item->line, s->path, "is %s; allowed: a map of keys",
				    fffa_tree_kind_name(item));
		return 0;
	}
	rc = name_variables(s, &first);
	if (!rc)
		rc = find_type(s, &first, schema, &type);
	if (!rc)
		rc = find_syntax(s, &first);
	if (rc)
		return rc;
	s->lenient = !type;
	if (make_own(type, conf))
		return fffa_report_nomem(s->rep);
	if (fffa_read_sink_fields(conf, &fields)) {
		fffa_report_problem(s->rep, item->line, s->path, "the type has too many options");
		return 0;
	}
	rc = fffa_read_defaults(s);
	if (!rc)
		rc = fffa_read_section(s, item);
	if (!rc && first.variables[0] && type)
		rc = fffa_read_environment(s, first.variables);
	if (!rc)
		fffa_check_sink(c, i, type, s->rep, item);
	return s->rep->error;
}

static int read_list(const struct fffa_scope *s, const struct fffa_node *list,
		     const struct fffa_sink_schema *schema, struct fffa_config *c)
{
	const struct fffa_node *item;
	struct fffa_scope sub;
	int rc = 0;

	if (list->kind == FFFA_NODE_BAD)
		return 0;
	if (list->kind != FFFA_NODE_LIST) {
		fffa_report_problem(s->rep, list->line, "sinks",
				    "is %s; allowed: a list of 1 to %d maps",
				    fffa_tree_kind_name(list), FFFA_CONFIG_SINKS_MAX);
		return 0;
	}
	if (!list->count || list->count > FFFA_CONFIG_SINKS_MAX)
		fffa_report_problem(s->rep, list->line, "sinks",
				    "has %zu entries; allowed: 1 to %d", list->count,
				    FFFA_CONFIG_SINKS_MAX);
	c->sinks = calloc(FFFA_CONFIG_SINKS_MAX, sizeof(*c->sinks));
	if (!c->sinks)
		return fffa_report_nomem(s->rep);
	for (item = list->first; item && c->sink_count < FFFA_CONFIG_SINKS_MAX && !rc;
	     item = item->next) {
		c->sink_count++;
		sub = *s;
		rc = read_sink(&sub, item, schema, c);
	}
	return rc;
}

static int read_built_in(const struct fffa_scope *s, const struct fffa_sink_schema *schema,
			 struct fffa_config *c)
{
	char variable[FFFA_READ_VARIABLE_BYTES];
	const char *type = fffa_read_variable(s, "FFFA_SINKS_" BUILT_IN_NAME "_", "type", variable);
	const char *text = type && strcmp(type, "file") != 0 ? built_in_other : built_in;
	struct fffa_report rep = *s->rep;
	struct fffa_scope sub = *s;
	struct fffa_tree tree;
	int rc;

	rep.file = "built-in sink";
	sub.rep = &rep;
	rc = fffa_tree_parse(&tree, text, strlen(text), &rep);
	if (!rc)
		rc = read_list(&sub, tree.root, schema, c);
	fffa_tree_free(&tree);
	s->rep->count = rep.count;
	s->rep->error = rep.error;
	return rc;
}

int fffa_read_sinks(const struct fffa_scope *s, const struct fffa_node *list,
		    const struct fffa_sink_schema *schema, struct fffa_config *c)
{
	return list ? read_list(s, list, schema, c) : read_built_in(s, schema, c);
}
