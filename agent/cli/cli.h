/* SPDX-License-Identifier: MIT */
/* The command line: one function a command, each returns the program's exit code. */
#ifndef FFFA_AGENT_CLI_CLI_H
#define FFFA_AGENT_CLI_CLI_H

#include "agent/daemon/agent.h"

struct fffa_command {
	const char *name;
	const char *help; /* usage and what it does, several lines */
	enum fffa_exit (*run)(const struct fffa_command *self, int argc, char **argv);
};

/* Ended by a row without name. */
extern const struct fffa_command fffa_commands[];

/* Says what is wrong, then the command's help, on standard error; returns FFFA_EXIT_USAGE. */
enum fffa_exit fffa_cli_usage(const struct fffa_command *c, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

enum fffa_exit fffa_cmd_replay(const struct fffa_command *self, int argc, char **argv);
enum fffa_exit fffa_cmd_spool(const struct fffa_command *self, int argc, char **argv);
enum fffa_exit fffa_cmd_top(const struct fffa_command *self, int argc, char **argv);
enum fffa_exit fffa_cmd_version(const struct fffa_command *self, int argc, char **argv);
enum fffa_exit fffa_cmd_fields(const struct fffa_command *self, int argc, char **argv);

/* given (of -c), else the default file when it is there, else NULL. */
const char *fffa_cli_config_path(const char *given);

/*
 * Loads the configuration named by -c, else the default file when it is there, else the defaults.
 * Problems go to problems. 0 or FFFA_EXIT_CONFIG.
 */
enum fffa_exit fffa_cli_load(const char *path, struct fffa_config *out, FILE *problems);

#endif
