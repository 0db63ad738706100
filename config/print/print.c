// SPDX-License-Identifier: MIT
#include "config/print/print.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config/print/emit.h"
#include "config/read.h"
#include "config/rows.h"

static const char preamble[] =
	"# SPDX-License-Identifier: MIT\n"
	"# FFFA: every key at its default. Written by `fffa config --defaults`; do not edit by "
	"hand.\n"
	"#\n"
	"# Durations: 500ms 10s 5m 1h. Sizes: plain bytes, 64KiB 10MiB 1GiB.\n"
	"# ${NAME} and ${NAME:-default} in a value are taken from the environment; $${ is a "
	"literal ${.\n"
	"# Unknown and duplicate keys are errors.\n"
	"# HUP reopens files and reads this file again. It takes over every key but those marked\n"
	"# \"a change needs a restart\", which the log names.\n";

static const char examples[] =
	"#\n"
	"# The other kinds of sinks. They take the keys above up to retry, and these.\n"
	"# Remove the first # of each line to use one.\n";

static void print_sections(struct fffa_emit *e, const struct fffa_config *c)
{
	/* Fields are bound to a copy because they are writable; its contents stay c's. */
	struct fffa_config copy = *c;
	struct fffa_fields f = {.n = 0};

	if (!fffa_fields_add(&f, fffa_config_rows, &copy))
		fffa_emit_fields(e, &f);
}

int fffa_print_config(const struct fffa_config *c, const struct fffa_sink_schema *schema, FILE *out)
{
	struct fffa_emit e = {.out = out, .lead = ""};
	size_t i;

	(void)schema; /* each sink keeps its rows */
	print_sections(&e, c);
	fputs("sinks:\n", out);
	for (i = 0; i < c->sink_count; i++)
		fffa_emit_sink(&e, &c->sinks[i]);
	return fffa_emit_end(out);
}

/* A sink of the type with its own keys at their defaults, all of it commented out. */
static int print_example(const struct fffa_sink_schema *type, FILE *out)
{
	struct fffa_report rep = {.file = type->name};
	struct fffa_fields f = {.n = 0};
	struct fffa_scope s = {.rep = &rep, .path = "", .fields = &f};
	struct fffa_emit e = {.out = out, .comments = true, .lead = "#", .indent = 4};
	void *own = calloc(1, type->conf_size ? type->conf_size : 1);
	int rc;

	if (!own)
		return -ENOMEM;
	rc = fffa_fields_add(&f, type->opts, own);
	if (!rc)
		rc = fffa_read_defaults(&s);
	if (!rc) {
		fprintf(out, "#  - name: %s\n#    type: %s\n", type->name, type->name);
		fffa_emit_fields(&e, &f);
	}
	fffa_fields_clear_all(type->opts, own);
	free(own);
	return rc;
}

static int print_examples(const struct fffa_config *c, const struct fffa_sink_schema *schema,
			  FILE *out)
{
	bool first = true;
	int rc = 0;

	for (; schema && schema->name && !rc; schema++) {
		if (!strcmp(schema->name, c->sinks[0].common.type))
			continue;
		fputs(first ? examples : "#\n", out);
		first = false;
		rc = print_example(schema, out);
	}
	return rc;
}

int fffa_print_defaults(const struct fffa_sink_schema *schema, FILE *out)
{
	struct fffa_emit e = {.out = out, .comments = true, .lead = ""};
	struct fffa_config c;
	int rc = fffa_config_load(NULL, schema, &c, NULL, NULL);

	if (rc)
		return rc;
	fputs(preamble, out);
	print_sections(&e, &c);
	fputs("\n# 1 to 16 sinks. Each gets every record.\nsinks:\n", out);
	fffa_emit_sink(&e, &c.sinks[0]);
	rc = print_examples(&c, schema, out);
	fffa_config_free(&c);
	return rc ? rc : fffa_emit_end(out);
}
