/* SPDX-License-Identifier: MIT */
/* The commands. Each reads its options, prints to standard output and returns the exit code. */
#ifndef FFFA_AGENT_CLI_COMMANDS_H
#define FFFA_AGENT_CLI_COMMANDS_H

#include "agent/cli/cli.h"

enum fffa_exit fffa_cmd_run(const struct fffa_command *self, int argc, char **argv);
enum fffa_exit fffa_cmd_replay(const struct fffa_command *self, int argc, char **argv);
enum fffa_exit fffa_cmd_check(const struct fffa_command *self, int argc, char **argv);
enum fffa_exit fffa_cmd_config(const struct fffa_command *self, int argc, char **argv);
enum fffa_exit fffa_cmd_spool(const struct fffa_command *self, int argc, char **argv);
enum fffa_exit fffa_cmd_fields(const struct fffa_command *self, int argc, char **argv);
enum fffa_exit fffa_cmd_tail(const struct fffa_command *self, int argc, char **argv);
enum fffa_exit fffa_cmd_top(const struct fffa_command *self, int argc, char **argv);
enum fffa_exit fffa_cmd_health(const struct fffa_command *self, int argc, char **argv);
enum fffa_exit fffa_cmd_version(const struct fffa_command *self, int argc, char **argv);

#endif
