// SPDX-License-Identifier: MIT
#include "config/read.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/io.h"

static int default_from_yaml(const struct fffa_target *t, const char *text)
{
	struct fffa_tree tree;
	int rc = fffa_tree_parse(&tree, text, strlen(text), t->scope->rep);

	if (!rc && tree.root)
		rc = fffa_set_node(t, tree.root);
	fffa_tree_free(&tree);
	return rc;
}

static int read_default(const struct fffa_scope *s, const struct fffa_field *f)
{
	const struct fffa_option *o = f->opt;
	struct fffa_target t = fffa_set_target(s, f, o->key);
	char *text;
	int rc;

	if (!o->def)
		return 0;
	if (o->type == FFFA_OT_STRINGS || o->type == FFFA_OT_INTS || o->type == FFFA_OT_MAP)
		return default_from_yaml(&t, o->def);
	text = strdup(o->def);
	if (!text)
		return fffa_report_nomem(s->rep);
	rc = fffa_set_text(&t, 0, text);
	if (rc)
		free(text);
	return rc;
}

int fffa_read_defaults(const struct fffa_scope *s)
{
	struct fffa_report rep = *s->rep;
	struct fffa_scope own = *s;
	size_t i;
	int rc = 0;

	rep.file = "built-in default";
	own.rep = &rep;
	own.environment = NULL;
	for (i = 0; i < s->fields->n && !rc; i++)
		rc = read_default(&own, &s->fields->v[i]);
	s->rep->count = rep.count;
	s->rep->error = rep.error;
	return rc;
}

static int take_secret(const struct fffa_scope *s, struct fffa_field *f, unsigned int line,
		       const char *path, char *text)
{
	struct fffa_target t = fffa_set_target(s, f, path);
	int rc = fffa_set_text(&t, line, text);

	if (rc) {
		explicit_bzero(text, strlen(text));
		free(text);
	}
	return rc;
}

/* Reads "KEY_file" for the secret KEY. */
static int read_secret_file(const struct fffa_scope *s, struct fffa_field *f,
			    const struct fffa_node *node, const char *path)
{
	char *text;
	int rc = fffa_set_read_secret(s, node, path, &text);

	return rc ? rc : take_secret(s, f, node->line, path, text);
}

/* The secret that KEY_file belongs to, or NULL. */
static struct fffa_field *secret_of(const struct fffa_scope *s, const char *key)
{
	const size_t tail = strlen("_file");
	size_t n = strlen(key);
	struct fffa_field *f;
	char name[256];

	if (n <= tail || n >= sizeof(name) || strcmp(key + n - tail, "_file"))
		return NULL;
	snprintf(name, sizeof(name), "%.*s", (int)(n - tail), key);
	f = fffa_fields_find(s->fields, name);
	return f && f->opt->type == FFFA_OT_SECRET ? f : NULL;
}

static int refuse_key_and_file(const struct fffa_scope *s, const struct fffa_field *f,
			       const struct fffa_node *key, const char *path)
{
	if (!f->given || !f->from_file)
		return 0;
	fffa_report_problem(s->rep, key->line, path,
			    "%s and %s_file are both given; allowed: one of them", f->opt->key,
			    f->opt->key);
	return -EINVAL;
}

static void report_unknown_key(const struct fffa_scope *s, const struct fffa_node *key,
			       const char *prefix, const char *path)
{
	char hint[512];

	if (s->lenient)
		return;
	fffa_fields_hint(s->fields, prefix, *prefix ? NULL : s->other, key->text, hint,
			 sizeof(hint));
	fffa_report_problem(s->rep, key->line, path, "unknown key; %s", hint);
}

static void read_level(const struct fffa_scope *s, const struct fffa_node *map, const char *prefix,
		       const char *path);

/* The field that the value of the group itself is for, or NULL: "proxy: URL" is proxy.url. */
static struct fffa_field *find_plain(const struct fffa_scope *s, const char *group,
				     const struct fffa_node *value)
{
	size_t n = strlen(group);

	if (value->kind != FFFA_NODE_SCALAR || fffa_tree_is_null(value))
		return NULL;
	for (size_t i = 0; i < s->fields->n; i++) {
		const struct fffa_option *o = s->fields->v[i].opt;

		if ((o->flags & FFFA_OPTION_PLAIN) && !strncmp(o->key, group, n) &&
		    o->key[n] == '.')
			return &s->fields->v[i];
	}
	return NULL;
}

/* rel: the key's dotted path in the section; path: the same in the whole file. */
static void read_entry(const struct fffa_scope *s, const struct fffa_node *key, const char *prefix,
		       const char *rel, const char *path)
{
	struct fffa_field *f = fffa_fields_find(s->fields, rel), *secret = secret_of(s, rel);

	if (!f)
		f = find_plain(s, rel, key->next);
	/* A dot belongs to the path, never to a key. */
	if (strchr(key->text, '.') || !*key->text) {
		report_unknown_key(s, key, prefix, path);
	} else if (f) {
		struct fffa_target t = fffa_set_target(s, f, path);

		f->given = true;
		if (!refuse_key_and_file(s, f, key, path))
			fffa_set_node(&t, key->next);
	} else if (fffa_fields_is_group(s->fields, rel)) {
		read_level(s, key->next, rel, path);
	} else if (secret) {
		secret->from_file = true;
		if (!refuse_key_and_file(s, secret, key, path))
			read_secret_file(s, secret, key->next, path);
	} else if (*prefix || !s->other || strcmp(key->text, s->other)) {
		report_unknown_key(s, key, prefix, path);
	}
}

