// SPDX-License-Identifier: MIT
#include "config/set.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/io.h"
#include "config/expand.h"
#include "config/value.h"

#define MAP_KEY_BYTES_MAX 256
#define HINT_BYTES	  80
#define MASK		  "***" /* what fffa config prints instead of a secret */

struct fffa_target fffa_set_target(const struct fffa_scope *s, const struct fffa_field *f,
				   const char *path)
{
	struct fffa_target t = {.scope = s, .opt = f->opt, .at = f->at, .path = path};

	fffa_value_allowed(f->opt, t.allowed, sizeof(t.allowed));
	return t;
}

static int wrong_kind(const struct fffa_scope *s, const struct fffa_node *node, const char *path,
		      const char *allowed)
{
	if (node->kind != FFFA_NODE_BAD)
		fffa_report_problem(s->rep, node->line, path, "is %s; allowed: %s",
				    fffa_tree_kind_name(node), allowed);
	return -EINVAL;
}

static int expand_text(const struct fffa_scope *s, const struct fffa_node *node, const char *path,
		       bool verbatim, char **out)
{
	struct fffa_err err;
	int rc = fffa_expand(verbatim ? NULL : s->environment, node->text, out, &err);

	if (rc == -ENOMEM)
		return fffa_report_nomem(s->rep);
	if (rc)
		fffa_report_problem(s->rep, node->line, path, "%s", err.text);
	return rc;
}

int fffa_set_read_text(const struct fffa_scope *s, const struct fffa_node *node, const char *path,
		       const char *allowed, char **out)
{
	if (node->kind != FFFA_NODE_SCALAR || fffa_tree_is_null(node))
		return wrong_kind(s, node, path, allowed);
	return expand_text(s, node, path, false, out);
}

static int report_secret(const struct fffa_scope *s, unsigned int line, const char *path,
			 const char *name, int rc)
{
	struct fffa_printable shown = fffa_report_printable(name);

	if (rc == -ENOMEM)
		return fffa_report_nomem(s->rep);
	if (rc == -EFBIG)
		fffa_report_problem(s->rep, line, path, "%s is too large; at most 64KiB",
				    shown.text);
	else
		fffa_report_problem(s->rep, line, path, "cannot read %s: %s", shown.text,
				    fffa_io_strerror(rc));
	return rc;
}

int fffa_set_load_secret(const struct fffa_scope *s, unsigned int line, const char *path,
			 const char *name, char **out)
{
	char *text = NULL;
	size_t len;
	int rc = s->environment->read_file(s->environment->arg, name, FFFA_CONFIG_SECRET_BYTES_MAX,
					   &text, &len);

	if (rc)
		return report_secret(s, line, path, name, rc);
	fffa_tree_skip_bom(text, &len);
	if (len && text[len - 1] == '\n')
		text[--len] = '\0';
	if (len && text[len - 1] == '\r') /* an editor of Windows */
		text[--len] = '\0';
	if (len && strlen(text) == len) {
		*out = text;
		return 0;
	}
	fffa_report_problem(s->rep, line, path, "%s %s; allowed: text",
			    fffa_report_printable(name).text,
			    len ? "holds a NUL character" : "is empty");
	explicit_bzero(text, len);
	free(text);
	return -EINVAL;
}

int fffa_set_read_secret(const struct fffa_scope *s, const struct fffa_node *node, const char *path,
			 char **out)
{
	char *name = NULL;
	int rc = fffa_set_read_text(s, node, path, "the path of a file", &name);

	if (rc)
		return rc;
	rc = fffa_set_load_secret(s, node->line, path, name, out);
	free(name);
	return rc;
}

