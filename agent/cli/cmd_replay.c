// SPDX-License-Identifier: MIT
/* fffa replay */
#include <stdlib.h>
#include <string.h>

#include "agent/cli/commands.h"
#include "agent/filter/filter.h"
#include "agent/service/limits.h"

#define LOCAL_MAX 64

struct args {
	const char *config;
	const char *format; /* these four: NULL when not given */
	const char *fields;
	const char *output;
	const char *filter;
	double speed;
	struct fffa_cidr local[LOCAL_MAX];
	size_t local_count;
};

static enum fffa_exit take_speed(const struct fffa_command *self, const char *text, void *arg)
{
	double *speed = arg;
	char *end;

	if (!strcmp(text, "max")) {
		*speed = 0;
		return FFFA_EXIT_OK;
	}
	*speed = strtod(text, &end);
	if (end == text || *end || !(*speed > 0 && *speed <= 1e6))
		return fffa_cli_usage(self, "--speed %s: must be max or a number above 0", text);
	return FFFA_EXIT_OK;
}

static enum fffa_exit take_local(const struct fffa_command *self, const char *text, void *arg)
{
	struct args *a = arg;
	struct fffa_err err;

	if (a->local_count == LOCAL_MAX)
		return fffa_cli_usage(self, "more than %d --local prefixes", LOCAL_MAX);
	if (fffa_cidr_parse(text, &a->local[a->local_count], &err))
		return fffa_cli_usage(self, "--local %s", err.text);
	a->local_count++;
	return FFFA_EXIT_OK;
}

/* Appends text as the inside of a double-quoted YAML scalar. */
static void put_quoted(FILE *f, const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '"' || c == '\\')
			(void)fprintf(f, "\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			(void)fprintf(f, "\\x%02x", c);
		else
			(void)fputc(c, f);
	}
}

/* Names with commas between: a list for the encodings with names, a format string for vpc. */
static void put_names(FILE *f, const char *names, bool list)
{
	const char *between = "";

	(void)fputs(list ? "[" : "\"", f);
	for (const char *at = names + strspn(names, ", "); *at; at += strspn(at, ", ")) {
		size_t n = strcspn(at, ", ");

		(void)fprintf(f, "%s%s", between, list ? "\"" : "${");
		put_quoted(f, at, n);
		(void)fputs(list ? "\"" : "}", f);
		between = list ? ", " : " ";
		at += n;
	}
	(void)fputs(list ? "]" : "\"", f);
}

static void put_fields(FILE *f, const struct args *a)
{
	const char *format = a->format ? a->format : "vpc", *fields = a->fields;
	bool list = strcmp(format, "vpc") != 0;

	if (!strcmp(fields, "all") || (!list && (!strcmp(fields, "default") ||
						 !strcmp(fields, "v5") || strstr(fields, "${")))) {
		(void)fputc('"', f);
		put_quoted(f, fields, strlen(fields));
		(void)fputc('"', f);
		return;
	}
	put_names(f, fields, list);
}

/* The sink of --format, --fields and --output, instead of those in conf. */
static enum fffa_exit take_sink(const struct args *a, struct fffa_config *conf)
{
	const char *output = a->output ? a->output : "-";
	struct fffa_config own, was;
	enum fffa_exit code = FFFA_EXIT_FAILED;
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return FFFA_EXIT_FAILED;
	(void)fputs("sinks: [{name: out, type: file, path: \"", f);
	put_quoted(f, output, strlen(output));
	(void)fputs("\", format: \"", f);
	put_quoted(f, a->format ? a->format : "vpc", strlen(a->format ? a->format : "vpc"));
	(void)fputc('"', f);
	if (a->fields) {
		(void)fputs(", fields: ", f);
		put_fields(f, a);
	}
	(void)fputs("}]\n", f);
	if (!fclose(f))
		code = fffa_cli_load_text("command line", text, &own, stderr);
	free(text);
	if (code)
		return code;
	was = *conf; /* exchanges the two lists of sinks */
	conf->sinks = own.sinks;
	conf->sink_count = own.sink_count;
	own.sinks = was.sinks;
	own.sink_count = was.sink_count;
	fffa_config_free(&own);
	return FFFA_EXIT_OK;
}

/* The filter of the command line, instead of capture.filter. */
static enum fffa_exit take_filter(const struct fffa_command *self, const char *text,
				  struct fffa_config *conf)
{
	struct fffa_filter *f;
	struct fffa_err err = {""};
	char *own;

	if (fffa_filter_new(text, &f, &err))
		return fffa_cli_usage(self, "--filter: %s", err.text);
	fffa_filter_free(f);
	own = strdup(text);
	if (!own)
		return FFFA_EXIT_FAILED;
	free(conf->capture.filter);
	conf->capture.filter = own;
	return FFFA_EXIT_OK;
}

enum fffa_exit fffa_cmd_replay(const struct fffa_command *self, int argc, char **argv)
{
	struct args a = {0};
	const struct fffa_cli_syntax syntax = {
		.options = {{.name = "config", .letter = 'c', .text = &a.config},
			    {.name = "format", .text = &a.format},
			    {.name = "fields", .text = &a.fields},
			    {.name = "output", .text = &a.output},
			    {.name = "filter", .text = &a.filter},
			    {.name = "speed", .take = take_speed, .arg = &a.speed},
			    {.name = "local", .take = take_local, .arg = &a}},
		.operand = "capture file",
		.many = true,
	};
	struct fffa_config conf;
	struct fffa_replay_conf r;
	enum fffa_exit code;
	int first = fffa_cli_parse(self, argc, argv, &syntax, &code);

	if (!first)
		return code;
	code = fffa_cli_load_file(a.config, &conf, stderr);
	if (code)
		return code;
	if (a.format || a.fields || a.output) {
		code = take_sink(&a, &conf);
		if (code) {
			fffa_config_free(&conf);
			return code;
		}
	}
	r = (struct fffa_replay_conf){.paths = (const char *const *)argv + first,
				      .path_count = (size_t)(argc - first),
				      .speed = a.speed,
				      .local = a.local,
				      .local_count = a.local_count};
	code = a.filter ? take_filter(self, a.filter, &conf) : FFFA_EXIT_OK;
	if (!code)
		code = fffa_limits_check(&conf, false) ? fffa_agent_replay(&conf, &r)
						       : FFFA_EXIT_FAILED;
	fffa_config_free(&conf);
	return code;
}
