// SPDX-License-Identifier: MIT
/* fffa replay */
#include <stdlib.h>
#include <string.h>

#include "agent/cli/commands.h"
#include "agent/cli/limits.h"

#define LOCAL_MAX 64

struct args {
	const char *config;
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

enum fffa_exit fffa_cmd_replay(const struct fffa_command *self, int argc, char **argv)
{
	struct args a = {0};
	const struct fffa_cli_syntax syntax = {
		.options = {{.name = "config", .letter = 'c', .text = &a.config},
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
	code = fffa_cli_load(a.config, &conf, stderr);
	if (code)
		return code;
	r = (struct fffa_replay_conf){.paths = (const char *const *)argv + first,
				      .path_count = (size_t)(argc - first),
				      .speed = a.speed,
				      .local = a.local,
				      .local_count = a.local_count};
	code = fffa_limits_check(&conf, false);
	if (!code)
		code = fffa_agent_replay(&conf, &r);
	fffa_config_free(&conf);
	return code;
}
