// SPDX-License-Identifier: MIT
#include "config/print/emit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "config/yaml/utf8.h"
#include "config/read.h"
#include "config/rows.h"
#include "config/value.h"

#define MASK "\"***\""

/* Words that some YAML reader takes for something else than text. */
static bool needs_quotes(const char *text)
{
	static const char *const special[] = {"null", "true", "false", "yes", "no",
					      "on",   "off",  "y",     "n",   NULL};
	size_t i;

	if (!strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz/"))
		return true;
	if (text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
			      "0123456789_./-")])
		return true;
	for (i = 0; special[i]; i++)
		if (!strcasecmp(special[i], text))
			return true;
	return false;
}

static void emit_char(FILE *out, uint32_t c, const char *bytes, size_t n)
{
	if (c == '"' || c == '\\')
		fprintf(out, "\\%c", (int)c);
	else if (c == '\n')
		fputs("\\n", out);
	else if (c == '\t')
		fputs("\\t", out);
	else if (c < 0x20 || (c >= 0x7f && c < 0xa0))
		fprintf(out, "\\x%02x", (unsigned int)c);
	else if (c == 0x2028 || c == 0x2029 || c == 0xfeff || c == 0xfffe || c == 0xffff)
		fprintf(out, "\\u%04x", (unsigned int)c);
	else
		fwrite(bytes, 1, n, out);
}

/* expands: the reader will replace variables in it, so "${" is written "$${". */
static void emit_text(FILE *out, const char *text, bool expands)
{
	const char *p = text, *at;

	if (!needs_quotes(text)) {
		fputs(text, out);
		return;
	}
	fputc('"', out);
	while (*p) {
		uint32_t c;

		if (expands && !strncmp(p, "${", 2))
			fputc('$', out);
		at = p;
		c = fffa_utf8_next(&p);
		if (!c)
			break;
		emit_char(out, c, at, (size_t)(p - at));
	}
	fputc('"', out);
}

/* Free-form maps hold secrets too: properties of a Kafka client, headers of a request. */
static bool names_secret(const char *key)
{
	static const char *const components[] = {
		"password",    "passwd",  "secret",    "token",	     "authorization",
		"api-key",     "api_key", "apikey",    "credential", "cookie",
		"oauthbearer", "pem",	  "sasl.jaas", NULL};
	size_t i;

	for (i = 0; components[i]; i++)
		if (strcasestr(key, components[i]))
			return true;
	return false;
}

/* Headers that hold no secret in any product. */
static bool names_harmless(const char *key)
{
	static const char *const names[] = {"accept", "accept-language", "cache-control", "host",
					    "origin", "user-agent",	 "x-scope-orgid"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!strcasecmp(names[i], key))
			return true;
	}
	return false;
}

static bool is_masked(const struct fffa_option *o, const struct fffa_pair *p)
{
	if (!*p->value)
		return false;
	if (o->flags & FFFA_OPTION_PRIVATE)
		return !names_harmless(p->key);
	return names_secret(p->key);
}

/* The query of a URL may hold a token. */
static void emit_url(FILE *out, const char *text)
{
	char shown[4096];
	size_t n = strcspn(text, "?");

	if (!text[n] || n + sizeof("?***") > sizeof(shown)) {
		emit_text(out, text, true);
		return;
	}
	(void)snprintf(shown, sizeof(shown), "%.*s?***", (int)n, text);
	emit_text(out, shown, true);
}

/* Writes "a b" as [a, b]. */
static void emit_joined(FILE *out, const char *text)
{
	char item[256];

	fputc('[', out);
	for (const char *p = text; *p;) {
		size_t n = strcspn(p, " ");

		(void)snprintf(item, sizeof(item), "%.*s", (int)n, p);
		fputs(p == text ? "" : ", ", out);
		emit_text(out, item, true);
		p += n + (p[n] == ' ');
	}
	fputc(']', out);
}

