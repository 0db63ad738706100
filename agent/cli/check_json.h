/* SPDX-License-Identifier: MIT */
/* fffa check --json */
#ifndef FFFA_AGENT_CLI_CHECK_JSON_H
#define FFFA_AGENT_CLI_CHECK_JSON_H

#include "agent/daemon/agent.h"

/*
 * Checks the configuration (given: as for fffa_cli_load) and prints one JSON object on standard
 * output: configuration (ok or invalid), file, problems, and host if it is ok.
 */
enum fffa_exit fffa_check_json_print(const char *given);

#endif
