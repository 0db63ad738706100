// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/check.h"
#include "config/read.h"
#include "config/rows.h"

/* What runs when no sink is configured. */
static const char built_in[] = "- name: stdout\n"
			       "  type: file\n"
			       "  path: \"-\"\n";

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

/* Sets *out to the schema of the sink's type; NULL when that is missing or unknown. */
static int find_type(const struct fffa_scope *s, const struct fffa_node *item,
		     const struct fffa_sink_schema *schema, const struct fffa_sink_schema **out)
{
	const struct fffa_node *node = fffa_tree_get(item, "type");
	struct fffa_path path = fffa_report_path_join(s->path, "type");
	char known[256], *type;
	int rc = peek_text(s, item, "type", &type);

	*out = NULL;
	list_types(schema, known, sizeof(known));
	if (!rc && !node)
		fffa_report_problem(s->rep, item->line, path.text, "is missing; allowed: %s",
				    known);
	if (!type)
		return rc;
	for (; schema && schema->name && !*out; schema++)
		if (!strcmp(schema->name, type))
			*out = schema;
	if (!*out)
		fffa_report_problem(s->rep, node->line, path.text, "\"%s\" is unknown; allowed: %s",
				    fffa_report_printable(type).text, known);
	free(type);
	return 0;
}

/* The fields of a vpc sink, the default format, hold "${name}" of their own. */
static int find_syntax(struct fffa_scope *s, const struct fffa_node *item)
{
	char *format;
	int rc = peek_text(s, item, "format", &format);

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

/* FFFA_SINKS_NAME_KEY for each key but name, type and format: these decide how others are read. */
static int read_sink_environment(const struct fffa_scope *s, const struct fffa_fields *fields,
				 const char *name)
{
	static const char *const fixed[] = {"name", "type", "format"};
	struct fffa_fields some = {.n = 0};
	struct fffa_scope sub = *s;
	char prefix[128];

	for (size_t i = 0; i < fields->n; i++) {
		bool skip = false;

		for (size_t k = 0; k < sizeof(fixed) / sizeof(fixed[0]); k++)
			skip = skip || !strcmp(fields->v[i].opt->key, fixed[k]);
		if (!skip)
			some.v[some.n++] = fields->v[i];
	}
	sub.fields = &some;
	(void)snprintf(prefix, sizeof(prefix), "FFFA_SINKS_%.64s_", name);
	return fffa_read_environment(&sub, prefix);
}

/* Reads item into the last sink of c. */
static int read_sink(struct fffa_scope *s, const struct fffa_node *item,
		     const struct fffa_sink_schema *schema, struct fffa_config *c)
{
	size_t i = c->sink_count - 1;
	struct fffa_path path = fffa_report_path_index("sinks", i);
	struct fffa_sink_conf *conf = &c->sinks[i];
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
	rc = find_type(s, item, schema, &type);
	if (!rc)
		rc = find_syntax(s, item);
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
	if (!rc && conf->common.name && type)
		rc = read_sink_environment(s, &fields, conf->common.name);
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
	struct fffa_report rep = *s->rep;
	struct fffa_scope sub = *s;
	struct fffa_tree tree;
	int rc;

	rep.file = "built-in sink";
	sub.rep = &rep;
	sub.environment = NULL;
	rc = fffa_tree_parse(&tree, built_in, sizeof(built_in) - 1, &rep);
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