static bool given_before(const struct fffa_node *map, const struct fffa_node *key)
{
	const struct fffa_node *k;

	for (k = map->first; k != key; k = k->next->next)
		if (!strcmp(k->text, key->text))
			return true;
	return false;
}

static void read_level(const struct fffa_scope *s, const struct fffa_node *map, const char *prefix,
		       const char *path)
{
	const struct fffa_node *key;

	/* A section with all its keys commented out has no value. */
	if (!map || map->kind == FFFA_NODE_BAD || fffa_tree_is_null(map))
		return;
	if (map->kind != FFFA_NODE_MAP) {
		fffa_report_problem(s->rep, map->line, path, "is %s; allowed: a map of keys",
				    fffa_tree_kind_name(map));
		return;
	}
	for (key = map->first; key && !s->rep->error; key = key->next->next) {
		struct fffa_path full = fffa_report_path_join(path, key->text);
		struct fffa_path rel = fffa_report_path_join(prefix, key->text);

		if (key->kind == FFFA_NODE_BAD)
			continue;
		if (key->kind != FFFA_NODE_SCALAR)
			fffa_report_problem(s->rep, key->line, path,
					    "has %s as a key; allowed: text",
					    fffa_tree_kind_name(key));
		else if (given_before(map, key))
			fffa_report_problem(s->rep, key->line, full.text,
					    "is given twice; once is allowed");
		else
			read_entry(s, key, prefix, rel.text, full.text);
	}
}

int fffa_read_section(const struct fffa_scope *s, const struct fffa_node *map)
{
	read_level(s, map, "", s->path);
	return s->rep->error;
}

/* Appends text to name, in the letters that variables have. */
static void add_to_name(char name[FFFA_READ_VARIABLE_BYTES], const char *text)
{
	size_t n = strlen(name);

	for (; *text && n + 1 < FFFA_READ_VARIABLE_BYTES; text++)
		name[n++] =
			(char)(isalnum((unsigned char)*text) ? toupper((unsigned char)*text) : '_');
	name[n] = '\0';
}

const char *fffa_read_variable(const struct fffa_scope *s, const char *prefix, const char *key,
			       char name[FFFA_READ_VARIABLE_BYTES])
{
	const struct fffa_config_environment *e = s->environment;

	name[0] = '\0';
	add_to_name(name, prefix);
	add_to_name(name, key);
	return e ? e->env(e->arg, name) : NULL;
}

/* Reads value as YAML: a map as it is, a list with brackets around it. */
static int read_variable_yaml(const struct fffa_target *t, const char *value)
{
	bool list = t->opt->type != FFFA_OT_MAP && *value != '[';
	size_t cap = strlen(value) + 3;
	char *text = malloc(cap);
	int rc;

	if (!text)
		return fffa_report_nomem(t->scope->rep);
	(void)snprintf(text, cap, list ? "[%s]" : "%s", value);
	rc = default_from_yaml(t, text);
	explicit_bzero(text, strlen(text));
	free(text);
	return rc;
}

static int read_variable(const struct fffa_scope *s, const struct fffa_field *f, const char *name,
			 const char *value)
{
	const struct fffa_option *o = f->opt;
	struct fffa_report rep = *s->rep;
	struct fffa_scope own = *s;
	struct fffa_path path = fffa_report_path_join(s->path, o->key);
	struct fffa_target t;
	char *text;

	rep.file = name;
	own.rep = &rep;
	own.environment = NULL; /* the value is taken as it is */
	t = fffa_set_target(&own, f, path.text);
	if (o->type == FFFA_OT_STRINGS || o->type == FFFA_OT_INTS || o->type == FFFA_OT_MAP) {
		(void)read_variable_yaml(&t, value);
	} else {
		text = strdup(value);
		if (text ? fffa_set_text(&t, 0, text) : fffa_report_nomem(&rep))
			free(text);
	}
	s->rep->count = rep.count;
	s->rep->error = rep.error;
	return rep.error ? rep.error : 0;
}

/* The variable for f. A group's own variable stands for its plain value. */
static const char *find_variable(const struct fffa_scope *s, const char *prefix,
				 const struct fffa_option *o, char name[FFFA_READ_VARIABLE_BYTES])
{
	const char *value = fffa_read_variable(s, prefix, o->key, name);
	char group[FFFA_READ_VARIABLE_BYTES];

	if (value || !(o->flags & FFFA_OPTION_PLAIN))
		return value;
	(void)snprintf(group, sizeof(group), "%.*s", (int)strcspn(o->key, "."), o->key);
	return fffa_read_variable(s, prefix, group, name);
}

/* The secret f from the file that the variable NAME_FILE names. */
static int read_variable_file(const struct fffa_scope *s, struct fffa_field *f, const char *value)
{
	struct fffa_path path = fffa_report_path_join(s->path, f->opt->key);
	char *text;
	int rc = fffa_set_load_secret(s, 0, path.text, value, &text);

	if (!rc)
		rc = take_secret(s, f, 0, path.text, text);
	return rc == -ENOMEM ? rc : 0;
}

int fffa_read_environment(const struct fffa_scope *s, const char *prefix)
{
	const struct fffa_config_environment *e = s->environment;

	for (size_t i = 0; e && i < s->fields->n; i++) {
		struct fffa_field *f = &s->fields->v[i];
		char name[FFFA_READ_VARIABLE_BYTES];
		const char *value = find_variable(s, prefix, f->opt, name);
		int rc = 0;

		if (value)
			rc = read_variable(s, f, name, value);
		if (!rc && !value && f->opt->type == FFFA_OT_SECRET) {
			add_to_name(name, "_FILE");
			value = e->env(e->arg, name);
			rc = value ? read_variable_file(s, f, value) : 0;
		}
		if (rc)
			return rc;
	}
	return 0;
}