static int parse_number(const struct fffa_target *t, const struct fffa_option *o, unsigned int line,
			const char *path, const char *text, int64_t *out)
{
	int rc = fffa_value_parse(o, text, out);
	char hint[HINT_BYTES];

	fffa_value_hint(o->type == FFFA_OT_ENUM ? o->words : NULL, text, hint, sizeof(hint));
	if (rc == -EINVAL && o->type == FFFA_OT_ENUM)
		fffa_report_problem(t->scope->rep, line, path, "\"%s\" is unknown; %sallowed: %s",
				    fffa_report_printable(text).text, hint, t->allowed);
	else if (rc == -EINVAL)
		fffa_report_problem(
			t->scope->rep, line, path, "\"%s\" is not %s; allowed: %s",
			fffa_report_printable(text).text,
			fffa_value_type_name(o->type == FFFA_OT_INTS ? FFFA_OT_INT : o->type),
			t->allowed);
	else if (rc)
		fffa_report_problem(t->scope->rep, line, path, "%s is out of range; allowed: %s",
				    fffa_report_printable(text).text, t->allowed);
	return rc;
}

static int refuse_mask(const struct fffa_scope *s, unsigned int line, const char *path)
{
	fffa_report_problem(s->rep, line, path,
			    "is " MASK ", which fffa config prints instead of a secret; allowed: "
			    "the secret, ${NAME} from the environment, or a file");
	return -EINVAL;
}

int fffa_set_text(const struct fffa_target *t, unsigned int line, char *text)
{
	int64_t v;
	int rc;

	if (t->opt->type == FFFA_OT_SECRET && !strcmp(text, MASK))
		return refuse_mask(t->scope, line, t->path);
	if (!fffa_value_is_number(t->opt->type)) {
		fffa_fields_clear(t->opt, t->at);
		*(char **)t->at = text;
		return 0;
	}
	rc = parse_number(t, t->opt, line, t->path, text, &v);
	if (rc)
		return rc;
	fffa_value_store(t->opt, t->at, v);
	free(text);
	return 0;
}

static bool is_verbatim(const struct fffa_target *t)
{
	return t->scope->verbatim && (t->opt->flags & FFFA_OPTION_TEMPLATE);
}

static int set_scalar(const struct fffa_target *t, const struct fffa_node *node)
{
	char *text;
	int rc;

	if (node->kind != FFFA_NODE_SCALAR || fffa_tree_is_null(node))
		return wrong_kind(t->scope, node, t->path, t->allowed);
	rc = expand_text(t->scope, node, t->path, is_verbatim(t), &text);
	if (rc)
		return rc;
	rc = fffa_set_text(t, node->line, text);
	if (rc)
		free(text);
	return rc;
}

/* The text of list item i, never empty. */
static int item_text(const struct fffa_target *t, const struct fffa_node *item, size_t i,
		     char **out)
{
	struct fffa_path path = fffa_report_path_index(t->path, i);
	int rc;

	if (item->kind != FFFA_NODE_SCALAR || fffa_tree_is_null(item))
		return wrong_kind(t->scope, item, path.text, "text");
	rc = expand_text(t->scope, item, path.text, is_verbatim(t), out);
	if (rc)
		return rc;
	if (**out)
		return 0;
	fffa_report_problem(t->scope->rep, item->line, path.text, "is empty; allowed: text");
	free(*out);
	return -EINVAL;
}

static bool is_listed(const struct fffa_strings *s, const char *text)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		if (!strcmp(s->v[i], text))
			return true;
	return false;
}

/* Appends item i to s, which has the room. */
static int add_string(const struct fffa_target *t, const struct fffa_node *item, size_t i,
		      struct fffa_strings *s)
{
	const char *const *words = t->opt->words;
	struct fffa_path path = fffa_report_path_index(t->path, i);
	char *text = NULL;
	int rc = item_text(t, item, i, &text);

	if (rc)
		return rc;
	if (words && fffa_value_find_word(words, text) < 0)
		fffa_report_problem(t->scope->rep, item->line, path.text,
				    "\"%s\" is unknown; allowed: %s",
				    fffa_report_printable(text).text, t->allowed);
	else if (words && is_listed(s, text))
		fffa_report_problem(t->scope->rep, item->line, path.text,
				    "\"%s\" is listed twice; once is enough",
				    fffa_report_printable(text).text);
	else {
		s->v[s->n++] = text;
		return 0;
	}
	free(text);
	return -EINVAL;
}

