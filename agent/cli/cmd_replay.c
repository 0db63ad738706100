// SPDX-License-Identifier: MIT
/* fffa replay */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "agent/cli/cli.h"

#define LOCAL_MAX 64

struct args {
	const char *config;
	double speed;
	struct fffa_cidr local[LOCAL_MAX];
	size_t local_count;
	bool help;
};

static enum fffa_exit parse_speed(const struct fffa_command *self, const char *text, double *out)
{
	char *end;

	if (!strcmp(text, "max")) {
		*out = 0;
		return FFFA_EXIT_OK;
	}
	*out = strtod(text, &end);
	if (end == text || *end || !(*out > 0 && *out <= 1e6))
		return fffa_cli_usage(self, "--speed %s: must be max or a number above 0", text);
	return FFFA_EXIT_OK;
}

static enum fffa_exit parse_local(const struct fffa_command *self, const char *text, struct args *a)
{
	struct fffa_err err;

	if (a->local_count == LOCAL_MAX)
		return fffa_cli_usage(self, "more than %d --local prefixes", LOCAL_MAX);
	if (fffa_cidr_parse(text, &a->local[a->local_count], &err))
		return fffa_cli_usage(self, "--local %s", err.text);
	a->local_count++;
	return FFFA_EXIT_OK;
}

static enum fffa_exit parse(const struct fffa_command *self, int argc, char **argv, struct args *a)
{
	static const struct option longs[] = {{"config", required_argument, NULL, 'c'},
					      {"speed", required_argument, NULL, 's'},
					      {"local", required_argument, NULL, 'l'},
					      {"help", no_argument, NULL, 'h'},
					      {NULL, 0, NULL, 0}};
	enum fffa_exit code = FFFA_EXIT_OK;
	int ch;

	opterr = 0;
	while (!code && (ch = getopt_long(argc, argv, ":c:h", longs, NULL)) != -1) {
		switch (ch) {
		case 'c':
			a->config = optarg;
			break;
		case 's':
			code = parse_speed(self, optarg, &a->speed);
			break;
		case 'l':
			code = parse_local(self, optarg, a);
			break;
		case 'h':
			a->help = true;
			break;
		default:
			return fffa_cli_usage(self,
					      ch == ':' ? "%s needs a value" : "unknown option %s",
					      argv[optind - 1]);
		}
	}
	if (!code && !a->help && optind == argc)
		return fffa_cli_usage(self, "no capture file");
	return code;
}

enum fffa_exit fffa_cmd_replay(const struct fffa_command *self, int argc, char **argv)
{
	struct args a = {0};
	struct fffa_config conf;
	struct fffa_replay_conf r;
	enum fffa_exit code = parse(self, argc, argv, &a);

	if (code)
		return code;
	if (a.help) {
		(void)fputs(self->help, stdout);
		return FFFA_EXIT_OK;
	}
	code = fffa_cli_load(a.config, &conf, stderr);
	if (code)
		return code;
	r = (struct fffa_replay_conf){.paths = (const char *const *)argv + optind,
				      .path_count = (size_t)(argc - optind),
				      .speed = a.speed,
				      .local = a.local,
				      .local_count = a.local_count};
	code = fffa_agent_replay(&conf, &r);
	fffa_config_free(&conf);
	return code;
}