/* The pairs of a name stand together. */
static void emit_nested(FILE *out, const struct fffa_pairs *m)
{
	size_t open = 0; /* length of the name whose map is open */

	fputc('{', out);
	for (size_t i = 0; i < m->n; i++) {
		const char *key = m->v[i].key, *word = strrchr(key, '.') + 1;
		size_t n = (size_t)(word - key) - 1;
		char name[300];

		if (open == n && !strncmp(m->v[i - 1].key, key, n + 1)) {
			fputs(", ", out);
		} else {
			(void)snprintf(name, sizeof(name), "%.*s", (int)n, key);
			fputs(open ? "}, " : "", out);
			emit_text(out, name, false);
			fputs(": {", out);
			open = n;
		}
		fprintf(out, "%.*s: ", (int)strcspn(word, "["), word);
		if (strchr(word, '['))
			emit_joined(out, m->v[i].value);
		else
			emit_text(out, m->v[i].value, true);
	}
	fputs(open ? "}}" : "}", out);
}

static void emit_map(FILE *out, const struct fffa_option *o, const struct fffa_pairs *m)
{
	size_t i;

	if (o->flags & FFFA_OPTION_NESTED) {
		emit_nested(out, m);
		return;
	}

	fputc('{', out);
	for (i = 0; i < m->n; i++) {
		fputs(i ? ", " : "", out);
		emit_text(out, m->v[i].key, false);
		fputs(": ", out);
		if (is_masked(o, &m->v[i]))
			fputs(MASK, out);
		else
			emit_text(out, m->v[i].value, true);
	}
	fputc('}', out);
}

/* The default as its row writes it (60s), any other value in the largest unit (1m). */
static void emit_number(FILE *out, const struct fffa_option *o, int64_t v)
{
	char text[64];
	int64_t def;

	if (o->def && !fffa_value_parse(o, o->def, &def) && def == v)
		snprintf(text, sizeof(text), "%s", o->def);
	else
		fffa_value_format(o, v, text, sizeof(text));
	/* "on" and "off" would be truth values to other readers of YAML; a bool is one. */
	if (o->type == FFFA_OT_ENUM)
		emit_text(out, text, false);
	else
		fputs(text, out);
}

static void emit_strings(FILE *out, const struct fffa_option *o, const struct fffa_strings *s)
{
	if (o->flags & FFFA_OPTION_WORD && s->n == 1 && !strcmp(s->v[0], o->words[0])) {
		emit_text(out, s->v[0], false);
		return;
	}
	fputc('[', out);
	for (size_t i = 0; i < s->n; i++) {
		fputs(i ? ", " : "", out);
		emit_text(out, s->v[i], true);
	}
	fputc(']', out);
}

static void emit_value(const struct fffa_emit *e, const struct fffa_option *o, const void *at)
{
	const struct fffa_ints *v = at;
	const char *text;
	size_t i;

	switch (o->type) {
	case FFFA_OT_STRINGS:
		emit_strings(e->out, o, at);
		return;
	case FFFA_OT_INTS:
		fputc('[', e->out);
		for (i = 0; i < v->n; i++)
			fprintf(e->out, "%s%lld", i ? ", " : "", (long long)v->v[i]);
		fputc(']', e->out);
		return;
	case FFFA_OT_MAP:
		emit_map(e->out, o, at);
		return;
	case FFFA_OT_STRING:
	case FFFA_OT_SECRET:
		text = *(char *const *)at;
		if (o->type == FFFA_OT_SECRET && *text)
			fputs(MASK, e->out);
		else if (o->flags & FFFA_OPTION_URL)
			emit_url(e->out, text);
		else
			emit_text(e->out, text,
				  !(e->verbatim && (o->flags & FFFA_OPTION_TEMPLATE)));
		return;
	default:
		emit_number(e->out, o, fffa_value_load(o, at));
	}
}

static bool is_text(const struct fffa_option *o)
{
	return o->type == FFFA_OT_STRING || o->type == FFFA_OT_SECRET;
}

static bool is_unset(const struct fffa_field *f)
{
	return is_text(f->opt) && !*(char *const *)f->at;
}

/* Begins a line at column e->indent + depth * 2. */
static void begin_line(struct fffa_emit *e, int depth, bool key)
{
	int column = e->indent + depth * 2 - (e->item ? 2 : 0);

	fprintf(e->out, "%s%*s%s", e->lead, column, "", key && e->item ? "- " : "");
	if (key)
		e->item = false;
}