/* Reads all items, so that each bad one is reported. On failure *s is empty. */
static int read_strings(const struct fffa_target *t, const struct fffa_node *list,
			const struct fffa_option *rows, struct fffa_strings *s)
{
	const struct fffa_node *item;
	size_t i = 0;
	int rc = 0, one;

	*s = (struct fffa_strings){NULL, 0};
	if (list->count) {
		s->v = calloc(list->count, sizeof(*s->v));
		if (!s->v)
			return fffa_report_nomem(t->scope->rep);
	}
	for (item = list->first; item && rc != -ENOMEM; item = item->next) {
		one = add_string(t, item, i++, s);
		rc = one ? one : rc;
	}
	if (rc)
		fffa_fields_clear(rows, s);
	return rc;
}

static const struct fffa_option plain_strings = {.type = FFFA_OT_STRINGS};

/* True for the word that stands in place of a list. */
static bool is_list_word(const struct fffa_option *o, const struct fffa_node *node)
{
	return o->flags & FFFA_OPTION_WORD && node->kind == FFFA_NODE_SCALAR &&
	       !strcmp(node->text, o->words[0]);
}

static int set_list_word(const struct fffa_target *t)
{
	struct fffa_strings s = {.v = calloc(1, sizeof(*s.v)), .n = 1};

	if (s.v)
		s.v[0] = strdup(t->opt->words[0]);
	if (!s.v || !s.v[0]) {
		free(s.v);
		return fffa_report_nomem(t->scope->rep);
	}
	fffa_fields_clear(t->opt, t->at);
	*(struct fffa_strings *)t->at = s;
	return 0;
}

static int set_strings(const struct fffa_target *t, const struct fffa_node *node)
{
	const struct fffa_option *o = t->opt;
	struct fffa_strings s;
	int rc;

	if (is_list_word(o, node))
		return set_list_word(t);
	if (node->kind != FFFA_NODE_LIST)
		return wrong_kind(t->scope, node, t->path, t->allowed);
	if (o->max && (node->count < (size_t)o->min || node->count > (size_t)o->max)) {
		fffa_report_problem(t->scope->rep, node->line, t->path,
				    "has %zu entries; allowed: %d to %d", node->count, (int)o->min,
				    (int)o->max);
		return -EINVAL;
	}
	rc = read_strings(t, node, &plain_strings, &s);
	if (rc)
		return rc;
	fffa_fields_clear(o, t->at);
	*(struct fffa_strings *)t->at = s;
	return 0;
}

/* A list where a STRING stands: its items with single spaces between. */
static int set_joined(const struct fffa_target *t, const struct fffa_node *node)
{
	struct fffa_strings s;
	size_t i, at = 0, len = 1;
	char *text;
	int rc = read_strings(t, node, &plain_strings, &s);

	if (rc)
		return rc;
	for (i = 0; i < s.n; i++)
		len += strlen(s.v[i]) + 1;
	text = calloc(1, len);
	if (!text) {
		rc = fffa_report_nomem(t->scope->rep);
		goto out;
	}
	for (i = 0; i < s.n; i++) {
		if (i)
			text[at++] = ' ';
		len = strlen(s.v[i]);
		memcpy(text + at, s.v[i], len);
		at += len;
	}
	rc = fffa_set_text(t, node->line, text);
	if (rc)
		free(text);
out:
	fffa_fields_clear(&plain_strings, &s);
	return rc;
}

static int add_int(const struct fffa_target *t, const struct fffa_node *item, size_t i,
		   struct fffa_ints *v)
{
	struct fffa_path path = fffa_report_path_index(t->path, i);
	int64_t value;
	char *text;
	size_t k;
	int rc = item_text(t, item, i, &text);

	if (rc)
		return rc;
	rc = parse_number(t, t->opt, item->line, path.text, text, &value);
	free(text);
	for (k = 0; !rc && k < v->n; k++) {
		if (v->v[k] != value)
			continue;
		fffa_report_problem(t->scope->rep, item->line, path.text,
				    "%lld is listed twice; once is enough", (long long)value);
		rc = -EINVAL;
	}
	if (!rc)
		v->v[v->n++] = value;
	return rc;
}

