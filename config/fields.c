// SPDX-License-Identifier: MIT
#include "config/fields.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/base/edit_distance.h"

#define KEY_MAX 64 /* what is longer is cut in a hint */

int fffa_fields_add(struct fffa_fields *f, const struct fffa_option *opts, void *base)
{
	for (; opts && opts->key; opts++) {
		if (f->n == FFFA_FIELDS_MAX)
			return -E2BIG;
		f->v[f->n++] = (struct fffa_field){.opt = opts, .at = (char *)base + opts->offset};
	}
	return 0;
}

struct fffa_field *fffa_fields_find(struct fffa_fields *f, const char *key)
{
	size_t i;

	for (i = 0; i < f->n; i++)
		if (!strcmp(f->v[i].opt->key, key))
			return &f->v[i];
	return NULL;
}

/* The rest of key below prefix, or NULL when it is not below. */
static const char *key_below(const char *key, const char *prefix)
{
	size_t n = strlen(prefix);

	if (!n)
		return key;
	return !strncmp(key, prefix, n) && key[n] == '.' ? key + n + 1 : NULL;
}

bool fffa_fields_is_group(const struct fffa_fields *f, const char *path)
{
	size_t i;

	for (i = 0; i < f->n; i++)
		if (key_below(f->v[i].opt->key, path))
			return true;
	return false;
}

struct guess {
	const char *key;
	char best[KEY_MAX];
	size_t best_distance;
	char all[400];
};

static void consider_word(struct guess *g, const char *word, size_t n)
{
	char name[KEY_MAX];
	size_t used = strlen(g->all), d;

	snprintf(name, sizeof(name), "%.*s", (int)n, word);
	snprintf(g->all + used, sizeof(g->all) - used, "%s%s", used ? ", " : "", name);
	d = fffa_edit_distance(g->key, strlen(g->key), name, strlen(name));
	if (d < g->best_distance && d < strlen(name)) {
		g->best_distance = d;
		memcpy(g->best, name, sizeof(name));
	}
}

/* Is this the first row whose key has this component right below prefix? */
static bool first_of_group(const struct fffa_fields *f, size_t i, const char *prefix)
{
	const char *rest = key_below(f->v[i].opt->key, prefix);
	size_t n = strcspn(rest, "."), k;

	for (k = 0; k < i; k++) {
		const char *other = key_below(f->v[k].opt->key, prefix);

		if (other && strcspn(other, ".") == n && !memcmp(other, rest, n))
			return false;
	}
	return true;
}

void fffa_fields_hint(const struct fffa_fields *f, const char *prefix, const char *extra,
		      const char *key, char *dst, size_t cap)
{
	struct guess g = {.key = key, .best_distance = strlen(key) > 3 ? 3 : 2};
	char with_file[KEY_MAX];
	size_t i;

	for (i = 0; i < f->n; i++) {
		const char *rest = key_below(f->v[i].opt->key, prefix);

		if (!rest || !first_of_group(f, i, prefix))
			continue;
		consider_word(&g, rest, strcspn(rest, "."));
		if (f->v[i].opt->type == FFFA_OT_SECRET && !strchr(rest, '.')) {
			snprintf(with_file, sizeof(with_file), "%s_file", rest);
			consider_word(&g, with_file, strlen(with_file));
		}
	}
	if (extra)
		consider_word(&g, extra, strlen(extra));
	if (*g.best)
		snprintf(dst, cap, "did you mean \"%s\"?", g.best);
	else
		snprintf(dst, cap, "allowed: %s", g.all);
}

static void clear_text(char **p)
{
	if (*p)
		explicit_bzero(*p, strlen(*p));
	free(*p);
	*p = NULL;
}

void fffa_fields_clear(const struct fffa_option *o, void *at)
{
	struct fffa_strings *s = at;
	struct fffa_pairs *m = at;
	size_t i;

	switch (o->type) {
	case FFFA_OT_STRING:
	case FFFA_OT_SECRET:
		clear_text(at);
		return;
	case FFFA_OT_STRINGS:
		for (i = 0; i < s->n; i++)
			free(s->v[i]);
		free(s->v);
		*s = (struct fffa_strings){NULL, 0};
		return;
	case FFFA_OT_MAP:
		for (i = 0; i < m->n; i++) {
			free(m->v[i].key);
			clear_text(&m->v[i].value);
		}
		free(m->v);
		*m = (struct fffa_pairs){NULL, 0};
		return;
	case FFFA_OT_INTS:
		((struct fffa_ints *)at)->n = 0;
		return;
	default:
		return;
	}
}

void fffa_fields_clear_all(const struct fffa_option *opts, void *base)
{
	for (; opts && opts->key; opts++)
		fffa_fields_clear(opts, (char *)base + opts->offset);
}