static void emit_comment(struct fffa_emit *e, const struct fffa_option *o, int depth)
{
	char allowed[512];

	begin_line(e, depth, false);
	fprintf(e->out, "# %s\n", o->help);
	fffa_value_allowed(o, allowed, sizeof(allowed));
	begin_line(e, depth, false);
	fprintf(e->out, "# %s; default ", allowed);
	if (!o->def && is_text(o))
		fputs("none", e->out);
	else if (is_text(o))
		emit_text(e->out, o->def, true);
	else
		fputs(o->def ? o->def : "empty", e->out);
	fputs(fffa_rows_need_restart(o) ? "; a change needs a restart\n" : "\n", e->out);
	if (o->flags & FFFA_OPTION_SECRETS) {
		begin_line(e, depth, false);
		fputs("# NAME_file in it: the path of a file that holds the value of NAME\n",
		      e->out);
	}
	if (o->type != FFFA_OT_SECRET)
		return;
	begin_line(e, depth, false);
	fprintf(e->out, "# %s_file instead: the path of a file that holds it\n",
		strrchr(o->key, '.') ? strrchr(o->key, '.') + 1 : o->key);
}

/* Sections of the file stand apart. */
static void emit_gap(const struct fffa_emit *e, int depth)
{
	if (e->comments && !depth && !e->indent)
		fprintf(e->out, "%s\n", e->lead);
}

static void emit_leaf(struct fffa_emit *e, const struct fffa_field *f, const char *name, int depth)
{
	bool unset = is_unset(f);

	if (unset && !e->comments)
		return;
	emit_gap(e, depth);
	if (e->comments)
		emit_comment(e, f->opt, depth);
	begin_line(e, depth, !unset);
	if (unset) {
		fprintf(e->out, "# %s:\n", name);
		return;
	}
	fprintf(e->out, "%s: ", name);
	emit_value(e, f->opt, f->at);
	fputc('\n', e->out);
}

/* The rest of the key behind the first n bytes of path, or NULL when the key is not below it. */
static const char *key_below(const char *key, const char *path, size_t n)
{
	if (!n)
		return key;
	return !strncmp(key, path, n) && key[n] == '.' ? key + n + 1 : NULL;
}

/* Is there a field in the group that will be written, and is field i the first of the group? */
static bool opens_group(const struct fffa_emit *e, const struct fffa_fields *f, size_t i, size_t n)
{
	const char *path = f->v[i].opt->key;
	bool any = false;
	size_t k;

	for (k = 0; k < f->n; k++) {
		if (!key_below(f->v[k].opt->key, path, n))
			continue;
		if (k < i)
			return false;
		any = any || e->comments || !is_unset(&f->v[k]);
	}
	return any;
}

/* The fields below the first n bytes of path. */
static void emit_level(struct fffa_emit *e, const struct fffa_fields *f, const char *path, size_t n,
		       int depth)
{
	size_t i;

	for (i = 0; i < f->n; i++) {
		const char *key = f->v[i].opt->key, *rest = key_below(key, path, n), *dot;

		if (!rest)
			continue;
		dot = strchr(rest, '.');
		if (!dot) {
			emit_leaf(e, &f->v[i], rest, depth);
			continue;
		}
		if (!opens_group(e, f, i, (size_t)(dot - key)))
			continue;
		emit_gap(e, depth);
		begin_line(e, depth, true);
		fprintf(e->out, "%.*s:\n", (int)(dot - rest), rest);
		emit_level(e, f, key, (size_t)(dot - key), depth + 1);
	}
}

void fffa_emit_fields(struct fffa_emit *e, const struct fffa_fields *f)
{
	emit_level(e, f, "", 0, 0);
}

void fffa_emit_sink(struct fffa_emit *e, const struct fffa_sink_conf *conf)
{
	struct fffa_sink_conf place = *conf;
	struct fffa_fields f = {.n = 0};
	struct fffa_emit sub = *e;

	/* Read only; bound through a copy because fields are writable. What does not fit could not
	 * be loaded. */
	if (fffa_read_sink_fields(&place, &f))
		return;
	sub.indent += 4;
	sub.item = true;
	sub.verbatim = place.common.format && !strcmp(place.common.format, "vpc");
	fffa_emit_fields(&sub, &f);
}

int fffa_emit_end(FILE *out)
{
	if (fflush(out) || ferror(out))
		return -EIO;
	return 0;
}