static int set_ints(const struct fffa_target *t, const struct fffa_node *node)
{
	struct fffa_ints v = {.n = 0};
	const size_t most = sizeof(v.v) / sizeof(v.v[0]);
	const struct fffa_node *item;
	size_t i = 0;
	int rc = 0, one;

	if (node->kind != FFFA_NODE_LIST)
		return wrong_kind(t->scope, node, t->path, t->allowed);
	if (node->count > most) {
		fffa_report_problem(t->scope->rep, node->line, t->path,
				    "has %zu entries; allowed: at most %zu", node->count, most);
		return -EINVAL;
	}
	for (item = node->first; item && rc != -ENOMEM; item = item->next) {
		one = add_int(t, item, i++, &v);
		rc = one ? one : rc;
	}
	if (!rc)
		*(struct fffa_ints *)t->at = v;
	return rc;
}

static int check_map_key(const struct fffa_target *t, const struct fffa_node *key,
			 const struct fffa_pairs *m, const char *name, const char *path)
{
	struct fffa_report *rep = t->scope->rep;
	size_t i;

	if (t->opt->words && fffa_value_find_word(t->opt->words, name) < 0) {
		char hint[HINT_BYTES];

		fffa_value_hint(t->opt->words, name, hint, sizeof(hint));
		fffa_report_problem(rep, key->line, path, "unknown key; %sallowed: %s", hint,
				    t->allowed);
		return -EINVAL;
	}
	for (i = 0; i < m->n; i++) {
		if (strcmp(m->v[i].key, name))
			continue;
		fffa_report_problem(rep, key->line, path, "is given twice; once is allowed");
		return -EINVAL;
	}
	return 0;
}

/* The map may hold secrets, and key is "NAME_file": returns the length of NAME. Else 0. */
static size_t secret_name(const struct fffa_target *t, const char *key)
{
	static const char tail[] = "_file";
	size_t n = strlen(key), m = sizeof(tail) - 1;

	if (!(t->opt->flags & FFFA_OPTION_SECRETS) || n <= m || strcmp(key + n - m, tail) != 0)
		return 0;
	return n - m;
}

/* Appends one pair to m, which has the room. */
static int add_pair(const struct fffa_target *t, const struct fffa_node *key, struct fffa_pairs *m)
{
	struct fffa_path path = fffa_report_path_join(t->path, key->text);
	struct fffa_pair *pair = &m->v[m->n];
	char name[MAP_KEY_BYTES_MAX + 1];
	size_t secret;
	int rc;

	if (key->kind != FFFA_NODE_SCALAR || !*key->text || strlen(key->text) > MAP_KEY_BYTES_MAX)
		return wrong_kind(t->scope, key, t->path, "keys of 1 to 256 bytes of text");
	secret = secret_name(t, key->text);
	(void)snprintf(name, sizeof(name), "%.*s", secret ? (int)secret : (int)sizeof(name),
		       key->text);
	rc = check_map_key(t, key, m, name, path.text);
	if (!rc && secret)
		rc = fffa_set_read_secret(t->scope, key->next, path.text, &pair->value);
	else if (!rc)
		rc = fffa_set_read_text(t->scope, key->next, path.text, "text", &pair->value);
	if (rc)
		return rc;
	if (!strcmp(pair->value, MASK)) {
		free(pair->value);
		pair->value = NULL;
		return refuse_mask(t->scope, key->next->line, path.text);
	}
	pair->key = strdup(name);
	/* Counted also without its key: the clearing of the map frees the value. */
	m->n++;
	return pair->key ? 0 : fffa_report_nomem(t->scope->rep);
}

/* The word for key in an inner map, also one that ends in []; NULL: none. */
static const char *nested_word(const char *const *words, const char *key)
{
	size_t n = strlen(key);

	for (; *words; words++)
		if (!strncmp(*words, key, n) && (!(*words)[n] || !strcmp(*words + n, "[]")))
			return *words;
	return NULL;
}

