// SPDX-License-Identifier: MIT
#include "config/print/schema.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "config/print/emit.h"
#include "config/rows.h"

#define ROWS_MAX 128
/* A variable of the environment stands for any value. */
#define VARIABLE "{\"type\": \"string\", \"pattern\": \"\\\\$\\\\{\"}"
#define TEXT	 "{\"type\": [\"string\", \"number\", \"boolean\"]}"

struct writer {
	FILE *out;
	const struct fffa_option *rows[ROWS_MAX];
	size_t n;
	const char *sink_type; /* NULL: not in a sink */
};

static void put_text(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', out);
		fputc(*text, out);
	}
	fputc('"', out);
}

static void put_words(FILE *out, const char *const *words)
{
	fputs("\"enum\": [", out);
	for (size_t i = 0; words[i]; i++) {
		fputs(i ? ", " : "", out);
		put_text(out, words[i]);
	}
}

/* on, off and auto: YAML may read the first two as truth values. */
static void put_enum(FILE *out, const char *const *words)
{
	bool switches = false;

	for (size_t i = 0; words[i]; i++)
		switches |= !strcmp(words[i], "on") || !strcmp(words[i], "off");
	fputc('{', out);
	put_words(out, words);
	fputs(switches ? ", \"yes\", \"no\", \"true\", \"false\", true, false]}" : "]}", out);
}

static void put_duration(FILE *out, const struct fffa_option *o)
{
	fputs("{\"anyOf\": [{\"type\": \"string\", \"pattern\": \"^[0-9]+(ms|s|m|h)$\"}, ", out);
	if (!o->min)
		fputs("{\"enum\": [0, \"0\"]}, ", out);
	if (o->words) {
		fputc('{', out);
		put_words(out, o->words);
		fputs("]}, ", out);
	}
	fputs(VARIABLE "]}", out);
}

static void put_strings(FILE *out, const struct fffa_option *o)
{
	bool word = o->flags & FFFA_OPTION_WORD;

	if (word)
		fprintf(out, "{\"anyOf\": [{\"enum\": [\"%s\"]}, ", o->words[0]);
	fputs("{\"type\": \"array\", \"items\": ", out);
	if (o->words) {
		fputs("{\"anyOf\": [{", out);
		put_words(out, o->words + word);
		fputs("]}, " VARIABLE "]}", out);
	} else {
		fputs(TEXT, out);
	}
	if (o->min)
		fprintf(out, ", \"minItems\": %" PRId64, o->min);
	if (o->max)
		fprintf(out, ", \"maxItems\": %" PRId64, o->max);
	fputs(word ? "}]}" : "}", out);
}

/* Names of maps, whose words ending in [] hold lists. */
static void put_nested(FILE *out, const struct fffa_option *o)
{
	fputs("{\"type\": \"object\", \"additionalProperties\": {\"type\": \"object\", "
	      "\"additionalProperties\": false, \"properties\": {",
	      out);
	for (size_t i = 0; o->words[i]; i++) {
		bool list = strchr(o->words[i], '[');

		fprintf(out, "%s\"%.*s\": ", i ? ", " : "", (int)strcspn(o->words[i], "["),
			o->words[i]);
		fputs(list ? "{\"type\": \"array\", \"items\": " TEXT "}" : TEXT, out);
	}
	fputs("}}}", out);
}

static void put_map(FILE *out, const struct fffa_option *o)
{
	fputs("{\"type\": \"object\", \"additionalProperties\": " TEXT, out);
	if (o->words) {
		fputs(", \"propertyNames\": {", out);
		put_words(out, o->words);
		fputs("]}", out);
	}
	fputc('}', out);
}

static void put_type(const struct writer *w, const struct fffa_option *o)
{
	FILE *out = w->out;

	switch (o->type) {
	case FFFA_OT_BOOL:
		fputs("{\"anyOf\": [{\"type\": \"boolean\"}, {\"enum\": [\"on\", \"off\", \"yes\", "
		      "\"no\", \"true\", \"false\"]}, " VARIABLE "]}",
		      out);
		return;
	case FFFA_OT_INT:
		fputs("{\"anyOf\": [{\"type\": \"integer\"", out);
		if (o->max)
			fprintf(out, ", \"minimum\": %" PRId64 ", \"maximum\": %" PRId64, o->min,
				o->max);
		fputs("}, " VARIABLE "]}", out);
		return;
	case FFFA_OT_DURATION:
		put_duration(out, o);
		return;
	case FFFA_OT_SIZE:
		fputs("{\"anyOf\": [{\"type\": \"integer\", \"minimum\": 0}, {\"type\": "
		      "\"string\", "
		      "\"pattern\": \"^[0-9]+(KiB|MiB|GiB)?$\"}, " VARIABLE "]}",
		      out);
		return;
	case FFFA_OT_STRING:
		if (o->flags & FFFA_OPTION_JOIN)
			fputs("{\"anyOf\": [" TEXT
			      ", {\"type\": \"array\", \"items\": {\"type\": \"string\"}}]}",
			      out);
		else
			fputs(TEXT, out);
		return;
	case FFFA_OT_SECRET:
		fputs(TEXT, out);
		return;
	case FFFA_OT_ENUM:
		fputs("{\"anyOf\": [", out);
		put_enum(out, o->words);
		fputs(", " VARIABLE "]}", out);
		return;
	case FFFA_OT_STRINGS:
		put_strings(out, o);
		return;
	case FFFA_OT_INTS:
		fprintf(out,
			"{\"type\": \"array\", \"items\": {\"anyOf\": [{\"type\": \"integer\", "
			"\"minimum\": %" PRId64 ", \"maximum\": %" PRId64 "}, " VARIABLE "]}}",
			o->min, o->max);
		return;
	case FFFA_OT_MAP:
		if (o->flags & FFFA_OPTION_NESTED)
			put_nested(out, o);
		else
			put_map(out, o);
		return;
	}
}

