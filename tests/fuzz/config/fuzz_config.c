/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as a configuration file, without variables and without other files. A configuration
 * that loads must print, and the printed text must load and print the same.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/print/print.h"
#include "config/config.h"
#include "config/yaml/tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct demo {
	bool flag;
	int64_t count;
	int64_t wait_ns;
	int64_t room_bytes;
	char *path;
	int mode;
	struct fffa_strings hosts;
	struct fffa_ints ports;
	char *password;
	struct fffa_pairs properties;
};

static const char *const modes[] = {"slow", "fast", NULL};

#define D struct demo

static const struct fffa_option rows[] = {
	FFFA_OPT_BOOL("flag", D, flag, "false", 0, "A flag."),
	FFFA_OPT_INT("count", D, count, "1", -10, 10, 0, "A number."),
	FFFA_OPT_DURATION("wait", D, wait_ns, "1s", 0, 0, 0, "A wait."),
	FFFA_OPT_SIZE("room", D, room_bytes, "1KiB", 0, 0, 0, "A size."),
	FFFA_OPT_STRING("path", D, path, "-", 0, "A place."),
	FFFA_OPT_ENUM("tls.mode", D, mode, "slow", modes, 0, "A word."),
	FFFA_OPT_STRINGS("hosts", D, hosts, "[]", 0, 0, NULL, 0, "Names."),
	FFFA_OPT_INTS("ports", D, ports, "[]", 0, 0, 0, "Numbers."),
	FFFA_OPT_SECRET("tls.password", D, password, 0, "A secret."),
	FFFA_OPT_MAP("properties", D, properties, "{}", NULL, 0, "Anything."),
	FFFA_OPT_END,
};

static const struct fffa_sink_schema schema[] = {
	{.name = "file", .conf_size = sizeof(D), .opts = rows},
	{.name = NULL},
};

static const char *env(void *arg, const char *name)
{
	(void)arg;
	return strlen(name) % 2 ? "${value}" : NULL;
}

static int refuse(void *arg, const char *path, size_t cap, char **text, size_t *len)
{
	(void)arg;
	(void)path;
	(void)cap;
	(void)text;
	(void)len;
	return -EACCES;
}

static const struct fffa_config_environment environment = {.env = env, .read_file = refuse};

/* A problem is one line of text. */
static void check_line(void *arg, const char *line)
{
	(void)arg;
	if (!*line || strchr(line, '\n'))
		abort();
}

static int load_text(const char *text, size_t len, struct fffa_config *c)
{
	return fffa_config_load_in(&environment, "f", text, len, schema, c, check_line, NULL);
}

static char *print(const struct fffa_config *c, size_t *len)
{
	char *text = NULL;
	FILE *f = open_memstream(&text, len);

	if (!f || fffa_print_config(c, schema, f))
		abort();
	fclose(f);
	return text;
}

/* A large list of long text may print to more than a file may hold. */
static void check_round_trip(const struct fffa_config *c)
{
	struct fffa_config again;
	char *first, *second;
	size_t len, len2;

	first = print(c, &len);
	if (len <= FFFA_TREE_FILE_BYTES_MAX) {
		if (load_text(first, len, &again))
			abort();
		second = print(&again, &len2);
		if (len != len2 || memcmp(first, second, len))
			abort();
		free(second);
		fffa_config_free(&again);
	}
	free(first);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fffa_config c;

	if (load_text((const char *)data, size, &c))
		return 0;
	check_round_trip(&c);
	fffa_config_free(&c);
	return 0;
}