/* Appends key of the inner map `name` to m, which has the room. */
static int add_nested_pair(const struct fffa_target *outer, const char *name,
			   const struct fffa_node *key, struct fffa_pairs *m)
{
	struct fffa_path inner = fffa_report_path_join(outer->path, name), path;
	const char *word = nested_word(outer->opt->words, key->text);
	struct fffa_pair *pair = &m->v[m->n];
	struct fffa_target t = *outer;
	static const struct fffa_option plain_text = {.type = FFFA_OT_STRING};
	int rc;

	path = fffa_report_path_join(inner.text, key->text);
	t.path = path.text;
	t.opt = &plain_text;
	t.at = &pair->value;
	if (key->kind != FFFA_NODE_SCALAR || !word) {
		fffa_report_problem(t.scope->rep, key->line, path.text, "unknown key; allowed: %s",
				    t.allowed);
		return -EINVAL;
	}
	if (asprintf(&pair->key, "%s.%s", name, word) < 0) {
		pair->key = NULL;
		return fffa_report_nomem(t.scope->rep);
	}
	m->n++;
	for (size_t i = 0; i + 1 < m->n; i++) {
		if (strcmp(m->v[i].key, pair->key))
			continue;
		fffa_report_problem(t.scope->rep, key->line, path.text,
				    "is given twice; once is allowed");
		return -EINVAL;
	}
	if (strchr(word, '[') && key->next->kind != FFFA_NODE_LIST)
		return wrong_kind(t.scope, key->next, path.text, "a list of text");
	rc = strchr(word, '[')
		     ? set_joined(&t, key->next)
		     : fffa_set_read_text(t.scope, key->next, path.text, "text", &pair->value);
	return rc;
}

static int add_nested(const struct fffa_target *t, const struct fffa_node *key,
		      struct fffa_pairs *m)
{
	struct fffa_path path = fffa_report_path_join(t->path, key->text);
	int rc = 0, one;

	if (key->kind != FFFA_NODE_SCALAR || !*key->text || strlen(key->text) > MAP_KEY_BYTES_MAX)
		return wrong_kind(t->scope, key, t->path, "keys of 1 to 256 bytes of text");
	if (key->next->kind != FFFA_NODE_MAP)
		return wrong_kind(t->scope, key->next, path.text, t->allowed);
	for (const struct fffa_node *k = key->next->first; k && rc != -ENOMEM; k = k->next->next) {
		one = add_nested_pair(t, key->text, k, m);
		rc = one ? one : rc;
	}
	return rc;
}

/* How many pairs a map needs at most. */
static size_t pairs_of(const struct fffa_option *o, const struct fffa_node *node)
{
	size_t n = node->count / 2;

	if (!(o->flags & FFFA_OPTION_NESTED))
		return n;
	for (const struct fffa_node *key = node->first; key; key = key->next->next)
		n += key->next->count / 2;
	return n;
}

static int set_map(const struct fffa_target *t, const struct fffa_node *node)
{
	int (*add)(const struct fffa_target *t, const struct fffa_node *key, struct fffa_pairs *m) =
		t->opt->flags & FFFA_OPTION_NESTED ? add_nested : add_pair;
	struct fffa_pairs m = {NULL, 0};
	const struct fffa_node *key;
	int rc = 0, one;

	if (node->kind != FFFA_NODE_MAP)
		return wrong_kind(t->scope, node, t->path, t->allowed);
	if (node->count) {
		m.v = calloc(pairs_of(t->opt, node), sizeof(*m.v));
		if (!m.v)
			return fffa_report_nomem(t->scope->rep);
	}
	for (key = node->first; key && rc != -ENOMEM; key = key->next->next) {
		one = add(t, key, &m);
		rc = one ? one : rc;
	}
	if (rc) {
		fffa_fields_clear(t->opt, &m);
		return rc;
	}
	fffa_fields_clear(t->opt, t->at);
	*(struct fffa_pairs *)t->at = m;
	return 0;
}

int fffa_set_node(const struct fffa_target *t, const struct fffa_node *node)
{
	if (node->kind == FFFA_NODE_BAD)
		return -EINVAL;
	switch (t->opt->type) {
	case FFFA_OT_STRINGS:
		return set_strings(t, node);
	case FFFA_OT_INTS:
		return set_ints(t, node);
	case FFFA_OT_MAP:
		return set_map(t, node);
	default:
		if ((t->opt->flags & FFFA_OPTION_JOIN) && node->kind == FFFA_NODE_LIST)
			return set_joined(t, node);
		return set_scalar(t, node);
	}
}
