// SPDX-License-Identifier: MIT
/*
 * Every option with its type, default, bounds and words, as operators know them. options.tsv is the
 * second place: a change of a row that nobody meant does not pass.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/daemon/registry.h"
#include "config/rows.h"
#include "tests/stubs/cmocka_all.h"
#include "tests/stubs/files.h"

static const char *const types[] = {
	[FFFA_OT_BOOL] = "bool",     [FFFA_OT_INT] = "int",	  [FFFA_OT_DURATION] = "duration",
	[FFFA_OT_SIZE] = "size",     [FFFA_OT_STRING] = "string", [FFFA_OT_ENUM] = "enum",
	[FFFA_OT_STRINGS] = "texts", [FFFA_OT_INTS] = "ints",	  [FFFA_OT_SECRET] = "secret",
	[FFFA_OT_MAP] = "map",
};

/* Writes section, key, type, default, min, max, flags and words, with tabs between them. */
static void put_row(FILE *out, const char *section, const struct fffa_option *o)
{
	fprintf(out, "%s\t%s\t%s\t%s\t%" PRId64 "\t%" PRId64 "\t%x\t", section, o->key,
		types[o->type], o->def ? o->def : "-", o->min, o->max, o->flags);
	for (size_t i = 0; o->words && o->words[i]; i++)
		fprintf(out, "%s%s", i ? " " : "", o->words[i]);
	fputc('\n', out);
}

static void check_help(const struct fffa_option *o)
{
	size_t n = strlen(o->help);

	if (n < 10 || !strchr(".)", o->help[n - 1]))
		fail_msg("%s: \"%s\" is no sentence", o->key, o->help);
	for (size_t i = 0; i < n; i++)
		if (o->help[i] < ' ' || o->help[i] > '~' ||
		    (o->help[i] == ' ' && o->help[i + 1] == ' '))
			fail_msg("%s: \"%s\" has something else than words", o->key, o->help);
}

static void put_rows(FILE *out, const char *section, const struct fffa_option *rows)
{
	for (; rows->key; rows++) {
		put_row(out, section, rows);
		check_help(rows);
	}
}

/* All rows, in their order; the caller frees them. */
static char *all_rows(void)
{
	struct fffa_sink_schema schema[FFFA_REGISTRY_ROWS];
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	fffa_registry_schema(schema);
	put_rows(out, "-", fffa_config_rows);
	put_rows(out, "sink", fffa_sink_common_rows);
	for (size_t i = 0; schema[i].name; i++)
		put_rows(out, schema[i].name, schema[i].opts);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void options_are_what_operators_know(void **state)
{
	char *want = files_read(OPTIONS_TSV, NULL), *got = all_rows();
	if (getenv("X"))
		fputs(got, stdout);
	const char *w = want, *g = got;

	(void)state;
	while (*w && *g) {
		int nw = (int)strcspn(w, "\n"), ng = (int)strcspn(g, "\n");

		if (nw != ng || memcmp(w, g, (size_t)nw) != 0)
			fail_msg("an option is\n%.*s\nbut the table has\n%.*s", ng, g, nw, w);
		w += nw + 1;
		g += ng + 1;
	}
	assert_string_equal(w, g); /* both are at their ends */
	free(want);
	free(got);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(options_are_what_operators_know)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
