// SPDX-License-Identifier: MIT
#include "agent/cli/check_json.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "agent/capture/host.h"
#include "agent/cli/cli.h"

/* The problems as they come, for --json. */
struct problems {
	json_t *list;
	json_t *warnings;
	const char *file;
};

/* Where FILE ends in "FILE:LINE: ...", for a file of conf.d; 0: there is no line. */
static size_t find_file_end(const char *line)
{
	for (const char *colon = strchr(line, ':'); colon; colon = strchr(colon + 1, ':')) {
		size_t digits = strspn(colon + 1, "0123456789");

		if (digits && colon[1 + digits] == ':')
			return (size_t)(colon - line);
	}
	return 0;
}

/* "FILE:LINE: KEY: TEXT" in its parts; LINE and KEY may be missing. */
static json_t *parse_problem(const char *file, const char *line)
{
	size_t n = strncmp(line, file, strlen(file)) ? find_file_end(line) : strlen(file);
	const char *rest = line + n, *colon;
	json_t *o = json_pack("{s:s%, s:s}", "file", n ? line : file, n ? n : strlen(file),
			      "message", line);
	long number = 0;

	if (*rest == ':' && rest[1] >= '0' && rest[1] <= '9')
		number = strtol(rest + 1, (char **)(uintptr_t)&rest, 10);
	rest += !strncmp(rest, ": ", 2) ? 2 : 0;
	colon = strstr(rest, ": ");
	if (number)
		(void)json_object_set_new(o, "line", json_integer(number));
	if (colon && !memchr(rest, ' ', (size_t)(colon - rest))) {
		(void)json_object_set_new(o, "key", json_stringn(rest, (size_t)(colon - rest)));
		rest = colon + 2;
	}
	(void)json_object_set_new(o, "problem", json_string(rest));
	return o;
}

static void add_problem(void *arg, const char *line)
{
	struct problems *p = arg;

	(void)json_array_append_new(strstr(line, ": warning: ") ? p->warnings : p->list,
				    parse_problem(p->file, line));
}

/* What the host says of itself, line by line: {"kernel": ..., "privileges": ...}. */
static json_t *read_host(void)
{
	char *text = NULL, *save = NULL, *line;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);
	json_t *host = json_object();

	if (!out)
		return host;
	fffa_host_report(out);
	(void)fclose(out); /* in memory */
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *colon = strstr(line, ": ");

		if (!colon)
			continue;
		*colon = '\0';
		(void)json_object_set_new(host, line, json_string(colon + 2));
	}
	free(text);
	return host;
}

enum fffa_exit fffa_check_json_print(const char *given)
{
	struct problems p = {.list = json_array(),
			     .warnings = json_array(),
			     .file = fffa_cli_config_name(fffa_cli_config_path(given))};
	struct fffa_config conf;
	enum fffa_exit code = fffa_cli_become_user(given, "warning: ", add_problem, &p);
	json_t *root;

	if (code != FFFA_EXIT_CONFIG)
		code = fffa_cli_load_to_start(given, &conf, add_problem, &p);
	if (!code) {
		code = fffa_cli_check_host(given, &conf, add_problem, &p);
		if (code)
			fffa_config_free(&conf);
	}
	root = json_pack("{s:s, s:s, s:o, s:o}", "configuration", code ? "invalid" : "ok", "file",
			 p.file, "problems", p.list, "warnings", p.warnings);

	if (!code) {
		(void)json_object_set_new(root, "host", read_host());
		fffa_config_free(&conf);
	}
	if (!root || json_dumpf(root, stdout, JSON_INDENT(2)))
		code = FFFA_EXIT_FAILED;
	(void)putchar('\n');
	json_decref(root);
	return code;
}