static void put_leaf(const struct writer *w, const struct fffa_option *o, const char *name,
		     int depth)
{
	char help[1024];

	fprintf(w->out, "%*s\"%s\": {\"description\": ", depth * 2, "", name);
	(void)snprintf(help, sizeof(help), "%s%s", o->help,
		       fffa_rows_need_restart(o) ? " A change needs a restart." : "");
	put_text(w->out, help);
	if (o->def && (o->type == FFFA_OT_STRING || o->type == FFFA_OT_ENUM)) {
		fputs(", \"default\": ", w->out);
		put_text(w->out, o->def);
	}
	fputs(", \"allOf\": [", w->out);
	if (w->sink_type && !strcmp(o->key, "type"))
		fprintf(w->out, "{\"const\": \"%s\"}", w->sink_type);
	else
		put_type(w, o);
	fputs("]}", w->out);
	if (o->type == FFFA_OT_SECRET)
		fprintf(w->out,
			",\n%*s\"%s_file\": {\"description\": \"Path of a file that holds %s.\", "
			"\"type\": \"string\"}",
			depth * 2, "", name, name);
}

/* Rows begin to end have the first skip bytes of their keys in common. */
static void put_level(const struct writer *w, size_t begin, size_t end, size_t skip, int depth)
{
	const char *comma = "";
	size_t i = begin;

	fprintf(w->out, "%*s\"type\": [\"object\", \"null\"], \"additionalProperties\": false,\n",
		depth * 2, "");
	fprintf(w->out, "%*s\"properties\": {\n", depth * 2, "");
	while (i < end) {
		const char *name = w->rows[i]->key + skip, *dot = strchr(name, '.');
		size_t next = i + 1, len = dot ? (size_t)(dot - name) + 1 : 0;

		fputs(comma, w->out);
		comma = ",\n";
		if (!dot) {
			put_leaf(w, w->rows[i], name, depth + 1);
		} else {
			while (next < end && !strncmp(w->rows[next]->key + skip, name, len))
				next++;
			fprintf(w->out, "%*s\"%.*s\": {\n", (depth + 1) * 2, "", (int)len - 1,
				name);
			put_level(w, i, next, skip + len, depth + 2);
			fprintf(w->out, "\n%*s}", (depth + 1) * 2, "");
		}
		i = next;
	}
	if (!depth)
		return; /* the list of sinks follows */
	fprintf(w->out, "\n%*s}", depth * 2, "");
}

static int add_rows(struct writer *w, const struct fffa_option *rows)
{
	for (; rows->key; rows++) {
		size_t at = w->n, len = strcspn(rows->key, ".") + 1;

		if (w->n == ROWS_MAX)
			return -E2BIG;
		/* Behind the rows of its section: a sink's own rows may add to a common one. */
		for (size_t i = 0; rows->key[len - 1] && i < w->n; i++) {
			if (!strncmp(w->rows[i]->key, rows->key, len))
				at = i + 1;
		}
		for (size_t i = w->n; i > at; i--)
			w->rows[i] = w->rows[i - 1];
		w->rows[at] = rows;
		w->n++;
	}
	return 0;
}

static int put_sinks(FILE *out, const struct fffa_sink_schema *schema)
{
	fprintf(out,
		",\n  \"sinks\": {\n    \"description\": \"Each sink gets every record.\",\n"
		"    \"type\": \"array\", \"maxItems\": %d,\n    \"items\": {\"oneOf\": [\n",
		FFFA_CONFIG_SINKS_MAX);
	for (bool first = true; schema->name; schema++, first = false) {
		struct writer w = {.out = out, .sink_type = schema->name};
		int rc = add_rows(&w, fffa_sink_common_rows);

		if (!rc)
			rc = add_rows(&w, schema->opts);
		if (rc)
			return rc;
		fprintf(out, "%s      {\n        \"required\": [\"name\", \"type\"],\n",
			first ? "" : ",\n");
		put_level(&w, 0, w.n, 0, 4);
		fputs("\n      }", out);
	}
	fputs("\n    ]}\n  }\n", out);
	return 0;
}

int fffa_schema_print(const struct fffa_sink_schema *schema, FILE *out)
{
	struct writer w = {.out = out};
	int rc = add_rows(&w, fffa_config_rows);

	if (rc)
		return rc;
	fputs("{\n\"$schema\": \"http://json-schema.org/draft-07/schema#\",\n"
	      "\"title\": \"Configuration of fffa\",\n",
	      out);
	put_level(&w, 0, w.n, 0, 0);
	rc = put_sinks(out, schema);
	fputs("}\n}\n", out);
	return rc ? rc : fffa_emit_end(out);
}
